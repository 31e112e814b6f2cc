#!/usr/bin/env python3
"""tests/system/race.py -- two wallets, one slot, two nodes, at once: one winner
each time, and the other is told who was first. 50 rounds; PERCH_LONG=1: 1,000.
"""
import concurrent.futures
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import LONG, Cluster, expect, main  # noqa: E402

ROUNDS = 1000 if LONG else 50


def one_winner():
    with Cluster(nodes=5) as c, concurrent.futures.ThreadPoolExecutor(
            2) as pool:
        names = [node["name"] for node in c.json["nodes"]]
        won = {"alice": 0, "bob": 0}
        for number in range(ROUNDS):
            def reserve(wallet, node, when="+%dm" % (60 + 6 * number)):
                return c.try_json(
                    wallet, "reserve", "--port", "haneda", "--pad", "A",
                    "--from", when, "--for", "5m", "--node", node)
            first = number % 5
            pair = {
                "alice": pool.submit(reserve, "alice", names[first]),
                "bob": pool.submit(reserve, "bob", names[(first + 2) % 5])}
            said = {who: future.result() for who, future in pair.items()}
            winners = [who for who, (code, _) in said.items() if code == 0]
            losers = [who for who, (code, row) in said.items()
                      if code == 1 and row["code"] == "slot_taken"]
            expect(len(winners) == 1 and len(losers) == 1, said)
            reservation = said[winners[0]][1]["receipts"][0]["reservation"]
            way = said[losers[0]][1]["receipts"][0]["conflicts"]
            expect(way[0]["reservation"] == reservation, said)
            won[winners[0]] += 1
        c.wait_agreement()
        print("%d rounds, one winner each: %s" % (ROUNDS, won))


if __name__ == "__main__":
    main(one_winner)
