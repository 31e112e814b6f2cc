#!/usr/bin/python3
"""tests/bench/clearance.py -- how soon a clearance is there, and who wins a pad
that everybody wants.

    tests/bench/clearance.py [SAMPLES [SECONDS]]

On 5 nodes with controllers and 47 transactions a second of other traffic: from
the moment at which an operator sends its request to the moment at which the
controller has the final, signed clearance, SAMPLES times. Then, for SECONDS, ten
requests for each window of one pad, 120 a second, by two operators on one
connection each: how long until each is final, and whether each window has one
winner. Prints one JSON line for each; PERCH_BIN says whose programs are run.
"""
import collections
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import signer  # noqa: E402
from cluster import Cluster, until  # noqa: E402
from stranger import open_envelope, pack, unpack  # noqa: E402

PADS = [("haneda", "A"), ("haneda", "B"), ("kansai", "A"), ("kansai", "B"),
        ("kansai", "C"), ("naha", "A")]
RATE, CONTENDERS, TRAFFIC = 120, 10, 47


def quantiles(name, took, **more):
    took = sorted(took)

    def at(share):
        return took[min(len(took) - 1, int(share * len(took)))]
    print(json.dumps({"name": name, "count": len(took), "p50_ms": at(.5),
                      "p95_ms": at(.95), "p99_ms": at(.99),
                      "max_ms": took[-1], **more}), flush=True)


class Log:
    """What a controller says, as it comes."""

    def __init__(self, cluster, port):
        self.file = open(os.path.join(cluster.dir, "logs", port + ".log"))
        self.rest = ""

    def rows(self):
        self.rest += self.file.read()
        *whole, self.rest = self.rest.split("\n")
        return [json.loads(row) for row in whole if row.startswith("{")]

    def wait(self, nonce, seconds=20):
        """When the clearance that answers this request was final, in ms."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for row in self.rows():
                if (row["event"], row.get("op"), row.get("nonce")) == (
                        "final", "clear", nonce):
                    return row["time"]
            time.sleep(0.001)
        raise AssertionError("no clearance for %d" % nonce)


def clearances(c, samples):
    alice = signer.Signer(c, "alice")
    ports = {p: signer.Signer(c, p) for p, _ in PADS}
    logs = {p: Log(c, p) for p, _ in PADS}
    landing = {(p, pad): alice.reserve(p, pad, 2, 3600, "JA%s%s" % (
        p[0], pad), 2) for p, pad in PADS}
    time.sleep(3)  # until those windows have begun and the pads were measured
    took, final = [], []
    with c.traffic(TRAFFIC) as others:
        until(lambda: len(others.rows) > TRAFFIC, 20, "traffic")
        begin, before = time.monotonic(), len(others.rows)
        for i in range(samples):
            port, pad = PADS[i % len(PADS)]
            nonce = signer.now_ms()
            sent = time.time()
            assert alice.request(landing[port, pad], nonce) == "granted"
            final.append(1000 * (time.time() - sent))
            took.append(logs[port].wait(nonce) - 1000 * sent)
            word = ports[port].do("op_revoke",
                                  reservation=landing[port, pad])[0]
            assert word == "granted", word
        rate = (len(others.rows) - before) / (time.monotonic() - begin)
    quantiles("request_to_clearance", [round(t, 1) for t in took],
              other_tx_per_second=round(rate, 1),
              request_final_p50_ms=round(sorted(final)[len(final) // 2], 1))
    for who in (alice, *ports.values()):
        who.close()


def contest(c, seconds):
    who = [signer.Signer(c, name) for name in ("alice", "bob")]
    start = (signer.now_ms() // 60000 + 24 * 60) * 60000
    sent, took, winners = {}, [], collections.Counter()
    begin = time.monotonic()
    count = int(RATE * seconds)
    asked = 0
    while asked < count or sent:
        if asked < count and time.monotonic() - begin >= asked / RATE:
            one, window = who[asked % 2], asked // CONTENDERS
            _, _, tx = one.identity.tx([("op_reserve", dict(
                port="naha", pad="A", start=start + 60000 * window,
                end=start + 60000 * window + 60000, aircraft="", pair=0,
                movement=0, wait=0, tier=0, alternate_port="",
                alternate_pad="", commitment=b"", sealed=b""))])
            request = one.link.send("submit", pack(
                "submit", chain=0, tx=tx, wait=2))
            sent[asked % 2, request] = (time.monotonic(), window)
            asked += 1
        for i, one in enumerate(who):
            while one.link.socket.poll(0):
                request, envelope = one.link.socket.recv_multipart()
                at, window = sent.pop((i, request))
                took.append(1000 * (time.monotonic() - at))
                name, _, body = open_envelope(one.identity.network, envelope)
                assert name == "fate", name
                fate = unpack("fate", body)
                op = unpack("receipt", fate["receipt"])["ops"][0]
                winners[window] += op["code"] == 0
        time.sleep(0.0005)
    lasted = time.monotonic() - begin
    windows = count // CONTENDERS
    assert all(winners[w] == 1 for w in range(windows)), winners
    quantiles("contest_for_one_pad", [round(t, 1) for t in took],
              per_second=round(count / lasted, 1), windows=windows,
              winners_a_window=1)
    for one in who:
        one.close()


def main():
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20
    with Cluster(nodes=5, controllers="sim") as c:
        clearances(c, samples)
        contest(c, seconds)


main()
