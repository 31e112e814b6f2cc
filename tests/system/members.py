#!/usr/bin/env python3
"""tests/system/members.py -- a node that is not in the genesis joins as a
stand-by, fetches the ledger, becomes a voter whose vote is needed, and leaves;
under load, and one change at a time.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    from joiner import Joiner
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
from cluster import Cluster, expect, main, until  # noqa: E402


def reserve(c, hours):
    made = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                    "--from", "+%dh" % hours)
    return made["height"]


def joins_and_leaves():
    with Cluster(nodes=3, traffic=20) as c:
        fourth = Joiner(c, "fourth")
        said = fourth.change("standby", wallet="alice", code=1)
        expect(said["code"] == "role", said)
        height = fourth.change("standby")["height"]
        until(lambda: fourth.has(height), 20, "the stand-by has the ledger")
        expect(fourth.status()["role"] == 3, fourth.status())
        height = fourth.change("voter")["height"]
        until(lambda: fourth.has(height), 20, "the voter follows")
        expect(fourth.status()["role"] in (0, 1, 2), fourth.status())
        # Of four, three are a majority: without the fourth nothing is final.
        others = [n["name"] for n in c.json["nodes"]]
        c.script("kill", others[0])
        height = reserve(c, 10)
        until(lambda: fourth.has(height), 20, "the voter goes on")
        c.script("restart", others[0])
        fourth.change("none")
        fourth.stop()
        c.script("kill", others[1])  # of three, two are
        reserve(c, 12)
        c.script("restart", others[1])
        c.script("stop", "traffic")
        c.wait_agreement()
        fourth.close()


if __name__ == "__main__":
    main(joins_and_leaves)
