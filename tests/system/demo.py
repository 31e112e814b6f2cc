#!/usr/bin/env python3
"""tests/system/demo.py -- run/cluster.sh as people use it: the live view in a
terminal until Ctrl-C, plain lines without one, and a directory that is stopped
and goes on. Nothing is left behind.
"""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import SCRIPT, Cluster, expect, main  # noqa: E402
from cluster import processes, until  # noqa: E402

NAMES = ["the_leader_node", "the_blue_sky", "white_noise", "yellow_submarine",
         "green_planet"]


class Demo:
    """The script with its output in self.said, in a TMPDIR of its own."""

    def __init__(self, *options, terminal):
        self.base = tempfile.mkdtemp(prefix="perch-test-")
        self.said, self.escapes = "", False
        ours, theirs = pty.openpty() if terminal else os.pipe()
        self.output = ours
        self.process = subprocess.Popen(
            [SCRIPT, *options], stdin=theirs if terminal else
            subprocess.DEVNULL, stdout=theirs, stderr=subprocess.STDOUT,
            preexec_fn=(lambda: os.login_tty(theirs)) if terminal else
            os.setsid,
            env={**os.environ, "TMPDIR": self.base, "TERM": "xterm"})
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None:
            print(self.said[-3000:])
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        os.close(self.output)
        shutil.rmtree(self.base)

    def read(self):
        while select.select([self.output], [], [], 0.05)[0]:
            try:
                data = os.read(self.output, 65536)
            except OSError:  # nobody has the terminal any more
                return
            if not data:
                return
            text = data.decode(errors="replace")
            self.escapes = self.escapes or "\x1b" in text
            self.said += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    def wait_for(self, pattern, seconds=60):
        def there():
            self.read()
            return re.search(pattern, self.said)
        return until(there, seconds, "%r in %r" % (pattern, self.said[-500:]))

    def wait_end(self, seconds=30):
        def ended():
            self.read()
            return self.process.poll() is not None
        until(ended, seconds, "the end")
        expect(not processes(self.base), "processes: %s" % processes(
            self.base))
        expect(os.listdir(self.base) == [], os.listdir(self.base))
        return self.process.returncode


def in_a_terminal():
    with Demo("--traffic", "10", terminal=True) as demo:
        demo.wait_for("ready: in ")
        for name in NAMES:
            demo.wait_for(r"Node: %s" % name)
        demo.wait_for(r"(alice|bob) reserved (haneda|kansai|naha)/[ABC]")
        os.write(demo.output, b"\x03")
        expect(demo.wait_end() in (130, -signal.SIGINT),
               demo.process.returncode)


def without_one():
    with Demo("--nodes", "3", "--seconds", "10", "--traffic", "10",
              terminal=False) as demo:
        demo.wait_for("start: the_leader_node the_blue_sky white_noise and")
        demo.wait_for("ready: in ")
        expect(demo.wait_end() == 0, demo.process.returncode)
        expect(not demo.escapes, "escapes without a terminal")
        expect(re.search(r"reserved|block", demo.said), demo.said)


def told_to_end():
    """SIGTERM while it starts, and while it runs."""
    for pattern in ("start: ", "ready: in "):
        with Demo("--nodes", "3", terminal=False) as demo:
            demo.wait_for(pattern)
            demo.process.terminate()
            expect(demo.wait_end() == 143, demo.process.returncode)


def goes_on():
    """down and up again: the same ledger; traffic stops with it."""
    with Cluster(nodes=3, traffic=20) as c:
        made = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                        "--from", "+5h")
        c.script("down")
        expect(not processes(c.dir), processes(c.dir))
        c.script("up")
        state = c.wallet("alice", "status", made["id"])
        expect(state["height"] == made["height"], state)
        c.script("kill", "white_noise")
        expect(not c.node("white_noise")["up"], c.status())
        c.script("restart", "white_noise")
        c.script("stop", "contract")
        c.script("restart", "contract")
        c.wallet("alice", "inquire", "naha")
        c.wait_agreement()


if __name__ == "__main__":
    main(in_a_terminal, without_one, told_to_end, goes_on)
