#!/bin/sh
# Every test, then those that touch memory again under address and undefined
# behaviour sanitizers. Installs what is missing. About ten minutes at most on
# two cores.
#
#   run/test.sh            all of it, with the sanitizers without the longest
#   run/test.sh release    the release build only
#   run/test.sh asan       the sanitizers only, with the longest
#   run/test.sh tsan       where threads meet, under the thread sanitizer
set -u
cd "$(dirname "$0")/.." || exit 1

usage() {
	echo "usage: run/test.sh [release|asan|tsan]"
	exit "$1"
}
[ $# -le 1 ] || usage 2 >&2
case ${1:-all} in
all | release | asan | tsan) ;;
--help | -h) usage 0 ;;
*) usage 2 >&2 ;;
esac
run/setup.sh || exit 1

bad=""

# Six at a time: those with real processes mostly wait.
try() {
	name=$1
	shift
	echo "== $name"
	if run/build.sh "$name"; then
		ctest --test-dir "build/$name" -j6 --output-on-failure \
			--no-tests=error "$@" || bad="$bad $name"
	else
		bad="$bad $name"
	fi
}

# The source has no memory that a sanitizer could look at.
case ${1:-all} in
all) try release; try asan -LE "source|long" ;;
release) try release ;;
asan) try asan -LE source ;;
tsan) try tsan -L threads ;;
esac
[ -z "$bad" ] || {
	echo "run/test.sh: not good:$bad" >&2
	exit 1
}
