#!/bin/sh
# Check the source itself, in seconds: layout, layers, the pure line, sizes,
# words, texts, schemas, vectors, and that these checks bite. Each finding is
# "file:line: what is wrong; the cure". Builds the pure libraries only.
#
#   run/check.sh            everything in tests/source
#   run/check.sh layers     one of them
set -u
cd "$(dirname "$0")/.." || exit 1
python=/usr/bin/python3
[ -x $python ] || python=python3
build=build/release

pure="base wire crypto ledger contract consensus"
build_pure() {
	cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Release >/dev/null &&
		for layer in $pure; do echo "perch_$layer"; done |
		xargs ninja -C $build --quiet
}

usage() {
	echo "usage: run/check.sh [NAME]; there are:" \
		"$(cd tests/source && echo *.py | sed 's/\.py//g')"
	exit "$1"
}
[ $# -le 1 ] || usage 2 >&2
case ${1:-} in --help | -h) usage 0 ;; esac

bad=0
for file in tests/source/${1:-*}.py; do
	[ -f "$file" ] || {
		echo "run/check.sh: no such check: $1" >&2
		usage 2 >&2
	}
	case $file in
	*/purity.py) build_pure || bad=1 ;;
	esac
	PERCH_BUILD=$build $python "$file"
	case $? in
	0 | 77) ;;
	*) bad=1 ;;
	esac
done
exit $bad
