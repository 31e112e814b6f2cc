#!/usr/bin/env python3
"""tests/system/count.py -- 200 reservations by two wallets to random nodes: all
200 are final, each exactly once, and nobody is told otherwise.

The prototypes kept 26 to 145 of 200 at 20 a second. The quick form sends as
fast as the wallets start; PERCH_LONG=1 sends 20 a second.
"""
import concurrent.futures
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import LONG, Cluster, expect, main, until  # noqa: E402

COUNT, RATE, AT_ONCE = 200, 20, 8
PADS = [("haneda", "A"), ("haneda", "B"), ("kansai", "A"), ("kansai", "B"),
        ("kansai", "C"), ("naha", "A")]


def reserve(c, number, start):
    """The number-th reservation, at its own pad and time."""
    if LONG:
        time.sleep(max(0, start + number / RATE - time.monotonic()))
    port, pad = PADS[number % len(PADS)]
    node = random.Random(number).choice(c.json["nodes"])["name"]
    return c.try_wallet(
        ("alice", "bob")[number % 2], "reserve", "--port", port, "--pad", pad,
        "--from", "+%dm" % (60 + 10 * (number // len(PADS))), "--for", "5m",
        "--node", node)


def all_of_them():
    with Cluster(nodes=5) as c:
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            done = list(pool.map(lambda n: reserve(c, n, start),
                                 range(COUNT)))
        seconds = time.monotonic() - start
        bad = [d for d in done if d[0] != 0]
        expect(not bad, "%d of %d: the first said %s" % (
            COUNT - len(bad), COUNT, bad[:1]))

        def history():
            return [row for port in ("haneda", "kansai", "naha")
                    for row in c.wallet_rows("alice", "history", "--port",
                                             port)]
        until(lambda: len(history()) >= COUNT, 10, "all in the history")
        rows = history()
        expect(len(rows) == COUNT and all(
            row["to"] == "confirmed" for row in rows), rows[-3:])
        expect(len({row["reservation"]["reservation"] for row in rows}) ==
               COUNT, "one reservation, two moves")
        c.wait_agreement()
        print("%d of %d final, %.0f a second" % (COUNT, COUNT,
                                                 COUNT / seconds))


if __name__ == "__main__":
    main(all_of_them)
