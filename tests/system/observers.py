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
from cluster import BIN, ROOT, Cluster, expect, main, run, until  # noqa: E402

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
    c.wait_agreement()
    recorded = {}
    for line in run(os.path.join(BIN, "perch-observer"), "--config",
                    os.path.join(c.dir, "conf", "observer.conf"), "--follow",
                    "block", "--from", "1", "--seconds", "3",
                    seconds=30)[1].splitlines():
        block = json.loads(line)
        recorded[block["height"]] = block["hash"]
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
    if not shutil.which("npm"):
        print("javascript: left out, there is no npm")
        return
    with tempfile.TemporaryDirectory(prefix="perch-test-npm-") as where:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund",
                               "--prefix", where, *PACKAGES],
                              capture_output=True, text=True, timeout=120,
                              check=False)
        if done.returncode != 0:
            print("javascript: left out: %s" % done.stderr[-300:])
            return
        command = ["node", shutil.copy(
            os.path.join(OBSERVERS, "observer.mjs"), where)]
        with Cluster(nodes=3, traffic=20) as c:
            follow(c, *command)
            deceived(c, *command)


if __name__ == "__main__":
    main(python, javascript)
