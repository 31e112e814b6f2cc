#!/usr/bin/env python3
"""tests/system/bad.py -- what goes wrong has a name, a cause, a cure and an exit
code: settings, files, ports, disks, networks, and what a wallet is told.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
from cluster import BIN, SCRIPT, Cluster, expect, main  # noqa: E402
from cluster import processes, run, take_block, until  # noqa: E402

NODE = os.path.join(BIN, "perch-node")
WALLET = os.path.join(BIN, "perch-wallet")
NOBODY = "0" * 32


def say(code, words, command, env=None):
    """A command that ends with this code and says these words."""
    got, out, err = run(*command, env={**os.environ, **(env or {})},
                        seconds=30, stdin=subprocess.DEVNULL)
    said = out + err
    expect(got == code and all(word in said for word in words),
           "%s ends with %d, not %d, or does not say %s: %s" % (
               [os.path.basename(str(c)) for c in command], got, code, words,
               said))


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def manual(command):
    """--help: what it is, and examples of which none is broken."""
    code, said, _ = run(*command, "--help", seconds=30)
    lines = said.split("\n")
    expect(code == 0 and any(line.startswith("  " + os.path.basename(
        command[0]) + " ") for line in lines), said)
    for before, line in zip(lines, lines[1:]):
        expect(not before.startswith("  ") or line.startswith("  ") or
               line[:1].isupper() or not line, "broken: " + line)
    return said


def settings():
    """Config files, options and genesis files with one thing wrong."""
    with Cluster(nodes=1) as c:
        def conf(old, new):
            good = read(os.path.join(c.dir, "conf", "the_leader_node.conf"))
            expect(old in good, good)
            return write(c.base + "/bad.conf", good.replace(old, new))

        def genesis(old, new):
            good = read(c.json["genesis"])
            expect(old in good, good)
            path = write(c.base + "/bad.zpl", good.replace(old, new, 1))
            return [NODE, "--config", os.path.join(
                c.dir, "conf", "the_leader_node.conf"), "--genesis", path]
        say(2, ["bad.conf", '"topologi"', 'did you mean "topology"'],
            [NODE, "--config", conf("topology", "topologi")])
        say(2, ["none.conf", "No such file"], [NODE, "--config", "none.conf"])
        say(2, ["topology", "star or mesh"],
            [NODE, "--config", conf("= star", "= ring")])
        say(2, ["engine"], [NODE, "--config", conf("= ordered", "= coin")])
        good = [NODE, "--config", conf("= ordered", "= ordered")]
        say(2, ["mine", "always, demand or never"], good + ["--mine", "now"])
        say(2, ["miners", "0 to 16"], good + ["--miners", "17"])
        say(2, ["miners", "0 to 16"], [NODE, "--config", conf(
            "miners = 1", "miners = many")])
        say(2, ["--genesis", "missing"], [NODE, "--key", "x", "--data", "y"])
        say(2, ["--nonsense"], [NODE, "--nonsense"])
        say(2, ["evaluator", "tcp://"], [
            os.path.join(BIN, "perch-observer"), "--evaluator", "127.0.0.1:1",
            "--config", os.path.join(c.dir, "conf", "observer.conf")])
        say(2, ["bad.zpl", "quotta", "expected"], genesis("quota", "quotta"))
        say(2, ["bad.zpl", "authority", "64 hex digits"],
            genesis("        key = ", "        key = 1"))
        say(2, ["bad.zpl"], genesis("perch", "porch"))
        for program in ("node", "contract", "wallet", "observer",
                        "controller"):
            path = os.path.join(BIN, "perch-" + program)
            manual([path])
            say(0, ["0."], [path, "--version"])
        for verb in re.findall(r"^  ([a-z-]+) +\S", manual([WALLET]), re.M):
            if verb != "perch-wallet":
                manual([WALLET, verb])
    for script in sorted(os.listdir(os.path.dirname(SCRIPT))):
        path = os.path.join(os.path.dirname(SCRIPT), script)
        if os.access(path, os.X_OK) and script not in (
                "conf", "controllers.sh", "files.sh", "sim.sh", "wires.sh"):
            say(0, [script.split(".")[0]], [path, "--help"])
            say(2, ["usage" if script != "cluster.sh" else "--help"],
                [path, "--nonsense"])


def files_and_ports():
    """Keys, directories, ports and damaged blocks of a node."""
    with Cluster(nodes=3) as c:
        for hour in range(1, 7):
            c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                     "--from", "+%dh" % hour)
        c.wait_agreement()
        name = next(n["name"] for n in c.json["nodes"]
                    if n["name"] != c.leader())
        node = [NODE, "--config", os.path.join(c.dir, "conf", name + ".conf")]
        key = os.path.join(c.dir, "keys", name + ".key")
        data = os.path.join(c.dir, "data", name)
        say(1, ["in use by another process", data], node)
        c.script("stop", name)
        os.chmod(key, 0o644)
        say(2, [key, "others may read", "chmod 600"], node)
        os.chmod(key, 0o600)
        say(2, ["none.key", "No such file"], node + ["--key", "none.key"])
        with socket.socket() as busy:
            busy.bind(("127.0.0.1", 0))
            busy.listen()
            where = "tcp://127.0.0.1:%d" % busy.getsockname()[1]
            say(1, [where, "in use"], node + ["--request", where])
        other = write(c.base + "/other.zpl", read(c.json["genesis"]).replace(
            "name = demo", "name = other"))
        say(1, ["network", data], node + ["--genesis", other])
        say(1, [data, "another network or engine"],
            node + ["--engine", "pow"])
        say(1, ["tcp://192.0.2.1:5555", "address of this machine"],
            node + ["--request", "tcp://192.0.2.1:5555"])
        damage(c, name, data)
        shutil.rmtree(data)  # a new disk: everything comes from the others
        c.script("restart", name)
        c.wait_agreement()


def damage(c, name, data):
    """One bit of an acknowledged block is wrong: it is said, the log is cut
    there, and the others give the rest."""
    log = os.path.join(data, "log")
    path = next(os.path.join(log, f) for f in sorted(os.listdir(log))
                if f.endswith(".log"))
    with open(path, "r+b") as file:
        whole = file.read(1 << 16)
        place = whole.index(b"naha") + 1
        file.seek(place)
        file.write(bytes([whole[place] ^ 1]))
    before = len(c.log(name))
    c.script("restart", name)
    c.wait_agreement()
    said = c.log(name)[before:]
    expect(re.search(r"warn +store: .*block \d+.*peers give the rest", said),
           "no word of the damage: " + said)
    c.script("stop", name)


def wallets():
    """What a wallet is told, and the exit code that a script sees."""
    with Cluster(nodes=3) as c:
        alice = ["--config", c.wallet_conf("alice")]
        reserve = [WALLET, "reserve", *alice, "--port", "naha", "--pad", "A"]
        say(2, ["Usage"], [WALLET])
        say(2, ["dive", "no such verb"], [WALLET, "dive"])
        say(2, ["--nonsense", "which verb"], [WALLET, "--nonsense"])
        say(2, ["dive", "動詞"], [WALLET, "dive"], {"LC_ALL": "ja_JP.UTF-8"})
        say(0, ["nothing has happened yet"], [WALLET, "history", *alice])
        no_such_thing(c, alice)
        say(2, ["--portt"], [WALLET, "reserve", *alice, "--portt", "x"])
        say(2, ["--port", "missing"], [WALLET, "reserve", *alice])
        say(2, ["+10m"], reserve + ["--from", "yesterday"])
        say(2, ["12", "32 hex digits"], [WALLET, "cancel", *alice, "12"])
        say(2, ["nobody"], reserve + ["--node", "nobody"])
        say(2, ["--evaluator", "tcp://host:port"], reserve + [
            "--evaluator", "%064d@127.0.0.1:1" % 1])
        say(1, ["unknown_reservation"], [WALLET, "cancel", *alice, NOBODY])
        say(1, ["no such chain"], reserve + ["--chain", "pow"])
        say(1, ["unknown_pad"], [WALLET, "reserve", *alice, "--port", "nowhere",
                                 "--pad", "A"])
        say(1, ["past"], reserve + ["--from", "2020-01-01T00:00:00Z"])
        say(1, ["past"], reserve + ["--from", "-10m"])
        say(1, ["horizon"], reserve + ["--from", "+60d"])
        say(1, ["bad_window"], reserve + ["--for", "2d"])
        say(1, ["拒否", "過去"], reserve + ["--from", "2020-01-01T00:00:00Z"],
            {"LC_ALL": "ja_JP.UTF-8"})
        made = c.wallet("alice", "reserve", "--port", "kansai", "--pad", "A")
        say(1, ["not_owner"], [
            WALLET, "cancel", "--config", c.wallet_conf("bob"),
            made["receipts"][0]["reservation"]])
        stranger(c, reserve)
        unwritten(c, alice)
        c.script("stop", "the_leader_node")
        c.script("stop", "the_blue_sky")
        say(3, ["timeout", "perch-wallet status"],
            reserve + ["--timeout", "8s"])
        say(3, ["timeout", "perch-wallet status", "not known"],
            [WALLET, "fly", *alice, "--from", "haneda", "--to", "kansai",
             "--timeout", "8s"])
        c.script("stop", "all")
        row = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                       "--timeout", "3s", code=3)
        expect(row["code"] == "unreachable" and len(row["id"]) == 32 and
               row["result"] == row["status"] == "unknown", row)
        say(3, ["evaluator"], [WALLET, "inquire", *alice, "--timeout", "2s"])


def ordered_only():
    """Who waits for final and gets less was not answered."""
    with Cluster(nodes=2, engine="pow", interval="500ms",
                 bits="1f010000") as c:
        c.script("kill", "the_blue_sky")
        row = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                       "--timeout", "15s", code=3)
        expect((row["status"], row["result"], row["code"]) == (
            "ordered", "unknown", "timeout"), row)


def late_evaluator():
    """One that is stopped for some seconds is late and no more: who reserves
    and then looks sees it."""
    with Cluster(nodes=3) as c:
        with open(os.path.join(c.dir, "pids", "contract")) as file:
            pid = int(file.read())
        os.kill(pid, signal.SIGSTOP)
        made = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A")
        threading.Timer(2.5, os.kill, (pid, signal.SIGCONT)).start()
        rows = c.wallet_rows("alice", "history",
                             made["receipts"][0]["reservation"])
        expect([row["to"] for row in rows] == ["confirmed"], rows)


def no_such_thing(c, alice):
    """Whoever asks for what is not there is told so, and ends with 1; with 2
    only who asks for what could never be, and with 3 who was not answered."""
    port = ["not_found", "nothing here has this name"]
    none = ["not_found", "no reservation has this id"]
    for words, arguments in (
            (port, ["inquire", "nowhere"]),
            (port, ["inquire", "nowhere", "--prove"]),
            (port, ["inquire", "nowhere", "--from", "+1h"]),
            (port, ["inquire", "naha", "--pad", "Q", "--from", "+1h"]),
            (["not_found", "no such pad"], ["inquire", "naha", "--pad", "Q"]),
            (port, ["history", "--port", "nowhere"]),
            (port, ["reserve", "--port", "nowhere"]),
            (port, ["fly", "--from", "nowhere", "--to", "naha"]),
            (none, ["history", NOBODY]),
            (none, ["confirm", NOBODY]),
            (none, ["amend", NOBODY, "--from", "+1h"]),
            (["granted nothing"], ["clearance", NOBODY, "--qr"]),
            (["no such reservation"], ["details", NOBODY])):
        say(1, words, [WALLET, *arguments, *alice])
    row = c.wallet("alice", "inquire", "nowhere", code=1)
    expect((row["result"], row["code"]) == ("refused", "not_found"), row)
    closed = c.wallet("authority", "close-pad", "--port", "naha", "--pad", "A",
                      "--reason", "ice")
    say(1, ["not_found", "reserved nothing"], [
        WALLET, "cancel", closed["id"],
        "--config", c.wallet_conf("authority")])
    say(1, ["not_found", "no pad of this port is open"],
        [WALLET, "reserve", "--port", "naha", *alice])
    c.wallet("authority", "open-pad", "--port", "naha", "--pad", "A")
    say(3, ["not_found", "the ledger does not have it"],
        [WALLET, "status", NOBODY, *alice])
    for words, arguments in (
            (["--for", "longer than 0s"],
             ["inquire", "naha", "--from", "+1h", "--for", "0s"]),
            (["--for", "longer than 0s"], ["fly", "--for", "0s"]),
            (["none.pass", "No such file"], ["verify", "none.pass"])):
        say(2, words, [WALLET, *arguments, *alice])


def unwritten(c, alice):
    """What cannot be written is not passed over, and takes nothing along."""
    for command in ([WALLET, "inquire", "naha", *alice],
                    [WALLET, "inquire", "naha", "--json", *alice],
                    [os.path.join(BIN, "perch-observer"), "--status",
                     "--config", os.path.join(c.dir, "conf/observer.conf")]):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(command, stdout=full, text=True, timeout=30,
                                  stderr=subprocess.PIPE, check=False)
        expect(done.returncode == 3 and "disk full" in done.stderr,
               "%s: %d: %s" % (command[:2], done.returncode, done.stderr))
    made = c.wallet("alice", "reserve", "--port", "naha", "--pad", "A",
                    "--from", "+9h")
    path = c.base + "/a.pass"
    write = [WALLET, "clearance", made["receipts"][0]["reservation"],
             "--reservation", "--out", path, *alice]
    say(0, ["valid", path], write)
    os.mkdir(path + ".new")
    before = os.path.getsize(path)
    say(2, ["a.pass", "Is a directory"], write)
    expect(os.path.getsize(path) == before > 0, "the old file is gone")


def stranger(c, reserve):
    """A key that nobody enrolled, and another network."""
    key = c.base + "/carol.key"
    say(0, ["carol.key"], [WALLET, "key", "new", "--out", key])
    say(2, ["carol.key", "never overwritten"],
        [WALLET, "key", "new", "--out", key])
    say(1, ["role"], reserve + ["--key", key])
    locked = c.base + "/locked.key"
    say(0, [], [WALLET, "key", "new", "--out", locked],
        {"PERCH_PASSPHRASE": "a word"})
    say(2, ["PERCH_PASSPHRASE"], [WALLET, "key", "show", "--key", locked])
    say(2, ["wrong passphrase"], [WALLET, "key", "show", "--key", locked],
        {"PERCH_PASSPHRASE": "another"})
    other = write(c.base + "/other.zpl", read(c.json["genesis"]).replace(
        "name = demo", "name = other"))
    say(3, ["network", "genesis file of this one"],
        reserve + ["--genesis", other, "--timeout", "8s"])


def controllers():
    """A controller whose port is not there yet, and one with another's key."""
    with Cluster(nodes=1) as c:
        key = c.base + "/tower.key"
        say(0, [], [WALLET, "key", "new", "--out", key])
        command = [os.path.join(BIN, "perch-controller"), "--driver", "sim",
                   "--genesis", c.json["genesis"], "--key", key,
                   "--evaluator", "%(key)s@%(request)s" % c.json["evaluator"]]

        def controller(port):
            log = open(c.base + "/" + port, "w+", encoding="utf-8")
            return subprocess.Popen(command + [
                "--port", port, "--sim-world", c.base + "/world"],
                stdout=log, stderr=log)

        def said(port, words):
            return read(c.base + "/" + port).count(words)
        with controller("nara") as new, controller("naha") as wrong:
            try:
                until(lambda: said("naha", "not that of this port's"), 20,
                      "whose key it is not")
                until(lambda: said("nara", "no port nara yet"), 20, "no port")
                public = c.wallet("alice", "key", "show", key)["key"]
                c.wallet("authority", "register", "port", "--name", "nara",
                         "--party", public, "--pads", "A")
                until(lambda: said("nara", "pad nara/A"), 20, "the new port")
                rows = read(c.base + "/nara").split("\n")
                expect(not any("no port nara yet" in row and row[-40:] ==
                               after[-40:] for row, after in
                               zip(rows, rows[1:])) and
                       said("nara", "not that of") == 0, rows)
            finally:
                new.terminate()
                wrong.terminate()


def launcher():
    """run/cluster.sh refuses by name, and leaves nothing half done."""
    with Cluster(nodes=3) as c:
        for words, arguments in (
                (["no such verb"], ["fly"]),
                (["--nodes 0", "1 to 16"], ["up", "--nodes", "0"]),
                (["--nodes needs a value"], ["up", "--nodes"]),
                (["--dir is missing"], ["status"]),
                (["--engine coin"], ["up", "--engine", "coin"]),
                (["--mine now"], ["up", "--mine", "now"]),
                (["--interval 2"], ["up", "--interval", "2"]),
                (["--topology"], ["up", "--topology", "ring"]),
                (["no such option"], ["up", "--colour", "red"]),
                (["no such option: --colour"], ["--colour"]),
                (["needs one name"], ["kill", "--dir", c.dir]),
                (["nobody", "the_blue_sky"],
                 ["kill", "nobody", "--dir", c.dir])):
            say(2, words, [SCRIPT, *arguments])
        say(1, ["is up already", "down --dir"],
            [SCRIPT, "up", "--dir", c.dir])
        say(1, ["is no cluster's"], [SCRIPT, "status", "--dir", c.base])
        used = c.json["nodes"][0]["request"].split(":")[-1]
        second = c.base + "/second"
        say(1, ["TCP port %s is in use" % used],
            [SCRIPT, "up", "--dir", second, "--port-base", used])
        say(2, ["65530 to 65546 are not all TCP ports"],
            [SCRIPT, "up", "--dir", second, "--port-base", "65530"])
        expect(not os.path.exists(second), "a directory was left behind")
        expect(not processes(second), "something was started all the same")
        interrupted(second)
        c.script("down")
        say(1, ["holds a cluster of 3 nodes"],
            [SCRIPT, "up", "--nodes", "4", "--dir", c.dir])
        lock = os.path.join(c.dir, "lock")
        os.remove(lock)
        os.mkdir(lock)
        say(1, ["cannot write " + lock], [SCRIPT, "up", "--dir", c.dir])
        os.rmdir(lock)
        for path in ("conf/contract.conf", "pids/contract"):
            path = os.path.join(c.dir, path)
            if os.path.exists(path):
                os.remove(path)
            os.mkdir(path)
            say(1, ["cannot write everything to " + c.dir, "disk"],
                [SCRIPT, "up", "--dir", c.dir])
            expect(not processes(c.dir), "something was left running")
            os.rmdir(path)
        conf = os.path.join(c.dir, "keys", "the_blue_sky.key")
        os.chmod(conf, 0o644)
        say(1, ["the_blue_sky ended", "chmod 600"],
            [SCRIPT, "up", "--dir", c.dir])
        expect(not processes(c.dir), "a failed up left something running")


def interrupted(second):
    """Ctrl-C while a cluster comes up stops it, and it can come up later."""
    slow = second + "-bin"  # programs of which one never answers, one is late
    os.mkdir(slow)
    for name in os.listdir(BIN):
        os.symlink(os.path.join(BIN, name), os.path.join(slow, name))
    os.remove(os.path.join(slow, "perch-wallet"))
    write(os.path.join(slow, "perch-wallet"), "#!/bin/sh\n"
          "[ $1 != status ] || exec sleep 60\nexec %s \"$@\"\n" % WALLET)
    write(os.path.join(slow, "setsid"), "#!/bin/sh\n"
          "case $* in *contract*) sleep 1 ;; esac\nexec %s \"$@\"\n" %
          shutil.which("setsid"))
    for name in ("perch-wallet", "setsid"):
        os.chmod(os.path.join(slow, name), 0o755)
    base, ports_name = take_block()
    with subprocess.Popen([SCRIPT, "up", "--nodes", "2", "--dir", second,
                           "--port-base", str(base)],
                          env={**os.environ, "PERCH_BIN": slow, "PATH":
                               slow + ":" + os.environ["PATH"]}, text=True,
                          stderr=subprocess.PIPE,
                          start_new_session=True) as begun:
        until(lambda: processes(second + "/conf/contract"), 30, "the last one")
        os.killpg(begun.pid, signal.SIGINT)
        said = begun.stderr.read()
    expect(begun.returncode == 130 and "interrupted" in said,
           "%d: %s" % (begun.returncode, said))
    expect(not processes(second), "Ctrl-C left something running")
    say(0, ["up:"], [SCRIPT, "up", "--dir", second])
    say(0, [], [SCRIPT, "down", "--dir", second])
    ports_name.close()
    shutil.rmtree(second)


if __name__ == "__main__":
    main(settings, files_and_ports, wallets, ordered_only, late_evaluator,
         controllers, launcher)
