#!/usr/bin/env python3
"""tests/system/controller.py -- real controllers with simulated pads: a whole
flight; killed between `clear` and `landed`; a device that disappears in the
middle of a landing; and everything that no controller would sign.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import signer  # noqa: E402
from cluster import BIN, Cluster, expect, main, run, until  # noqa: E402

SPEED = 30  # a flight takes 20 s, a landing 1 s, a stay 2 s
CONFIRMED, CLEARED, OCCUPIED = "confirmed", "cleared", "occupied"


def flown(nodes=3, **options):
    return Cluster(nodes=nodes, controllers="sim", speed=SPEED, **options)


def rows(c, port):
    """What a controller has said so far."""
    return [json.loads(row) for row in c.log(port).splitlines()
            if row.startswith("{")]


def said(c, port, **fields):
    return [r for r in rows(c, port)
            if all(r.get(k) == v for k, v in fields.items())]


def wait_said(c, port, seconds=30, count=1, **fields):
    return until(lambda: len(said(c, port, **fields)) >= count and
                 said(c, port, **fields), seconds,
                 "%s of %s; it said %s" % (fields, port, rows(c, port)[-3:]))


def history(c, reservation):
    return [r["to"] for r in c.wallet_rows("alice", "history",
                                           reservation.hex())]


def wait_state(c, reservation, state, seconds=30):
    until(lambda: state in history(c, reservation), seconds,
          "%s of %s" % (state, history(c, reservation)))


def fault(c, port, pads, name, how_long):
    code, _, err = run(
        os.path.join(BIN, "perch-controller"), "--port", port, "--driver",
        "sim", "--sim-world", os.path.join(c.dir, "world"), "--pads", pads,
        "--fault", name, "--for", how_long)
    expect(code == 0, err)


def sure(c, *ports):
    for port in ports or ("haneda", "kansai", "naha"):
        wait_said(c, port, event="sure", sure=True)


def come(c, alice, aircraft, pad="A"):
    """An aircraft flies from haneda, and is over kansai: its landing, asked
    for, whose clearance is not final yet."""
    departure = alice.reserve("haneda", pad, 1, 40, aircraft, 1)
    arrival = alice.reserve("kansai", pad, 41, 215, aircraft, 2)
    wait_said(c, "haneda", event="pad", **{"is": "occupied",
                                           "aircraft": aircraft})
    time_is_there(c, alice, departure)
    wait_said(c, "haneda", event="final", op="departed", aircraft=aircraft)
    return arrival


def time_is_there(c, alice, reservation):
    """Ask, as soon as the contract takes it and its window has begun."""
    expect(alice.request(reservation, signer.now_ms()) == "granted", "asked")


def land_order(c, alice, arrival, aircraft):
    until(lambda: alice.request(arrival, signer.now_ms()) == "granted", 10,
          "a request")
    wait_said(c, "kansai", 60, event="order", order="land",
              aircraft=aircraft)


# ---- a whole flight ----

def whole_flight():
    with flown() as c:
        sure(c)
        out = os.path.join(c.dir, "landing.pass")
        code, text, err = run(
            os.path.join(BIN, "perch-wallet"), "fly", "--config",
            c.wallet_conf("alice"), "--json", "--from", "haneda", "--to",
            "kansai", "--clearance-out", out, seconds=180)
        expect(code == 0, (text, err))
        steps = [json.loads(row) for row in text.splitlines()]
        last, aircraft = steps[-1], steps[-1]["aircraft"]
        expect(last["result"] == "granted" and last["code"] == "arrived", last)
        path = [(s["leg"], s["step"]) for s in steps[:-1]]
        expect(path == [
            ("departure", "confirmed"), ("arrival", "confirmed"),
            ("departure", "requested"), ("departure", "cleared"),
            ("departure", "released"), ("arrival", "requested"),
            ("arrival", "cleared"), ("arrival", "occupied"),
            ("arrival", "released")], path)
        # The order came after the clearance was final, never before.
        for port, order in (("haneda", "depart"), ("kansai", "land")):
            final = said(c, port, event="final", op="clear")[0]
            ordered = said(c, port, event="order", order=order)[0]
            expect(rows(c, port).index(final) <
                   rows(c, port).index(ordered), rows(c, port))
            expect(final["aircraft"] == aircraft, final)
        # Its clearance is one that anybody can check without a network.
        code, text, err = run(os.path.join(BIN, "perch-wallet"), "verify",
                              out, "--genesis", c.json["genesis"],
                              "--aircraft", aircraft, "--json")
        expect(code == 0, (text, err))
        c.wait_agreement()


# ---- a controller that is killed, a device that is lost ----

def killed_between_clear_and_landed():
    with flown() as c:
        sure(c)
        alice = signer.Signer(c, "alice")
        fault(c, "kansai", "A", "overstay", "10m")
        arrival = come(c, alice, "JA01")
        # Killed as soon as the ledger has the clearance: whether the order
        # was given or not, the next one finds out.
        until(lambda: alice.request(arrival, signer.now_ms()) == "granted",
              10, "a request")
        wait_state(c, arrival, CLEARED, 60)
        c.script("kill", "kansai")
        c.script("restart", "kansai")
        wait_state(c, arrival, OCCUPIED, 30)
        moves = history(c, arrival)
        expect(moves.count(CLEARED) == 1 and moves.count(OCCUPIED) == 1, moves)
        # Killed again while it stands there: nothing is told twice.
        c.script("kill", "kansai")
        c.script("restart", "kansai")
        wait_said(c, "kansai", event="sure", sure=True, count=3)
        fault(c, "kansai", "A", "overstay", "0")
        alice.close()
        c.wait_agreement()
        pad = port_pad(c, "kansai", "A")
        expect(pad["is"] == "occupied", pad)
        # Who was killed in between may have had no time to say it.
        expect(len(said(c, "kansai", event="final", op="landed")) <= 1,
               rows(c, "kansai"))
        expect(history(c, arrival) == moves, history(c, arrival))
        expect(not [row for row in said(c, "kansai", event="refused")
                    if row["code"] != "pad_stale"], rows(c, "kansai"))


def port_pad(c, port, pad):
    return said(c, port, event="pad", pad=pad)[-1]


def device_lost_in_the_middle_of_a_landing():
    """A landing takes a second; if the device was lost later, once more."""
    until(lost_in_a_landing, 60, "a device that is lost in time")


def lost_in_a_landing():
    with flown() as c:
        sure(c)
        alice = signer.Signer(c, "alice")
        fault(c, "kansai", "A", "overstay", "30m")
        arrival = come(c, alice, "JA02")
        land_order(c, alice, arrival, "JA02")
        fault(c, "kansai", "A", "lost", "10m")
        # Nobody knows what is on the pad, and the ledger says that.
        wait_said(c, "kansai", event="final", op="close_pad")
        if said(c, "kansai", event="pad", pad="A", **{"is": "occupied"}):
            return False
        wait_state(c, arrival, "contingent")
        expect(port_pad(c, "kansai", "A")["is"] == "unknown",
               rows(c, "kansai"))
        free = c.wallet("alice", "inquire", "kansai", "--from", "now")
        expect("A" not in free["free"], free)
        # Another one is not let come meanwhile.
        word, _, _ = alice.do(
            "op_reserve", port="kansai", pad="A",
            start=signer.now_ms() + 1000, end=signer.now_ms() + 30000,
            aircraft="JA03", movement=2)
        expect(word in ("pad_closed", "slot_taken"), word)
        # The device comes back: what landed meanwhile was not cleared any
        # more, which is on record, and blocks the pad until it is empty.
        fault(c, "kansai", "A", "lost", "0")
        landed = wait_said(c, "kansai", event="final", op="landed")
        expect(landed[0]["aircraft"] == "JA02", landed)
        wait_said(c, "kansai", event="final", op="open_pad")
        expect(not said(c, "kansai", event="pad", pad="A",
                        **{"is": "empty"})[1:], rows(c, "kansai"))
        alice.close()
        c.wait_agreement()
    return True


def device_lost_at_a_take_off():
    """It leaves while nobody can see it; that is told as soon as it is known."""
    with flown() as c:
        sure(c)
        alice = signer.Signer(c, "alice")
        fault(c, "haneda", "A", "stuck", "10m")
        departure = alice.reserve("haneda", "A", 1, 120, "JA07", 1)
        wait_said(c, "haneda", event="pad", **{"is": "occupied",
                                               "aircraft": "JA07"})
        time_is_there(c, alice, departure)
        wait_said(c, "haneda", event="order", order="depart")
        fault(c, "haneda", "A", "lost", "10m")
        fault(c, "haneda", "A", "stuck", "0")
        wait_said(c, "haneda", event="final", op="close_pad")
        fault(c, "haneda", "A", "lost", "0")
        wait_said(c, "haneda", event="final", op="departed", aircraft="JA07")
        wait_said(c, "haneda", event="final", op="open_pad")
        # Uncleared by then: on record, and the pad is free again only because
        # it was measured empty.
        wait_said(c, "haneda", event="final", op="vacated")
        alice.close()
        c.wait_agreement()


# ---- what no controller would sign ----

def clear_fields(reservation, nonce, **other):
    """Measured by a clock that is ahead, so that it stays fresh for 9 s."""
    now = signer.now_ms()
    return {"reservation": reservation, "nonce": nonce, "movement": 2,
            "until": now + 60000, "pad_state": 1, "measured": now + 4000,
            **other}


def bad_clearances():
    with Cluster(nodes=3) as c:
        alice, naha, haneda = (signer.Signer(c, name) for name in (
            "alice", "naha", "haneda"))

        def clear(who, nonce, **other):
            return who.do("op_clear", **clear_fields(
                landing, nonce, **other))[0]
        landing = alice.reserve("naha", "A", 1, 240, "JA04", 2)
        expect(alice.request(landing, 10) == "granted", "first request")
        expect(alice.request(landing, 10) == "nonce", "the same number")
        expect(alice.request(landing, 9) == "nonce", "an older number")
        until(lambda: signer.now_ms() >= window_start(c, landing), 10,
              "its window")
        # Before it is measured, on an old measurement, on another answer.
        expect(clear(naha, 10, pad_state=0) == "pad_stale", "unknown pad")
        expect(clear(naha, 10, measured=signer.now_ms() - 6000) ==
               "pad_stale", "measured 6 s ago")
        expect(clear(naha, 10, measured=0) == "pad_stale", "never measured")
        expect(clear(naha, 10, pad_state=2, on_pad="X") == "pad_busy",
               "somebody on it")
        expect(clear(naha, 9) == "nonce", "an old nonce")
        expect(clear(haneda, 10) == "not_controller", "another port's")
        expect(clear(alice, 10) == "role", "an operator")
        expect(history(c, landing) == [CONFIRMED], history(c, landing))
        # Once; and what it permits, once.
        expect(clear(naha, 10) == "granted", "the clearance")
        expect(clear(naha, 10) in ("state", "nonce"), "a second one")
        fact = {"port": "naha", "pad": "A", "reservation": landing,
                "aircraft": "JA04", "time": signer.now_ms()}
        expect(haneda.do("op_landed", **fact)[0] == "not_controller",
               "told by another port's controller")
        word, _, details = naha.do("op_landed", **fact)
        expect(word == "granted" and details["incursion"] == 0, details)
        word, _, details = naha.do("op_landed", **fact)
        expect(word == "granted" and details["incursion"] == 1 and
               details["blocked"] == 1, "used twice: %s" % details)
        word, _, details = naha.do("op_vacated", port="naha", pad="A",
                                   time=signer.now_ms())
        expect(word == "granted" and details["blocked"] == 0, details)
        for who in (alice, naha, haneda):
            who.close()
        c.wait_agreement()


def window_start(c, reservation):
    row = c.wallet_rows("alice", "history", reservation.hex())[0]
    return row["reservation"]["start"]


# ---- cut off ----

def cut_off():
    """Without a majority it says so; what happens meanwhile is told as soon as
    there is one again, once."""
    with flown() as c:
        sure(c)
        for name in ("the_blue_sky", "white_noise"):
            c.script("kill", name)
        wait_said(c, "naha", event="sure", sure=False)
        fault(c, "naha", "A", "intruder", "10m")
        wait_said(c, "naha", event="wish", op="landed")
        for name in ("the_blue_sky", "white_noise"):
            c.script("restart", name)
        wait_said(c, "naha", event="sure", sure=True, count=2)
        wait_said(c, "naha", 60, event="final", op="landed")
        alice = signer.Signer(c, "alice")
        landing = alice.reserve("naha", "A", 1, 200, "JA05", 2)
        alice.request(landing, signer.now_ms())
        wait_said(c, "naha", event="doubt", code="blocked")
        alice.close()
        c.wait_agreement()
        expect(len(said(c, "naha", event="final", op="landed")) == 1,
               rows(c, "naha"))


def goes_around():
    """An approach that is broken off gets another window, and lands then."""
    with flown() as c:
        sure(c)
        alice = signer.Signer(c, "alice")
        arrival = come(c, alice, "JA06")
        fault(c, "kansai", "A", "goaround", "10m")
        land_order(c, alice, arrival, "JA06")
        wait_said(c, "kansai", event="final", op="go_around")

        def asked():
            return alice.request(arrival, signer.now_ms()) == "granted"
        until(asked, 20, "a request in the new window")
        wait_said(c, "kansai", 60, event="final", op="landed")
        wait_state(c, arrival, "released")
        moves = history(c, arrival)
        expect(moves.count(CLEARED) == 2 and OCCUPIED in moves, moves)
        alice.close()
        c.wait_agreement()


if __name__ == "__main__":
    main(whole_flight, killed_between_clear_and_landed,
         device_lost_in_the_middle_of_a_landing, device_lost_at_a_take_off,
         goes_around, bad_clearances, cut_off)
