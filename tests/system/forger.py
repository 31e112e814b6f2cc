#!/usr/bin/env python3
"""tests/system/forger.py -- a miner that makes things up, as a peer of real
nodes: a megabyte of headers that took no work, and a block that it announces
and gives nobody. Each is a fault with its name, nothing of it is kept, and the
nodes go on making blocks final.

The honest miners work on demand, so the chain stands still while it is lied
about, and no lie has to be quicker than they are.
"""
import hashlib
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from liar import (  # noqa: E402
    AT_ONCE, HEADERS, TIP, Liar, chain, mines, refuses)
import stranger  # noqa: E402  (liar knows where it is)
from cluster import Cluster, expect, main, until  # noqa: E402
from stranger import pack  # noqa: E402

EASY = 0x207fffff        # every second hash will do
MEGABYTE = 1 << 20
KEPT_MAX = 24 << 20      # bytes that a node may grow by for three megabytes
NONCES = 1 << 28
NOBODY = bytes(32)


def bits_bytes(bits):
    return struct.pack("<I", bits)


def number_of(c, name, which):
    return chain(c, name)["numbers"][which]


def resident(c, name):
    """Bytes of memory that a node has."""
    with open(os.path.join(c.dir, "pids", name), encoding="utf-8") as file:
        pid = file.read().strip()
    with open("/proc/%s/statm" % pid, encoding="utf-8") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Forger(Liar):
    """Makes headers, and mines when it has to."""

    def tip(self, name):
        """(height, hash, time, bits of the next) of a node."""
        _, status = self.link(name).ask("status_query", zero=0)
        said = status["chains"][0]
        bits = next(n["value"] for n in said["numbers"]
                    if n["name"] == "bits")
        return said["height"], said["hash"], said["time"], bits

    def header(self, height, parent, time, bits, txs=None):
        """txs: the root of transactions, if there shall be any."""
        empty = stranger.merkle_root([])
        return pack(
            "header", version=1, network=self.identity.network, chain=1,
            height=height, parent=parent, time=time,
            proposer=self.identity.key, tx_root=txs or empty,
            receipt_root=txs or empty, state_root=NOBODY,
            engine=bits_bytes(bits) + bytes(12))

    def block(self, header):
        signature = self.identity.sign.sign(stranger.signed_bytes(
            "block", self.identity.network, header)).signature
        return pack("block", header=header, signature=signature, txs=[],
                    receipts=[])

    def mined(self, height, parent, time, bits, txs):
        """A header whose work was done (schemas/peer.cddl)."""
        header = self.header(height, parent, time, bits, txs)
        seal = struct.pack("<I", 1) + parent + stranger.h(header) + (
            struct.pack("<I", time // 1000)) + bits_bytes(bits)
        target = (bits & 0xffffff) << 8 * ((bits >> 24) - 3)
        for nonce in range(NONCES):
            number = struct.pack("<I", nonce)
            digest = hashlib.sha256(
                hashlib.sha256(seal + number).digest()).digest()
            if int.from_bytes(digest, "little") <= target:
                return header[:-12] + number + header[-8:]
        raise stranger.Wrong("%d nonces and none" % NONCES)

    def without_work(self, name, bits, size):
        """A chain of so many bytes of headers on a node's tip."""
        height, parent, time, _ = self.tip(name)
        blocks, made = [], 0
        while made < size:
            height, time = height + 1, time + 1
            header = self.header(height, parent, time, bits)
            blocks.append(self.block(header))
            made += len(blocks[-1])
            parent = stranger.h(header)
        return blocks

    def insist(self, c, name, word, blocks):
        """All of it, and how it begins again until that is heard: of a storm
        some is not."""
        seen, top = len(c.log(name)), len(blocks) + self.tip(name)[0]
        self.offer(name, top, blocks)
        until(lambda: self.say(name, HEADERS, top, blocks[:AT_ONCE]) or
              "(%s)" % word in c.log(name)[seen:], 60, "it is heard")


def tips(c, forger, names):
    """Where they stand when nobody has anything to mine: at one height, though
    perhaps on two blocks that came at once."""
    until(lambda: c.agree(names), 60, "one height")
    return {name: forger.tip(name)[:2] for name in names}


def headers_of_no_work(c, forger, names):
    """Far too easy; as hard as it must be, and not done; a megabyte of each.
    Nothing is kept of them."""
    for name in names:
        branches = number_of(c, name, "branches")
        before = resident(c, name)
        height, _, _, bits = forger.tip(name)
        for word, said in (("target", EASY), ("nonce", bits),
                           ("target", EASY)):
            blocks = forger.without_work(name, said, MEGABYTE)
            refuses(c, name, word, lambda at=name, w=word, b=blocks:
                    forger.insist(c, at, w, b))
        grown = resident(c, name) - before
        expect(grown < KEPT_MAX, "%s grew by %d bytes" % (name, grown))
        expect(number_of(c, name, "branches") == branches and
               forger.tip(name)[0] == height, "%s kept it" % name)
        print("%s: 3 x %d headers, %d kB more in memory" % (
            name, len(blocks), grown >> 10))


def a_block_that_nobody_gets(c, forger, names):
    """It has its work and the best place, and its body never comes."""
    for name in names:
        height, parent, time, bits = forger.tip(name)
        header = forger.mined(height + 1, parent,
                              max(time + 1, stranger.now_ms()), bits,
                              stranger.h(b"withheld"))
        block = forger.block(header)
        refuses(c, name, "withheld",
                lambda at=name, h=height + 1, b=block:
                forger.say(at, TIP, h, [b]))
        expect(forger.tip(name)[0] == height, "it followed")


def goes_on(c, names, minutes):
    """What a wallet asks for becomes final, with nobody restarted."""
    final = max(chain(c, name)["final_height"] for name in names)
    port = c.json["ports"][0]
    c.wallet("alice", "reserve", "--port", port["name"], "--pad",
             port["pads"][0], "--from", "+%dm" % minutes, "--for", "5m",
             "--timeout", "50s")
    until(lambda: min(chain(c, name)["final_height"] for name in names) >
          final, 60, "more is final")


def a_forger():
    with Cluster(nodes=3, engine="pow", interval="500ms",
                 bits="1f010000") as c:
        liar, *others = (n["name"] for n in c.json["nodes"])
        until(lambda: all(chain(c, n)["final_height"] >= 1
                          for n in [liar, *others]), 90, "final blocks")
        c.script("stop", liar)
        for name in others:
            mines(c, name, "demand")
        forger = Forger(c, liar)
        stood = tips(c, forger, others)
        for name in others:
            forger.connect(name)
        headers_of_no_work(c, forger, others)
        expect(tips(c, forger, others) == stood, "it did not stand still")
        goes_on(c, others, 10)
        tips(c, forger, others)
        a_block_that_nobody_gets(c, forger, others)
        goes_on(c, others, 30)
        mines(c, liar, "demand")
        c.wait_agreement(90)
        print("faults: %s" % {n: number_of(c, n, "faults") for n in others})


if __name__ == "__main__":
    main(a_forger)
