#!/usr/bin/env python3
"""tests/system/stranger.py -- a client that was written from
schemas/README.md alone reserves, follows, asks and checks.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    import stranger
    import zmq
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
import cluster  # noqa: E402
from stranger import Link, Refused, must, unpack  # noqa: E402

MINUTE = 60000


class World:
    """A cluster as the stranger sees it: cluster.json and alice's seed."""

    def __init__(self, running):
        self.network = bytes.fromhex(running.json["network"])
        self.nodes = [{**node, "key": bytes.fromhex(node["key"])}
                      for node in running.json["nodes"]]
        self.keys = {node["key"] for node in self.nodes}
        self.port = running.json["ports"][0]["name"]
        self.pads = running.json["ports"][0]["pads"]
        with open(os.path.join(running.dir, "keys", "alice.key"),
                  encoding="utf-8") as file:
            words = dict(line.split(" ", 1) for line in file.readlines())
        self.alice = stranger.Identity(
            self.network, bytes.fromhex(words["seed"].strip()))
        self.context = zmq.Context()
        evaluator = running.json.get("evaluator")
        self.evaluator = evaluator and {
            **evaluator, "key": bytes.fromhex(evaluator["key"])}

    def link(self, number=0, **more):
        node = self.nodes[number]
        return Link(self.context, self.alice, node["request"], node["key"],
                    **more)

    def reserve(self, minutes, pad=0, **more):
        start = stranger.now_ms() + minutes * MINUTE
        fields = {"port": self.port, "pad": self.pads[pad], "start": start,
                  "end": start + 5 * MINUTE, "aircraft": "", "pair": 0,
                  "movement": 0, "wait": 0, "tier": 0, "alternate_port": "",
                  "alternate_pad": "", "commitment": b"", "sealed": b""}
        return "op_reserve", {**fields, **more}


def expect_refused(code, act):
    try:
        act()
    except Refused as refused:
        must(refused.code == code, "refused: %s, not %s" % (refused, code))
        return
    raise stranger.Wrong("not refused: " + code)


def reserves(world):
    """A flight, granted for good, and sent again; then its block."""
    link, alice = world.link(), world.alice
    tx_id, body, tx = alice.tx([
        world.reserve(30, aircraft="JA001P", pair=1, movement=1),
        world.reserve(60, aircraft="JA001P", pair=1, movement=2)])
    name, fate = link.ask("submit", chain=0, tx=tx, wait=2)
    must(name == "fate" and fate["status"] == 3, "not final: %s" % fate)
    receipt = unpack("receipt", fate["receipt"])
    must(receipt["tx"] == stranger.h(body) and receipt["code"] == 0 and
         len(receipt["ops"]) == 2, "receipt: %s" % receipt)
    for index, op in enumerate(receipt["ops"]):
        must(op["code"] == 0 and op["reservation"] == alice.reservation_id(
            tx_id, index), "operation %d: %s" % (index, op))
        detail = unpack("detail_granted", op["details"])
        must(detail["port"] == world.port and detail["version"] == 1,
             "detail: %s" % detail)
    _, again = world.link(1).ask("submit", chain=0, tx=tx, wait=2)
    must(again["block"] == fate["block"] and
         again["receipt"] == fate["receipt"], "sent again: %s" % again)
    _, asked = link.ask("tx_query", chain=0, wallet=alice.key, id=tx_id)
    must(asked["receipt"] == fate["receipt"], "asked: %s" % asked)

    _, blocks = link.ask("blocks_query", chain=0, blocks_max=1,
                         **{"from": fate["height"]})
    digest, header, block = stranger.check_block(
        world.network, world.keys, blocks["blocks"][0])
    must(digest == fate["block"] and header["height"] == fate["height"],
         "another block")
    must(block["txs"][fate["index"]] == tx and
         block["receipts"][fate["index"]] == fate["receipt"], "its place")
    return fate["height"]


def chain(world, height):
    """Every block from the network id up to a height, each on its parent."""
    link, parent, at = world.link(2), world.network, 1
    _, head = link.ask("head_query", chain=0, fresh=1)
    must(head["final_height"] >= height, "an old head: %s" % head)
    while at <= height:
        _, blocks = link.ask("blocks_query", chain=0, blocks_max=256,
                             **{"from": at})
        must(blocks["blocks"], "no block %d" % at)
        for data in blocks["blocks"]:
            digest, header, _ = stranger.check_block(
                world.network, world.keys, data)
            must(header["parent"] == parent and header["height"] == at,
                 "block %d does not follow" % at)
            parent, at = digest, at + 1


def is_refused(world):
    """What is wrong is refused with the word that the README names."""
    alice = world.alice
    expect_refused("network", lambda: world.link(network=bytes(32)))
    link = world.link()
    query = stranger.pack("head_query", chain=0, fresh=0)
    longer = query[:1] + b"\xcc\x00" + query[2:]
    expect_refused("encoding", lambda: link.receive(
        link.send("head_query", longer)))
    tx_id, _, _ = alice.tx([world.reserve(90)])
    _, fate = link.ask("tx_query", chain=0, wallet=alice.key, id=tx_id)
    must(fate["status"] == 0, "never sent, but known: %s" % fate)
    _, _, tx = alice.tx([world.reserve(90)], tx_id=tx_id)
    flipped = tx[:-1] + bytes([tx[-1] ^ 1])
    expect_refused("signature", lambda: link.ask(
        "submit", chain=0, tx=flipped, wait=2))
    _, fate = link.ask("submit", chain=0, tx=tx, wait=2)
    must(unpack("receipt", fate["receipt"])["ops"][0]["code"] == 0, "granted")
    _, _, other = alice.tx([world.reserve(95)], tx_id=tx_id)
    expect_refused("replay", lambda: link.ask("submit", chain=0, tx=other, wait=2))
    _, _, taken = alice.tx([world.reserve(91)])
    _, fate = link.ask("submit", chain=0, tx=taken, wait=2)
    op = unpack("receipt", fate["receipt"])["ops"][0]
    must(op["code"] == 1, "not slot_taken: %s" % op)
    detail = unpack("detail_slot_taken", op["details"])
    must(detail["conflicts"] and detail["free"], "who, and when: %s" % detail)


def follows(world):
    """Topics are numbered and signed, and tell of what is done meanwhile."""
    node = world.nodes[0]
    topics = world.alice.connect(
        world.context, zmq.SUB, node["publish"], node["key"])
    for topic in ("block", "tx", "slot", "chain", "status"):
        topics.subscribe(topic)
    next_topic(world, topics, node, {}, "status")  # is connected
    link, counters = world.link(), {}
    tx_id, _, tx = world.alice.tx([world.reserve(120)])
    _, fate = link.ask("submit", chain=0, tx=tx, wait=2)
    block = next_topic(world, topics, node, counters, "topic_block",
                       lambda b: b["height"] == fate["height"])
    digest, _, _ = stranger.check_block(
        world.network, world.keys, block["block"])
    must(digest == block["hash"] == fate["block"], "another block")
    slot = next_topic(world, topics, node, counters, "topic_slot",
                      lambda s: s["height"] == fate["height"])
    must(any(move["record"]["reservation"] == world.alice.reservation_id(
        tx_id, 0) and move["to"] == 2 for move in slot["moves"]),
        "no move of this reservation: %s" % slot)
    next_topic(world, topics, node, counters, "topic_tx",
               lambda t: any(step["id"] == tx_id and step["status"] == 3
                             for step in t["steps"]))
    topics.close()


def next_topic(world, socket, node, counters, wanted, test=lambda _: True):
    while True:
        must(socket.poll(stranger.PATIENCE_MS), "no " + wanted)
        topic, sequence, envelope = socket.recv_multipart()
        name, sender, body = stranger.open_envelope(world.network, envelope)
        must(sender == node["key"], "published by somebody else")
        boot = sequence[:8]
        counter = int.from_bytes(sequence[8:], "big")
        before = counters.get(topic, (boot, counter - 1))
        must(before == (boot, counter - 1), "a gap in %s" % topic)
        counters[topic] = boot, counter
        fields = unpack(name, body)
        if name == wanted and test(fields):
            return fields


def proves(world):
    """A port's timetable, tied to the state root of a final block."""
    server = world.evaluator
    link = Link(world.context, world.alice, server["request"], server["key"])

    def both():
        try:
            _, proof = link.ask("proof_query", port=world.port)
        except Refused:  # it has no block yet: again
            return None
        digest, _, port, buckets = stranger.check_proof(
            world.network, world.keys, proof)
        must(port["name"] == world.port, "another port")
        records, start = {}, 0
        while True:
            _, page = link.ask("timetable_query", port=world.port,
                               **{"from": start})
            records.update((r["reservation"], r) for r in page["reservations"])
            if page["as_of"]["hash"] != digest:
                return None  # a block came between: again
            if not page["more"]:
                # none: it is behind, and is asked again
                return records and (records.values(), buckets)
            start = page["reservations"][-1]["start"]

    records, buckets = cluster.until(
        both, 10, "one block with reservations for both answers")
    must(stranger.bucket_hashes(records) == buckets,
         "the timetable is not what the state root says")


def a_stranger():
    with cluster.Cluster(nodes=3) as running:
        running.wait_leader()
        world = World(running)
        height = reserves(world)
        chain(world, height)
        is_refused(world)
        follows(world)
        if world.evaluator:
            proves(world)
        world.context.destroy(linger=0)


if __name__ == "__main__":
    try:
        cluster.main(a_stranger)
    except (stranger.Wrong, Refused) as failure:
        sys.exit("stranger: %s" % failure)
