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

NODES = 3
AHEAD = 3  # blocks: enough that the other branch has more work
TRIES = 3  # what a node publishes may be lost on a busy machine


def is_ahead(c, lonely, least):
    """The other branch has more work; False also when somebody is too busy to
    say how far it is."""
    at = {n["name"]: n["chains"][0]["height"] for n in c.status()["nodes"]
          if n["chains"]}
    return len(at) == NODES and min(
        height for name, height in at.items() if name != lonely) >= max(
            at[lonely], least) + AHEAD


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
    with Cluster(nodes=NODES, engine="pow", interval="500ms", bits="1f010000",
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
                until(lambda: is_ahead(c, lonely, first["height"]), 120,
                      "more work on the other branch")
                c.script("heal")
                until(lambda: holder.rows[-1][1]["status"] == "final", 120,
                      "final: %s" % holder.rows)
                rows = list(holder.rows)
            check_holder(rows, first)
            until(lambda: codes(watched.rows, first["id"])[-1:] == [None], 20,
                  "the watch says final")
            until(lambda: tells_all(seen.rows, lonely), 20,
                  "the observer tells the reorganisation and the fork")
            expect(all(row["chain"] == "pow" and row["node"] in [
                lonely, *others] for _, row in list(seen.rows)), seen.rows)
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


def tells_all(rows, lonely):
    said = [row for _, row in list(rows)]
    return any(row["event"] == "fork" for row in said) and any(
        row["event"] == "reorganisation" and row["node"] == lonely and
        row["depth"] >= 1 for row in said)


if __name__ == "__main__":
    main(undone)
