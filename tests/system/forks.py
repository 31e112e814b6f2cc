#!/usr/bin/env python3
"""tests/system/forks.py -- seven miners whose links are cut under load, at random
to three neighbours or into two halves, then healed: one tip, and 200 of 200
reservations are in the ledger, each exactly once.

The prototype kept 26 to 37 of 200. PERCH_LONG=1 cuts for a minute, with another
net every few seconds.
"""
import concurrent.futures
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import LONG, Cluster, expect, main, until  # noqa: E402

COUNT, AT_ONCE = 200, 4
CUT_S = 60 if LONG else 15
NET_S = 10 if LONG else 5
SETTLE_S = 120
MINERS = {"nodes": 7, "engine": "pow", "interval": "1s", "bits": "1e100000",
          "cuttable": True}
PADS = [("haneda", "A"), ("haneda", "B"), ("kansai", "A"), ("kansai", "B"),
        ("kansai", "C"), ("naha", "A")]


def reserve(c, number, start):
    """The number-th reservation, at its own pad and time and moment."""
    wait_until(start + number * CUT_S / COUNT)
    port, pad = PADS[number % len(PADS)]
    node = random.Random(number).choice(c.json["nodes"])["name"]
    return c.try_wallet(
        ("alice", "bob")[number % 2], "reserve", "--port", port, "--pad", pad,
        "--from", "+%dm" % (60 + 10 * (number // len(PADS))), "--for", "5m",
        "--node", node, "--wait", "received", "--timeout", "4m")


def chains(c):
    """Of all nodes at one moment."""
    nodes = until(lambda: [nodes for nodes in [c.status()["nodes"]]
                           if all(node["chains"] for node in nodes)], 20,
                  "every node answers")[0]
    return [node["chains"][0] for node in nodes]


def history(c):
    return [row for port in ("haneda", "kansai", "naha")
            for row in c.wallet_rows("alice", "history", "--port", port)]


def under_load(c, while_cut):
    """COUNT reservations in CUT_S seconds while the links are as while_cut(start)
    makes them; then they are healed and everything is counted."""
    until(lambda: all(chain["height"] > 5 for chain in chains(c)), 60,
          "blocks on every node")
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [pool.submit(reserve, c, n, start) for n in range(COUNT)]
        while_cut(start)
        c.script("heal")
        done = [one.result() for one in asked]
    bad = [d for d in done if d[0] != 0]
    expect(not bad, "%d of %d: the first said %s" % (
        COUNT - len(bad), COUNT, bad[:1]))
    until(lambda: len(history(c)) >= COUNT, SETTLE_S, "all in the history")
    rows = history(c)
    expect(len(rows) == COUNT and all(
        row["to"] == "confirmed" for row in rows), rows[-3:])
    expect(len({row["reservation"]["reservation"] for row in rows}) == COUNT,
           "one reservation, two moves")
    c.wait_agreement(SETTLE_S)
    said = [chain["numbers"] for chain in chains(c)]
    print("%d of %d final once each; reorganisations %s, the deepest %d blocks;"
          " %.1f MH/s" % (len(rows), COUNT, [n["reverts"] for n in said],
                          max(n["deepest"] for n in said),
                          sum(n["hash_rate"] for n in said) / 1e6))


def wait_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def three_neighbours():
    with Cluster(**MINERS) as c:
        def nets(start):
            for net in range(CUT_S // NET_S):
                c.script("heal")
                c.script("cut", "--neighbours", "3", "--seed", str(net))
                wait_until(start + (net + 1) * NET_S)
        under_load(c, nets)


def two_halves():
    """Three mine on for themselves: their blocks are undone, and what was in
    them is not lost."""
    with Cluster(**MINERS) as c:
        names = [node["name"] for node in c.json["nodes"]]

        def halves(_):
            for few in names[:3]:
                for many in names[3:]:
                    c.script("cut", few, many)
            parted = max(chain["height"] for chain in chains(c)[:3])
            wait_until(time.monotonic() + CUT_S)
            # The few have a block where the many have a final one.
            until(lambda: min(chain[which] for which, some in (
                ("height", slice(3)), ("final_height", slice(3, 7)))
                for chain in chains(c)[some]) > parted, 60, "both halves mine")
        under_load(c, halves)
        few = [chain["numbers"] for chain in chains(c)[:3]]
        expect(all(n["reverts"] for n in few), "nothing was undone: %s" % few)


if __name__ == "__main__":
    main(three_neighbours, two_halves)
