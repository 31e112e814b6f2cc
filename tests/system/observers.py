#!/usr/bin/env python3
"""tests/system/observers.py -- the observers of schemas/observers, written from
the page alone: each follows a network while the node that it asks is killed,
and has every block that the wallet has; none believes another network.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import BIN, ROOT, Cluster, expect, main, npm  # noqa: E402
from cluster import run, until  # noqa: E402
from lines import Lines  # noqa: E402

OBSERVERS = os.path.join(ROOT, "schemas", "observers")
PACKAGES = ["zeromq", "@msgpack/msgpack", "libsodium-wrappers"]
BLOCKS = 60


def follow(c, *command):
    """It reads from the first node, which is killed when it is under way."""
    first = c.json["nodes"][0]["name"]
    path = os.path.join(c.base, "out")
    with open(path, "w+", encoding="utf-8") as out, subprocess.Popen(
            [*command, os.path.join(c.dir, "cluster.json"), str(BLOCKS)],
            stdout=out, stderr=subprocess.STDOUT) as observer:
        def lines():
            with open(path, encoding="utf-8") as said:
                return said.read().splitlines()
        try:
            until(lambda: len(lines()) > 5, 30, "blocks: %s" % lines())
            c.script("kill", first)
            until(lambda: observer.poll() is not None, 60,
                  "%d blocks after a kill" % BLOCKS)
        finally:
            observer.kill()
        expect(observer.returncode == 0, lines())
    seen = [json.loads(line) for line in lines()]
    expect([b["height"] for b in seen] == list(range(1, BLOCKS + 1)), seen)
    c.script("restart", first)
    c.script("stop", "traffic")  # or there are no two looks at one ledger
    c.wait_agreement()
    with Lines(os.path.join(BIN, "perch-observer"), "--config",
               os.path.join(c.dir, "conf", "observer.conf"), "--follow",
               "block", "--from", "1") as told:
        until(lambda: told.rows and told.rows[-1][1]["height"] >= BLOCKS, 30,
              "the observer has them, too")
    recorded = {row["height"]: row["hash"] for _, row in told.rows}
    for block in seen:
        expect(recorded.get(block["height"]) == block["hash"], block)


def deceived(c, *command):
    """Blocks of another network are not taken."""
    path = os.path.join(c.base, "other.json")
    with open(path, "w", encoding="utf-8") as other:
        json.dump({**c.json, "network": "00" * 32}, other)
    code, out, _ = run(*command, path, "3", seconds=30)
    expect(code != 0 and out == "", "believed: " + out)


def python():
    """observer.py."""
    command = ["/usr/bin/python3", os.path.join(OBSERVERS, "observer.py")]
    with Cluster(nodes=3, traffic=20) as c:
        follow(c, *command)
        deceived(c, *command)


def javascript():
    """observer.mjs, with its packages from npm."""
    with tempfile.TemporaryDirectory(prefix="perch-test-npm-") as where:
        missing = npm(where, PACKAGES)
        if missing:
            print("javascript: left out: " + missing)
            return
        command = ["node", shutil.copy(
            os.path.join(OBSERVERS, "observer.mjs"), where)]
        with Cluster(nodes=3, traffic=20) as c:
            follow(c, *command)
            deceived(c, *command)


if __name__ == "__main__":
    main(python, javascript)
