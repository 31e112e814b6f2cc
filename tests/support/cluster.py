"""tests/support/cluster.py -- a cluster of real processes for one test.

    with cluster.Cluster(nodes=3) as c:
        answer = c.wallet("alice", "reserve", "--port", "haneda", ...)

It is started by run/cluster.sh in a temporary directory on free ports. When
the test ends, however it ends, what was started is stopped and the directory is
gone; if it failed, the end of every log is printed first. Nothing here waits
for time alone: until() waits for a condition, with a deadline.
"""
import contextlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import lines

ROOT = os.path.normpath(os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", ".."))
SCRIPT = os.path.join(ROOT, "run", "cluster.sh")
BIN = os.environ.get("PERCH_BIN") or os.path.join(
    ROOT, "build", "release", "bin")
LONG = bool(os.environ.get("PERCH_LONG"))
SANITIZED = os.environ.get("PERCH_BUILD_TYPE") in ("Asan", "Tsan")
POLL_S = 0.05
PATIENCE = 3  # a busy machine gets so many times what a test gives it
WALLET_S = 120  # a wallet's own patience, when a test says nothing of it


class Failed(Exception):
    """What a test expected and did not see."""


def expect(condition, said):
    if not condition:
        raise Failed(said)


def until(condition, seconds, said):
    """What condition() gave as soon as it is true, within so many seconds of a
    machine that has nothing else to do."""
    end = time.monotonic() + PATIENCE * seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed("not within %g s: %s" % (PATIENCE * seconds, said))
        time.sleep(POLL_S)


def run(*command, seconds=60, **more):
    """(exit code, stdout, stderr) of a command, within so many seconds of a
    machine that has nothing else to do."""
    done = subprocess.run([str(c) for c in command], capture_output=True,
                          text=True, timeout=PATIENCE * seconds, check=False,
                          **more)
    return done.returncode, done.stdout, done.stderr


def set_line(path, line):
    """A setting of a file, in the place of another value of it; whoever reads
    the file just now finds all of it, as it was or as it is."""
    with open(path) as file:
        kept = [row for row in file
                if row.split("=")[0].strip() != line.split("=")[0].strip()]
    with open(path + ".new", "w") as file:
        file.writelines([*kept, line + "\n"])
    os.replace(path + ".new", path)


def npm(where, packages):
    """Why these packages are not in this directory now, or None."""
    if not shutil.which("npm"):
        return "there is no npm"
    try:
        code, _, err = run("npm", "install", "--no-audit", "--no-fund",
                           "--prefix", where, *packages)
    except subprocess.TimeoutExpired:
        return "npm install takes too long"
    return "npm install: %s" % err[-300:] if code else None


def processes(directory):
    """Ids of the living processes whose arguments name this directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                if directory.encode() in file.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


BLOCK = 50  # ports that are one cluster's
PORTS = range(10000, 21000, BLOCK)  # run/cluster.sh itself takes higher ones


def take_block():
    """The first of fifty free ports, and what keeps other tests from taking
    them also while nothing listens: a name that goes with this process."""
    for first in random.sample(PORTS, len(PORTS)):
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind("\0perch-test-%d" % first)
            for port in range(first, first + BLOCK):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET,
                                     socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return first, name
        except OSError:
            name.close()
    raise Failed("no %d free ports from %s" % (BLOCK, PORTS))


class Cluster:
    def __init__(self, nodes=3, topology="star", **options):
        self.first_port, self.ports_name = take_block()
        self.base = tempfile.mkdtemp(prefix="perch-test-")
        self.dir = os.path.join(self.base, "cluster")
        self.more = {}
        self.options = ["--nodes", nodes, "--topology", topology,
                        "--port-base", self.first_port]
        for name, value in options.items():
            self.options.append("--" + name.replace("_", "-"))
            if value is not True:
                self.options.append(value)

    def __enter__(self):
        try:
            self.up()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            self.print_logs()
        for name in list(self.more):
            self.stop(name)
        code, out, err = self.try_script("down")
        left = processes(self.base)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.base, ignore_errors=True)
        self.ports_name.close()
        if kind is None and (left or code):
            raise Failed("down left %s: %d %s%s" % (left, code, out, err))

    def print_logs(self):
        logs = os.path.join(self.dir, "logs")
        for name in sorted(os.listdir(logs)) if os.path.isdir(logs) else []:
            with open(os.path.join(logs, name), errors="replace") as file:
                print("---- %s" % name)
                print("".join(file.readlines()[-15:]))

    # ---- run/cluster.sh ----

    def try_script(self, verb, *arguments):
        return run(SCRIPT, verb, *arguments, "--dir", self.dir)

    def script(self, verb, *arguments):
        code, out, err = self.try_script(verb, *arguments)
        expect(code == 0, "cluster.sh %s %s ends with %d: %s%s" % (
            verb, arguments, code, out, err))
        return out

    def up(self):
        self.script("up", *self.options)
        with open(os.path.join(self.dir, "cluster.json")) as file:
            self.json = json.load(file)
        for name in os.listdir(os.path.join(self.dir, "wallets")):
            set_line(os.path.join(self.dir, "wallets", name),
                     "timeout = %ds" % WALLET_S)

    def status(self):
        """Also when no node answers, which is its exit code 3."""
        code, out, err = self.try_script("status", "--json")
        expect(code in (0, 3), "cluster.sh status ends with %d: %s" % (
            code, err))
        return json.loads(out)

    def node(self, name):
        return next(n for n in self.status()["nodes"] if n["name"] == name)

    def chains(self, name):
        """Of a node that is up; a busy one may answer one question late."""
        return until(lambda: self.node(name)["chains"], 20, name + " answers")

    def leader(self):
        """The name of the only leader, or None."""
        found = [n["name"] for n in self.status()["nodes"]
                 if n["up"] and n["role"] == "leader"]
        return found[0] if len(found) == 1 else None

    def wait_leader(self, seconds=20, but=None):
        def another():
            name = self.leader()
            return name if name != but else None
        return until(another, seconds, "one leader")

    def agree(self, names=None):
        """True when these nodes are up with one final height and root."""
        seen = set()
        for node in self.status()["nodes"]:
            if names and node["name"] not in names:
                continue
            if not node["up"] or not node["chains"]:
                return False
            chain = node["chains"][0]
            seen.add((chain["final_height"], chain["final_hash"],
                      chain["height"], chain["state_root"]))
        return len(seen) == 1

    def wait_agreement(self, seconds=30, names=None):
        until(lambda: self.agree(names), seconds, "one ledger on every node")

    def start(self, name, *command):
        """A process beside those of run/cluster.sh; down stops it, too."""
        with open(os.path.join(self.dir, "logs", name + ".log"), "a") as log:
            self.more[name] = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def stop(self, name):
        process = self.more.pop(name)
        process.terminate()
        process.wait(PATIENCE * 20)

    def free_ports(self, count):
        """The first of so many TCP ports, of those that are this cluster's."""
        used = 3 * len(self.json["nodes"]) + 2
        for first in range(self.first_port + used,
                           self.first_port + BLOCK - count + 1):
            with contextlib.ExitStack() as stack:
                try:
                    for port in range(first, first + count):
                        probe = stack.enter_context(socket.socket())
                        probe.bind(("127.0.0.1", port))
                    return first
                except OSError:
                    pass
        raise Failed("no %d free ports" % count)

    def set_conf(self, name, line):
        """A setting of a node, in the place of another value of it; restart
        the node then."""
        set_line(os.path.join(self.dir, "conf", name + ".conf"), line)

    def log(self, name):
        path = os.path.join(self.dir, "logs", name + ".log")
        with open(path, errors="replace") as file:
            return file.read()

    # ---- wallets ----

    def wallet_conf(self, name):
        return os.path.join(self.dir, "wallets", name + ".conf")

    def public_key(self, name):
        with open(os.path.join(self.dir, "keys", name + ".key")) as file:
            return re.search("public ([0-9a-f]{64})", file.read()).group(1)

    def try_wallet(self, name, verb, *arguments):
        """(exit code, stdout, stderr) of perch-wallet --json."""
        return run(os.path.join(BIN, "perch-wallet"), verb, "--config",
                   self.wallet_conf(name), "--json", *arguments)

    def try_json(self, name, verb, *arguments):
        """(exit code, the object that it printed)."""
        code, out, err = self.try_wallet(name, verb, *arguments)
        try:
            return code, json.loads(out)
        except ValueError:
            raise Failed("perch-wallet %s %s ends with %d: %s%s" % (
                verb, arguments, code, out, err)) from None

    def wallet(self, name, verb, *arguments, code=0):
        """The object that a wallet prints; it must end with code."""
        got, row = self.try_json(name, verb, *arguments)
        expect(got == code, "perch-wallet %s %s ends with %d, not %d: %s" % (
            verb, arguments, got, code, row))
        return row

    def lines(self, name, verb, *arguments):
        """A wallet's verb that goes on, as lines.Lines."""
        return lines.Lines(os.path.join(BIN, "perch-wallet"), verb, "--config",
                           self.wallet_conf(name), "--json", *arguments)

    def traffic(self, rate):
        """Reservations by alice and bob; each line is a fate."""
        return self.lines("alice", "traffic", "--rate", rate, "--seed",
                          random.randrange(1 << 31), "--other",
                          self.wallet_conf("bob"))

    def ledger(self, height):
        """{transaction id: height} of all final blocks up to this height at
        least, verified by a wallet that reads them one after another."""
        found = {}
        with self.lines("alice", "watch", "--height", 1) as watched:
            until(lambda: watched.rows and
                  watched.rows[-1][1]["height"] >= height, 60,
                  "final block %d" % height)
        for _, row in watched.rows:
            expect(found.setdefault(row["id"], row["height"]) ==
                   row["height"], "twice in the ledger: %s" % row)
        return found

    def wallet_rows(self, name, verb, *arguments):
        """All objects of a verb that prints any number of them."""
        code, out, err = self.try_wallet(name, verb, *arguments)
        expect(code == 0, "perch-wallet %s %s ends with %d: %s%s" % (
            verb, arguments, code, out, err))
        return [json.loads(row) for row in out.splitlines()]


def main(*tests):
    """Run the tests named on the command line, or all; 1 when one failed."""
    wanted = sys.argv[1:]
    bad = 0
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        begin = time.monotonic()
        try:
            test()
            said = "ok"
        except (Failed, subprocess.TimeoutExpired) as failure:
            said = "FAILED: %s" % failure
            bad += 1
        print("%s: %s (%.1f s)" % (test.__name__, said,
                                   time.monotonic() - begin), flush=True)
    sys.exit(1 if bad else 0)
