#!/bin/bash
# The part of run/cluster.sh that writes the files of a cluster: keys, genesis,
# settings, and what there is as JSON; not a command of its own.
# shellcheck disable=SC2154 # what cluster.sh has set

# Make the key of NAME if it is not there.
make_key() {
	[ -f "$dir/keys/$1.key" ] ||
		"$bin/perch-wallet" key new --out "$dir/keys/$1.key" \
			>/dev/null || fail "no key for $1"
}

# key_of NAME [key|curve]: a public key as hex.
key_of() {
	"$bin/perch-wallet" key show --key "$dir/keys/$1.key" --json |
		sed 's/.*"'"${2:-key}"'": *"\([0-9a-f]*\)".*/\1/'
}

write_port() {
	local name=$1 pad
	shift
	echo "    $name"
	echo "        controller = $(key_of "$name")"
	echo "        pads"
	for pad; do echo "            $pad"; done
}

write_rules() {
	echo "pow"
	echo "    interval = ${interval:-2s}"
	echo "    bits = ${bits:-1e010000}"
}

write_genesis() {
	local name port=$port_base
	echo "#   The network of this cluster; its hash is the network id."
	echo "perch"
	echo "    name = demo"
	echo "    time = $(date -u +%Y-%m-%dT%H:%M:%SZ)"
	echo "    observers = anyone"
	[ "$engine" = ordered ] || write_rules
	echo "authority"
	echo "    authority"
	echo "        key = $(key_of authority)"
	echo "nodes"
	for name in $(node_names); do
		echo "    $name"
		echo "        key = $(key_of "$name")"
		echo "        request = \"tcp://127.0.0.1:$port\""
		echo "        publish = \"tcp://127.0.0.1:$((port + 1))\""
		echo "        peer = \"tcp://127.0.0.1:$((port + 2))\""
		port=$((port + 3))
	done
	echo "ports"
	write_port haneda A B
	write_port kansai A B C
	write_port naha A
	echo "operators"
	for name in alice bob; do
		echo "    $name"
		echo "        key = $(key_of $name)"
		echo "        quota = 100000"
	done
	echo "        tier = 3"
	echo "observers"
	echo "    contract"
	echo "        key = $(key_of contract)"
}

write_json() {
	local name port=$port_base comma=""
	echo "{\"network\": \"$(sha_of_network)\", \"engine\": \"$engine\","
	echo " \"nodes\": ["
	for name in $(node_names); do
		printf '%s  {"name": "%s", "key": "%s",\n' "$comma" "$name" \
			"$(key_of "$name")"
		printf '   "request": "tcp://127.0.0.1:%d",\n' "$port"
		printf '   "publish": "tcp://127.0.0.1:%d",\n' $((port + 1))
		printf '   "curve": "%s"}' "$(key_of "$name" curve)"
		comma=$',\n'
		port=$((port + 3))
	done
	echo "],"
	echo " \"evaluator\": {\"key\": \"$(key_of contract)\","
	echo "   \"request\": \"tcp://127.0.0.1:$port\"},"
	printf ' "ports": [{"name": "haneda", "pads": ["A", "B"],\n'
	printf '   "controller": "%s"},\n' "$(key_of haneda)"
	printf '  {"name": "kansai", "pads": ["A", "B", "C"],\n'
	printf '   "controller": "%s"},\n' "$(key_of kansai)"
	printf '  {"name": "naha", "pads": ["A"],\n'
	printf '   "controller": "%s"}],\n' "$(key_of naha)"
	echo " \"wallets\": [\"alice\", \"bob\"],"
	echo " \"genesis\": \"$dir/genesis.zpl\"}"
}

# The network id is the BLAKE2b-256 of the genesis file.
sha_of_network() {
	b2sum -l 256 <"$dir/genesis.zpl" | cut -d' ' -f1
}

write_confs() {
	local name chain=ordered timeout=10s
	[ "$engine" != pow ] || chain=pow timeout=2m # final takes blocks
	for name in $(node_names); do
		cat >"$dir/conf/$name.conf" <<END || unwritable
genesis = "$dir/genesis.zpl"
key = "$dir/keys/$name.key"
data = "$dir/data/$name"
engine = $engine
topology = $topology
mine = ${mine:-always}
miners = ${miners:-1}
END
		[ -z "$cuttable" ] || write_wires "$name" \
			>>"$dir/conf/$name.conf" || unwritable
	done
	cat >"$dir/conf/contract.conf" <<END || unwritable
genesis = "$dir/genesis.zpl"
key = "$dir/keys/contract.key"
data = "$dir/data/contract"
request = "tcp://127.0.0.1:$((port_base + 3 * nodes))"
chain = $chain
END
	cat >"$dir/conf/observer.conf" <<END || unwritable
genesis = "$dir/genesis.zpl"
evaluator = "tcp://127.0.0.1:$((port_base + 3 * nodes))"
evaluator-key = $(key_of contract)
chain = $chain
END
	write_controllers $chain
	for name in alice bob authority "${ports[@]}"; do
		cat >"$dir/wallets/$name.conf" <<END || unwritable
genesis = "$dir/genesis.zpl"
key = "$dir/keys/$name.key"
evaluator = "$(key_of contract)@tcp://127.0.0.1:$((port_base + 3 * nodes))"
chain = $chain
timeout = $timeout
END
	done
}

# A new cluster's files, all of them or none: the last one makes it one.
make_cluster() {
	local name
	mkdir -p "$dir"/{keys,conf,data,wallets,logs,pids} ||
		unwritable
	chmod 700 "$dir/keys"
	for name in $(node_names) contract alice bob authority \
		"${ports[@]}"; do
		make_key "$name"
	done
	write_genesis >"$dir/genesis.zpl" &&
		write_json >"$dir/cluster.json" &&
		! grep -q 'key = $' "$dir/genesis.zpl" &&
		echo "$nodes $port_base" >"$dir/cluster.made" || unwritable
}
