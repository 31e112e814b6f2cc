#!/bin/sh
# Install what Perch needs on Debian bookworm, without asking. Does nothing when
# everything is there.
#
#   run/setup.sh
set -eu
usage() {
	echo "usage: run/setup.sh      install what is missing"
	exit "$1"
}
case ${1:-} in
"") ;;
--help | -h) usage 0 ;;
*) usage 2 >&2 ;;
esac
packages="gcc libc6-dev cmake ninja-build pkg-config python3 clang-format
libzmq3-dev libczmq-dev libsodium-dev libmsgpack-dev liblmdb-dev libssl-dev
libcmocka-dev libqrencode-dev python3-zmq python3-msgpack python3-nacl iproute2"
missing=""
for package in $packages; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
		grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
sudo=""
if [ "$(id -u)" != 0 ]; then
	sudo=sudo
	command -v sudo >/dev/null || {
		echo "run/setup.sh: needs root for apt-get; run as root:" \
			"apt-get install$missing" >&2
		exit 1
	}
fi
echo "setup: installing$missing"
$sudo apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq \
	--no-install-recommends $missing >/dev/null
