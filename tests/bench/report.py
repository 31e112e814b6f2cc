#!/usr/bin/python3
"""tests/bench/report.py -- what run/bench.sh measured, as ratios to limits."""
import json
import os
import sys


def lines(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.strip()]


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
    print("\nPerch: request to final, signed, durable on a majority")
    for name, load in loads.items():
        print(f"  {name:24} {load['tx_per_second']:>8,.0f} tx/s"
              f" {load['reservations_per_second']:>9,.0f} reservations/s"
              f"  p50 {load['p50_ms']:.2f} p99 {load['p99_ms']:.2f}"
              f" max {load['max_ms']:.2f} ms  lost {load['lost']}"
              f"  cpu {100 * load['cpu_busy']:.0f} %"
              f" steal {100 * load['cpu_steal']:.0f} %")

    def goal(name, value, unit, least=None, most=None):
        good = value >= least if least is not None else value <= most
        bound = f">= {least:,}" if least is not None else f"<= {most:,}"
        print(f"  {'reached' if good else 'MISSED ':8} {name}:"
              f" {value:,.2f} {unit} (wanted {bound})")

    print("\nagainst what it must reach")
    goal("5 nodes at 47 tx/s, p50", loads["5_nodes_47_per_second"]["p50_ms"],
         "ms", most=5)
    goal("5 nodes at 47 tx/s, p99", loads["5_nodes_47_per_second"]["p99_ms"],
         "ms", most=50)
    goal("3 nodes, one client, p50", loads["3_nodes_1_client"]["p50_ms"],
         "ms", most=1.5)
    throughput = loads["5_nodes_256_clients"]["tx_per_second"]
    goal("5 nodes, each verifying all", throughput, "tx/s", least=4000)
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
