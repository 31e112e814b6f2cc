#!/usr/bin/env python3
"""tests/system/undone.py -- a holder whose node was on the losing branch: told
`undone`, once each time, and then what became of it. The observer shows the same.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import lines  # noqa: E402
from cluster import BIN, Cluster, Failed, expect, main, until  # noqa: E402

AHEAD = 3  # blocks: enough that the other branch has more work
TRIES = 3  # what a node publishes may be lost on a busy machine


def heights(c):
    return {n["name"]: n["chains"][0]["height"] for n in c.status()["nodes"]}


def codes(rows, ident):
    return [row.get("code") for _, row in rows if row["id"] == ident]


def once_each(said):
    """Undone at least once, and told once each time that it is: two miners at
    one height can undo it again."""
    kept = [code for code in said if code in ("granted", "undone")]
    return "undone" in kept and all(a != b for a, b in zip(kept, kept[1:]))


def undone():
    for _ in range(TRIES):
        if watched_too():
            return
    raise Failed("the watch never says undone")


def watched_too():
    """The holder is always told; False: the watch was not."""
    with Cluster(nodes=3, engine="pow", interval="500ms", bits="1f010000",
                 cuttable=True) as c:
        lonely, *others = (n["name"] for n in c.json["nodes"])
        with lines.Lines(os.path.join(BIN, "perch-observer"), "--config",
                         os.path.join(c.dir, "conf", "observer.conf"),
                         "--follow", "chain") as seen, \
                c.lines("alice", "watch", "--wait", "ordered", "--node",
                        lonely) as watched:
            until(lambda: seen.rows, 20, "the observer sees the chain")
            for other in others:
                c.script("cut", lonely, other)
            with c.lines("alice", "reserve", "--node", lonely, "--port",
                         "naha", "--from", "+2h", "--wait", "ordered",
                         "--stay", "--timeout", "2m") as holder:
                until(lambda: holder.rows, 60, "ordered on the lonely branch")
                first = holder.rows[0][1]
                expect(first["status"] == "ordered", first)
                until(lambda: min(heights(c)[o] for o in others) >=
                      max(heights(c)[lonely], first["height"]) + AHEAD, 120,
                      "more work on the other branch: %s" % heights(c))
                c.script("heal")
                until(lambda: holder.rows[-1][1]["status"] == "final", 120,
                      "final: %s" % holder.rows)
                rows = list(holder.rows)
            check_holder(rows, first)
            until(lambda: codes(watched.rows, first["id"])[-1:] == [None], 20,
                  "the watch says final")
            check_observer(seen.rows, lonely, others)
            said = codes(watched.rows, first["id"])
            print("the watch: %s" % said)
            return once_each(said)


def check_holder(rows, first):
    said = [(row["status"], row["code"]) for _, row in rows]
    expect(all(row["id"] == first["id"] and row["chain"] == "pow"
               for _, row in rows), rows)
    expect(once_each([code for status, code in said if status != "final"]),
           said)
    at = said.index(("received", "undone"))
    expect(at >= 1 and rows[at][1]["height"] == first["height"], rows)
    expect(said[-1] == ("final", "granted"), said)
    expect([s for s, _ in said].count("final") == 1, said)


def check_observer(rows, lonely, others):
    moved = [row for _, row in rows if row["event"] == "reorganisation"]
    expect(any(row["node"] == lonely and row["depth"] >= 1 for row in moved),
           moved)
    expect(any(row["event"] == "fork" for _, row in rows), "no fork was told")
    for _, row in rows:
        expect(row["chain"] == "pow" and row["node"] in [lonely, *others],
               row)


if __name__ == "__main__":
    main(undone)
