#!/usr/bin/env python3
"""tests/system/refused.py -- what a node is sent that it must not take: each has
a name and a cure, and the node goes on as if nothing had been.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    import stranger
    import zmq
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
from cluster import Cluster, expect, main, until  # noqa: E402
from stranger import Refused, pack  # noqa: E402

POOL = 10000


class Asker:
    """Alice's key on one link to one node."""

    def __init__(self, c, number=0):
        with open(os.path.join(c.dir, "keys", "alice.key")) as file:
            words = dict(line.split(" ", 1) for line in file.readlines())
        node = c.json["nodes"][number]
        self.identity = stranger.Identity(
            bytes.fromhex(c.json["network"]),
            bytes.fromhex(words["seed"].strip()))
        self.where = node["request"], bytes.fromhex(node["key"])
        self.context = zmq.Context()
        self.link = self.open()

    def open(self):
        return stranger.Link(self.context, self.identity, *self.where)

    def raw(self, kind, body):
        """A message of any number, with any body."""
        self.link.requests += 1
        request = self.link.requests.to_bytes(8, "big")
        self.link.socket.send_multipart([request, pack(
            "envelope", version=1, type=kind, sender=self.identity.key,
            body=body, signature=b"")])
        return self.link.receive(request)

    def cancel(self, **more):
        """A transaction that is refused by its receipt, at most."""
        body = {"id": os.urandom(16), "wallet": self.identity.key, "mode": 0,
                "valid_until": stranger.now_ms() + 60000,
                "ops": [{"kind": stranger.RULES["op_cancel"].op,
                         "body": pack("op_cancel",
                                      reservation=os.urandom(16))}]}
        body.update(more)
        return body["id"], self.identity.envelope("tx", pack("tx", **body))

    def submit(self, tx, wait=2):
        return self.link.ask("submit", tx=tx, wait=wait, chain=0)[1]


def refuses(code, act):
    try:
        said = act()
    except Refused as refused:
        expect(refused.code == code and refused.text, "%s, not %s" % (
            refused, code))
        return
    raise stranger.Wrong("not refused as %s: %s" % (code, said))


def one_by_one():
    with Cluster(nodes=1) as c:
        alice = Asker(c)
        head = stranger.RULES["head_query"].message
        good = pack("head_query", chain=0, fresh=0)
        refuses("type", lambda: alice.raw(250, b""))
        refuses("encoding", lambda: alice.raw(head, good[:-1]))
        refuses("encoding", lambda: alice.raw(head, good + b"\0"))
        refuses("length", lambda: alice.link.ask("blocks_query", **{
            "chain": 0, "from": 1, "blocks_max": 257}))
        refuses("chain", lambda: alice.link.ask(
            "head_query", chain=1, fresh=0))
        tx_id, tx = alice.cancel()
        refuses("signature", lambda: alice.submit(
            tx[:-1] + bytes([tx[-1] ^ 1])))
        refuses("expired", lambda: alice.submit(alice.cancel(
            valid_until=stranger.now_ms() - 1000)[1]))
        refuses("expired", lambda: alice.submit(alice.cancel(
            valid_until=stranger.now_ms() + 3600000)[1]))
        nobody = stranger.Identity(alice.identity.network, os.urandom(32))
        alice.identity, owner = nobody, alice.identity
        foreign = alice.cancel()[1]
        alice.identity = owner
        refuses("role", lambda: alice.submit(foreign))
        first = alice.submit(tx)
        expect(first["status"] == 3, first)
        again = alice.submit(tx)
        expect(again["height"] == first["height"], again)
        refuses("replay", lambda: alice.submit(alice.cancel(id=tx_id)[1]))
        # A frame that is too long cuts the connection, nothing else.
        alice.link.socket.send_multipart([bytes(8), bytes(70000)])
        expect(not alice.link.socket.poll(500), "an answer to a long frame")
        alice.link.close()
        alice.link = alice.open()
        expect(alice.submit(tx)["height"] == first["height"], "forgotten")
        alice.context.destroy(0)


def full_mempool():
    """Nobody orders, so everything waits, until there is no room: then `busy`,
    and when to come back. What was received is final once there is a leader.
    """
    with Cluster(nodes=3) as c:
        for number in (1, 2):
            c.script("stop", c.json["nodes"][number]["name"])
        alice = Asker(c)
        taken, refused, flight = [], None, {}
        end = time.monotonic() + 120
        while refused is None and time.monotonic() < end:
            while len(flight) < 200:
                tx_id, tx = alice.cancel(
                    valid_until=stranger.now_ms() + 250000)
                flight[alice.link.send("submit", pack(
                    "submit", tx=tx, wait=0, chain=0))] = tx_id
            request = next(iter(flight))
            tx_id = flight.pop(request)
            try:
                name, fate = alice.link.receive(request)
                expect(fate["status"] in (1, 2), (name, fate))
                taken.append(tx_id)
            except Refused as said:
                refused = said
        expect(refused and refused.code == "busy" and refused.details,
               refused)
        expect(len(taken) >= POOL - 200, "%d were taken" % len(taken))
        for number in (1, 2):
            c.script("restart", c.json["nodes"][number]["name"])
        until(lambda: alice.link.ask("status_query", zero=0)[1][
            "mempool"] == 0, 120, "all that waited is ordered")
        for tx_id in taken[:: len(taken) // 20]:
            until(lambda: alice.link.ask(
                "tx_query", wallet=alice.identity.key, id=tx_id,
                chain=0)[1]["status"] == 3, 20, "%s is final" % tx_id.hex())
        print("%d waited, then busy" % len(taken))
        alice.context.destroy(0)


if __name__ == "__main__":
    main(one_by_one, full_mempool)
