"""tests/support/joiner.py -- a node beside those that run/cluster.sh knows: it
is not in the genesis, and the authority takes it in, promotes it or lets it go.

    fourth = joiner.Joiner(c, "fourth", 'peer = "white_noise=tcp://..."')
    fourth.change("standby")
"""
import os

import stranger
import zmq

from cluster import BIN, expect, run

KINDS = ("request", "publish", "listen")


class Joiner:
    def __init__(self, c, name, *settings, ports=None):
        self.c, self.name = c, name
        code, _, err = run(os.path.join(BIN, "perch-wallet"), "key", "new",
                           "--out", os.path.join(c.dir, "keys",
                                                 name + ".key"))
        expect(code == 0, err)
        self.key = c.public_key(name)
        base = ports or c.free_ports(3)
        self.ends = {kind: "tcp://127.0.0.1:%d" % (base + i)
                     for i, kind in enumerate(KINDS)}
        self.conf = os.path.join(c.dir, "conf", name + ".conf")
        self.set(*settings)
        self.context = zmq.Context()
        self.identity = stranger.Identity(
            bytes.fromhex(c.json["network"]), os.urandom(32))
        self.start()

    def set(self, *settings):
        """Its settings from the next start on."""
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write('genesis = "%s"\nkey = "%s/keys/%s.key"\n'
                       'data = "%s/data/%s"\n' % (
                           self.c.json["genesis"], self.c.dir, self.name,
                           self.c.dir, self.name))
            for kind, where in self.ends.items():
                file.write('%s = "%s"\n' % (kind, where))
            file.write("".join(line + "\n" for line in settings))

    def start(self):
        self.c.start(self.name, os.path.join(BIN, "perch-node"), "--config",
                     self.conf)
        self.link = stranger.Link(self.context, self.identity,
                                  self.ends["request"],
                                  bytes.fromhex(self.key))

    def stop(self):
        self.c.stop(self.name)

    def close(self):
        self.context.destroy(0)

    def status(self):
        return self.link.ask("status_query", zero=0)[1]

    def has(self, height):
        chains = self.status()["chains"]
        return bool(chains) and chains[0]["final_height"] >= height

    def log(self):
        return self.c.log(self.name)

    def change(self, role, wallet="authority", code=0):
        ends = [] if role == "none" else [
            word for kind, where in self.ends.items() for word in
            ("--peer" if kind == "listen" else "--" + kind, where)]
        return self.c.wallet(wallet, "set-node", "--name", self.name,
                             "--node-key", self.key, "--role", role, *ends,
                             code=code)
