#!/bin/sh
# The engines compared: the same recorded workload on each of them, with real
# processes, in both topologies; then a page and the events that it is made of.
# --help is the manual.
cd "$(dirname "$0")/.." || exit 1
bin=${PERCH_BIN:-build/release/bin}
case " $* " in
*" --help "* | *" -h "* | *" --check "* | *" --page "*) ;;
*)
	if [ ! -x "$bin/perch-replay" ]; then
		run/setup.sh >&2 && run/build.sh release >&2 || exit 1
	fi
	;;
esac
python=/usr/bin/python3
[ -x $python ] || python=python3
PERCH_BIN=$(realpath -m "$bin") exec $python run/compare.py "$@"
