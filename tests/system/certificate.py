#!/usr/bin/env python3
"""tests/system/certificate.py -- certificates for whoever asks, checked by a
client that was written from schemas/README.md; and a node that signs twice.
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
from stranger import Link, Refused, must, pack, unpack  # noqa: E402

MINUTE = 60000


def identity(running, folder, name):
    with open(os.path.join(running.dir, folder, name + ".key"),
              encoding="utf-8") as file:
        words = dict(line.split(" ", 1) for line in file.readlines())
    return stranger.Identity(bytes.fromhex(running.json["network"]),
                             bytes.fromhex(words["seed"].strip()))


class World:
    """The nodes' request links, by name."""

    def __init__(self, running):
        self.running = running
        self.network = bytes.fromhex(running.json["network"])
        self.names = [node["name"] for node in running.json["nodes"]]
        self.keys = {node["name"]: bytes.fromhex(node["key"])
                     for node in running.json["nodes"]}
        self.alice = identity(running, "keys", "alice")
        self.context = zmq.Context()

    def link(self, name):
        node = self.running.json["nodes"][self.names.index(name)]
        return Link(self.context, self.alice, node["request"],
                    self.keys[name])

    def reserve(self, minutes):
        """The height at which it is final."""
        port = self.running.json["ports"][0]
        row = self.running.wallet(
            "alice", "reserve", "--port", port["name"], "--pad",
            port["pads"][0], "--from", "+%dm" % minutes, "--for", "5m")
        return row["height"]


def certified(world, link, height):
    """The signers of a certificate that holds, and what it says."""
    name, certificate = link.ask("certificate_query", chain=0, height=height)
    must(name == "certificate", "not a certificate: " + name)
    signers, statement = stranger.check_certificate(
        world.network, certificate)
    must(statement["height"] == height, "of another height")
    must(signers <= set(world.keys.values()), "signed by a stranger")
    return signers, statement


def block_hash(world, link, height):
    _, blocks = link.ask("blocks_query", chain=0, blocks_max=1,
                         **{"from": height})
    digest, header, _ = stranger.check_block(
        world.network, set(world.keys.values()), blocks["blocks"][0])
    return digest, header["state_root"]


def refused(code, act):
    try:
        act()
    except Refused as answer:
        must(answer.code == code, "refused: %s, not %s" % (answer, code))
        return
    raise stranger.Wrong("not refused: " + code)


def certificates():
    """Every node has one for every final block; M must be up."""
    with cluster.Cluster(nodes=3) as running:
        world = World(running)
        heights = [world.reserve(10 + 20 * i) for i in range(3)]
        running.wait_agreement()
        for name in world.names:
            link = world.link(name)
            for height in [1] + heights:
                signers, statement = certified(world, link, height)
                must(len(signers) >= 2, "signed by %d of 3" % len(signers))
                must(block_hash(world, link, height) == (
                    statement["hash"], statement["state_root"]), "which block")
            refused("not_found", lambda at=link: at.ask(
                "certificate_query", chain=0, height=heights[-1] + 1000))
            refused("not_found", lambda at=link: at.ask(
                "certificate_query", chain=0, height=0))
        # One of three is no majority: what is kept is still answered.
        last = heights[-1]
        for name in world.names[1:]:
            running.script("kill", name)
        link = world.link(world.names[0])
        certified(world, link, last)
        running.script("kill", world.names[0])
        running.script("restart", world.names[0])
        link = world.link(world.names[0])
        for name in world.names[1:]:
            running.script("restart", name)
        running.wait_agreement()
        certified(world, link, last)
        certified(world, link, world.reserve(200))


def plant(world, name, other, height):
    """`name`, which is down, signs two blocks for `other` at a height."""
    liar = identity(world.running, "keys", name)
    _, peers = world.link(other).ask("peers_query", zero=0)
    to = next(p for p in peers["peers"] if p["key"] == world.keys[other])
    socket = liar.connect(world.context, zmq.DEALER, to["peer"], to["key"])
    must(socket.poll(stranger.PATIENCE_MS, zmq.POLLOUT), "no connection")
    for which in (b"one", b"two"):
        statement = pack("checkpoint_statement", chain=0, height=height,
                         hash=stranger.h(which), state_root=bytes(32))
        signature = liar.sign.sign(stranger.signed_bytes(
            "checkpoint", world.network, statement)).signature
        socket.send(liar.envelope("checkpoint", pack(
            "checkpoint", body=statement, signer=liar.key,
            signature=signature)))
    return socket


def evidence_of(world, name):
    _, answer = world.link(name).ask("evidence_query", **{"from": 0})
    must(answer["count"] == len(answer["items"]), "count")
    return answer["items"]


def a_double_signer():
    """Both signatures are kept by all, for ever, and an alarm is raised."""
    with cluster.Cluster(nodes=4) as running:
        world = World(running)
        height = world.reserve(10)
        running.wait_agreement()
        liar, *honest = world.names[-1:] + world.names[:-1]
        must(not any(evidence_of(world, name) for name in honest), "so early")
        running.script("kill", liar)
        socket = plant(world, liar, honest[0], height + 3)
        for name in honest:
            found = cluster.until(lambda at=name: evidence_of(world, at), 10,
                                  "evidence at " + name)
            must(len(found) == 1, "%d cases" % len(found))
            item = found[0]
            must(item["signer"] == world.keys[liar], "of another")
            said = [unpack("checkpoint_statement", item[part])
                    for part in ("first", "second")]
            must(said[0] != said[1] and all(
                s["height"] == height + 3 for s in said), "no evidence")
            for part in ("first", "second"):
                stranger.verify("checkpoint", world.network, item["signer"],
                                item[part], item[part + "_signature"])
            must("signed two blocks" in running.log(name), "nothing logged")
        socket.close()
        running.script("kill", honest[0])
        running.script("restart", honest[0])
        cluster.until(lambda: running.node(honest[0])["up"], 20, "up again")
        must(len(evidence_of(world, honest[0])) == 1, "forgotten")
        cluster.until(lambda: any(
            chain["numbers"].get("evidence") == 1
            for chain in running.node(honest[0])["chains"]), 10, "in status")


if __name__ == "__main__":
    try:
        cluster.main(certificates, a_double_signer)
    except (stranger.Wrong, Refused) as wrong:
        print("certificate: %s" % wrong)
        sys.exit(1)
