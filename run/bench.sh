#!/bin/bash
# Measure Perch beside this machine's limits, in one run.
#
#   run/bench.sh [--seconds N] [--out DIR]
#
# Prints a table; DIR gets the raw JSON lines. A figure is a ratio to what the
# machine could do in the same minute, and the CPUs' state is said with it: an
# idle virtual CPU can make an fsync many times slower, a busy one too. Each load
# has a ledger of its own, so that none finds it filled by the one before.
set -eu
cd "$(dirname "$0")/.."

usage() {
	echo "usage: run/bench.sh [--seconds N] [--out DIR]"
	exit "$1"
}

seconds=5
out=""
while [ $# -gt 0 ]; do
	case $1 in
	--help | -h) usage 0 ;;
	--seconds | --out) [ $# -ge 2 ] || usage 2 >&2 ;;
	*) usage 2 >&2 ;;
	esac
	case $1 in
	--seconds) seconds=$2 ;;
	--out) out=$2 ;;
	esac
	shift 2
done

run/setup.sh
run/build.sh release
bin=$PWD/build/release/bin
work=$(mktemp -d)
[ -n "$out" ] || out=$work/out
mkdir -p "$out"
pids=()

stop() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
	[ ${#pids[@]} -eq 0 ] || wait "${pids[@]}" 2>/dev/null || true
	pids=()
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

cpu_state() {
	awk '/^cpu / {print $2+$3+$4+$6+$7+$8, $5, $9}' /proc/stat
}

# start DIR NODES [node option...]
start() {
	local dir=$1 nodes=$2 name
	shift 2
	mkdir -p "$dir"
	for name in $(/usr/bin/python3 tests/bench/world.py "$dir" "$nodes"); do
		"$bin/perch-node" --genesis "$dir/genesis.zpl" \
			--key "$dir/$name.key" --data "$dir/$name" "$@" \
			2>"$dir/$name.log" &
		pids+=($!)
	done
}

# load NAME DIR OPTION... : one JSON line, with what the CPUs did meanwhile
load() {
	local name=$1 dir=$2 before after line
	shift 2
	before=$(cpu_state)
	line=$("$bin/perch-load" --name "$name" --genesis "$dir/genesis.zpl" \
		--key "$dir/load.key" --seconds "$seconds" "$@") || true
	after=$(cpu_state)
	echo "$before $after $line" | awk '{
		busy = $4 - $1; idle = $5 - $2; steal = $6 - $3
		all = busy + idle + steal; if (all == 0) all = 1
		$1 = $2 = $3 = $4 = $5 = $6 = ""; sub(/^ +/, "")
		sub(/}$/, "")
		printf "%s,\"cpu_busy\":%.2f,\"cpu_steal\":%.2f}\n", \
			$0, busy / all, steal / all
	}' | tee -a "$out/loads.jsonl" >&2
}

echo "bench: limits of this machine ($(nproc) cpus, load $(cut -d' ' -f1 /proc/loadavg))" >&2
{ "$bin/perch-limits" "$work"; "$bin/perch-mining"; } |
	tee "$out/limits.jsonl" >&2

# measure NODES NAME OPTION... : one load on a ledger of its own
measure() {
	local nodes=$1 name=$2
	shift 2
	echo "bench: $name" >&2
	start "$work/$name" "$nodes"
	load "$name" "$work/$name" "$@"
	stop
	rm -rf "${work:?}/$name"
}

: >"$out/loads.jsonl"
measure 3 3_nodes_1_client --flight 1
measure 3 3_nodes_64_clients --flight 64
measure 5 5_nodes_47_per_second --flight 100 --rate 47
measure 5 5_nodes_256_clients --flight 256
# 64 reservations a transaction: until the ledger is nearly full, and for as
# long as one likes, when about as many are cancelled as are made.
measure 5 5_nodes_each_64_fill --flight 64 --ops 64 --fill
measure 5 5_nodes_each_64 --flight 64 --ops 64 --live 8192

/usr/bin/python3 tests/bench/report.py "$out"
