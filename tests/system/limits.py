#!/usr/bin/env python3
"""tests/system/limits.py -- one who takes all, and a disk that fills up: the
others go on, what was acknowledged stays, and what is refused says why.
"""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    import stranger
    import zmq
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
from cluster import Cluster, Failed, expect, main, until  # noqa: E402

RATE, SECONDS, WINDOW, FLOOD = 150, 4, 16, 12000
TRIES = 6  # other work may come to the machine between two measurements


class Wallet:
    """A key's transactions over one link, as fast as it is let."""

    def __init__(self, network, seed, endpoint, server):
        self.identity = stranger.Identity(network, seed)
        self.context = zmq.Context()
        self.link = stranger.Link(self.context, self.identity, endpoint,
                                  server)
        self.codes = {}

    def sign(self):
        start = stranger.now_ms() + 3600000
        operation = ("op_reserve", {
            "port": "nowhere", "pad": "A", "start": start,
            "end": start + 300000, "aircraft": "", "pair": 0, "movement": 0,
            "wait": 0, "tier": 0, "alternate_port": "", "alternate_pad": "",
            "commitment": b"", "sealed": b""})
        return stranger.pack("submit", tx=self.identity.tx(
            [operation])[2], wait=2, chain=0)

    def take(self, answered, envelope):
        name, _, body = stranger.open_envelope(self.identity.network, envelope)
        fields = stranger.unpack(name, body)
        code = fields["code"] if name == "refused" else name
        self.codes[code] = self.codes.get(code, 0) + 1
        return fields

    def loop(self, seconds):
        """Finals a second with so many in flight; refused ones wait."""
        end, done, flight = time.monotonic() + seconds, 0, 0
        while time.monotonic() < end:
            while flight < WINDOW:
                self.link.send("submit", self.sign())
                flight += 1
            if not self.link.socket.poll(100):
                continue
            fields = self.take(*self.link.socket.recv_multipart())
            flight -= 1
            if "code" in fields and fields["code"] == "rate":
                time.sleep(0.02)
            else:
                done += 1
        return done / seconds

    def flood(self, count, seconds):
        """Everything at once, again and again, whatever is answered."""
        bodies = [self.sign() for _ in range(count)]
        end, sent = time.monotonic() + seconds, 0
        print("flooding", flush=True)
        while time.monotonic() < end:
            for _ in range(200):
                try:
                    self.link.socket.send_multipart(
                        [sent.to_bytes(8, "big"), self.identity.envelope(
                            "submit", bodies[sent % count])], zmq.DONTWAIT)
                    sent += 1
                except zmq.Again:
                    break
            while self.link.socket.poll(1):
                self.take(*self.link.socket.recv_multipart())
        print("sent %d %s" % (sent, self.codes), flush=True)


def wallet_of(c, name):
    with open(os.path.join(c.dir, "keys", name + ".key")) as file:
        words = dict(line.split(" ", 1) for line in file.readlines())
    node = c.json["nodes"][0]
    return (c.json["network"], words["seed"].strip(), node["request"],
            node["key"])


def wallet_from(network, seed, endpoint, server):
    return Wallet(bytes.fromhex(network), bytes.fromhex(seed), endpoint,
                  bytes.fromhex(server))


def hoarder():
    """One key sends all it can; another keeps what it had."""
    with Cluster(nodes=3) as c:
        for node in c.json["nodes"]:
            c.set_conf(node["name"], "rate = %d" % RATE)
        c.script("restart", "all")
        c.wait_agreement()
        bob = wallet_from(*wallet_of(c, "bob"))
        for _ in range(TRIES):
            alone, beside = with_and_without(c, bob)
            if beside >= 0.8 * alone:
                break
        else:
            raise Failed("%.0f/s instead of %.0f/s" % (beside, alone))
        bob.context.destroy(0)


def with_and_without(c, bob):
    """Bob's finals a second alone, and beside one who floods the node."""
    alone = bob.loop(SECONDS)
    with subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--flood",
             *wallet_of(c, "alice")], stdout=subprocess.PIPE,
            text=True) as flood:
        expect(flood.stdout.readline() == "flooding\n", "no flood")
        beside = bob.loop(SECONDS)
        said = flood.stdout.read()
    print("alone %.0f/s, beside the hoarder %.0f/s; it %s" % (
        alone, beside, said.strip()))
    expect("'rate'" in said, "nobody told the hoarder: " + said)
    return alone, beside


def disk_limit():
    """A node whose disk is as full as it may be refuses, and says why."""
    with Cluster(nodes=3) as c:
        made = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A")
        for node in c.json["nodes"]:
            c.set_conf(node["name"], "disk-limit = 1")
        c.script("restart", "all")
        c.wait_leader()
        until(lambda: all("nothing new is taken" in c.log(n["name"])
                          for n in c.json["nodes"]), 20,
              "a word about each disk")
        row = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                       "--from", "+2h", "--timeout", "8s", code=3)
        expect(row["code"] == "disk_full" and "make room" in row["text"], row)
        row = c.wallet("alice", "status", made["id"])
        expect(row["status"] == "final", row)


def disk_full():
    """No room at all: the node stops by itself, and once there is room it is
    as the others are. Needs the right to mount."""
    with Cluster(nodes=3, traffic=20) as c:
        leader = c.wait_leader()
        name = next(n["name"] for n in c.json["nodes"]
                    if n["name"] != leader)
        c.script("stop", name)
        data = os.path.join(c.dir, "data", name)
        shutil.move(data, data + ".was")
        os.mkdir(data)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs",
                           data], capture_output=True, check=False).returncode:
            print("disk_full: may not mount; left out")
            return
        try:
            subprocess.run(["cp", "-a", data + ".was/.", data], check=True)
            full_disk(c, name, data)
        finally:
            c.try_script("stop", name)
            subprocess.run(["umount", data], check=True)


def full_disk(c, name, data):
    c.script("restart", name)
    c.wait_agreement(names=[name])
    with open(os.path.join(data, "filler"), "wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
    until(lambda: not c.node(name)["up"], 60, "a full disk stops it")
    expect("make room" in c.log(name), c.log(name)[-1500:])
    os.remove(os.path.join(data, "filler"))
    c.script("restart", name)
    c.script("stop", "traffic")
    c.wait_agreement()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--flood"]:
        wallet_from(*sys.argv[2:6]).flood(FLOOD, 2 * SECONDS)
    else:
        main(hoarder, disk_limit, disk_full)
