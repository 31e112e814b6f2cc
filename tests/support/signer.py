"""tests/support/signer.py -- anybody's key, signing any operation: for what no
program of ours would ever sign.

    haneda = signer.Signer(cluster, "haneda")
    code, details = haneda.do("op_clear", reservation=id, ...)
"""
import os
import re

import zmq

from stranger import RULES, Identity, Link, Wrong, now_ms, unpack

CODES = {}


def read_codes():
    """Word -> number, from the table of refusals."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..",
                        "shared", "contract", "refusal.h")
    with open(path, encoding="utf-8") as file:
        for number, word in re.findall(r'X\(\w+, (\d+), "(\w+)"', file.read()):
            CODES[int(number)] = word


class Signer:
    def __init__(self, cluster, name):
        with open(os.path.join(cluster.dir, "keys", name + ".key")) as file:
            seed = re.search("seed ([0-9a-f]{64})", file.read()).group(1)
        self.identity = Identity(bytes.fromhex(cluster.json["network"]),
                                 bytes.fromhex(seed))
        node = cluster.json["nodes"][0]
        self.context = zmq.Context.instance()
        self.link = Link(self.context, self.identity, node["request"],
                         bytes.fromhex(node["key"]))
        if not CODES:
            read_codes()

    def do(self, rule, **fields):
        """(word, reservation, details as a dictionary or None), final."""
        tx_id, _, tx = self.identity.tx([(rule, {
            m.name: fields.get(m.name, empty(m.item))
            for m in RULES[rule].members})])
        _, fate = self.link.ask("submit", chain=0, tx=tx, wait=2)
        receipt = unpack("receipt", fate["receipt"])
        if receipt["code"] != 0:
            return CODES[receipt["code"]], None, None
        op = receipt["ops"][0]
        details = None
        for detail in ("detail_granted", "detail_clearance", "detail_fact",
                       "detail_closed"):
            try:
                details = details or unpack(detail, op["details"])
            except (Wrong, ValueError):  # another one, or none
                pass
        return CODES[op["code"]], op["reservation"], details

    def reserve(self, port, pad, start, end, aircraft, movement):
        """A reservation's id; times from now in seconds. When the ledger is
        slower than that, it is asked again."""
        for _ in range(10):
            now = now_ms()
            word, reservation, details = self.do(
                "op_reserve", port=port, pad=pad, start=now + 1000 * start,
                end=now + 1000 * end, aircraft=aircraft, movement=movement)
            if word != "past":
                break
        if word != "granted":
            raise AssertionError("reserve %s/%s: %s %s" % (
                port, pad, word, details))
        return reservation

    def request(self, reservation, nonce):
        return self.do("op_request_clearance", reservation=reservation,
                       nonce=nonce)[0]

    def close(self):
        self.link.close()


def empty(item):
    """What a member that was not given is."""
    kind = getattr(item, "kind", None)
    return {"uint": 0, "text": "", "bytes": b""}.get(kind, 0)
