"""tests/support/stranger.py -- a client in another language.

Written from schemas/README.md and the .cddl files alone, with Debian's ZeroMQ,
msgpack and NaCl for Python, and none of Perch's code. What it cannot do, the
README does not say well enough.
"""
import hashlib
import os
import sys
import time

import msgpack
import nacl.exceptions
import nacl.signing
import zmq
import zmq.utils.z85

sys.dont_write_bytecode = True
ROOT = os.path.normpath(os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "schemas"))
import cddl  # noqa: E402  (reads the rules' members and numbers)

RULES = cddl.parse([os.path.join(ROOT, "schemas", name + ".cddl") for name in (
    "common", "ledger", "contract", "request", "topic", "peer",
    "checkpoint")]).rules
NAMES = {rule.message: rule.name for rule in RULES.values() if rule.message}
PATIENCE_MS = 45000


class Wrong(Exception):
    """Something is not as the README says."""


class Refused(Exception):
    """The answer is `refused`."""

    def __init__(self, fields):
        super().__init__("%s: %s" % (fields["code"], fields["text"]))
        self.code, self.text = fields["code"], fields["text"]
        self.details = fields["details"]


def must(condition, said):
    if not condition:
        raise Wrong(said)


def h(*parts):
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


# ---- section 2: encoding ----

def to_list(item, value):
    if not isinstance(item, cddl.Rule):
        return value
    return [[to_list(m.item, each) for each in value[m.name]] if m.many else
            to_list(m.item, value[m.name]) for m in item.members]


def to_dict(item, value):
    if not isinstance(item, cddl.Rule):
        return value
    must(isinstance(value, list) and len(value) == len(item.members),
         "not a " + item.name)
    return {m.name: [to_dict(m.item, each) for each in got] if m.many else
            to_dict(m.item, got) for m, got in zip(item.members, value)}


def pack(rule, **fields):
    return msgpack.packb(to_list(RULES[rule], fields), use_bin_type=True)


def unpack(rule, data):
    value = msgpack.unpackb(data, raw=False)
    must(msgpack.packb(value, use_bin_type=True) == data,
         rule + " is not canonical")
    return to_dict(RULES[rule], value)


# ---- section 4: envelope and signature ----

def signed_bytes(name, network, body):
    return b"perch/1/" + name.encode() + b"\0" + network + body


def verify(name, network, key, body, signature):
    try:
        nacl.signing.VerifyKey(key).verify(
            signed_bytes(name, network, body), signature)
    except nacl.exceptions.BadSignatureError:
        raise Wrong("a %s is not signed by its sender" % name) from None


def open_envelope(network, data):
    """(name, sender, body) of an envelope, its signature being good."""
    envelope = unpack("envelope", data)
    must(envelope["version"] == 1, "another version")
    name = NAMES[envelope["type"]]
    if RULES[name].signed:
        verify(name, network, envelope["sender"], envelope["body"],
               envelope["signature"])
    else:
        must(envelope["signature"] == b"", "a superfluous signature")
    return name, envelope["sender"], envelope["body"]


class Identity:
    def __init__(self, network, seed):
        self.network = network
        self.sign = nacl.signing.SigningKey(seed)
        self.key = self.sign.verify_key.encode()

    def envelope(self, name, body):
        signature = b""
        if RULES[name].signed:
            signature = self.sign.sign(
                signed_bytes(name, self.network, body)).signature
        return pack("envelope", version=1, type=RULES[name].message,
                    sender=self.key, body=body, signature=signature)

    # ---- section 3: sockets ----

    def connect(self, context, kind, endpoint, server):
        z85 = zmq.utils.z85.encode
        socket = context.socket(kind)
        socket.linger = 0
        socket.maxmsgsize = 65569
        socket.heartbeat_ivl = 2000
        socket.heartbeat_timeout = 6000
        if kind == zmq.DEALER:
            socket.immediate = 1
        socket.curve_serverkey = z85(nacl.signing.VerifyKey(
            server).to_curve25519_public_key().encode())
        secret = self.sign.to_curve25519_private_key()
        socket.curve_secretkey = z85(secret.encode())
        socket.curve_publickey = z85(secret.public_key.encode())
        socket.connect(endpoint)
        return socket

    # ---- section 6: transactions ----

    def tx(self, operations, mode=0, tx_id=None):
        """(id, body, envelope); operations are (rule, fields)."""
        tx_id = tx_id or os.urandom(16)
        body = pack("tx", id=tx_id, wallet=self.key, mode=mode,
                    valid_until=now_ms() + 60000,
                    ops=[{"kind": RULES[rule].op, "body": pack(rule, **fields)}
                         for rule, fields in operations])
        return tx_id, body, self.envelope("tx", body)

    def reservation_id(self, tx_id, index):
        return h(b"perch/reservation", self.key, tx_id, bytes([index]))[:16]


def now_ms():
    return int(time.time() * 1000)


# ---- section 5: requests ----

class Link:
    """One DEALER, greeted; ask() waits for the answer with its id."""

    def __init__(self, context, identity, endpoint, server, network=None):
        self.identity, self.server = identity, server
        self.socket = identity.connect(context, zmq.DEALER, endpoint, server)
        self.requests = 0
        self.waiting = {}
        must(self.socket.poll(PATIENCE_MS, zmq.POLLOUT), "no connection")
        name, hello = self.ask(
            "hello", protocol=1, release="stranger", features=[],
            network=network or identity.network, key=identity.key)
        must(name == "hello" and hello["network"] == identity.network and
             hello["key"] == server, "hello of somebody else")

    def send(self, name, body):
        self.requests += 1
        request = self.requests.to_bytes(8, "big")
        self.socket.send_multipart(
            [request, self.identity.envelope(name, body)])
        return request

    def receive(self, request):
        while request not in self.waiting:
            must(self.socket.poll(PATIENCE_MS), "no answer")
            answered, envelope = self.socket.recv_multipart()
            self.waiting[answered] = envelope
        name, sender, body = open_envelope(
            self.identity.network, self.waiting.pop(request))
        must(sender == self.server, "an answer of somebody else")
        fields = unpack(name, body)
        if name == "refused":
            raise Refused(fields)
        return name, fields

    def ask(self, name, **fields):
        return self.receive(self.send(name, pack(name, **fields)))

    def close(self):
        self.socket.close()


# ---- section 8: blocks and what they prove ----

def merkle_top(nodes):
    if len(nodes) < 2:
        return nodes[0] if nodes else h()
    k = 1
    while k * 2 < len(nodes):
        k *= 2
    return h(b"\1", merkle_top(nodes[:k]), merkle_top(nodes[k:]))


def merkle_root(items):
    return merkle_top([h(b"\0", item) for item in items])


def climb(r, index, count, path):
    node, last = index, count - 1
    for p in path:
        must(last != 0, "the path is too long")
        if node % 2 == 1 or node == last:
            r = h(b"\1", p, r)
            while node % 2 == 0 and node != 0:
                node, last = node // 2, last // 2
        else:
            r = h(b"\1", r, p)
        node, last = node // 2, last // 2
    must(last == 0, "the path is too short")
    return r


def check_block(network, nodes, data):
    """(hash, header, block) of a block that is what it says."""
    block = unpack("block", data)
    header = unpack("header", block["header"])
    must(header["network"] == network, "a block of another network")
    must(header["proposer"] in nodes, "proposed by a stranger")
    verify("block", network, header["proposer"], block["header"],
           block["signature"])
    must(merkle_root(block["txs"]) == header["tx_root"], "tx_root")
    must(merkle_root(block["receipts"]) == header["receipt_root"],
         "receipt_root")
    return h(block["header"]), header, block


def check_proof(network, nodes, proof):
    """(hash, header, record_port, buckets) of a proof that holds."""
    header = unpack("header", proof["header"])
    must(header["proposer"] in nodes, "proposed by a stranger")
    verify("block", network, header["proposer"], proof["header"],
           proof["signature"])
    must(len(proof["buckets"]) == 256 and
         merkle_top(proof["buckets"]) == proof["live"], "live")
    ports = climb(h(b"\0", proof["port"], proof["live"]), proof["index"],
                  proof["count"], proof["path"])
    must(h(b"perch/state", ports, proof["rest"]) == header["state_root"],
         "state_root")
    return (h(proof["header"]), header, unpack("record_port", proof["port"]),
            proof["buckets"])


def check_certificate(network, certificate):
    """(keys, statement) of a certificate whose signatures all hold."""
    statement = unpack("checkpoint_statement", certificate["statement"])
    signers = [by["signer"] for by in certificate["endorsements"]]
    must(signers == sorted(set(signers)), "signers are not in order")
    for by in certificate["endorsements"]:
        verify("checkpoint", network, by["signer"], certificate["statement"],
               by["signature"])
    return set(signers), statement


def climb_sides(item, path, sides):
    r = h(b"\0", item)
    for i, p in enumerate(path):
        r = h(b"\1", p, r) if sides >> i & 1 else h(b"\1", r, p)
    must(sides >> len(path) == 0, "sides beyond the path")
    return r


def check_clearance(network, signers, needed, data):
    """(rule, details, header) of a clearance file that proves what it says."""
    file = unpack("clearance_file", data)
    header = unpack("header", file["header"])
    must(file["version"] == 1 and header["network"] == network, "network")
    statement = pack("checkpoint_statement", chain=header["chain"],
                     height=header["height"], hash=h(file["header"]),
                     state_root=header["state_root"])
    found, _ = check_certificate(network, {
        "statement": statement, "endorsements": file["endorsements"]})
    must(len(found & signers) >= needed, "too few signers")
    for item, root in (("tx", "tx_root"), ("receipt", "receipt_root")):
        must(climb_sides(file[item], file[item + "_path"], file["sides"]) ==
             header[root], root)
    envelope = unpack("envelope", file["tx"])
    verify("tx", network, envelope["sender"], envelope["body"],
           envelope["signature"])
    tx, receipt = unpack("tx", envelope["body"]), unpack(
        "receipt", file["receipt"])
    must(receipt["tx"] == h(envelope["body"]) and receipt["code"] == 0,
         "receipt")
    for op, said in reversed(list(zip(tx["ops"], receipt["ops"]))):
        if said["code"] == 0 and said["reservation"] == file["reservation"]:
            rule = ("detail_clearance" if op["kind"] == RULES["op_clear"].op
                    else "detail_granted")
            return rule, unpack(rule, said["details"]), header
    raise Wrong("nothing was granted")


def bucket_hashes(reservations):
    content = [[] for _ in range(256)]
    for record in sorted(reservations, key=lambda r: r["reservation"]):
        content[record["reservation"][0]].append(
            pack("record_reservation", **record))
    return [h(*records) if records else bytes(32) for records in content]
