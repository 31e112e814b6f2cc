#!/usr/bin/env python3
"""run/compare.py -- run by run/compare.sh: measure, then write the page.

DIR/workload.txt is what is sent: the same lines to every engine. Each run is a
cluster of its own: some seconds of peace, then a leader that is killed and comes
back, then a minority with the leader that is cut off and healed. DIR/events.csv
is everything that wallets and an observer were told meanwhile, DIR/report.html
the page; all its numbers are derived from the events alone.
"""
import argparse
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import compare_numbers
import compare_page

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("PERCH_BIN", os.path.join(ROOT, "build/release/bin"))
ENGINES, TOPOLOGIES = ("ordered", "pow"), ("star", "mesh")
WALLETS = ("alice", "bob")
PADS = [("haneda", "A"), ("haneda", "B"), ("kansai", "A"), ("kansai", "B"),
        ("kansai", "C"), ("naha", "A")]
SLOT_MS, LENGTH_MS = 10 * 60000, 5 * 60000
DOWN_S, AFTER_S = 8, 8    # a killed leader; then peace again
CUT_S, HEALED_S = 10, 12  # a minority cut off; then whole again
BEGIN_S = 3               # between the start of the senders and their first
LEDGER_S = 60             # to read all blocks at the end
PATIENCE_S = {"ordered": 30, "pow": 60}


def parse():
    parser = argparse.ArgumentParser(
        prog="run/compare.sh", description="The same recorded workload on both"
        " engines and both topologies, as a page and a table of events.",
        epilog="Example: run/compare.sh --seconds 30 --out report")
    parser.add_argument("--seconds", type=int, default=20, metavar="N",
                        help="of peace, before somebody is killed (20)")
    parser.add_argument("--out", default="build/compare", metavar="DIR",
                        help="report.html, events.csv, workload.txt go there"
                        " (build/compare)")
    parser.add_argument("--rate", type=float, default=20, metavar="TX/S")
    parser.add_argument("--nodes", type=int, default=5, metavar="N")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--topologies", default=",".join(TOPOLOGIES))
    parser.add_argument("--interval", default="2s", metavar="TIME",
                        help="between two blocks of pow (2s)")
    parser.add_argument("--bits", default="1e010000", metavar="HEX",
                        help="first target of pow (1e010000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--page", metavar="DIR",
                        help="make the page of these events again")
    parser.add_argument("--check", metavar="DIR",
                        help="derive every number of the page from the events"
                        " again; 1 when one differs")
    options = parser.parse_args()
    options.engines = options.engines.split(",")
    options.topologies = options.topologies.split(",")
    for name in options.engines:
        if name not in ENGINES:
            parser.error("--engines %s: there are %s" % (name, ENGINES))
    for name in options.topologies:
        if name not in TOPOLOGIES:
            parser.error("--topologies %s: there are %s" % (name, TOPOLOGIES))
    if options.nodes < 3 or options.seconds < 1 or options.rate <= 0:
        parser.error("at least 3 nodes, 1 second, a rate above 0 are needed")
    return options


# ---- the workload ----

def write_workload(path, options):
    """As many slots as transactions, taken at random: about a third of them
    ask for one that is taken."""
    chance = random.Random(options.seed)
    seconds = options.seconds + DOWN_S + AFTER_S + CUT_S + HEALED_S
    count = int(seconds * options.rate)
    slots = count // len(PADS) + 1
    with open(path, "w") as file:
        for i in range(count):
            port, pad = chance.choice(PADS)
            file.write("%d %s %032x %s %s %d %d %s\n" % (
                i * 1000 / options.rate, chance.choice(WALLETS),
                chance.getrandbits(128), port, pad,
                chance.randrange(slots) * SLOT_MS, LENGTH_MS,
                ("received", "ordered", "final")[i % 3]))
    return seconds


# ---- one run ----

class Run:
    """A cluster, two senders, an observer; and what they said."""

    def __init__(self, name, engine, topology, options, writer):
        self.name, self.engine, self.options = name, engine, options
        self.writer, self.more, self.told_final = writer, [], set()
        self.base = tempfile.mkdtemp(prefix="perch-compare-")
        self.dir = os.path.join(self.base, "cluster")
        self.up = ["--engine", engine, "--topology", topology, "--nodes",
                   str(options.nodes), "--cuttable"]
        if engine == "pow":
            self.up += ["--interval", options.interval, "--bits",
                        options.bits]

    def script(self, verb, *words):
        with subprocess.Popen(
                [os.path.join(ROOT, "run/cluster.sh"), verb, *words, "--dir",
                 self.dir], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True) as process:
            try:
                out, err = process.communicate()
            except KeyboardInterrupt:
                process.communicate()  # it stops what it has begun
                raise
        if process.returncode != 0:
            sys.exit("run/compare.sh: cluster.sh %s: %s%s" % (
                verb, out, err))
        return out

    def start(self, program, *words, file):
        out = open(os.path.join(self.base, file), "w")
        self.more.append(subprocess.Popen(
            [os.path.join(BIN, program), *words], stdout=out,
            stdin=subprocess.DEVNULL))
        out.close()
        return self.more[-1]

    def mark(self, what, who=""):
        self.row(time.time_ns() // 1000, "run", "mark", subject=what,
                 code=who)

    def row(self, time_us, source, event, **more):
        self.writer.writerow({"run": self.name, "time_us": time_us,
                              "source": source, "event": event, **more})

    def names(self):
        with open(os.path.join(self.dir, "cluster.json")) as file:
            return [node["name"] for node in json.load(file)["nodes"]]

    def leader(self):
        """Who orders; of miners the first one, whom wallets ask."""
        nodes = json.loads(self.script("status", "--json"))["nodes"]
        for node in nodes:
            if node["role"] == "leader":
                return node["name"]
        return nodes[0]["name"]

    def halves(self):
        """The leader and as many as are a minority with it; the others."""
        names = self.names()
        names.sort(key=lambda name, first=self.leader(): name != first)
        few = (len(names) - 1) // 2
        return names[:few], names[few:]

    def sleep_until(self, begin, second):
        time.sleep(max(0, begin / 1000 + second - time.time()))

    def go(self, workload, seconds):
        self.script("up", *self.up)
        conf = os.path.join(self.dir, "conf/observer.conf")
        observer = self.start("perch-observer", "--config", conf, "--json",
                              file="observer.jsonl")
        now = int(time.time() * 1000)
        begin = now + BEGIN_S * 1000
        epoch = (now // SLOT_MS + 2) * SLOT_MS
        senders = [self.start(
            "perch-replay", "--genesis", self.dir + "/genesis.zpl", "--key",
            "%s/keys/%s.key" % (self.dir, name), "--workload", workload,
            "--wallet", name, "--chain", self.engine, "--epoch", str(epoch),
            "--begin", str(begin), "--patience", str(PATIENCE_S[self.engine]),
            file=name + ".csv") for name in WALLETS]
        self.sleep_until(begin, 0)
        self.mark("begin")
        self.faults(begin)
        self.sleep_until(begin, seconds)
        self.mark("sent")
        for sender in senders:
            sender.wait()
        self.mark("end")
        observer.terminate()
        observer.wait()
        self.read_senders()
        self.read_ledger()
        self.read_observer()

    def faults(self, begin):
        at = self.options.seconds
        self.sleep_until(begin, at)
        leader = self.leader()
        self.mark("killed", leader)
        self.script("kill", leader)
        self.sleep_until(begin, at + DOWN_S)
        self.script("restart", leader)
        self.mark("restarted", leader)
        at += DOWN_S + AFTER_S
        self.sleep_until(begin, at)
        few, many = self.halves()
        self.mark("cut", " ".join(few))
        for name in few:
            for other in many:
                self.script("cut", name, other)
        self.sleep_until(begin, at + CUT_S)
        self.script("heal")
        self.mark("healed")

    # ---- what was said ----

    def read_ledger(self):
        """Every final transaction, as a wallet that reads all blocks sees
        it, until all are there that were told to be final."""
        path = os.path.join(self.base, "ledger.jsonl")
        reader = self.start(
            "perch-wallet", "watch", "--config", self.dir +
            "/wallets/alice.conf", "--json", "--height", "1",
            file="ledger.jsonl")
        entries, end = [], time.time() + LEDGER_S
        missing = set(self.told_final)
        with open(path) as file:
            while missing and time.time() < end:
                line = file.readline()
                if not line.endswith("\n"):
                    time.sleep(0.1)  # half a line comes again
                    file.seek(file.tell() - len(line.encode()))
                    continue
                entries.append(json.loads(line))
                missing.discard(entries[-1]["id"])
        reader.terminate()
        reader.wait()
        for row in entries:
            self.row(row["time"] * 1000, "ledger", "entry",
                     subject=row["id"], height=row["height"],
                     code=row["receipts"][0]["code"])

    def read_senders(self):
        for name in WALLETS:
            with open(os.path.join(self.base, name + ".csv")) as file:
                for time_us, event, ident, step, status, code, height in (
                        csv.reader(file)):
                    if status == "final":
                        self.told_final.add(ident)
                    self.row(time_us, name, event, subject=ident, step=step,
                             status=status, code=code, height=height)

    def read_observer(self):
        with open(os.path.join(self.base, "observer.jsonl")) as file:
            for line in file:
                row = json.loads(line)
                at = row.get("time", 0) * 1000
                if row["event"] == "chain":
                    self.row(at, row["node"], row["change"],
                             subject=row["chain"], height=row["height"],
                             hash=row["hash"][:16])
                elif row["event"] == "fork":
                    self.row(at, row["node"], "fork", subject=row["chain"],
                             height=row["height"], hash=row["hash"][:16])
                elif row["event"] == "reorganisation":
                    self.row(at, row["node"], "reorganisation",
                             subject=row["chain"], height=row["above"],
                             hash=row["joined"][:16], value=row["depth"])
                elif row["event"] == "alarm":
                    self.row(at, "observer", "alarm", code=row["text"])
                elif row["event"] == "status":
                    self.counters(row, at)

    def counters(self, row, at):
        found = {"sent": row["sent"], "sent_bytes": row["sent_bytes"]}
        for chain in row["chains"]:
            if "hashes" in chain["numbers"]:
                found["hashes"] = chain["numbers"]["hashes"]
        for name, value in found.items():
            self.row(at, row["node"], "counter", subject=name, value=value)

    def close(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is being done
        for process in self.more:
            if process.poll() is None:
                process.terminate()
                process.wait()
        try:
            if os.path.isfile(os.path.join(self.dir, "cluster.made")):
                self.script("down")
        finally:
            shutil.rmtree(self.base)
            signal.signal(signal.SIGINT, signal.default_int_handler)


def measure(options):
    os.makedirs(options.out, exist_ok=True)
    workload = os.path.abspath(os.path.join(options.out, "workload.txt"))
    seconds = write_workload(workload, options)
    with open(os.path.join(options.out, "events.csv"), "w",
              newline="") as file:
        writer = csv.DictWriter(file, compare_numbers.COLUMNS, restval="")
        writer.writeheader()
        for engine in options.engines:
            for topology in options.topologies:
                name = "%s-%s" % (engine, topology)
                print("run/compare.sh: %s, about %d s" % (
                    name, seconds + 20), file=sys.stderr, flush=True)
                run = Run(name, engine, topology, options, writer)
                try:
                    run.go(workload, seconds)
                finally:
                    run.close()


def main():
    options = parse()
    if options.check:
        sys.exit(compare_page.check(options.check))
    if not options.page:
        measure(options)
    out = options.page or options.out
    compare_page.write(out)
    print("run/compare.sh: %s and %s" % (
        os.path.join(out, "report.html"), os.path.join(out, "events.csv")))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("run/compare.sh: interrupted; what was started is stopped",
              file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        print("run/compare.sh: %s" % error, file=sys.stderr)
        sys.exit(2)
