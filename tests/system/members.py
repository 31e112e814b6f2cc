#!/usr/bin/env python3
"""tests/system/members.py -- a node that is not in the genesis joins as a
stand-by, fetches the ledger, becomes a voter whose vote is needed, and leaves;
under load, and one change at a time.
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
from cluster import BIN, Cluster, expect, main, run, until  # noqa: E402

NAME = "fourth"


class Fourth:
    """One more node, beside the three that run/cluster.sh knows."""

    def __init__(self, c):
        self.c = c
        code, _, err = run(os.path.join(BIN, "perch-wallet"), "key", "new",
                           "--out", os.path.join(c.dir, "keys",
                                                 NAME + ".key"))
        expect(code == 0, err)
        self.key = c.public_key(NAME)
        base = c.free_ports(3)
        self.ends = {kind: "tcp://127.0.0.1:%d" % (base + i) for i, kind in
                     enumerate(("request", "publish", "peer"))}
        conf = os.path.join(c.dir, "conf", NAME + ".conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write('genesis = "%s"\nkey = "%s/keys/%s.key"\n'
                       'data = "%s/data/%s"\n' % (
                           c.json["genesis"], c.dir, NAME, c.dir, NAME))
            for kind, where in self.ends.items():
                file.write('%s = "%s"\n' % (
                    "listen" if kind == "peer" else kind, where))
        c.start(NAME, os.path.join(BIN, "perch-node"), "--config", conf)
        self.context = zmq.Context()
        identity = stranger.Identity(
            bytes.fromhex(c.json["network"]), os.urandom(32))
        self.link = stranger.Link(self.context, identity,
                                  self.ends["request"],
                                  bytes.fromhex(self.key))

    def status(self):
        return self.link.ask("status_query", zero=0)[1]

    def has(self, height):
        chains = self.status()["chains"]
        return bool(chains) and chains[0]["final_height"] >= height

    def change(self, role, wallet="authority", code=0):
        ends = [] if role == "none" else [
            word for kind, where in self.ends.items()
            for word in ("--" + kind, where)]
        return self.c.wallet(wallet, "set-node", "--name", NAME, "--node-key",
                             self.key, "--role", role, *ends, code=code)


def reserve(c, hours):
    made = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                    "--from", "+%dh" % hours, "--timeout", "20s")
    return made["height"]


def joins_and_leaves():
    with Cluster(nodes=3, traffic=20) as c:
        fourth = Fourth(c)
        said = fourth.change("standby", wallet="alice", code=1)
        expect(said["code"] == "role", said)
        height = fourth.change("standby")["height"]
        until(lambda: fourth.has(height), 20, "the stand-by has the ledger")
        expect(fourth.status()["role"] == 3, fourth.status())
        height = fourth.change("voter")["height"]
        until(lambda: fourth.has(height), 20, "the voter follows")
        expect(fourth.status()["role"] in (0, 1, 2), fourth.status())
        # Of four, three are a majority: without the fourth nothing is final.
        others = [n["name"] for n in c.json["nodes"]]
        c.script("kill", others[0])
        height = reserve(c, 10)
        until(lambda: fourth.has(height), 20, "the voter goes on")
        c.script("restart", others[0])
        fourth.change("none")
        c.stop(NAME)
        c.script("kill", others[1])  # of three, two are
        reserve(c, 12)
        c.script("restart", others[1])
        c.script("stop", "traffic")
        c.wait_agreement()
        fourth.context.destroy(0)


if __name__ == "__main__":
    main(joins_and_leaves)
