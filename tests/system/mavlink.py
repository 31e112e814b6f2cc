#!/usr/bin/env python3
"""tests/system/mavlink.py -- the driver `mavlink` against an independent
implementation: aircraft made with npm's node-mavlink ask a real
perch-controller --try for the arm authorisation, in both versions of MAVLink.

Ends with 77, skipped, where npm or its registry cannot be reached.
"""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import BIN, ROOT, expect, main, npm, until  # noqa: E402

PACKAGES = ["node-mavlink@2.3.0"]
ACCEPTED, REJECTED, DENIED = 0, 1, 2
TIMEOUT, IN_USE = 3, 4


class Talk:
    """A process that is told lines and answers with JSON lines."""

    def __init__(self, *command, **more):
        self.rows = []
        self.process = subprocess.Popen(
            [str(c) for c in command], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1, **more)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.rows.append(json.loads(line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait_row(self, begin=0, seconds=10, **fields):
        """A row, after so many, that has these fields."""
        def there():
            return [r for r in self.rows[begin:] if all(
                r.get(k) == v for k, v in fields.items())]
        return until(there, seconds, "%s in %s" % (
            fields, self.rows[-5:]))[0]

    def ask(self, line, **fields):
        """Tell a line and wait for what it leads to."""
        begin = len(self.rows)
        self.tell(line)
        return self.wait_row(begin, **fields)


def install():
    """Where node finds the package; ends the test when that is nowhere."""
    where = tempfile.mkdtemp(prefix="perch-test-npm-")
    missing = npm(where, PACKAGES)
    if missing:
        shutil.rmtree(where)
        print("skipped: " + missing)
        sys.exit(77)
    return where


def free_udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def airfield(version):
    """A controller with pad A and an aircraft, JA01, that belongs to it."""
    where, port = install(), free_udp()
    try:
        with Talk(os.path.join(BIN, "perch-controller"), "--port", "haneda",
                  "--driver", "mavlink", "--pads", "A", "--try", "--json",
                  "--mavlink-listen", "127.0.0.1:%d" % port,
                  "--mavlink-vehicles", "7:JA01:A") as pad, Talk(
                      "node", os.path.join(ROOT, "tests/support/px4.js"),
                      port, 7, 10, version,
                      env={**os.environ, "NODE_PATH": os.path.join(
                          where, "node_modules")}) as craft:
            until(lambda: any(r.get("is") == "occupied" for r in pad.rows),
                  20, "an aircraft on the pad: %s" % pad.rows)
            yield pad, craft
    finally:
        shutil.rmtree(where)


def order(pad, line):
    expect(pad.ask(line, event="order", order=line)["code"] == "ok", line)


def leads_to(pad, what, craft, line):
    """What is on the pad because of what the aircraft does."""
    begin = len(pad.rows)
    craft.tell(line)
    return pad.wait_row(begin, event="pad", **{"is": what})


def arm(craft, result):
    """Ask, and hear the verdict in both fields."""
    ack = craft.ask("arm", name="COMMAND_ACK", result=result)
    expect(ack["command"] == 3001 and ack["system"] == 10 and
           ack["targetSystem"] == 7 and ack["targetComponent"] == 1, ack)
    expect(ack["progress"] == ack["resultParam2"], ack)
    return ack["progress"]


def whole(version):
    with airfield(version) as (pad, craft):
        expect(pad.rows[0]["is"] == "unknown", pad.rows)
        craft.wait_row(name="HEARTBEAT", system=10, autopilot=8)
        # Nobody is cleared; somebody else is; then this one, in its time.
        expect(arm(craft, REJECTED) == 0, "no reason is generic")
        order(pad, "land A JA01 30s")
        expect(arm(craft, DENIED) == IN_USE, "the pad is another's")
        begin = time.monotonic()
        order(pad, "depart A JA01 30s")
        seconds = arm(craft, ACCEPTED)
        took = time.monotonic() - begin
        expect(29 - took <= seconds <= 30, (seconds, took))
        text = craft.ask  # a verdict that is no brings its reason as text
        order(pad, "depart A JA01 500ms")
        expect(arm(craft, DENIED) == TIMEOUT, "less than a second is over")
        text("arm", name="STATUSTEXT",
             text="perch: the clearance is over")
        order(pad, "depart A JA01 30s")
        arm(craft, ACCEPTED)
        craft.tell("takeoff")
        left = pad.ask("stop A", event="order")
        expect(left["code"] == "ok", left)
        order(pad, "depart A JA01 30s")
        gone = leads_to(pad, "empty", craft, "air")
        expect(gone["by_air"] and gone["aircraft"] == "", gone)
        # It comes back: cleared, it lands; silent, nobody knows.
        order(pad, "land A JA01 30s")
        craft.tell("landing")
        there = leads_to(pad, "occupied", craft, "ground")
        expect(there["by_air"] and there["aircraft"] == "JA01", there)
        expect(pad.ask("land A JA01 30s", event="order")["code"] == "ok", "")
        leads_to(pad, "unknown", craft, "silent")
        expect(pad.ask("depart A JA01 30s", event="order")["code"] ==
               "unreachable", "nobody hears it")
        leads_to(pad, "occupied", craft, "speak")
        expect(not any(r.get("is") == "empty" for r in pad.rows[
            pad.rows.index(there):]), pad.rows)


def version_1():
    whole(1)


def version_2():
    whole(2)


if __name__ == "__main__":
    main(version_1, version_2)
