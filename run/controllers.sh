#!/bin/bash
# The part of run/cluster.sh that gives each port a controller; not a command of
# its own. Their simulated pads and drones live in one world, DIR/world.
# shellcheck disable=SC2154 # what cluster.sh has set

has_controllers() {
	[ -f "$dir/conf/${ports[0]}.conf" ]
}

# write_controllers CHAIN: their settings, or none of them.
write_controllers() {
	local name
	for name in "${ports[@]}"; do
		rm -f "$dir/conf/$name.conf"
		[ -z "$controllers" ] ||
			cat >"$dir/conf/$name.conf" <<END || unwritable
port = $name
genesis = "$dir/genesis.zpl"
key = "$dir/keys/$name.key"
evaluator = "$(key_of contract)@tcp://127.0.0.1:$((port_base + 3 * nodes))"
chain = $1
driver = $controllers
sim-world = "$dir/world"
sim-speed = ${speed:-20}
${faults:+sim-faults = "$faults"}
END
	done
}

begin_controllers() {
	local name
	has_controllers || return 0
	say "controllers: ${ports[*]}"
	for name in "${ports[@]}"; do start "$name"; done
}

# pilots: alice and bob fly, again and again; bob may displace who is of a lower
# tier, and one in five flights of alice declares an emergency.
begin_pilots() {
	say "pilots: alice and bob fly between the ports"
	start pilot_alice
	start pilot_bob
}
