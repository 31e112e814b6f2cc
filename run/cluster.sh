#!/bin/bash
# A Perch cluster on this machine: named nodes, an evaluator, two wallets.
# --help is the manual. Everything lives in one directory; only processes that
# were started from it are ever stopped, by their ids.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
bin=${PERCH_BIN:-$root/build/release/bin}

READY_S=60 # until a cluster has to accept transactions
STOP_S=10  # until what was asked to stop is killed
names=(the_leader_node the_blue_sky white_noise yellow_submarine green_planet)
dir="" nodes="" engine="" topology="" port_base="" traffic="" seconds=""
words=() json="" mine="" miners="" interval="" bits=""
cuttable="" neighbours="" seed=""
ports=(haneda kansai naha) controllers="" speed="" faults=""

usage() {
	cat <<'END'
usage: run/cluster.sh [options]            build, start, show; Ctrl-C ends all
       run/cluster.sh up --dir DIR [options]
       run/cluster.sh status [--json] | down                      --dir DIR
       run/cluster.sh kill|stop|restart NAME|all                  --dir DIR
       run/cluster.sh cut A B|all | cut --neighbours N [--seed S] --dir DIR
       run/cluster.sh delay A B MS | heal                         --dir DIR

  --dir DIR          where everything is kept (without up: a temporary one)
  --nodes N          1 to 16 nodes (5)
  --engine NAME      who orders: ordered, pow, or compare: both side by side
                     (ordered)
  --topology T       star: followers talk to the leader only; or mesh (star)
  --port-base N      first of 3 * nodes + 2 TCP ports (free ones)
  --traffic TX/S     reservations a second by alice and bob (up: 0, else 2)
  --seconds N        without up: stop by itself after so long
  --mine WHEN        pow: always, demand (while transactions wait) or never
                     (always)
  --miners N         pow: threads of each node that mine, 0 to 16 (1)
  --interval TIME    pow: between two blocks, part of the network (2s)
  --bits HEX         pow: target of the first block, likewise (1e010000)
  --cuttable         up: the links between nodes can be cut and slowed
  --controllers sim  a controller a port, with simulated pads and drones (up:
                     none), --speed N times faster (20), --faults LIST by chance;
                     without up, alice and bob fly between them

cut makes the link between two running nodes silent, both ways, as a cable that
is pulled out (A all: every link of A); with --neighbours, a random net in which
each node is left so many links at most and all are still connected; delay slows
one, each way; heal makes all whole. Each holds until the next heal.

kill is kill -9; restart also starts what was killed or stopped. up in a
directory that was used before goes on with its ledger. NAME is a node,
a port, contract or traffic. DIR/cluster.json says what there is, DIR/wallets/alice.conf
is for perch-wallet --config, DIR/logs/NAME.log is what NAME said.

  run/cluster.sh --traffic 20
  run/cluster.sh up --nodes 3 --topology mesh --dir /tmp/three
  run/cluster.sh kill the_leader_node --dir /tmp/three

Ends with 0 done, 1 something is not as it must be, 2 wrong usage, 3 (status)
no node answers.
END
}

fail() {
	echo "run/cluster.sh: $*" >&2
	exit 1
}

wrong() {
	echo "run/cluster.sh: $*; see run/cluster.sh --help" >&2
	exit 2
}

unwritable() {
	fail "cannot write everything to $dir; is the disk full?"
}

say() {
	[ -n "$quiet" ] || echo "$*"
}

# shellcheck source=run/controllers.sh
. "$root/run/controllers.sh"
# shellcheck source=run/files.sh
. "$root/run/files.sh"
# shellcheck source=run/wires.sh
. "$root/run/wires.sh"

# ---- who there is ----

node_names() {
	local i
	for ((i = 0; i < nodes; i++)); do
		echo "${names[i]:-node_$((i + 1))}"
	done
}

# In the order in which they are stopped.
everyone() {
	echo traffic
	[ ! -f "$dir/pids/pilot_bob" ] || echo pilot_alice pilot_bob
	! has_controllers || echo "${ports[@]}"
	echo contract
	node_names
	[ ! -d "$dir/relay" ] || echo relay
}

check_name() {
	everyone | tr ' ' '\n' | grep -qxF -e "$1" ||
		wrong "nobody here is called '$1'; there are:" \
			"$(everyone | tr '\n' ' ')"
}

# ---- processes: DIR/pids/NAME holds an id ----

# A process is ours if it runs one of our programs on files of this directory.
pid_of() {
	local pid
	pid=$(cat "$dir/pids/$1" 2>/dev/null) || return 1
	case $(readlink "/proc/$pid/exe" 2>/dev/null) in
	*/perch-*) ;;
	*) return 1 ;;
	esac
	tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" |
		grep -qF -e "$dir/" || return 1
	echo "$pid"
}

# Begin NAME in a session of its own: the terminal's Ctrl-C is for us, who stop
# everything in order. Returns once it is what pid_of recognises, or gone; an
# interrupt waits for that, because nobody else knows what was begun.
launch() {
	local name=$1 traps late=""
	shift
	traps=$(trap -p INT TERM HUP)
	trap 'late=INT' INT
	trap 'late=TERM' TERM HUP
	setsid "$@" >>"$dir/logs/$name.log" 2>&1 </dev/null 8>&- 9>&- &
	disown
	echo $! >"$dir/pids/$name" || {
		kill -9 $!
		# shellcheck disable=SC2046
		[ "$verb" = restart ] || halt TERM $(everyone)
		unwritable
	}
	until pid_of "$name" >/dev/null || ! kill -0 $! 2>/dev/null; do
		:
	done
	eval "${traps:-trap - INT TERM HUP}"
	[ -z "$late" ] || kill -s "$late" $$
}

start() {
	pid_of "$1" >/dev/null && return
	case $1 in
	contract)
		launch "$1" "$bin/perch-contract" --config "$dir/conf/$1.conf"
		;;
	traffic)
		launch "$1" "$bin/perch-wallet" traffic --rate "$traffic" \
			--seed $RANDOM --config "$dir/wallets/alice.conf" \
			--other "$dir/wallets/bob.conf"
		;;
	relay) launch "$1" "$bin/perch-relay" "$dir/relay/" ;;
	pilot_alice | pilot_bob)
		launch "$1" "$bin/perch-wallet" fly --again --for 90s --tier \
			"$([ "$1" = pilot_bob ] && echo 3 || echo 0)" \
			--emergency "$([ "$1" = pilot_bob ] && echo 0 || echo 20)" \
			--config "$dir/wallets/${1#pilot_}.conf"
		;;
	haneda | kansai | naha)
		launch "$1" "$bin/perch-controller" --json \
			--config "$dir/conf/$1.conf"
		;;
	*) launch "$1" "$bin/perch-node" --config "$dir/conf/$1.conf" ;;
	esac
}

# Has it closed its sockets and files? Who will reap it does not matter.
ended() {
	local state tasks
	{ read -r _ _ state _ <"/proc/$1/stat"; } 2>/dev/null || return 0
	tasks=("/proc/$1/task/"*)
	[ "$state" = Z ] && [ ${#tasks[@]} = 1 ]
}

# halt SIGNAL NAME...: send it, wait until they have ended, and kill what does
# not end.
halt() {
	local signal=$1 name pid end=$((SECONDS + STOP_S)) running=()
	shift
	for name; do
		pid=$(pid_of "$name") || continue
		kill "-$signal" "$pid" 2>/dev/null
		running+=("$name:$pid")
	done
	for name in ${running[@]+"${running[@]}"}; do
		pid=${name#*:}
		until ended "$pid"; do
			[ $SECONDS -gt $end ] && kill -9 "$pid" 2>/dev/null &&
				echo "run/cluster.sh: ${name%:*} did not" \
					"stop in $STOP_S s and was killed;" \
					"see $dir/logs/${name%:*}.log" >&2
			sleep 0.02
		done
	done
	for name; do rm -f "$dir/pids/$name"; done
}

# ---- the ports and the directory of a cluster ----

# Of several clusters that come up at once each sees the ports of those before:
# one chooses, and the next one when that one is ready, or takes long.
lock_choice() {
	exec 9<"$root/run/cluster.sh"
	flock -w 20 9 || :
}

# The first of so many consecutive free TCP ports, below the range from which
# the kernel takes ports for outgoing connections, and above those of tests.
free_ports() {
	local count=$1 base port tries used
	used=" $(ss -Htan | awk '{ sub(/.*:/, "", $4); print $4 }' |
		sort -u | tr '\n' ' ') "
	for ((tries = 0; tries < 200; tries++)); do
		base=$((21000 + (RANDOM * 32768 + RANDOM) % 230 * 50))
		for ((port = base; port < base + count; port++)); do
			case $used in *" $port "*) continue 2 ;; esac
		done
		echo $base
		return
	done
	fail "no $count free ports between 21000 and 32500; give --port-base"
}

# check_ports BASE NODES
check_ports() {
	local port last=$(($1 + 3 * $2 + 1)) holder
	[ "$last" -le 65535 ] ||
		wrong "--port-base: $1 to $last are not all TCP ports"
	for ((port = $1; port <= last; port++)); do
		holder=$(ss -Htlnp "sport = :$port" | tail -n 1 | tr -s ' ')
		[ -z "$holder" ] || fail "TCP port $port is in use" \
			"($holder); stop that program, or use another" \
			"--dir and --port-base"
	done
}

# What an existing directory says; given options must agree with it.
read_cluster() {
	local was_nodes was_base
	[ -f "$dir/cluster.made" ] || return 1
	read -r was_nodes was_base <"$dir/cluster.made"
	[ "${nodes:-$was_nodes}" = "$was_nodes" ] &&
		[ "${port_base:-$was_base}" = "$was_base" ] ||
		fail "$dir holds a cluster of $was_nodes nodes on ports from" \
			"$was_base, which are part of its network; use" \
			"another --dir, or leave --nodes and --port-base out"
	nodes=$was_nodes
	port_base=$was_base
}

open_dir() {
	[ -n "$dir" ] || wrong "--dir is missing"
	dir=$(realpath -m "$dir")
	read_cluster || fail "$dir is no cluster's; run/cluster.sh up --dir $dir"
}

lock_dir() {
	mkdir -p "$dir" || fail "cannot make $dir"
	{ exec 8>"$dir/lock"; } 2>/dev/null ||
		fail "cannot write $dir/lock; whose is this directory?"
	flock -w 60 8 || fail "another run/cluster.sh works in $dir; wait for it"
}

# ---- up ----

# Why it is not ready yet; empty when the cluster accepts transactions: a
# majority confirms that nobody has used an id, each node and the evaluator
# answer.
unready() {
	local name status
	for name in $(node_names) contract; do
		pid_of "$name" >/dev/null || {
			echo "$name ended"
			return
		}
	done
	status=$("$bin/perch-wallet" status "$(printf %032d 0)" --json \
		--timeout 2s --config "$dir/wallets/alice.conf" 2>/dev/null)
	grep -q '"not_found"' <<<"$status" || {
		echo "no majority answers"
		return
	}
	status=$("$bin/perch-observer" --config "$dir/conf/observer.conf" \
		--status --json 2>/dev/null)
	[ "$(grep -o '"up":true' <<<"$status" | wc -l)" = "$nodes" ] || {
		echo "not every node answers"
		return
	}
	"$bin/perch-wallet" inquire --port haneda --timeout 2s \
		--config "$dir/wallets/alice.conf" >/dev/null 2>&1 ||
		echo "the evaluator does not answer"
}

# What the first of them that ended, or else who is slow, has said.
last_words() {
	local name
	for name in $(node_names) contract; do
		pid_of "$name" >/dev/null && continue
		echo "$dir/logs/$name.log ends with:"
		tail -n 5 "$dir/logs/$name.log"
		return
	done
	tail -n 2 "$dir"/logs/*.log
}

wait_ready() {
	local end=$((SECONDS + READY_S)) why
	while why=$(unready) && [ -n "$why" ]; do
		case $why in *" ended") end=0 ;; esac
		[ $SECONDS -lt $end ] || {
			last_words >&2
			# shellcheck disable=SC2046
			halt TERM $(everyone)
			fail "the cluster is not ready: $why; the cause is" \
				"in the lines above; cure it and run up again"
		}
		sleep 0.1
	done
}

# Ctrl-C before it is up leaves nothing running.
interrupted() {
	trap '' INT TERM HUP
	echo "run/cluster.sh: interrupted; stopping what was started" >&2
	# shellcheck disable=SC2046
	halt TERM $(everyone)
	exit 130
}

up() {
	local name new_nodes=${nodes:-5} new_base=$port_base
	[ -x "$bin/perch-node" ] || build
	[ -n "$dir" ] || wrong "--dir is missing"
	dir=$(realpath -m "$dir")
	# What cannot become a cluster leaves no directory behind.
	if [ ! -f "$dir/cluster.made" ]; then
		[ -n "$new_base" ] || {
			lock_choice
			new_base=$(free_ports $((3 * new_nodes + 2))) || exit 1
		}
		check_ports "$new_base" "$new_nodes"
	fi
	lock_dir
	if read_cluster; then
		for name in $(everyone); do
			pid_of "$name" >/dev/null &&
				fail "$dir is up already; first:" \
					"run/cluster.sh down --dir $dir"
		done
		check_ports "$port_base" "$nodes"
	else
		nodes=$new_nodes
		port_base=$new_base
		make_cluster
	fi
	[ "$verb" != up ] || trap interrupted INT TERM HUP
	rm -rf "$dir/relay"
	[ -z "$cuttable" ] || {
		mkdir "$dir/relay" && write_links >"$dir/relay/links" ||
			unwritable
	}
	write_confs
	say "start: $(node_names | tr '\n' ' ')and the evaluator"
	[ -z "$cuttable" ] || start relay
	for name in $(node_names) contract; do start "$name"; done
	wait_ready
	exec 9>&-
	begin_controllers
	begin_traffic
	exec 8>&-
}

begin_traffic() {
	[ "${traffic:-0}" != 0 ] || return
	say "traffic: alice and bob reserve, $traffic times a second"
	start traffic
}

# ---- status ----

status() {
	local said code
	said=$("$bin/perch-observer" --config "$dir/conf/observer.conf" \
		--status $json)
	code=$?
	if [ -n "$json" ] && [ -d "$dir/relay" ]; then
		said="{\"cuts\": [$(rules_json)], ${said#\{}"
	elif [ -z "$json" ]; then
		said=$(echo "$said" && rules_text)
	fi
	echo "$said"
	exit $code
}

# ---- the demo ----

build() {
	[ -z "${PERCH_BIN:-}" ] || return 0
	say "setup: what Perch needs of Debian"
	"$root/run/setup.sh" >&2 || exit 1
	say "build: into build/release"
	"$root/run/build.sh" release >&2 || exit 1
}

view=""
made=""
finish() {
	local code=$?
	trap '' INT TERM HUP
	[ -z "$view" ] || {
		kill "$view" 2>/dev/null
		wait "$view" 2>/dev/null
	}
	[ ! -d "$dir/pids" ] || {
		say "stop: everything"
		# shellcheck disable=SC2046
		halt TERM $(everyone)
	}
	[ -z "$made" ] || rm -rf "$made"
	exit "$code"
}

demo() {
	trap finish EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	[ -n "$dir" ] || {
		made=$(mktemp -d "${TMPDIR:-/tmp}/perch-demo-XXXXXX") ||
			fail "no temporary directory"
		dir=$made
	}
	build
	traffic=${traffic:-2}
	[ "$engine" != ordered ] || controllers=${controllers:-sim}
	faults=${faults:-goaround=200,lost=100,overstay=50}
	up
	! has_controllers || begin_pilots
	say "ready: in $dir; Ctrl-C stops everything"
	say "  build/release/bin/perch-wallet reserve --port haneda --pad A" \
		"--from +10m --for 5m --config $dir/wallets/alice.conf"
	"$bin/perch-observer" --config "$dir/conf/observer.conf" \
		${seconds:+--seconds "$seconds"} <&0 &
	view=$!
	wait $view
}

# ---- the command line ----

need() {
	[ $# -ge 2 ] || wrong "$1 needs a value"
}

number() {
	[[ $2 =~ ^[0-9]{1,5}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] ||
		wrong "$1 $2: a number from $3 to $4 is needed"
}

matches() {
	[[ $2 =~ ^($3)$ ]] || wrong "$1 $2: $4"
}

while [ $# -gt 0 ]; do
	case $1 in
	--help | -h) usage && exit ;;
	--json) json=--json && shift && continue ;;
	--cuttable) cuttable=1 && shift && continue ;;
	--dir | --nodes | --engine | --topology | --port-base | --traffic | \
		--mine | --miners | --interval | --bits | --controllers | \
		--speed | --faults | --seconds | --neighbours | --seed)
		need "$@"
		;;
	-*) wrong "no such option: $1" ;;
	*) words+=("$1") && shift && continue ;;
	esac
	case $1 in
	--dir) dir=$2 ;;
	--nodes) number "$1" "$2" 1 16 && nodes=$2 ;;
	--engine) engine=$2 ;;
	--topology) topology=$2 ;;
	--port-base) number "$1" "$2" 1024 65535 && port_base=$2 ;;
	--traffic) number "$1" "$2" 0 99999 && traffic=$2 ;;
	--mine) mine=$2 ;;
	--miners) number "$1" "$2" 0 16 && miners=$2 ;;
	--interval) interval=$2 ;;
	--bits) bits=$2 ;;
	--controllers) controllers=$2 ;;
	--speed) number "$1" "$2" 1 1000 && speed=$2 ;;
	--faults) faults=$2 ;;
	--seconds) number "$1" "$2" 1 99999 && seconds=$2 ;;
	--neighbours) number "$1" "$2" 2 15 && neighbours=$2 ;;
	--seed) number "$1" "$2" 0 99999 && seed=$2 ;;
	esac
	shift 2
done
engine=${engine:-ordered} topology=${topology:-star}
case $engine in
ordered | pow | compare) ;;
*) wrong "--engine $engine: there are ordered, pow and compare" ;;
esac
matches --controllers "$controllers" '|sim' "there are simulated ones: sim"
matches --faults "$faults" '|[a-z0-9=,]*' "say goaround=100,lost=5"
matches --mine "$mine" '|always|demand|never' "say always, demand or never"
matches --interval "$interval" '|[1-9][0-9]{0,5}(ms|s|m)' "say it like 500ms"
matches --bits "$bits" '|[0-9a-f]{8}' "eight hexadecimal digits are needed"
case $topology in star | mesh) ;; *) wrong "--topology: star or mesh" ;; esac
verb=${words[0]:-demo}
name=${words[1]:-}
case $verb:${#words[@]} in
demo:0 | up:1 | status:1 | down:1 | kill:2 | stop:2 | restart:2) ;;
cut:3 | delay:4 | heal:1) ;;
cut:1) [ -n "$neighbours" ] || wrong "cut needs two names" ;;
cut:*) wrong "cut needs two names, or --neighbours N" ;;
delay:*) wrong "delay needs two names and milliseconds" ;;
heal:*) wrong "heal takes no name: it heals everything" ;;
up:* | status:* | down:*) wrong "$verb takes no name" ;;
kill:* | stop:* | restart:*) wrong "$verb needs one name" ;;
*) wrong "no such verb: $verb" ;;
esac
quiet=$json

case $verb in
demo) demo ;;
up)
	up
	trap - INT TERM HUP
	say "up: $dir/cluster.json"
	;;
status)
	open_dir
	status
	;;
cut | delay | heal)
	open_dir
	lock_dir
	for name in "${words[@]:1:2}"; do
		[ "$verb:$name" = cut:all ] || node_names | grep -qxF -e "$name" ||
			wrong "no node here is called '$name'; there are:" \
				"$(node_names | tr '\n' ' ')"
	done
	[ "$verb" != delay ] || number delay "${words[3]}" 1 10000
	[ "$verb" = heal ] || [ "${words[1]:-}" != "${words[2]:-.}" ] ||
		wrong "a node has no link to itself"
	set_rules
	;;
esac
case $verb in
kill | stop | restart | down)
	open_dir
	lock_dir
	[ "$verb" != down ] || name=all
	[ "$name" = all ] || check_name "$name"
	# shellcheck disable=SC2046
	[ "$name" != all ] || set -- $(everyone)
	[ "$name" = all ] || set -- "$name"
	;;
esac
case $verb in
kill) halt KILL "$@" ;;
stop | down) halt TERM "$@" ;;
restart)
	halt TERM "$@"
	for name; do
		case $name in
		traffic | pilot_*) ;; # begun by up
		*) start "$name" ;;
		esac
	done
	;;
esac
exit 0
