#!/usr/bin/env python3
"""tests/system/crash.py -- the leader is killed under load: the next final
answer comes within 5 s, what was acknowledged is in the ledger, and the killed
node comes back to the same state. Then a node is away for a while and catches
up, by blocks, or by a snapshot when the others have compacted their logs.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import SANITIZED, Cluster, expect, main, until  # noqa: E402

RATE = 20 if SANITIZED else 50
GAP_S = 15 if SANITIZED else 5
KEPT = 20  # blocks, and what the others must be ahead to have let some go


def finals(watched):
    return [(at, row) for at, row in list(watched.rows)
            if row["status"] == "final"]


def more(watched, count, seconds=30):
    """Wait until so many more answers are final."""
    there = len(finals(watched))
    until(lambda: len(finals(watched)) >= there + count, seconds,
          "%d more final answers" % count)


def kill_leader():
    with Cluster(nodes=5) as c:
        with c.traffic(RATE) as watched:
            more(watched, RATE)
            leader = c.wait_leader()
            killed = time.monotonic()
            c.script("kill", leader)
            more(watched, 3 * RATE)
            times = [killed, *(at for at, _ in finals(watched) if at > killed)]
            gap = max(b - a for a, b in zip(times, times[1:]))
            expect(gap < GAP_S, "%.1f s without a final answer" % gap)
            expect(c.wait_leader() != leader, "a dead node leads")
            c.script("restart", leader)
            more(watched, RATE)
        said = finals(watched)
        ledger = c.ledger(max(row["height"] for _, row in said))
        for _, row in said:
            expect(ledger.get(row["id"]) == row["height"],
                   "acknowledged, and not there: %s" % row)
        c.wait_agreement()
        print("%s: %d final, none lost; %.2f s without one" % (
            leader, len(said), gap))


def away(setting, log_says):
    """A follower misses some blocks; the others have this setting."""
    with Cluster(nodes=3) as c:
        if setting:
            for node in c.json["nodes"]:
                c.set_conf(node["name"], setting)
            c.script("restart", "all")
        leader = c.wait_leader()
        name = next(n["name"] for n in c.json["nodes"]
                    if n["name"] != leader)
        with c.traffic(RATE) as watched:
            more(watched, RATE)
            c.script("stop", name)
            top = c.chains(leader)[0]["height"]
            more(watched, 4 * RATE)
            until(lambda: not setting or c.chains(leader)[0]["final_height"] >
                  top + 3 * KEPT, 30, "enough blocks to let some go")
            c.script("restart", name)
            more(watched, RATE)
        c.wait_agreement()
        expect((log_says in c.log(name)) == bool(setting), "%r in its log: %s"
               % (log_says, c.log(name)[-1500:]))


def away_blocks():
    away("", "fetching the state at height")


def away_snapshot():
    away("keep-blocks = %d" % KEPT, "the state is now that of height")


def all_at_once():
    """Every node is killed at once, as by a power cut; nothing is lost."""
    with Cluster(nodes=3, topology="mesh") as c:
        with c.traffic(RATE) as watched:
            more(watched, RATE)
            c.script("kill", "all")
            c.script("restart", "all")
            more(watched, RATE)
        said = finals(watched)
        ledger = c.ledger(max(row["height"] for _, row in said))
        for _, row in said:
            expect(ledger.get(row["id"]) == row["height"],
                   "acknowledged, and not there: %s" % row)
        c.wait_agreement()


if __name__ == "__main__":
    main(kill_leader, away_blocks, away_snapshot, all_at_once)
