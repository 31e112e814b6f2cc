#!/usr/bin/env python3
"""tests/system/details.py -- details for few: their readers open them, everybody
else sees a commitment and the window; what a reader shows is checked by anybody.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    import nacl.public
    import nacl.secret
    import stranger
    import zmq
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
import cluster  # noqa: E402
from cluster import expect  # noqa: E402
from stranger import must, unpack  # noqa: E402

TEXT = "JA7001 for the clinic, ref 4711"
BOX = 80


def seed_of(c, name):
    with open(os.path.join(c.dir, "keys", name + ".key")) as file:
        words = dict(line.split(" ", 1) for line in file.readlines())
    return bytes.fromhex(words["seed"].strip())


def sealed_of(c, height):
    """The op_reserve of the first transaction of a block, as a node hands it to
    anybody."""
    bob = stranger.Identity(bytes.fromhex(c.json["network"]),
                            seed_of(c, "bob"))
    context = zmq.Context()
    node = c.json["nodes"][0]
    link = stranger.Link(context, bob, node["request"],
                         bytes.fromhex(node["key"]))
    # Final is what a majority has; this node may not be of it yet.
    blocks = cluster.until(lambda: link.ask("blocks_query", **{
        "chain": 0, "from": height, "blocks_max": 1})[1]["blocks"], 20,
        "block %d" % height)
    link.close()
    context.destroy(0)
    block = unpack("block", blocks[0])
    tx = unpack("tx", unpack("envelope", block["txs"][0])["body"])
    return unpack("op_reserve", tx["ops"][0]["body"])


def open_by_hand(seed, op):
    """As schemas/README.md, section 6, describes it; or None."""
    sealed, secret = op["sealed"], None
    key = nacl.signing.SigningKey(seed).to_curve25519_private_key()
    boxes = sealed[1:1 + BOX * sealed[0]]
    for at in range(0, len(boxes), BOX):
        try:
            secret = nacl.public.SealedBox(key).decrypt(boxes[at:at + BOX])
        except nacl.exceptions.CryptoError:
            pass
    if secret is None:
        return None
    plain = nacl.secret.SecretBox(secret).decrypt(
        sealed[1 + len(boxes):], bytes(24))
    must(stranger.h(b"perch/details\0", plain) == op["commitment"],
         "the commitment is to something else")
    return plain[16:].decode()


def found_in(directory, text):
    """Whether any file of a directory holds these bytes."""
    for folder, _, names in os.walk(directory):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                if text.encode() in file.read():
                    return os.path.join(folder, name)
    return None


def shown(c, reservation, opened):
    """Anybody checks what a reader has shown; nothing else fits."""
    def check(text, salt, code):
        row = c.wallet("bob", "details", reservation, "--text", text,
                       "--salt", salt, code=0 if code == "fit" else 1)
        expect(row["code"] == code and "details" not in row, row)
    check(TEXT, opened["salt"], "fit")
    check(TEXT + "2", opened["salt"], "others")
    check(TEXT, "00" * 16, "others")
    check("x" * 200, opened["salt"], "others")
    code, _, err = c.try_wallet("bob", "details", reservation, "--text", TEXT)
    expect(code == 2 and "--salt" in err, err)


def few():
    with cluster.Cluster(nodes=3) as c:
        readers = ["alice", "haneda", "authority"]
        window = ("--port", "haneda", "--pad", "A", "--from",
                  "+10m", "--for", "5m")
        row = c.wallet("alice", "reserve", *window, "--details", TEXT,
                       *[a for r in readers
                         for a in ("--reader", c.public_key(r))])
        reservation = row["receipts"][0]["reservation"]
        code, _, _ = c.try_wallet(
            "alice", "reserve", *window, "--details", TEXT,
            *["--reader", c.public_key("alice")] * 4)
        expect(code == 2, "four readers")
        for name in readers:
            opened = c.wallet(name, "details", reservation)
            expect(opened["code"] == "opened" and
                   opened["details"] == TEXT, opened)
        for name in ("bob", "naha"):
            said = c.wallet(name, "details", reservation, code=1)
            expect(said["code"] == "sealed" and "details" not in said, said)
        # What others see is the commitment and the window, and no name.
        seen = c.wallet("bob", "inquire", "haneda")["reservations"][0]
        expect(seen["commitment"] == opened["commitment"] and
               seen["aircraft"] == "" and
               seen["start"] == row["receipts"][0]["start"], seen)
        refused = c.wallet("bob", "reserve", *window, code=1)
        way = refused["receipts"][0]["conflicts"][0]
        expect(refused["code"] == "slot_taken" and
               way["reservation"] == reservation and
               not way.get("operator"), refused)
        shown(c, reservation, opened)
        # The same with another implementation, from the page alone.
        op = sealed_of(c, row["height"])
        expect(open_by_hand(seed_of(c, "haneda"), op) == TEXT, "by hand")
        expect(open_by_hand(seed_of(c, "bob"), op) is None, "by bob's hand")
        # No node, evaluator or log has the text.
        where = found_in(os.path.join(c.dir, "data"), TEXT) or \
            found_in(os.path.join(c.dir, "logs"), TEXT)
        expect(where is None, where)
        for ask in (("0" * 32,), (c.wallet(
                "bob", "reserve", "--port", "naha", "--pad", "A", "--from",
                "+10m")["receipts"][0]["reservation"],)):
            said = c.wallet("alice", "details", *ask, code=1)
            expect(said["code"] == "none", said)


if __name__ == "__main__":
    cluster.main(few)
