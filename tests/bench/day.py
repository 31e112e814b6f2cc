#!/usr/bin/python3
"""tests/bench/day.py -- a city's day, replayed by real programs from real files.

    tests/bench/day.py [HOURS [DIR]]

perch-bench-day (ninja -C build/release perch-bench-day) writes the chain of 24
hours, or of HOURS (some minutes, not timed; into DIR, and kept there for the
next time, or into a directory that is removed). Then, with real processes on loopback, one line of JSON each:

    own_log     a node without its index starts again from its log
    evaluator   perch-contract with an empty directory follows that node
    standby     a node with an empty directory follows it

`seconds` are from the start of the process until it answers with the block on
which all must agree, the same hash and the same state root; `cpu_s` and
`rss_mb` are of each process, until then; `others_cpu_s` is what everybody else
on this machine used meanwhile: with much of it, `seconds` say little.
PERCH_BIN says whose programs are run.
"""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import nacl.signing  # noqa: E402
import zmq  # noqa: E402
from cluster import BIN, expect, take_block  # noqa: E402
from stranger import Identity, Link, Refused, Wrong, h  # noqa: E402

MAKER = os.path.join(BIN, "perch-bench-day")
LEADER, STANDBY, EVALUATOR = "the_leader_node", "the_blue_sky", "contract"
TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE_S = 1800
POLL_S = 0.1


def cpu_s(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid):
    """The most that it ever had."""
    with open("/proc/%d/status" % pid) as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) // 1024


def machine_s():
    """What all CPUs did, but for idling and waiting."""
    with open("/proc/stat") as file:
        n = [int(field) for field in file.readline().split()[1:]]
    return (sum(n[:8]) - n[3] - n[4]) / TICKS


class Day:
    def __init__(self, directory):
        self.dir = directory
        self.started = {}
        self.context = zmq.Context()

    def path(self, *names):
        return os.path.join(self.dir, *names)

    # ---- files ----

    def make(self, hours):
        """The chain, unless it is here from the last time."""
        if not os.path.exists(self.path("day.json")):
            expect(os.path.exists(MAKER), "%s is missing; build it: ninja -C "
                   "build/release perch-bench-day" % MAKER)
            first_port, name = take_block()
            made = subprocess.run(
                [MAKER, "--hours", str(hours),
                 "--out", self.dir, "--port", str(first_port)],
                check=True, stdout=subprocess.PIPE).stdout
            name.close()
            with open(self.path("day.json"), "wb") as file:
                file.write(made)
        with open(self.path("day.json")) as file:
            self.made = json.load(file)
        with open(self.path("genesis.zpl"), "rb") as file:
            genesis = file.read()
        self.network = h(genesis)
        self.endpoints = dict(re.findall(
            r"^    (\w+)\n        key = .*\n.*\n        request = \"(.*)\"",
            genesis.decode(), re.M))
        last = int(self.endpoints[STANDBY].rsplit(":", 1)[1]) + 3
        self.endpoints[EVALUATOR] = "tcp://127.0.0.1:%d" % last
        if not os.path.exists(self.path(EVALUATOR + ".key")):
            subprocess.run([os.path.join(BIN, "perch-wallet"), "key", "new",
                            "--out", self.path(EVALUATOR + ".key")], check=True,
                           stdout=subprocess.DEVNULL)

    def key(self, name):
        with open(self.path(name + ".key")) as file:
            return bytes.fromhex(
                re.search("public ([0-9a-f]{64})", file.read()).group(1))

    def forget(self, *names):
        shutil.rmtree(self.path(*names), ignore_errors=True)

    # ---- processes ----

    def start(self, name, program, *options):
        with open(self.path(name + ".log"), "wb") as log:
            self.started[name] = subprocess.Popen(
                [os.path.join(BIN, program), "--genesis",
                 self.path("genesis.zpl"), "--key", self.path(name + ".key"),
                 "--data", self.path(name), *options],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def stop(self, name, how=signal.SIGTERM):
        process = self.started.pop(name)
        process.send_signal(how)
        return process.wait(60)

    def close(self):
        for name in list(self.started):
            self.stop(name, signal.SIGKILL)
        self.context.destroy()

    # ---- questions ----

    def place(self, name, link):
        """(height, hash, state root) that it answers from."""
        if name == EVALUATOR:
            as_of = link.ask("ports_query", zero=0)[1]["as_of"]
            return as_of["height"], as_of["hash"], as_of["state_root"]
        head = link.ask("head_query", chain=0, fresh=0)[1]
        return head["final_height"], head["final_hash"], head["state_root"]

    def wait(self, name, height):
        """Its place, as soon as it is there."""
        identity = Identity(
            self.network, nacl.signing.SigningKey.generate().encode())
        end, link = time.monotonic() + PATIENCE_S, None
        while time.monotonic() < end:
            expect(self.started[name].poll() is None, "%s has ended: see %s" % (
                name, self.path(name + ".log")))
            try:
                link = link or Link(self.context, identity,
                                    self.endpoints[name], self.key(name))
                place = self.place(name, link)
                if place[0] >= height:
                    link.close()
                    return place
            except Refused:
                pass
            except Wrong:  # nobody listens yet, or is busy
                link = None
            time.sleep(POLL_S)
        raise Wrong("%s is not at %d" % (name, height))

    def measure(self, what, name, height, program, *options):
        """Start it and wait for it; a line of figures. Its place."""
        before = {n: cpu_s(p.pid) for n, p in self.started.items()}
        all_before, own_before = machine_s(), sum(before.values())
        load = os.getloadavg()[0]
        begin = time.monotonic()
        self.start(name, program, *options)
        place = self.wait(name, height)
        seconds = time.monotonic() - begin
        cpu = {n: cpu_s(p.pid) for n, p in self.started.items()}
        others = machine_s() - all_before - sum(cpu.values()) + own_before
        print(json.dumps({
            "name": what, "seconds": round(seconds, 1),
            "txs": self.made["txs"], "blocks": place[0],
            "tx_per_second": round(self.made["txs"] / seconds),
            "cpu_s": {n: round(c - before.get(n, 0), 1)
                      for n, c in cpu.items()},
            "rss_mb": {n: rss_mb(p.pid) for n, p in self.started.items()},
            "cpus": os.cpu_count(), "load_before": round(load, 1),
            "others_cpu_s": round(others, 1),
            "state_root": place[2].hex()[:16]}), flush=True)
        return place

    def follow(self, what, name, height, program, *options):
        self.forget(name)
        place = self.measure(what, name, height, program, *options)
        expected = self.wait(LEADER, place[0])
        expect(place == expected, "%s is at %s, not at %s" % (
            name, place, expected))
        code = self.stop(name)
        expect(code == 0, "%s ends with %d: see %s" % (
            name, code, self.path(name + ".log")))

    def run(self):
        self.forget(LEADER, "index")
        # The first block of its new term says that those before are final;
        # then what was still reserved ends, for the day is long over.
        height = self.made["blocks"] + 1
        self.measure("own_log", LEADER, height, "perch-node")
        time.sleep(2)
        height = self.wait(LEADER, height)[0]
        self.follow("evaluator", EVALUATOR, height, "perch-contract",
                    "--request", self.endpoints[EVALUATOR])
        self.follow("standby", STANDBY, height, "perch-node")
        self.stop(LEADER)


def main():
    hours = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    keep = sys.argv[2] if len(sys.argv) > 2 else None
    directory = keep or tempfile.mkdtemp(prefix="perch-day-")
    os.makedirs(directory, exist_ok=True)
    day = Day(directory)
    try:
        day.make(hours)
        day.run()
    finally:
        day.close()
        if keep is None:
            with contextlib.suppress(OSError):
                shutil.rmtree(directory)


main()
