#!/usr/bin/env python3
"""tests/source/vectors.py -- the golden vectors of schemas/vectors.txt.

    vectors.py            say whether the file is what these values give
    vectors.py --write    write it
    vectors.py --corpus DIR    a file a vector, in a folder a rule, for fuzzing

The values below are encoded with python3-msgpack, hashed with hashlib and
signed with PyNaCl: none of the code that Perch itself runs. tests/unit/gen.c
and tests/unit/example.c check Perch against the file. Exit code 77 (skipped)
when a Python package is missing.
"""
import hashlib
import json
import os
import sys

try:
    import msgpack
    import nacl.signing
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "schemas"))
sys.dont_write_bytecode = True
import cddl  # noqa: E402

SCHEMAS = ["common", "ledger", "contract", "request", "topic", "peer",
           "checkpoint"]
FILE = os.path.join(ROOT, "schemas", "vectors.txt")


def blake2b(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def split(nodes):
    """Two parts; the first has the greatest power of two below the count."""
    power = 1
    while power * 2 < len(nodes):
        power *= 2
    return nodes[:power], nodes[power:]


def merkle_top(nodes):
    """The root over hashes of leaves (RFC 6962 section 2.1)."""
    if len(nodes) < 2:
        return nodes[0] if nodes else blake2b()
    left, right = split(nodes)
    return blake2b(b"\1", merkle_top(left), merkle_top(right))


def merkle_path(nodes, index):
    """What stands beside the way up from a leaf, bottom first."""
    if len(nodes) < 2:
        return []
    left, right = split(nodes)
    if index < len(left):
        return merkle_path(left, index) + [merkle_top(right)]
    return merkle_path(right, index - len(left)) + [merkle_top(left)]


def merkle_climb(top, index, count, path):
    """The root that a leaf and its path give, as README.md says it."""
    node, last = index, count - 1
    for beside in path:
        assert last != 0
        if node % 2 == 1 or node == last:
            top = blake2b(b"\1", beside, top)
            while node % 2 == 0 and node != 0:
                node, last = node // 2, last // 2
        else:
            top = blake2b(b"\1", top, beside)
        node, last = node // 2, last // 2
    assert last == 0
    return top


def merkle_root(items):
    return merkle_top([blake2b(b"\0", item) for item in items])


class Book:
    """The rules, and the vectors made of them so far."""

    def __init__(self):
        self.rules = cddl.parse([os.path.join(ROOT, "schemas", s + ".cddl")
                                for s in SCHEMAS]).rules
        self.lines, self.vectors = [], []

    # Values are dicts by member name; what packs is a list in schema order.
    def plain(self, item, value):
        if not isinstance(item, cddl.Rule):
            return value
        missing = {m.name for m in item.members} ^ set(value)
        assert not missing, "%s: %s" % (item.name, missing)
        return [[self.plain(m.item, v) for v in value[m.name]] if m.many else
                self.plain(m.item, value[m.name]) for m in item.members]

    def pack(self, name, value):
        return msgpack.packb(self.plain(self.rules[name], value),
                             use_bin_type=True)

    def note(self, text):
        self.lines += ["# " + line for line in text.split("\n")] + [""]

    def value(self, name, data):
        self.lines += ["value " + name, "hex " + data.hex(), ""]
        return data

    def vector(self, rule, label, value):
        data = self.pack(rule, value)
        fields = json.dumps(value, default=bytes.hex, ensure_ascii=False)
        self.lines += ["rule %s %s" % (rule, label), "fields " + fields,
                       "hex " + data.hex(), ""]
        self.vectors.append((rule, label, data))
        return data

    # A value of every rule, from the schema alone.
    def make(self, item, how):
        if isinstance(item, cddl.Rule):
            return {m.name: self.make_list(m, how) if m.many else
                    self.make(m.item, how) for m in item.members}
        if item.kind == "uint":
            return 0 if how == "least" else item.max
        size = item.min if how == "least" else min(
            item.max, max(item.min, 40))
        if item.kind == "text":  # 3 bytes a character, then ASCII
            return "空" * (size // 3) + "z" * (size % 3)
        return bytes((7 * i + size) & 255 for i in range(size))

    def make_list(self, member, how):
        low, high = member.many
        count = low if how == "least" else min(high, max(low, 2))
        return [self.make(member.item, how) for _ in range(count)]


def signed(network, name, body):
    return b"perch/1/" + name.encode() + b"\0" + network + body


# ---- the worked example of schemas/README.md ----

START = 1767225600000  # 2026-01-01T00:00:00Z


def example(book):
    book.note("The worked example of README.md: alice reserves a take-off and "
              "a landing\nin one transaction, and node `white_noise` puts it "
              "into block 1.")
    sign = nacl.signing.SigningKey
    alice = sign(book.value("wallet_seed", bytes(range(32))))
    node = sign(book.value("node_seed", bytes(range(32, 64))))
    alice_key = book.value("wallet_key", alice.verify_key.encode())
    node_key = book.value("node_key", node.verify_key.encode())
    book.value("wallet_curve_key",
               alice.verify_key.to_curve25519_public_key().encode())
    book.value("wallet_curve_secret",
               alice.to_curve25519_private_key().encode())
    network = book.value("network", blake2b(b"the network of the example"))

    def reserve(port, pad, start, movement):
        return {"port": port, "pad": pad, "start": start,
                "end": start + 300000, "aircraft": "JA001P", "pair": 1,
                "movement": movement, "wait": 0, "tier": 0,
                "alternate_port": "", "alternate_pad": "", "commitment": b"",
                "sealed": b""}

    takeoff = book.vector("op_reserve", "takeoff", reserve(
        "haneda", "a", START + 600000, 1))
    landing = book.vector("op_reserve", "landing", reserve(
        "narita", "b2", START + 1500000, 2))
    body = book.vector("tx", "pair", {
        "id": bytes.fromhex("00112233445566778899aabbccddeeff"),
        "wallet": alice_key, "valid_until": START + 120000, "mode": 0,
        "ops": [{"kind": 1, "body": takeoff}, {"kind": 1, "body": landing}]})
    tx_hash = book.value("tx_hash", blake2b(body))
    to_sign = book.value("tx_signed_bytes", signed(network, "tx", body))
    signature = book.value("tx_signature", alice.sign(to_sign).signature)
    tx = book.vector("envelope", "tx", {
        "version": 1, "type": book.rules["tx"].message, "sender": alice_key,
        "body": body, "signature": signature})
    submit = book.vector("submit", "final", {"chain": 0, "tx": tx, "wait": 2})
    book.vector("envelope", "submit", {
        "version": 1, "type": book.rules["submit"].message,
        "sender": alice_key, "body": submit, "signature": b""})

    def granted(op, reservation):
        return {"code": 0, "reservation": reservation,
                "details": book.vector("detail_granted", op["port"], {
                    "port": op["port"], "pad": op["pad"],
                    "start": op["start"], "end": op["end"], "version": 1,
                    "state": 2, "until": 0, "displaced": 0})}

    receipt = book.vector("receipt", "granted", {
        "tx": tx_hash, "code": 0, "ops": [
            granted(reserve("haneda", "a", START + 600000, 1),
                    bytes.fromhex("a0" * 16)),
            granted(reserve("narita", "b2", START + 1500000, 2),
                    bytes.fromhex("a1" * 16))]})
    field = book.vector("ordered_field", "term_3", {"term": 3})
    header = book.vector("header", "height_1", {
        "version": 1, "network": network, "chain": 0, "height": 1,
        "parent": network, "time": START, "proposer": node_key,
        "tx_root": book.value("tx_root", merkle_root([tx])),
        "receipt_root": book.value("receipt_root", merkle_root([receipt])),
        "state_root": blake2b(b"a state root"), "engine": field})
    block_hash = book.value("block_hash", blake2b(header))
    signature = node.sign(signed(network, "block", header)).signature
    block = book.vector("block", "height_1", {
        "header": header, "signature": signature, "txs": [tx],
        "receipts": [receipt]})
    topic_example(book, network, node, block_hash, block)
    return network, node


def topic_example(book, network, node, block_hash, block):
    topic = book.vector("topic_block", "height_1", {
        "chain": 0, "height": 1, "hash": block_hash, "final": 1,
        "block": block})
    signature = node.sign(signed(
        network, "topic_block", topic)).signature
    book.vector("envelope", "topic_block", {
        "version": 1, "type": book.rules["topic_block"].message,
        "sender": node.verify_key.encode(), "body": topic,
        "signature": signature})


def proof_example(book, network, node):
    book.note("Proof of a port: `narita`, index 2 of 5 ports, with three live "
              "reservations,\ntwo of them in one bucket, in the state of a "
              "block 2.")
    ports = [{"name": name, "controller": bytes([i]) * 32, "lead": 0,
              "before": 60000, "after": 60000, "duration": 300000,
              "hold": 0, "no_show": 0,
              "pads": [{"name": pad, "group": "north", "open": 1, "blocked": 0,
                        "closed_from": 0, "closed_until": 0, "incursions": 0}
                       for pad in ("a", "b2")]}
             for i, name in enumerate((
                 "haneda", "itami", "narita", "sendai", "urayasu"))]
    buckets = [bytes(32)] * 256
    content = {}
    for i, first in enumerate((0x07, 0x07, 0xf0)):
        data = book.vector("record_reservation", "proof_%d" % i, {
            "reservation": bytes([first, i] + [0x55] * 14), "port": "narita",
            "pad": "b2", "start": START + i * 900000,
            "end": START + i * 900000 + 300000, "operator": bytes([9]) * 32,
            "aircraft": "", "state": 2, "version": 1, "pair": b"",
            "movement": 0, "height": 2, "place": i * 64, "until": 0,
            "nonce": 0, "asked": 0, "tier": 0, "flags": 0,
            "alternate_port": "", "alternate_pad": "", "commitment": b""})
        content[first] = content.get(first, b"") + data
    for first, data in content.items():
        buckets[first] = blake2b(data)
    live = book.value("proof_live", merkle_top(buckets))
    idle = merkle_top([bytes(32)] * 256)
    leaves = [blake2b(b"\0", book.pack("record_port", port),
                      live if port["name"] == "narita" else idle)
              for port in ports]
    for index, leaf in enumerate(leaves):
        assert merkle_top(leaves) == merkle_climb(
            leaf, index, len(leaves), merkle_path(leaves, index))
    rest = blake2b(b"what stands beside the ports")
    root = book.value("proof_state_root", blake2b(
        b"perch/state", merkle_top(leaves), rest))
    header = book.pack("header", {
        "version": 1, "network": network, "chain": 0, "height": 2,
        "parent": blake2b(b"block 1"), "time": START + 1000,
        "proposer": node.verify_key.encode(), "tx_root": merkle_root([]),
        "receipt_root": merkle_root([]), "state_root": root,
        "engine": book.pack("ordered_field", {"term": 3})})
    book.vector("proof", "narita", {
        "header": header,
        "signature": node.sign(signed(network, "block", header)).signature,
        "port": book.vector("record_port", "narita", ports[2]), "live": live,
        "index": 2, "count": len(ports), "path": merkle_path(leaves, 2),
        "rest": rest, "buckets": buckets})


def sides(index, count):
    """Bit i: what stands beside on level i is to the left."""
    found, bit, last = 0, 1, count - 1
    while last > 0:
        if index % 2 == 1 or index != last:
            found += bit * (index % 2)
            bit *= 2
        index, last = index // 2, last // 2
    return found


def certificate_example(book, network):
    book.note("A clearance to carry: the last of three transactions of a block "
              "4, which two\nof three nodes have signed.")
    sign = nacl.signing.SigningKey
    controller = sign(bytes([7]) * 32)
    nodes = sorted((sign(bytes([n]) * 32) for n in (11, 12, 13)),
                   key=lambda pair: pair.verify_key.encode())
    for number, node in enumerate(nodes):
        book.value("signer_%d" % number, node.verify_key.encode())
    reservation = book.value("cleared_reservation", bytes([0xc1]) * 16)
    txs, receipts = [], []
    for number in range(3):
        body = book.pack("tx", {
            "id": bytes([number]) * 16,
            "wallet": controller.verify_key.encode(),
            "valid_until": START + 60000, "mode": 0, "ops": [{
                "kind": book.rules["op_clear"].op,
                "body": book.pack("op_clear", {
                    "reservation": reservation, "nonce": number + 1,
                    "movement": 2, "until": START + 90000, "pad_state": 1,
                    "on_pad": "", "measured": START})}]})
        signature = controller.sign(signed(network, "tx", body)).signature
        txs.append(book.pack("envelope", {
            "version": 1, "type": book.rules["tx"].message,
            "sender": controller.verify_key.encode(), "body": body,
            "signature": signature}))
        details = book.pack("detail_clearance", {
            "port": "narita", "pad": "b2", "aircraft": "JA001P",
            "operator": bytes([9]) * 32, "movement": 2, "nonce": number + 1,
            "from": START + 1000, "until": START + 90000, "version": 2})
        granted = {"code": 0, "reservation": reservation, "details": details}
        refused = {"code": 33, "reservation": reservation, "details": b""}
        receipts.append(book.pack("receipt", {
            "tx": blake2b(body), "code": 0,
            "ops": [granted if number == 2 else refused]}))
    header = book.vector("header", "cleared", {
        "version": 1, "network": network, "chain": 0, "height": 4,
        "parent": blake2b(b"block 3"), "time": START + 1000,
        "proposer": nodes[0].verify_key.encode(),
        "tx_root": merkle_root(txs), "receipt_root": merkle_root(receipts),
        "state_root": blake2b(b"the state after block 4"),
        "engine": book.pack("ordered_field", {"term": 3})})
    statement = book.vector("checkpoint_statement", "cleared", {
        "chain": 0, "height": 4, "hash": blake2b(header),
        "state_root": blake2b(b"the state after block 4")})
    endorsements = [{
        "signer": node.verify_key.encode(), "signature": node.sign(
            signed(network, "checkpoint", statement)).signature}
        for node in (nodes[0], nodes[2])]
    book.vector("certificate", "cleared", {
        "statement": statement, "endorsements": endorsements})

    def path(items):
        return merkle_path([blake2b(b"\0", item) for item in items], 2)

    book.vector("clearance_file", "cleared", {
        "version": 1, "reservation": reservation, "header": header,
        "sides": sides(2, 3), "tx": txs[2], "tx_path": path(txs),
        "receipt": receipts[2], "receipt_path": path(receipts),
        "endorsements": endorsements})


def roots(book):
    items = [bytes([i]) * i for i in range(7)]
    book.note("Merkle roots over the first N of the items "
              "\"\", 01, 0202, ..., 060606060606.")
    for count in range(8):
        book.value("merkle_root_%d" % count, merkle_root(items[:count]))


def build():
    book = Book()
    book.lines += ["# vectors.txt -- golden vectors, made by "
                   "tests/source/vectors.py.", "#",
                   "# rule NAME LABEL, its fields (bytes as hex), and its "
                   "encoding as hex;", "# or value NAME and its bytes as hex.",
                   ""]
    network, node = example(book)
    proof_example(book, network, node)
    certificate_example(book, network)
    roots(book)
    book.note("The least and the greatest of every rule (sizes kept short).")
    for name, rule in book.rules.items():
        for how in ("least", "greatest"):
            book.vector(name, how, book.make(rule, how))
    return book


def main(arguments):
    book = build()
    text = "\n".join(book.lines)
    if arguments == ["--write"]:
        with open(FILE, "w", encoding="utf-8") as file:
            file.write(text)
    elif len(arguments) == 2 and arguments[0] == "--corpus":
        for rule, label, data in book.vectors:
            folder = os.path.join(arguments[1], rule)
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, label), "wb") as file:
                file.write(data)
    elif arguments:
        print(__doc__, file=sys.stderr)
        return 2
    else:
        with open(FILE, encoding="utf-8") as file:
            if file.read() != text:
                print("schemas/vectors.txt is not what tests/source/vectors.py"
                      " gives; if that is meant, run it with --write")
                return 1
        print("vectors: %d agree" % len(book.vectors))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
