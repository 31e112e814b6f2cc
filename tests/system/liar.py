#!/usr/bin/env python3
"""tests/system/liar.py -- a miner that lies, as a peer of real nodes: a branch
that was mined in secret from below a checkpoint, with more work than everybody
else's; then forged headers, blocks without parents and storms. Each is refused
by all with its reason, in the log and counted, and nobody is disturbed.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    import stranger
    import zmq
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
from cluster import Cluster, expect, main, until  # noqa: E402
from stranger import Link, must, pack, unpack  # noqa: E402

POW = 1                  # number of the chain
TIP, HEADERS = 1, 2      # kinds of its messages
AT_ONCE = 16             # headers in one of them
SIGNED = 3               # heights that became final after the branches parted
STORM = 3000
HEAD, LOG_BYTES = 64, 4 << 20


def chain(c, name):
    return c.chains(name)[0]


def work(c, name):
    return chain(c, name)["numbers"]["work"]


def blocks_of(c, name, first):
    """Of a node that is down, from its log: it would give others only what is
    final (shared/store/record.h)."""
    folder = os.path.join(c.dir, "data", name, "log")
    found, height, at = {}, 0, 0
    with open(os.path.join(folder, sorted(os.listdir(folder))[0]),
              "rb") as file:
        data = file.read(LOG_BYTES)
    while at + HEAD <= len(data):
        magic, size, number = struct.unpack_from("<4sIQ", data, at)
        if magic == b"REC1" and number == height + 1:
            height = number
            found[number] = data[at + HEAD:at + HEAD + size]
            at += size // HEAD * HEAD + HEAD
        at += HEAD
    return [found[n] for n in range(first, height + 1)]


class Liar:
    """Speaks with the key of a node that is down."""

    def __init__(self, c, name):
        with open(os.path.join(c.dir, "keys", name + ".key"),
                  encoding="utf-8") as file:
            words = dict(line.split(" ", 1) for line in file.readlines())
        self.nodes = {node["name"]: node for node in c.json["nodes"]}
        self.identity = stranger.Identity(
            bytes.fromhex(c.json["network"]),
            bytes.fromhex(words["seed"].strip()))
        self.context = zmq.Context()
        self.sockets = {}
        self.sample = None  # one of its blocks

    def link(self, name):
        node = self.nodes[name]
        return Link(self.context, self.identity, node["request"],
                    bytes.fromhex(node["key"]))

    def connect(self, name):
        key = bytes.fromhex(self.nodes[name]["key"])
        _, answer = self.link(name).ask("peers_query", zero=0)
        at = next(p["peer"] for p in answer["peers"] if p["key"] == key)
        socket = self.identity.connect(self.context, zmq.DEALER, at, key)
        must(socket.poll(stranger.PATIENCE_MS, zmq.POLLOUT), "no connection")
        self.sockets[name] = socket

    def say(self, name, kind, height, blocks):
        message = pack("pow_message", kind=kind, height=height,
                       hash=bytes(32), heights=[0], hashes=[])
        self.sockets[name].send(self.identity.envelope("relay", pack(
            "relay", chain=POW, message=message, blocks=blocks)))

    def offer(self, name, height, blocks):
        for at in range(0, len(blocks), AT_ONCE):
            self.say(name, HEADERS, height, blocks[at:at + AT_ONCE])


def mines(c, name, how):
    c.set_conf(name, "mine = " + how)
    c.script("restart", name)


def mine_in_secret(c, secret, others):
    """Blocks of a branch from below what the others then sign, heavier; the
    others do not mine afterwards, so that it stays heavier."""
    honest, follower = others
    until(lambda: all(chain(c, n)["final_height"] >= 3
                      for n in [secret, *others]), 60, "final blocks")
    c.script("cut", secret, "all")
    parted = chain(c, secret)["height"]
    until(lambda: chain(c, honest)["final_height"] >= parted + SIGNED,
          120, "the others sign what they mine")
    c.script("stop", honest)
    until(lambda: work(c, secret) > work(c, follower) and
          chain(c, secret)["height"] > chain(c, follower)["height"] + 2,
          120, "more work in secret")
    heavy = work(c, secret)
    c.script("stop", secret)
    # Who was busy when the link was cut may lack more than the last block.
    blocks = blocks_of(c, secret, 1)
    fork = next(n for n, (mine, theirs) in enumerate(zip(
        blocks, blocks_of(c, honest, 1))) if mine != theirs)
    blocks = blocks[max(0, fork - 2):]
    expect(len(blocks) > SIGNED, "only %d blocks in its log" % len(blocks))
    c.script("heal")  # its connections end
    mines(c, honest, "never")
    until(lambda: all(chain(c, n)["final_height"] >= parted + SIGNED
                      for n in others), 60, "what was final stays it")
    expect(heavy > max(work(c, n) for n in others), "not heavier any more")
    return Liar(c, secret), fork, blocks


def refuses(c, name, what, lie):
    """`lie` makes this node say so, and it counts the fault."""
    seen, before = len(c.log(name)), chain(c, name)["numbers"]["faults"]
    lie()
    until(lambda: "(%s)" % what in c.log(name)[seen:], 20,
          "%s says %s" % (name, what))
    until(lambda: chain(c, name)["numbers"]["faults"] > before, 20, "a fault")



def lost(liar, c, name, count):
    """Blocks a little above its tip, whose parents nobody has."""
    block = unpack("block", liar.sample)
    header = unpack("header", block["header"])
    header["height"] = chain(c, name)["height"] + 50
    for number in range(count):
        header["parent"] = stranger.h(b"lost %d" % number)
        liar.say(name, TIP, header["height"], [pack("block", **dict(
            block, header=pack("header", **header)))])


def a_liar():
    """One of three has eight times the hash power of the two that sign."""
    with Cluster(nodes=3, engine="pow", interval="500ms", bits="1f010000",
                 cuttable=True) as c:
        secret, *others = (n["name"] for n in c.json["nodes"])
        c.set_conf(secret, "miners = 8")
        c.script("restart", secret)
        mines(c, others[1], "never")
        liar, parted, blocks = mine_in_secret(c, secret, others)
        high, liar.sample = parted + len(blocks), blocks[-1]
        deepest = {n: chain(c, n)["numbers"]["deepest"] for n in others}
        for name in others:
            liar.connect(name)
            refuses(c, name, "encoding",
                    lambda at=name: until(lambda: liar.say(
                        at, TIP, high, []) or "(encoding)" in c.log(at),
                        20, "the liar is heard"))
            refuses(c, name, "checkpoint",
                    lambda at=name: liar.offer(at, high, blocks))
        mines(c, others[0], "always")
        liar.connect(others[0])
        for name in others:
            refuses(c, name, "parent", lambda at=name: lost(liar, c, at, 100))
            refuses(c, name, "storm", lambda at=name: lost(liar, c, at, STORM))
        final = max(chain(c, n)["final_height"] for n in others)
        until(lambda: min(chain(c, n)["final_height"] for n in others) >
              final, 60, "they go on")
        for name in others:
            expect(chain(c, name)["numbers"]["deepest"] == deepest[name],
                   "%s followed it" % name)
        c.script("restart", secret)
        c.wait_agreement(90)
        until(lambda: chain(c, secret)["final_height"] > final, 60,
              "the same is final everywhere")
        print("%d blocks offered; %s" % (len(blocks), {
            n: chain(c, n)["numbers"]["faults"] for n in others}))


if __name__ == "__main__":
    main(a_liar)
