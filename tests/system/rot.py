#!/usr/bin/env python3
"""tests/system/rot.py -- bytes go bad anywhere in a node's directory while it
is down: it starts by itself, says what is wrong and what it does about it, and
has the same ledger as the others soon.
"""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import LONG, Cluster, expect, main  # noqa: E402

ROUNDS = 60 if LONG else 9
PAGE = 4096
# A vote's other half has what the damaged one had.
SAID = {"log": "peers give the rest", "index": "the log rebuilds it",
        "vote": ""}


def places(data):
    """(kind, file, offsets): the log's blocks, either half of the vote, and the
    index page by page; as much of each as is in use."""
    log = os.path.join(data, "log")
    for name in sorted(os.listdir(log)):
        path = os.path.join(log, name)
        if name == "vote":
            yield "vote", path, range(0, 480)
            yield "vote", path, range(PAGE, PAGE + 480)
        elif name.endswith(".log"):
            with open(path, "rb") as file:
                used = len(file.read().rstrip(b"\0"))
            yield "log", path, range(64, used)
    path = os.path.join(data, "index", "data.mdb")
    yield "index", path, range(os.path.getsize(path))


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << random.randrange(8))]))


def anywhere():
    seed = random.randrange(1 << 31)
    random.seed(seed)
    with Cluster(nodes=3, traffic=20) as c:
        for number in range(ROUNDS):
            leader = c.wait_leader()
            name = random.choice([n["name"] for n in c.json["nodes"]
                                  if n["name"] != leader])
            c.script("stop", name)
            found = list(places(os.path.join(c.dir, "data", name)))
            wanted = ("log", "index", "vote")[number % 3]
            kind, path, offsets = random.choice(
                [place for place in found if place[0] == wanted])
            offset = random.choice(offsets)
            flip(path, offset)
            where = "seed %d: %s byte %d" % (seed, path, offset)
            before = len(c.log(name))
            c.script("restart", name)
            c.wait_agreement()
            said = c.log(name)[before:]
            expect(SAID[kind] in said,
                   "nothing is said of %s: %s" % (where, said))


def everything():
    """A page of the index, all of it, is noise: it is made anew."""
    with Cluster(nodes=3) as c:
        for hour in range(1, 4):
            made = c.wallet("alice", "reserve", "--port", "naha", "--pad",
                            "A", "--from", "+%dh" % hour)
        name = c.json["nodes"][2]["name"]
        c.script("stop", name)
        path = os.path.join(c.dir, "data", name, "index", "data.mdb")
        with open(path, "r+b") as file:
            file.write(os.urandom(2 * PAGE))
        before = len(c.log(name))
        c.script("restart", name)
        c.wait_agreement()
        said = c.log(name)[before:]
        expect("index" in said and "the log rebuilds it" in said, said)
        c.wallet("alice", "status", made["id"], "--node", name)


if __name__ == "__main__":
    main(anywhere, everything)
