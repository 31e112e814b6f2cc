#!/bin/sh
# Every test, then those that touch memory again under address and undefined
# behaviour sanitizers. Installs what is missing. About ten minutes at most on
# two cores.
#
#   run/test.sh            everything
#   run/test.sh release    the release build only
#   run/test.sh asan       the sanitizers only
set -u
cd "$(dirname "$0")/.." || exit 1

usage() {
	echo "usage: run/test.sh [release|asan]"
	exit "$1"
}
[ $# -le 1 ] || usage 2 >&2
case ${1:-all} in
all | release | asan) ;;
--help | -h) usage 0 ;;
*) usage 2 >&2 ;;
esac
run/setup.sh || exit 1

bad=""
# What the sanitizers leave out: the source has no memory, and timings under
# them mean nothing.
without_asan="source|long|bench"

try() {
	name=$1
	shift
	echo "== $name"
	if run/build.sh "$name"; then
		ctest --test-dir "build/$name" -j3 --output-on-failure \
			--no-tests=error "$@" || bad="$bad $name"
	else
		bad="$bad $name"
	fi
}

case ${1:-all} in
all | release) try release ;;
esac
case ${1:-all} in
all | asan) try asan -LE "$without_asan" ;;
esac
[ -z "$bad" ] || {
	echo "run/test.sh: not good:$bad" >&2
	exit 1
}
