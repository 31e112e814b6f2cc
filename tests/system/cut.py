#!/usr/bin/env python3
"""tests/system/cut.py -- links are cut, slowed and healed while all nodes run.

The leader of `ordered` is cut off under load: the majority goes on, the
minority says that it cannot and vouches for nothing, and once all is whole
there is one ledger with everything that was acknowledged. Then a random net, in
which nobody has more than three neighbours.
"""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    import stranger
    import zmq
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
from cluster import SANITIZED, Cluster, expect, main, run  # noqa: E402
from cluster import SCRIPT, until  # noqa: E402

RATE = 20 if SANITIZED else 50
GONE = "is gone from"  # a dead connection is given up


def finals(watched):
    return [(at, row) for at, row in list(watched.rows)
            if row["status"] == "final"]


def more(watched, count, seconds=40):
    there = len(finals(watched))
    until(lambda: len(finals(watched)) >= there + count, seconds,
          "%d more final answers" % count)


def resident_kb(c, name):
    with open(os.path.join(c.dir, "pids", name)) as file:
        pid = file.read().strip()
    with open("/proc/%s/status" % pid) as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


def asks_freshly(c, name):
    """What a node says when it must vouch for its head."""
    node = next(n for n in c.json["nodes"] if n["name"] == name)
    context = zmq.Context()
    identity = stranger.Identity(
        bytes.fromhex(c.json["network"]), os.urandom(32))
    link = stranger.Link(context, identity, node["request"],
                         bytes.fromhex(node["key"]))
    try:
        return link.ask("head_query", chain=0, fresh=1)[1]["hash"]
    except stranger.Refused as refused:
        return str(refused)
    finally:
        context.destroy(0)


def leader_is_cut_off():
    with Cluster(nodes=5, cuttable=True) as c:
        with c.traffic(RATE) as watched:
            more(watched, RATE)
            old = c.wait_leader()
            c.script("cut", old, "all")
            new = until(lambda: next(
                (n["name"] for n in c.status()["nodes"] if n["name"] != old
                 and n["role"] == "leader"), None), 20, "a new leader")
            more(watched, RATE)
            said = asks_freshly(c, old)
            expect("behind" in said, said)
            until(lambda: [n for n in [c.node(old)] if n["up"] and
                           n["peers"] == 0 and n["role"] != "leader"],
                  20, "the old leader hears nobody, and leads nobody")
            status = c.status()
            expect(len(status["cuts"]) == 4 and all(
                old in pair for pair in status["cuts"]), status["cuts"])
            before = resident_kb(c, new)
            until(lambda: GONE in c.log(new), 30, "the dead link is given up")
            more(watched, RATE)
            after = resident_kb(c, new)
            expect(after < before + 32768, "%d KiB, then %d" % (before, after))
            c.script("heal")
            healed = time.monotonic()
            until(lambda: all(n["peers"] == 4 for n in c.status()["nodes"]),
                  20, "everybody hears everybody")
            whole = time.monotonic() - healed
            more(watched, RATE)
        said = finals(watched)
        c.wait_agreement()
        ledger = c.ledger(max(row["height"] for _, row in said))
        for _, row in said:
            expect(ledger.get(row["id"]) == row["height"],
                   "acknowledged, and not there: %s" % row)
        print("%d final, none lost; %.1f s until all are heard again; "
              "%d -> %d KiB" % (len(said), whole, before, after))


def three_neighbours():
    """Nobody is alone, so a majority is found without every link."""
    with Cluster(nodes=7, topology="mesh", cuttable=True) as c:
        c.wait_leader()
        c.script("cut", "--neighbours", 3, "--seed", 7)
        until(lambda: all(1 <= n["peers"] <= 3 for n in c.status()["nodes"]),
              20, "three neighbours at most")
        degrees = [sum(n["name"] not in pair for pair in
                       c.status()["cuts"]) for n in c.status()["nodes"]]
        expect(len(degrees) == 7, degrees)
        c.script("heal")
        until(lambda: all(n["peers"] == 6 for n in c.status()["nodes"]),
              20, "everybody hears everybody")
        expect(c.status()["cuts"] == [], c.status()["cuts"])
        c.wallet("alice", "reserve", "--port", "naha", "--pad", "A", "--from",
                 "+9h")
        c.wait_agreement()


def slow_link():
    with Cluster(nodes=3, cuttable=True) as c:
        names = [n["name"] for n in c.json["nodes"]]
        c.script("delay", names[0], names[1], 60)
        expect("60 ms" in c.script("status"), c.script("status"))
        c.wallet("alice", "reserve", "--port", "naha", "--pad", "A", "--from",
                 "+9h")


def wrong_words():
    def say(code, words, *arguments):
        got, out, err = run(SCRIPT, *arguments)
        expect(got == code and all(w in out + err for w in words),
               "%s: %d %s%s" % (arguments, got, out, err))
    with Cluster(nodes=3, cuttable=True) as c:
        a, b = (n["name"] for n in c.json["nodes"][:2])
        at = ["--dir", c.dir]
        say(2, ["two names"], "cut", a, *at)
        say(2, ["nobody", a], "cut", a, "nobody", *at)
        say(2, ["itself"], "cut", a, a, *at)
        say(2, ["everything"], "heal", a, *at)
        say(2, ["from 2 to 15"], "cut", "--neighbours", "1", *at)
        say(2, ["from 1 to 10000"], "delay", a, b, "x", *at)
        say(2, ["milliseconds"], "delay", a, b, *at)
        c.script("kill", "relay")
        say(1, ["relay"], "cut", a, b, *at)
    with Cluster(nodes=2) as c:
        a, b = (n["name"] for n in c.json["nodes"])
        say(1, ["--cuttable"], "cut", a, b, "--dir", c.dir)


if __name__ == "__main__":
    main(leader_is_cut_off, three_neighbours, slow_link, wrong_words)
