#!/usr/bin/python3
"""tests/bench/world.py -- a directory with everything a measured cluster needs.

Keys, a genesis of N nodes on ports that are free now, 20 landing ports with 4
pads each, and one operator, `load`, with a large quota. Prints the names of the
nodes, one a line.
"""
import os
import socket
import sys

from nacl.signing import SigningKey

NAMES = ["the_leader_node", "the_blue_sky", "white_noise", "yellow_submarine",
         "green_planet", "sixth_node", "seventh_node"]


def free_ports(count):
    """Ports below the ephemeral range, so that no connection takes them."""
    found, port = [], 20000 + os.getpid() % 5000
    while len(found) < count:
        port += 1
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                found.append(port)
            except OSError:
                pass
    return found


def main():
    directory, nodes = sys.argv[1], int(sys.argv[2])
    ports = free_ports(3 * nodes)

    def key(name):
        pair = SigningKey.generate()
        public = pair.verify_key.encode().hex()
        path = os.path.join(directory, name + ".key")
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(f"perch-key 1\npublic {public}\n"
                       f"seed {pair.encode().hex()}\n")
        return public

    lines = ["perch", "    name = bench", "    time = 2026-01-01T00:00:00Z",
             "    observers = anyone", "nodes"]
    for i, name in enumerate(NAMES[:nodes]):
        lines += [f"    {name}", f"        key = {key(name)}"]
        for j, kind in enumerate(["request", "publish", "peer"]):
            lines.append(f"        {kind} = "
                         f"\"tcp://127.0.0.1:{ports[3 * i + j]}\"")
    lines.append("ports")
    for i in range(20):
        lines += [f"    p{i}", f"        controller = {key(f'c{i}')}",
                  "        pads"]
        lines += [f"            {pad}" for pad in "abcd"]
    lines += ["operators", "    load", f"        key = {key('load')}",
              "        quota = 999999", ""]
    with open(os.path.join(directory, "genesis.zpl"), "w") as file:
        file.write("\n".join(lines))
    print("\n".join(NAMES[:nodes]))


main()
