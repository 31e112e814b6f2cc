#!/usr/bin/env python3
"""tests/system/forks.py -- seven miners whose links are cut at random to three
neighbours under load, then healed: one tip, and 200 of 200 reservations are in
the ledger, each exactly once.

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
PADS = [("haneda", "A"), ("haneda", "B"), ("kansai", "A"), ("kansai", "B"),
        ("kansai", "C"), ("naha", "A")]


def reserve(c, number, start):
    """The number-th reservation, at its own pad and time and moment."""
    time.sleep(max(0, start + number * CUT_S / COUNT - time.monotonic()))
    port, pad = PADS[number % len(PADS)]
    node = random.Random(number).choice(c.json["nodes"])["name"]
    return c.try_wallet(
        ("alice", "bob")[number % 2], "reserve", "--port", port, "--pad", pad,
        "--from", "+%dm" % (60 + 10 * (number // len(PADS))), "--for", "5m",
        "--node", node, "--wait", "received", "--timeout", "20s")


def chains(c):
    return [node["chains"][0] for node in c.status()["nodes"]]


def history(c):
    return [row for port in ("haneda", "kansai", "naha")
            for row in c.wallet_rows("alice", "history", "--port", port)]


def cut_and_healed():
    with Cluster(nodes=7, engine="pow", interval="1s", bits="1e100000",
                 cuttable=True) as c:
        until(lambda: all(chain["height"] > 5 for chain in chains(c)), 60,
              "blocks on every node")
        start = time.monotonic()
        nets = 0
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            asked = [pool.submit(reserve, c, n, start) for n in range(COUNT)]
            while time.monotonic() < start + CUT_S:
                c.script("heal")
                c.script("cut", "--neighbours", "3", "--seed", str(nets))
                nets += 1
                end = min(start + nets * NET_S, start + CUT_S)
                time.sleep(max(0, end - time.monotonic()))
            c.script("heal")
            done = [one.result() for one in asked]
        bad = [d for d in done if d[0] != 0]
        expect(not bad, "%d of %d: the first said %s" % (
            COUNT - len(bad), COUNT, bad[:1]))
        until(lambda: len(history(c)) >= COUNT, SETTLE_S,
              "all in the history")
        rows = history(c)
        expect(len(rows) == COUNT and all(
            row["to"] == "confirmed" for row in rows), rows[-3:])
        expect(len({row["reservation"]["reservation"] for row in rows}) ==
               COUNT, "one reservation, two moves")
        c.wait_agreement(SETTLE_S)
        said = chains(c)
        print("%d of %d final once each after %d nets; reorganisations %s, "
              "the deepest %d blocks; %.1f MH/s" % (
                  len(rows), COUNT, nets,
                  [s["numbers"]["reverts"] for s in said],
                  max(s["numbers"]["deepest"] for s in said),
                  sum(s["numbers"]["hash_rate"] for s in said) / 1e6))


if __name__ == "__main__":
    main(cut_and_healed)
