#!/usr/bin/env python3
"""tests/system/discover.py -- where other nodes are found: the command line, the
saved peers, names, the genesis list; with the first of them dead the next one
works, and so on. What members tell each other lets the node that somebody began
with go away. A stand-by speaks with the nearest.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    from joiner import Joiner
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
from cluster import BIN, Cluster, expect, main, run, until  # noqa: E402

COMMAND, SAVED, DNS = "the command line", "the saved peers", "a name of"
GENESIS, PEERS = "the genesis list", "another member"


def conf(c, name, *settings):
    """The settings of a node of run/cluster.sh without its wires, and these."""
    path = os.path.join(c.dir, "conf", name + ".conf")
    with open(path, encoding="utf-8") as file:
        kept = [row for row in file if not row.startswith(
            ("discover", "peer", "dns", "beacon"))]
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(kept)
        file.writelines(row + "\n" for row in settings)


def wires(c, name):
    with open(os.path.join(c.dir, "conf", name + ".conf"),
              encoding="utf-8") as file:
        return next(row.strip() for row in file if row.startswith("peer"))


def port_of(c, name):
    """Where a node of run/cluster.sh listens to others."""
    node = next(n for n in c.json["nodes"] if n["name"] == name)
    return int(node["request"].split(":")[-1]) + 2


def reaches(c, name, others, source, prepare=lambda: None):
    """Start this node: it finds the others where this source says; how long
    that took. Whoever is slower than a second there is found elsewhere; then
    once more."""
    def found():
        c.script("stop", name)
        prepare()
        seen = len(c.log(name))
        begun = time.monotonic()
        c.script("restart", name)
        until(lambda: all("reached %s at" % other in c.log(name)[seen:]
                          for other in others), 40,
              "%s finds %s: %s" % (name, others, c.log(name)[seen:]))
        return all(re.search("reached %s at .*, from %s" % (other, source),
                             c.log(name)[seen:]) for other in others) and (
            time.monotonic() - begun)
    took = until(found, 20, "%s finds %s by %s" % (name, others, source))
    until(lambda: c.node(name)["peers"] == len(others), 20, "and hears them")
    return "%s %.1f s" % (source, took)


def one_after_another():
    with Cluster(nodes=3, cuttable=True) as c:
        name, *others = (n["name"] for n in c.json["nodes"])
        index = os.path.join(c.dir, "data", name, "index")
        dead = c.free_ports(1)
        nowhere = 'peer = "%s"' % " ".join(
            "%s=tcp://127.0.0.1:%d" % (o, dead) for o in others)
        conf(c, name, "discover = command saved dns genesis", wires(c, name))
        took = [reaches(c, name, others, COMMAND)]
        conf(c, name, nowhere)
        took.append(reaches(c, name, others, SAVED))
        expect("at tcp://127.77." in c.log(name), c.log(name))
        # Without its wires the cluster has only what the genesis says.
        c.script("stop", name)
        c.script("kill", "relay")
        shutil.copytree(index, c.base + "/index")
        for other in others:
            conf(c, other)
            c.script("restart", other)
        names = " ".join("localhost:%d" % port_of(c, o) for o in others)

        def forget():
            shutil.rmtree(index)
            shutil.copytree(c.base + "/index", index)
        for source, dns in ((DNS, names), (GENESIS, "localhost:%d" % dead)):
            conf(c, name, nowhere, 'dns = "%s"' % dns)
            took.append(reaches(c, name, others, source, forget))
        reserve(c, 9)
        c.wait_agreement()
        print("; ".join(took))


def reserve(c, hours):
    return c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                    "--from", "+%dh" % hours)["height"]


def first_one_dies():
    """Only one member is told; the others are learnt from it, kept, and found
    again without it."""
    with Cluster(nodes=3) as c:
        first, *others = (n["name"] for n in c.json["nodes"])
        told = 'peer = "%s=tcp://127.0.0.1:%d"' % (first, port_of(c, first))
        fourth = Joiner(c, "fourth", 'discover = "command peers saved"', told)
        fourth.change("standby")
        height = fourth.change("voter")["height"]
        until(lambda: fourth.has(height), 20, "the voter follows")
        until(lambda: all("reached %s at" % o in fourth.log() for o in others),
              20, "the others are found: " + fourth.log())
        expect("from " + PEERS in fourth.log(), fourth.log())
        c.script("kill", first)
        height = reserve(c, 10)
        until(lambda: fourth.has(height), 20, "it goes on without the first")
        fourth.stop()
        fourth.set('discover = "saved"')
        fourth.start()
        height = reserve(c, 11)
        until(lambda: fourth.has(height), 20, "it comes back without it")
        expect("from " + SAVED in fourth.log(), fourth.log())
        fourth.stop()
        fourth.close()


def all_but_one_are_new():
    """Of the genesis list one node is left, and it does not lead: whoever joins
    now takes its word for the others."""
    with Cluster(nodes=2) as c:
        kept, gone = (n["name"] for n in c.json["nodes"])
        ports = c.free_ports(9)
        new = [Joiner(c, name, ports=ports + 3 * i)
               for i, name in enumerate(("third", "fourth"))]
        for node in new:
            node.change("standby")
            height = node.change("voter")["height"]
            until(lambda: node.has(height), 20, "a new voter follows")
        c.wallet("authority", "set-node", "--name", gone, "--node-key",
                 c.public_key(gone), "--role", "none")
        c.script("stop", gone)
        c.script("stop", kept)  # so that a new one leads
        until(lambda: any(node.status()["role"] == 2 for node in new), 20,
              "one of the new ones leads")
        c.script("restart", kept)
        last = Joiner(c, "last", "discover = genesis peers", ports=ports + 6)
        c.wallet("authority", "set-node", "--name", "last", "--node-key",
                 last.key, "--role", "standby", *[
                     word for kind, where in last.ends.items() for word in (
                         "--peer" if kind == "listen" else "--" + kind,
                         where)])
        until(lambda: last.status()["role"] == 3 and last.has(1), 30,
              "who came last has the ledger: " + last.log())
        until(lambda: "%s tells of " % kept in last.log(), 20, last.log())
        for node in (*new, last):
            node.stop()
            node.close()


def nearest_member():
    nearest()


def nearest_miner():
    """With proof of work it needs no link but that one."""
    nearest(engine="pow", interval="1s", bits="1e0fffff")


def nearest(**options):
    """A stand-by measures, and measures again when the nearest is gone."""
    with Cluster(nodes=3, **options) as c:
        names = [n["name"] for n in c.json["nodes"]]
        delays = dict(zip(names, (120, 60, 1)))
        port = c.free_ports(4)
        wire = {n: "127.78.0.%d:%d" % (i + 1, port)
                for i, n in enumerate(names)}
        relay = c.base + "/relay"
        os.mkdir(relay)
        with open(relay + "/links", "w", encoding="utf-8") as file:
            file.writelines("near %s %s 127.0.0.1:%d\n" % (
                n, wire[n], port_of(c, n)) for n in names)
        with open(relay + "/rules", "w", encoding="utf-8") as file:
            file.write("1\n" + "".join("delay near %s %d\n" % row
                                       for row in delays.items()))
        c.start("wires", os.path.join(BIN, "perch-relay"), relay)
        near = Joiner(c, "near", "discover = command", "engine = %s" %
                      options.get("engine", "ordered"), 'peer = "%s"' % " ".join(
            "%s=tcp://%s" % row for row in wire.items()), ports=port + 1)
        height = near.change("standby")["height"]
        until(lambda: near.has(height), 60, "the stand-by has the ledger")

        def chosen(name):
            """The newest choice, if it is this one: whoever was too busy to
            answer is measured again after a minute."""
            found = re.findall(r"nearest member is (\w+), (\d+) us",
                               near.log())
            return found and found[-1][0] == name and int(found[-1][1])
        first = until(lambda: chosen(names[2]), 30, "it has measured")
        c.script("kill", names[2])
        second = until(lambda: chosen(names[1]), 30, "it has measured again")
        expect(55000 <= second < 600000, second)
        height = reserve(c, 10)
        until(lambda: near.has(height), 60, "the stand-by goes on")
        print("%d us, then %d us" % (first, second))
        near.stop()
        near.close()


def on_a_lan():
    """A local network of its own, as far as the kernel lets us make one."""
    inside = ("ip link set lo up && ip link add lan type bridge && "
              "ip addr add 10.77.0.1/24 brd 10.77.0.255 dev lan && "
              "ip link set lan up && ")
    if subprocess.run(["unshare", "-Urn", "sh", "-c", inside + "true"],
                      capture_output=True, check=False).returncode != 0:
        print("no network namespace here: not tried")
        return
    done = subprocess.run(
        ["unshare", "-Urn", "sh", "-c", inside + 'exec "$@"', "-",
         sys.executable, os.path.abspath(__file__), "beacons"],
        capture_output=True, text=True, timeout=480, check=False)
    expect(done.returncode == 0, done.stdout + done.stderr)


def beacons():
    """Run inside such a network: nobody is where the genesis says."""
    with Cluster(nodes=3) as c:
        names = [n["name"] for n in c.json["nodes"]]
        c.script("stop", "all")
        for name in names:
            conf(c, name, "discover = lan", "beacon = 5670",
                 'beacon-interface = "lan"', 'listen = "tcp://10.77.0.1:%d"' %
                 port_of(c, name))
        c.script("restart", "all")
        until(lambda: all(n["peers"] == 2 for n in c.status()["nodes"]), 30,
              "everybody hears everybody")
        for name in names:
            expect("at tcp://10.77.0.1:" in c.log(name) and
                   "from a beacon" in c.log(name), c.log(name))
        # Anybody may shout, at any length; only members are looked for.
        network = bytes.fromhex(c.json["network"])
        head = b"perch\1" + network
        key = bytes.fromhex(c.json["nodes"][0]["key"])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as shout:
            shout.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            for said in (b"", b"x", head, head + key, head + os.urandom(34),
                         head + key + b"\0\0", head + key + b"\0\1",
                         head + bytes(200), bytes(255), os.urandom(1400)):
                for _ in range(100):
                    shout.sendto(said, ("10.77.0.255", 5670))
        c.script("kill", names[0])
        c.script("restart", names[0])
        until(lambda: all(n["peers"] == 2 for n in c.status()["nodes"]), 40,
              "everybody hears everybody again")
        reserve(c, 9)
        c.wait_agreement()


def bad_settings():
    with Cluster(nodes=2) as c:
        name, other = (n["name"] for n in c.json["nodes"])
        path = os.path.join(c.dir, "conf", name + ".conf")

        def say(words, *settings):
            conf(c, name, *settings)
            code, _, err = run(os.path.join(BIN, "perch-node"), "--config",
                               path, seconds=20)
            expect(code == 2 and all(word in err for word in words),
                   "%s: %d %s" % (settings, code, err))
        c.script("stop", name)
        say(["peer", "listen"], 'peer = "tcp://127.0.0.1:7003"')
        say(["peer", "ports are"], 'peer = "%s=tcp://a:0"' % other)
        say(["peer", "tcp://HOST"], 'peer = "%s=http://a:80"' % other)
        say(["peer", "twice"], 'peer = "%s"' % " ".join(
            2 * ["%s=tcp://10.0.0.1:1" % other]))
        say(["dns", "HOST:PORT"], "dns = seed")
        say(["beacon", "65535"], "beacon = 70000")
        say(["discover", "gossip", "genesis"], "discover = gossip")
        say(["peer", "one too many"], 'peer = "%s"' % " ".join(
            "n%d=tcp://10.0.0.1:1" % i for i in range(200)))
        # A name that nobody has, this node's own, and addresses where somebody
        # else is: said, and nothing comes of it.
        conf(c, name, 'peer = "%s"' % " ".join((
            "nobody=tcp://127.0.0.1:7003",
            "%s=tcp://127.0.0.1:7003" % name,
            "%s=tcp://127.0.0.1:%d" % (other, port_of(c, name)))),
            'dns = "no-such-name.invalid:7003"')
        c.script("restart", name)
        until(lambda: c.node(name)["peers"] == 1, 20, "the other is heard")
        for words in ("nobody", "is this node", "no-such-name.invalid"):
            until(lambda: words in c.log(name), 30,
                  "%s: %s" % (words, c.log(name)))


if __name__ == "__main__":
    if sys.argv[1:] == ["beacons"]:
        main(beacons)
    main(one_after_another, first_one_dies, all_but_one_are_new,
         nearest_member, nearest_miner, on_a_lan, bad_settings)
