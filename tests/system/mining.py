#!/usr/bin/env python3
"""tests/system/mining.py -- a cluster that mines: blocks come at their interval,
hash rates are shown, what is final is final everywhere, a miner that is killed
is not missed and comes back, one that was away catches up, and on demand nobody
mines for nothing.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import Cluster, Failed, expect, main, until  # noqa: E402

# Easy to begin with: what fits this machine is found by retargeting.
RULES = {"engine": "pow", "interval": "500ms", "bits": "1e100000"}
INTERVAL_S = 0.5
SETTLE, COUNTED = 20, 40  # blocks
ROUNDS = 3  # the power of threads that yield to others is what others leave
RATE = 10


def chains(c):
    """The chains of all nodes that answer at once."""
    return [n["chains"][0] for n in c.status()["nodes"] if n["chains"]]


def height(c):
    return max((chain["height"] for chain in chains(c)), default=0)


def final_height(c):
    """What is final on every node."""
    return min((chain["final_height"] for chain in chains(c)), default=0)


def pace(c):
    """Seconds between two of the next blocks."""
    first, begin = height(c), time.monotonic()
    until(lambda: height(c) >= first + COUNTED, 120, "blocks")
    return (time.monotonic() - begin) / COUNTED


def rates(c):
    return [chain["numbers"]["hash_rate"] for chain in chains(c)]


def finals(watched):
    return [row for _, row in list(watched.rows) if row["status"] == "final"]


def more(watched, count, seconds=60):
    there = len(finals(watched))
    until(lambda: len(finals(watched)) >= there + count, seconds,
          "%d more final answers" % count)


def reserve(c, wallet, minutes, code=0):
    return c.wallet(wallet, "reserve", "--port", "haneda", "--pad", "A",
                    "--from", "+%dm" % minutes, "--for", "5m", code=code)


def steady():
    """The interval is kept, and a reservation is final by signatures."""
    with Cluster(nodes=3, **RULES) as c:
        until(lambda: all(rates(c)) and height(c) >= SETTLE, 60,
              "every node mines")
        expect(reserve(c, "alice", 60)["result"] == "granted", "refused")
        expect(reserve(c, "bob", 62, code=1)["result"] == "refused",
               "granted twice")
        for _ in range(ROUNDS):
            took = pace(c)
            if 0.5 * INTERVAL_S < took < 2 * INTERVAL_S:
                break
        else:
            raise Failed("%.2f s between two blocks" % took)
        c.wait_agreement(60)
        print("%.2f s between two blocks, %.1f MH/s" % (
            took, sum(rates(c)) / 1e6))


def killed():
    """One miner of three is killed under load, and comes back."""
    with Cluster(nodes=3, **RULES) as c:
        with c.traffic(RATE) as watched:
            more(watched, RATE)
            name = c.json["nodes"][0]["name"]
            c.script("kill", name)
            more(watched, 3 * RATE)
            c.script("restart", name)
            more(watched, 3 * RATE)
        said = finals(watched)
        ledger = c.ledger(max(row["height"] for row in said))
        for row in said:
            expect(ledger.get(row["id"]) == row["height"],
                   "final, and not there: %s" % row)
        c.wait_agreement(60)
        print("%d final, none lost" % len(said))


def away():
    """A node that was away fetches what it missed by its headers, and no body
    twice but from a second one when the first kept it waiting, which is a fault
    that is counted; then all are killed at once, as by a power cut."""
    with Cluster(nodes=3, **RULES) as c:
        name = c.json["nodes"][0]["name"]
        until(lambda: height(c) >= SETTLE, 60, "blocks")
        c.script("stop", name)
        first = height(c)
        until(lambda: height(c) >= first + COUNTED, 120, "blocks")
        c.script("restart", name)
        c.wait_agreement(60)
        for numbers in (chain["numbers"] for chain in chains(c)):
            expect(numbers["doubled"] <= numbers["faults"],
                   "a body was sent to one who had it: %s" % numbers)
        before = height(c)
        c.script("kill", "all")
        c.script("restart", "all")
        until(lambda: final_height(c) > before, 60, "new final blocks")
        c.wait_agreement(60)


def demand():
    """Nobody mines for nothing."""
    with Cluster(nodes=3, mine="demand", miners=2, **RULES) as c:
        until(lambda: not any(rates(c)), 60, "rest")
        expect(all(chain["numbers"]["miners"] == 2 for chain in chains(c)),
               "not two threads each")
        before = height(c)
        expect(reserve(c, "alice", 60)["result"] == "granted", "refused")
        until(lambda: height(c) > before, 10, "a block")
        until(lambda: not any(rates(c)), 60, "rest again")
        after = height(c)
        expect(reserve(c, "bob", 70)["result"] == "granted", "refused")
        until(lambda: height(c) > after, 10, "a block")


if __name__ == "__main__":
    main(steady, killed, away, demand)
