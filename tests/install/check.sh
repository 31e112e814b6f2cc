#!/bin/sh
# Install Perch into a directory of its own, build the example against libperch
# with nothing but pkg-config, and see that it shows perch_* only.
#
#   check.sh BUILD CC CFLAGS
set -eu
build=$1 cc=$2 flags=$3
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "install: $1" >&2
	exit 1
}

cmake --install "$build" --prefix "$dir" --component perch >/dev/null
cmake --install "$build" --prefix "$dir" --component programs >/dev/null
for name in node wallet contract observer controller; do
	"$dir/bin/perch-$name" --version >/dev/null ||
		fail "perch-$name does not run where it was installed"
done
PKG_CONFIG_PATH=$dir/lib/pkgconfig
export PKG_CONFIG_PATH

# The words of CFLAGS are meant to be split; so are pkg-config's.
# shellcheck disable=SC2046,SC2086
$cc $flags -std=c11 -Wall -Wextra -Wpedantic -Werror "$here/example.c" \
	$(pkg-config --cflags --libs perch) -o "$dir/example"

# Every public header stands alone, in C and for C++.
for header in "$dir"/include/perch/*.h; do
	echo "#include <perch/${header##*/}>" >"$dir/alone.c"
	# shellcheck disable=SC2046
	$cc -std=c11 -fsyntax-only $(pkg-config --cflags perch) "$dir/alone.c" ||
		fail "${header##*/} does not stand alone"
done
echo '#include <perch/client.h>' >"$dir/alone.cc"
if command -v c++ >/dev/null; then
	# shellcheck disable=SC2046
	c++ -fsyntax-only $(pkg-config --cflags perch) "$dir/alone.cc" ||
		fail "the headers do not compile as C++"
fi

others=$(nm -D --defined-only "$dir/lib/libperch.so" |
	awk '$3 !~ /^perch_/ { print $3 }')
[ -z "$others" ] || fail "it shows other names than perch_*: $others"

LD_LIBRARY_PATH=$dir/lib
export LD_LIBRARY_PATH
rc=0
"$dir/example" "$dir/none.zpl" "$dir/none.key" haneda a 2>"$dir/said" || rc=$?
[ $rc = 2 ] || fail "a missing genesis ends with $rc, not 2"
grep -q none.zpl "$dir/said" || fail "it does not say which file is missing"
