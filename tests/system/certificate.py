#!/usr/bin/env python3
"""tests/system/certificate.py -- certificates for whoever asks, checked by a
client that was written from schemas/README.md; and a node that signs twice.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
try:
    import stranger
    import zmq
except ImportError as missing:
    print("skipped: %s" % missing)
    sys.exit(77)
import cluster  # noqa: E402
import lines  # noqa: E402
from stranger import Link, Refused, must, pack, unpack  # noqa: E402

MINUTE = 60000


def identity(running, folder, name):
    with open(os.path.join(running.dir, folder, name + ".key"),
              encoding="utf-8") as file:
        words = dict(line.split(" ", 1) for line in file.readlines())
    return stranger.Identity(bytes.fromhex(running.json["network"]),
                             bytes.fromhex(words["seed"].strip()))


class World:
    """The nodes' request links, by name."""

    def __init__(self, running):
        self.running = running
        self.network = bytes.fromhex(running.json["network"])
        self.names = [node["name"] for node in running.json["nodes"]]
        self.keys = {node["name"]: bytes.fromhex(node["key"])
                     for node in running.json["nodes"]}
        self.alice = identity(running, "keys", "alice")
        self.context = zmq.Context()

    def link(self, name):
        node = self.running.json["nodes"][self.names.index(name)]
        return Link(self.context, self.alice, node["request"],
                    self.keys[name])

    def reserve(self, minutes):
        """The height at which it is final."""
        port = self.running.json["ports"][0]
        row = self.running.wallet(
            "alice", "reserve", "--port", port["name"], "--pad",
            port["pads"][0], "--from", "+%dm" % minutes, "--for", "5m")
        return row["height"]


def certified(world, link, height, chain=0):
    """The signers of a certificate that holds, and what it says."""
    name, certificate = link.ask(
        "certificate_query", chain=chain, height=height)
    must(name == "certificate", "not a certificate: " + name)
    signers, statement = stranger.check_certificate(
        world.network, certificate)
    must(statement["height"] == height, "of another height")
    must(signers <= set(world.keys.values()), "signed by a stranger")
    return signers, statement


def block_hash(world, link, height):
    _, blocks = link.ask("blocks_query", chain=0, blocks_max=1,
                         **{"from": height})
    digest, header, _ = stranger.check_block(
        world.network, set(world.keys.values()), blocks["blocks"][0])
    return digest, header["state_root"]


def refused(code, act):
    try:
        act()
    except Refused as answer:
        must(answer.code == code, "refused: %s, not %s" % (answer, code))
        return
    raise stranger.Wrong("not refused: " + code)


def certificates():
    """Every node has one for every final block; M must be up."""
    with cluster.Cluster(nodes=3) as running:
        world = World(running)
        heights = [world.reserve(10 + 20 * i) for i in range(3)]
        running.wait_agreement()
        for name in world.names:
            link = world.link(name)
            for height in [1] + heights:
                signers, statement = certified(world, link, height)
                must(len(signers) >= 2, "signed by %d of 3" % len(signers))
                must(block_hash(world, link, height) == (
                    statement["hash"], statement["state_root"]), "which block")
            refused("behind", lambda at=link: at.ask(
                "certificate_query", chain=0, height=heights[-1] + 1000))
            refused("not_found", lambda at=link: at.ask(
                "certificate_query", chain=0, height=0))
        # One of three is no majority: what is kept is still answered.
        last = heights[-1]
        for name in world.names[1:]:
            running.script("kill", name)
        link = world.link(world.names[0])
        certified(world, link, last)
        running.script("kill", world.names[0])
        running.script("restart", world.names[0])
        link = world.link(world.names[0])
        for name in world.names[1:]:
            running.script("restart", name)
        running.wait_agreement()
        certified(world, link, last)
        last = world.reserve(200)
        running.wait_agreement()
        certified(world, link, last)


def final_heights(running):
    return [node["chains"][0]["final_height"] if node["chains"] else 0
            for node in running.status()["nodes"]]


def mined():
    """Work orders blocks, and M of N signatures make them final; also for a
    node that was away when they went round."""
    with cluster.Cluster(nodes=3, engine="pow") as running:
        world = World(running)
        cluster.until(lambda: min(final_heights(running)) >= 1, 90, "final")
        running.script("kill", world.names[2])
        before = max(final_heights(running))
        cluster.until(lambda: min(final_heights(running)[:2]) > before, 60,
                      "final with two of three")
        running.script("restart", world.names[2])
        cluster.until(lambda: min(final_heights(running)) > before, 60,
                      "final at who was away")
        said = set()
        for name in world.names:
            signers, statement = certified(
                world, world.link(name), 1, chain=1)
            must(len(signers) >= 2, "signed by %d of 3" % len(signers))
            said.add((statement["hash"], statement["state_root"]))
        must(len(said) == 1, "two blocks at one height")


def plant(world, name, other, height, chain=0):
    """`name`, which is down, signs two blocks for `other` at a height."""
    liar = identity(world.running, "keys", name)
    _, peers = world.link(other).ask("peers_query", zero=0)
    to = next(p for p in peers["peers"] if p["key"] == world.keys[other])
    socket = liar.connect(world.context, zmq.DEALER, to["peer"], to["key"])
    must(socket.poll(stranger.PATIENCE_MS, zmq.POLLOUT), "no connection")
    for which in (b"one", b"two"):
        statement = pack("checkpoint_statement", chain=chain, height=height,
                         hash=stranger.h(which), state_root=bytes(32))
        signature = liar.sign.sign(stranger.signed_bytes(
            "checkpoint", world.network, statement)).signature
        socket.send(liar.envelope("checkpoint", pack(
            "checkpoint", body=statement, signer=liar.key,
            signature=signature)))
    return socket


def evidence_of(world, name):
    _, answer = world.link(name).ask("evidence_query", **{"from": 0})
    must(answer["count"] == len(answer["items"]), "count")
    return answer["items"]


def alarmed(running, liar):
    """The observer says who it was, to people and to programs."""
    with lines.Lines(
            os.path.join(cluster.BIN, "perch-observer"), "--genesis",
            running.json["genesis"], "--json") as told:
        found = cluster.until(lambda: [
            row for _, row in told.rows if row["event"] == "alarm"], 10,
            "an alarm")
    must(found[0]["text"].startswith(liar + " signed two blocks") and
         len(found) == 1, "alarms: %s" % found)


def convicted(world, name, liar, chain, height):
    """This node has both signatures, and says so."""
    found = cluster.until(lambda: evidence_of(world, name), 20,
                          "evidence at " + name)
    must(len(found) == 1, "%d cases" % len(found))
    item = found[0]
    must(item["signer"] == world.keys[liar], "of another")
    said = [unpack("checkpoint_statement", item[part])
            for part in ("first", "second")]
    must(said[0] != said[1] and all(
        (s["chain"], s["height"]) == (chain, height) for s in said),
         "no evidence")
    for part in ("first", "second"):
        stranger.verify("checkpoint", world.network, item["signer"],
                        item[part], item[part + "_signature"])
    must("signed two blocks" in world.running.log(name), "nothing logged")


def remembers(world, name):
    """Also when its power failed."""
    world.running.script("kill", name)
    world.running.script("restart", name)
    cluster.until(lambda: len(evidence_of(world, name)) == 1, 20,
                  "evidence that outlives a crash")
    _, status = world.link(name).ask("status_query", zero=0)
    must({"name": "evidence", "value": 1} in
         status["chains"][0]["numbers"], "not in status: %s" % status)


def a_double_signer():
    """Both signatures are kept by all, for ever, and an alarm is raised."""
    with cluster.Cluster(nodes=4) as running:
        world = World(running)
        height = world.reserve(10)
        running.wait_agreement()
        liar, *honest = world.names[-1:] + world.names[:-1]
        must(not any(evidence_of(world, name) for name in honest), "so early")
        running.script("kill", liar)
        socket = plant(world, liar, honest[0], height + 3)
        for name in honest:
            convicted(world, name, liar, 0, height + 3)
        socket.close()
        alarmed(running, liar)
        remembers(world, honest[0])


def final_at(world, name):
    """As this node says, whatever the observer's alarm."""
    _, status = world.link(name).ask("status_query", zero=0)
    return status["chains"][0]["final_height"]


def a_double_signer_who_mines():
    """The same where signatures make a block final: the others' still do."""
    with cluster.Cluster(nodes=4, engine="pow", interval="1s") as running:
        world = World(running)
        cluster.until(lambda: min(final_heights(running)) >= 1, 90, "final")
        liar, *honest = world.names[-1:] + world.names[:-1]
        running.script("kill", liar)
        height = max(final_heights(running)) + 100
        socket = plant(world, liar, honest[0], height, chain=1)
        for name in honest:
            convicted(world, name, liar, 1, height)
        socket.close()
        alarmed(running, liar)
        remembers(world, honest[0])
        before = max(final_at(world, name) for name in honest)
        for name in honest:
            cluster.until(lambda at=name: final_at(world, at) > before, 90,
                          name + " goes on")


def submit(world, who, *operations):
    """The receipt's operations of a transaction that is final."""
    _, _, tx = who.tx(operations)
    node = world.running.json["nodes"][0]
    link = Link(world.context, who, node["request"],
                world.keys[node["name"]])
    _, fate = link.ask("submit", chain=0, tx=tx, wait=2)
    return unpack("receipt", fate["receipt"])["ops"]


def clear(world, reservation):
    """The port's controller lets JA001P land for four minutes."""
    port = world.running.json["ports"][0]["name"]
    controller = identity(world.running, "keys", port)
    asked = submit(world, world.alice, ("op_request_clearance", {
        "reservation": reservation, "nonce": 1, "aircraft": "JA001P"}))
    must(asked[0]["code"] == 0, "not asked: %s" % asked)

    def granted():
        now = stranger.now_ms()
        said = submit(world, controller, ("op_clear", {
            "reservation": reservation, "nonce": 1, "movement": 2,
            "until": now + 4 * MINUTE, "pad_state": 1, "on_pad": "",
            "measured": now}))
        return said[0]["code"] == 0

    cluster.until(granted, 20, "a clearance, when its window has begun")


def verify(running, file, *options, code="valid", language="en"):
    """What `verify` says, which is never asked of a network."""
    got, out, err = cluster.run(
        os.path.join(cluster.BIN, "perch-wallet"), "verify", file, "--json",
        "--lang", language, *options)
    must(got == (0 if code == "valid" else 1), "ends with %d: %s" % (got, err))
    said = cluster.json.loads(out)
    must(said["code"] == code, "%s, not %s" % (said, code))
    return said


def refuses(running, file, port):
    """Each reason has its word; a changed byte is refused wherever it is."""
    ours = ("--genesis", running.json["genesis"])
    for options, code in (
            (("--pad", "Z"), "wrong_pad"), (("--port", "x"), "wrong_port"),
            (("--aircraft", "JA002P"), "wrong_aircraft"),
            (("--movement", "departure"), "wrong_movement"),
            (("--at", "+1h"), "expired"),
            (("--at", "2026-01-01T00:00:00Z"), "early")):
        said = verify(running, file, *ours, *options, code=code)
        also = verify(running, file, *ours, *options, code=code, language="ja")
        must(said["text"] != also["text"] and said["port"] == port, "text")
    with open(running.json["genesis"], encoding="utf-8") as genesis:
        text = genesis.read()
    other = os.path.join(running.base, "other.zpl")
    with open(other, "w", encoding="utf-8") as genesis:
        genesis.write(text + "# another network\n")
    verify(running, file, "--genesis", other, code="network")
    with open(file, "rb") as whole:
        data = whole.read()
    changed = os.path.join(running.base, "changed")
    for at in list(range(0, len(data), 97)) + [len(data) - 1]:
        with open(changed, "wb") as out:
            out.write(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        got, out, _ = cluster.run(
            os.path.join(cluster.BIN, "perch-wallet"), "verify", changed,
            *ours, "--reservation")
        must(got == 1, "byte %d may be changed: %s" % (at, out))
    return data


def carried():
    """A clearance in a file, believed with every node down."""
    with cluster.Cluster(nodes=3) as running:
        world = World(running)
        port = running.json["ports"][0]
        row = running.wallet(
            "alice", "reserve", "--port", port["name"], "--pad",
            port["pads"][0], "--from", "+10s", "--for", "5m", "--aircraft",
            "JA001P")
        reservation = row["receipts"][0]["reservation"]
        file = os.path.join(running.base, "pass")
        said = running.wallet("alice", "clearance", reservation, "--out", file,
                              code=1)
        must(said["code"] == "not_clearance", "too early: %s" % said)
        must(not os.path.exists(file), "written all the same")
        running.wallet("alice", "clearance", row["id"], "--out", file,
                       "--reservation")
        clear(world, bytes.fromhex(reservation))
        said = running.wallet("alice", "clearance", reservation, "--out", file)
        must(said["kind"] == "clearance" and said["signers"] >= 2, "%s" % said)
        code, out, err = cluster.run(
            os.path.join(cluster.BIN, "perch-wallet"), "clearance",
            reservation, "--qr", "--config", running.wallet_conf("alice"))
        must(code == 0 and "\u2588" in out, "no QR code: %s" % err)
        for name in world.names:
            running.script("kill", name)
        verify(running, file, "--genesis", running.json["genesis"], "--port",
               port["name"], "--pad", port["pads"][0], "--aircraft", "JA001P",
               "--movement", "arrival")
        data = refuses(running, file, port["name"])
        must(len(data) <= 2953, "%d bytes" % len(data))
        rule, details, _ = stranger.check_clearance(
            world.network, set(world.keys.values()), 2, data)
        must(rule == "detail_clearance" and details["aircraft"] == "JA001P",
             "%s %s" % (rule, details))
        print("carried: %d bytes" % len(data))


def signers_change():
    """The signers follow set_node while the network runs; what is checked
    offline is never believed with too few of the genesis' own."""
    with cluster.Cluster(nodes=5) as running:
        world = World(running)
        port = running.json["ports"][0]
        file = os.path.join(running.base, "pass")

        def removed(name):
            running.wallet("authority", "set-node", "--name", name,
                           "--node-key", world.keys[name].hex(), "--role",
                           "none")

        def carries(minutes, code=0):
            row = running.wallet(
                "alice", "reserve", "--port", port["name"], "--pad",
                port["pads"][0], "--from", "+%dm" % minutes, "--for", "5m")
            return row["height"], running.wallet(
                "alice", "clearance", row["id"], "--reservation", "--out",
                file, *(("--timeout", "20s") if code else ()), code=code)

        _, said = carries(10)
        must(said["signers"] >= 3, "majority of five: %s" % said)
        leader = running.wait_leader()
        leave = [name for name in world.names if name != leader]
        removed(leave[0])
        removed(leave[1])
        # Two of three would do now; the genesis asks for three of its own.
        _, said = carries(30)
        must(said["signers"] == 3, "three of the genesis: %s" % said)
        verify(running, file, "--genesis", running.json["genesis"],
               "--reservation", "--at", "+32m")
        removed(leave[2])
        height, said = carries(50, code=1)
        must(said["code"] == "signers", "too few: %s" % said)
        stay = [name for name in world.names if name not in leave[:3]]
        running.wait_agreement(names=stay)
        signers, _ = certified(world, world.link(stay[0]), height)
        must(signers == {world.keys[name] for name in stay}, "who votes now")


if __name__ == "__main__":
    try:
        cluster.main(certificates, a_double_signer, a_double_signer_who_mines,
                     carried, mined, signers_change)
    except (stranger.Wrong, Refused) as wrong:
        print("certificate: %s" % wrong)
        sys.exit(1)
