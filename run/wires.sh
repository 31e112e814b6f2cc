#!/bin/bash
# The part of run/cluster.sh that cuts, slows and heals the links between nodes;
# not a command of its own. Each node reaches each other one at an address that
# only this pair uses, behind which perch-relay (tests/relay) passes the bytes
# on; DIR/relay/rules says what holds.
# shellcheck disable=SC2154 # what cluster.sh has set

# ---- up ----

# Where A reaches B over the wire that can be cut: each pair has an address of
# its own, all on one port.
wire() {
	echo "127.77.$1.$2:$((port_base + 3 * nodes + 1))"
}

# What a node must know to use its wires and nothing else.
write_wires() {
	local i=0 self=-1 name list=""
	for name in $(node_names); do
		[ "$name" != "$1" ] || self=$i
		i=$((i + 1))
	done
	i=0
	for name in $(node_names); do
		[ $i = $self ] || list+=" $name=tcp://$(wire $self $i)"
		i=$((i + 1))
	done
	echo "discover = command"
	[ -z "$list" ] || echo "peer = \"${list# }\""
}

# The wires of all nodes, for perch-relay.
write_links() {
	local i=0 j a b
	for a in $(node_names); do
		j=0
		for b in $(node_names); do
			[ $i = $j ] || echo "$a $b $(wire $i $j)" \
				"127.0.0.1:$((port_base + 3 * j + 2))"
			j=$((j + 1))
		done
		i=$((i + 1))
	done
}

# ---- cut, delay, heal ----

# A random net, as pairs to cut: a ring, then as many chords as fit.
random_cuts() {
	# shellcheck disable=SC2046
	awk -v most="$neighbours" -v seed="${seed:-$RANDOM}" 'BEGIN {
		srand(seed)
		n = ARGC - 1
		for (i = 1; i <= n; i++) at[i] = i
		for (i = n; i > 1; i--) {
			j = int(rand() * i) + 1
			t = at[i]; at[i] = at[j]; at[j] = t
		}
		for (i = 1; i <= n; i++) join(at[i], at[i % n + 1])
		for (tries = 0; tries < 50 * n; tries++)
			join(int(rand() * n) + 1, int(rand() * n) + 1)
		for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
			if (!((i, j) in net)) print "cut", ARGV[i], ARGV[j]
	}
	function join(a, b) {
		if (a == b || (a, b) in net) return
		if (links[a] >= most || links[b] >= most) return
		net[a, b] = net[b, a] = 1
		links[a]++; links[b]++
	}' $(node_names)
}

new_rules() {
	local other
	case $verb in
	delay) echo "delay ${words[1]} ${words[2]} ${words[3]}" ;;
	cut)
		[ -z "$neighbours" ] || {
			random_cuts
			return
		}
		for other in $(node_names); do
			[ "${words[2]}" != all ] && [ "$other" != "${words[2]}" ] ||
				[ "$other" = "${words[1]}" ] ||
				echo "cut ${words[1]} $other"
		done
		;;
	esac
}

# What holds from now on; returns once it does.
set_rules() {
	local pid rules="$dir/relay/rules" number end=$((SECONDS + STOP_S))
	pid=$(pid_of relay) || fail "no link of this cluster can be cut; it" \
		"was not started with up --cuttable, or the relay ended"
	number=$(head -n 1 "$rules" 2>/dev/null)
	number=$((${number:-0} + 1))
	{
		echo $number
		[ "$verb" = heal ] || tail -n +2 "$rules" 2>/dev/null
		new_rules
	} | awk '!seen[$0]++' >"$rules.new" && mv "$rules.new" "$rules" ||
		unwritable
	kill -HUP "$pid"
	until [ "$(cat "$dir/relay/applied" 2>/dev/null)" = $number ]; do
		[ $SECONDS -lt $end ] || fail "the relay does not answer; see" \
			"$dir/logs/relay.log"
		sleep 0.02
	done
}

# What status says of it.
rules_text() {
	[ ! -f "$dir/relay/rules" ] || tail -n +2 "$dir/relay/rules" |
		sed 's/^delay \(.*\) \(.*\) \(.*\)/slow: \1 - \2, \3 ms/
			s/^cut \(.*\) \(.*\)/cut: \1 - \2/'
}

rules_json() {
	[ ! -f "$dir/relay/rules" ] || sed -n \
		's/^cut \(.*\) \(.*\)/["\1", "\2"]/p' "$dir/relay/rules" |
		paste -sd, -
}
