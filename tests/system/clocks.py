#!/usr/bin/env python3
"""tests/system/clocks.py -- nodes whose clocks are 5 s apart: one ledger with one
state root, whoever leads, and time that does not go back.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import BIN, SANITIZED, Cluster, expect, main  # noqa: E402
from cluster import run, until  # noqa: E402

SHIFT = os.path.join(BIN, "libperch-shift.so")
SHIFTS = {"the_leader_node": -2500, "the_blue_sky": 2500, "white_noise": 0}


def restart(c, name, shift=None):
    shift = SHIFTS[name] if shift is None else shift
    os.environ.update(LD_PRELOAD=SHIFT, PERCH_SHIFT_MS=str(shift))
    try:
        c.script("restart", name)
    finally:
        del os.environ["LD_PRELOAD"], os.environ["PERCH_SHIFT_MS"]


def clock_of(c, name):
    """What a node's own clock said when it was last started, and this one's:
    when its process began, in seconds of the day."""
    lines = re.findall(r"T(\d+):(\d+):([\d.]+)Z .* answers on", c.log(name))
    hour, minute, second = lines[-1]
    with open(os.path.join(c.dir, "pids", name)) as file:
        begun = os.stat("/proc/" + file.read().strip()).st_ctime
    return int(hour) * 3600 + int(minute) * 60 + float(second), begun % 86400


def shifted(c, name):
    """Started, and quickly enough to see by its log that its clock is off."""
    restart(c, name)
    said, begun = clock_of(c, name)
    return abs((said - begun - SHIFTS[name] / 1000 + 43200) % 86400 -
               43200) < 2


def times(c):
    """Of the final blocks, in order, to one that is made now."""
    top = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                   "--from", "+9h")["height"]
    with c.lines("alice", "watch", "--height", 1) as watched:
        until(lambda: watched.rows and
              watched.rows[-1][1]["height"] >= top, 30, "the ledger")
    return [row["time"] for _, row in watched.rows]


def five_seconds():
    with Cluster(nodes=3) as c:
        for name in SHIFTS:
            until(lambda at=name: shifted(c, at), 60, "%s with its clock" %
                  name)
            c.wait_leader()
        led = set()
        for number in range(3):
            leader = c.wait_leader()
            led.add(leader)
            with c.traffic(20) as traffic:
                until(lambda: len([row for _, row in traffic.rows if
                                   row.get("status") == "final"]) >= 60, 60,
                      "60 fates under %s" % leader)
            c.wait_agreement()
            c.script("kill", leader)
            led.add(c.wait_leader(but=leader))
            restart(c, leader)
            c.wait_agreement()
        expect(len(led) > 1, "only %s has led" % led)
        seen = times(c)
        expect(seen == sorted(seen), "time went back")
        print("%s led; %d transactions, one root" % (
            ", ".join(sorted(led)), len(seen)))


def an_hour():
    """A wallet whose clock is an hour off is told to compare it; a node whose
    clock is stops as any other."""
    with Cluster(nodes=3) as c:
        wallet = [os.path.join(BIN, "perch-wallet"), "reserve", "--port",
                  "naha", "--pad", "A", "--config", c.wallet_conf("alice")]
        name = next(n["name"] for n in c.json["nodes"]
                    if n["name"] != c.wait_leader())
        for shift in (3600000, -3600000):
            code, out, err = run(*wallet, env={
                **os.environ, "LD_PRELOAD": SHIFT,
                "PERCH_SHIFT_MS": str(shift)})
            expect(code == 1 and "expired" in out and
                   "compare this clock" in out, out + err)
            restart(c, name, shift)
            until(lambda: c.log(name).count("reached") >= 2, 30,
                  "%s with its clock" % name)
            c.script("stop", name)
            expect("stopping" in c.log(name) and
                   "has not ended" not in c.log(name), c.log(name))


if __name__ == "__main__":
    if SANITIZED or not os.path.exists(SHIFT):
        print("skipped: no %s, or sanitizers, which come first" % SHIFT)
        sys.exit(77)
    main(five_seconds, an_hour)
