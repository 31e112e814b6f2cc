#!/bin/sh
# Build into build/<name>, executables in build/<name>/bin.
set -eu
cd "$(dirname "$0")/.."

usage() {
	echo "usage: run/build.sh [release|dev|asan|tsan]"
	exit "$1"
}
[ $# -le 1 ] || usage 2 >&2
name=${1:-release}
case $name in
release) type=Release ;;
dev) type=Dev ;;
asan) type=Asan ;;
tsan) type=Tsan ;;
--help | -h) usage 0 ;;
*) usage 2 >&2 ;;
esac
cmake -S . -B "build/$name" -G Ninja -DCMAKE_BUILD_TYPE=$type >"/dev/null"
exec ninja -C "build/$name" --quiet >&2
