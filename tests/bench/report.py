#!/usr/bin/python3
"""tests/bench/report.py -- what run/bench.sh measured, as ratios to limits.

Only what was granted is throughput. What was refused or lost is said under its
figure, by code; a goal is VOID when that is more than one in a hundred.
"""
import json
import os
import sys


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


def names(counts):
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def bad(load):
    """The share of the operations that were refused, of transactions lost."""
    ops = sum(load[name] for name in ("ops_granted", "ops_cancelled",
                                      "ops_refused"))
    return max(load["ops_refused"] / max(ops, 1),
               load["lost"] / max(load["sent"], 1))


def say(name, load):
    cancels = (f" and {load['cancels_per_second']:,.0f} cancels/s"
               if load["cancels_per_second"] else "")
    print(f"  {name:24} {load['tx_per_second']:>8,.0f} tx/s"
          f" {load['reservations_per_second']:>9,.0f} reservations/s{cancels}"
          f"  p50 {load['p50_ms']:.2f} p99 {load['p99_ms']:.2f}"
          f" max {load['max_ms']:.2f} ms  cpu {100 * load['cpu_busy']:.0f} %"
          f" steal {100 * load['cpu_steal']:.0f} %")
    if load["ops_refused"]:
        ops = load["ops_granted"] + load["ops_cancelled"] + load["ops_refused"]
        print(f"  {'':24} REFUSED {100 * load['ops_refused'] / ops:.1f} %:"
              f" {load['ops_refused']:,} of {ops:,} operations,"
              f" {names(load['refused_by'])}")
    if load["lost"]:
        print(f"  {'':24} LOST {load['lost']:,} of {load['sent']:,}"
              f" transactions, {names(load['lost_by'])}")


def main():
    directory = sys.argv[1]
    limits = {x["limit"]: x for x in lines(os.path.join(directory,
                                                         "limits.jsonl"))}
    loads = {x["name"]: x for x in lines(os.path.join(directory,
                                                       "loads.jsonl"))}
    print("\nlimits, one core, this run")
    for name, limit in limits.items():
        print(f"  {name:24} {limit['per_second']:>12,.0f}/s"
              f"  p50 {limit['p50_us']:>7.2f} us  p99 {limit['p99_us']:>7.2f} us")
    verify = limits["ed25519_verify"]["per_second"]
    cores = os.cpu_count() or 1
    print("\nPerch: granted, request to final, signed, durable on a majority")
    for name, load in loads.items():
        say(name, load)

    def goal(text, value, unit, least=None, most=None, load=None):
        good = value >= least if least is not None else value <= most
        bound = f">= {least:,}" if least is not None else f"<= {most:,}"
        word = "reached" if good else "MISSED"
        if load is not None and bad(loads[load]) > 0.01:
            word = "VOID"
        print(f"  {word:8} {text}: {value:,.2f} {unit} (wanted {bound})")

    def load_goal(text, load, field, unit, **bound):
        goal(text, loads[load][field], unit, load=load, **bound)

    print("\nagainst what it must reach")
    load_goal("5 nodes at 47 tx/s, p50", "5_nodes_47_per_second", "p50_ms",
              "ms", most=5)
    load_goal("5 nodes at 47 tx/s, p99", "5_nodes_47_per_second", "p99_ms",
              "ms", most=50)
    load_goal("3 nodes, one client, p50", "3_nodes_1_client", "p50_ms", "ms",
              most=1.5)
    load_goal("5 nodes, each verifying all", "5_nodes_256_clients",
              "tx_per_second", "tx/s", least=4000)
    throughput = loads["5_nodes_256_clients"]["tx_per_second"]
    mining = limits["sha256d_mining"]["per_second"]
    openssl = limits["sha256d_openssl"]["per_second"]
    goal("mining on one core, of OpenSSL's bare loop", mining / openssl, "",
         least=0.8)
    print("\nratios")
    print(f"  mining {mining / 1e6:.2f} MH/s a core, OpenSSL's mid-state loop"
          f" {openssl / 1e6:.2f} MH/s: {100 * mining / openssl:.0f} %")
    print(f"  5 nodes' signatures alone would allow"
          f" {verify * cores / 5:,.0f} tx/s on these {cores} cpus:"
          f" {100 * throughput / (verify * cores / 5):.0f} % of it")
    sync = limits["fdatasync_4k"]["p50_us"] / 1000
    print(f"  one client's p50 is"
          f" {loads['3_nodes_1_client']['p50_ms'] / sync:.1f} times one"
          f" fdatasync of 4 KiB ({sync:.3f} ms)")


main()
