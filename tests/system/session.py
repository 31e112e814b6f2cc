#!/usr/bin/env python3
"""tests/system/session.py -- the first prototypes' session, in the new words:
reserve, history, state, cancel, on one node and then on another.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import BIN, Cluster, Failed, expect, main, run, until  # noqa: E402

SLOT = ["--port", "haneda", "--pad", "A", "--from", "+30m", "--for", "5m"]


def moves(c, reservation):
    """What happened to a reservation, as (from, to), oldest first; nothing when
    the evaluator does not know it yet."""
    code, out, err = c.try_wallet("alice", "history", reservation)
    expect(code in (0, 1), "history ends with %d: %s%s" % (code, out, err))
    rows = [json.loads(row) for row in out.splitlines()] if code == 0 else []
    return [(row["from"], row["to"]) for row in rows]


def wait_moves(c, reservation, expected):
    """The evaluator follows the nodes by a moment."""
    try:
        until(lambda: moves(c, reservation) == expected, 10, "")
    except Failed:
        raise Failed("history: %s, not %s" % (
            moves(c, reservation), expected)) from None


def session(c, node):
    """The whole life of one reservation, by a wallet that asks this node."""
    at = ["--node", node]
    made = c.wallet("alice", "reserve", *SLOT, *at)
    expect(made["status"] == "final" and made["result"] == "granted" and
           made["code"] == "granted", made)
    receipt = made["receipts"][0]
    expect((receipt["port"], receipt["pad"]) == ("haneda", "A"), made)
    reservation = receipt["reservation"]
    wait_moves(c, reservation, [("none", "confirmed")])
    state = c.wallet("alice", "state", made["id"], *at)
    expect((state["status"], state["result"], state["height"]) == (
        "final", "granted", made["height"]), state)
    gone = c.wallet("alice", "cancel", reservation, *at)
    expect(gone["status"] == "final" and gone["result"] == "granted", gone)
    expect(gone["height"] > made["height"], gone)
    wait_moves(c, reservation, [("none", "confirmed"),
                                ("confirmed", "cancelled")])
    again = c.wallet("alice", "cancel", reservation, *at, code=1)
    expect(again["result"] == "refused" and again["status"] == "final" and
           again["code"] == "unknown_reservation", again)
    return made["id"]


def both_nodes(topology):
    with Cluster(nodes=5, topology=topology) as c:
        first = session(c, "the_leader_node")
        session(c, "the_blue_sky")
        c.wait_agreement()
        # Every node gives the same fate of the first.
        for node in c.json["nodes"]:
            state = c.wallet("bob", "status", first, "--node", node["name"],
                             "--wallet", c.public_key("alice"))
            expect(state["result"] == "granted", state)


def session_star():
    both_nodes("star")


def session_mesh():
    both_nodes("mesh")


def words_for_people():
    """`reserved` is said of what is final, and of nothing else; the three
    words of the prototypes still work."""
    with Cluster(nodes=3) as c:
        def people(verb, *arguments):
            code, out, err = run(
                os.path.join(BIN, "perch-wallet"), verb, "--config",
                c.wallet_conf("alice"), *arguments, "--lang", "en")
            return code, out + err
        code, said = people("reserve", *SLOT)
        expect(code == 0 and said.startswith("reserved\n") and
               ", final, height" in said, said)
        code, said = people("reserve", *SLOT)
        expect(code == 1 and "refused: slot_taken" in said and
               "in the way:" in said and said.count("free:") == 3 and
               "reserved" not in said, said)
        for step in ("received", "ordered"):
            code, said = people("reserve", "--port", "kansai", "--pad", "B",
                                "--from", "+2h", "--wait", step)
            expect("reserved" not in said or ", final, height" in said, said)
        code, said = people("reservation", "naha")
        expect(code == 0 and said.startswith("reserved\n"), said)

        def is_there():
            code, said = people("inquiry", "naha")
            expect(code == 0, said)
            return "naha A" in said and "confirmed" in said
        until(is_there, 10, "the evaluator has it")


if __name__ == "__main__":
    main(session_star, session_mesh, words_for_people)
