#!/usr/bin/env python3
"""tests/system/compare.py -- two engines side by side in the same processes:
what is signed once is on both chains, each once; questions and answers name
their chain; a node that was killed comes back with both.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import Cluster, expect, main, until  # noqa: E402

COUNT = 12
QUICK = {"engine": "compare", "interval": "500ms", "bits": "1f010000"}


def chains(cluster, name):
    """{"ordered": ..., "pow": ...} of a node."""
    return {c["chain"]: c for c in cluster.chains(name)}


def on_chain(cluster, chain, made):
    """{id: height} of those that are final there, seen by one who reads all
    blocks of that chain."""
    found = {}
    with cluster.lines("bob", "watch", "--height", 1, "--chain",
                       chain) as watched:
        def all_there():
            found.clear()
            for _, row in watched.rows:
                expect(row["id"] not in found, "twice: %s" % row)
                found[row["id"]] = row["height"]
            return made <= set(found)
        until(all_there, 120, "all of them final on %s" % chain)
    return found


def both_chains():
    with Cluster(nodes=3, **QUICK) as c:
        made = {c.wallet("alice", "reserve", "--port", "naha", "--from",
                         "+%dm" % (60 + 10 * i))["id"] for i in range(COUNT)}
        ordered, pow_ = (on_chain(c, chain, made)
                         for chain in ("ordered", "pow"))
        expect(set(ordered) == set(pow_), "%s %s" % (ordered, pow_))
        for name in (node["name"] for node in c.json["nodes"]):
            expect(set(chains(c, name)) == {"ordered", "pow"}, c.status())
        some = sorted(made)[0]
        for chain, seen in (("ordered", ordered), ("pow", pow_)):
            row = c.wallet("alice", "status", some, "--chain", chain)
            expect(row["chain"] == chain, row)
            expect(row["height"] == seen[some], row)
        comes_back(c, made)


def comes_back(c, made):
    """With both of its chains, and they go on."""
    name = next(n["name"] for n in c.json["nodes"] if n["name"] != c.leader())
    before = chains(c, name)
    c.script("kill", name)
    c.script("restart", name)

    def goes_on():
        now = chains(c, name)
        return (len(now) == 2 and now["ordered"]["final_height"] >=
                before["ordered"]["final_height"] and
                now["pow"]["final_height"] > before["pow"]["final_height"])
    until(goes_on, 60, "%s with both chains: %s" % (name, before))
    made.add(c.wallet("alice", "reserve", "--port", "naha", "--from",
                      "+6h")["id"])
    on_chain(c, "pow", made)


def who_leads_does_not_mine():
    with Cluster(nodes=3, **QUICK) as c:
        def one_leads():
            """At one moment: who leads may change."""
            rates = [(n["role"] == "leader", n["chains"][1]["numbers"].get(
                "hash_rate", 0)) for n in c.status()["nodes"] if n["chains"][1:]]
            return sorted((leads, rate > 0) for leads, rate in rates) == [
                (False, True), (False, True), (True, False)]
        until(one_leads, 30, "two miners")


if __name__ == "__main__":
    main(both_chains, who_leads_does_not_mine)
