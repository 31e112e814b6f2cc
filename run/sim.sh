#!/bin/sh
# Simulate a cluster: run/sim.sh --engine NAME --seed S --seeds N [--nodes N]
# [--seconds T] [--mode live|harsh|mixed] [--jobs N]; --help lists the rest.
# The last line is a summary. Exit: 0 passed, 1 void, 127 crash, 128 no
# progress, 129 wrong.
set -eu
cd "$(dirname "$0")/.."

build=${PERCH_BUILD:-build/release}
[ -f "$build/build.ninja" ] ||
	cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null
ninja -C "$build" --quiet perch-sim >&2
exec "$build/bin/perch-sim" "$@"
