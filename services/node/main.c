/* node/main.c -- perch-node: orders, validates, stores, publishes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "clock/clock.h"
#include "run.h"
#include "sources.h"
#include "service/limits.h"
#include "service/log.h"
#include "service/options.h"
#include "service/signals.h"
#include "store/genesis.h"
#include "store/keyfile.h"

static struct setting settings[] = {
	{"genesis", "FILE", "the network: its nodes, ports and parties", NULL,
		true},
	{"key", "FILE", "this node's key file", NULL, true},
	{"data", "DIR", "where blocks and state are kept", NULL, true},
	{"engine", "NAME", "ordered, pow, or compare: both side by side",
		"ordered", false},
	{"topology", "star|mesh",
		"transactions go to the leader only, or to every node", "star",
		false},
	{"mine", "WHEN",
		"pow: always (default), demand: while transactions wait, or "
		"never",
		"always", false},
	{"miners", "N", "pow: threads that mine, 0 to 16 (default 1)", "1",
		false},
	{"request", "ENDPOINT",
		"answer requests here instead of at the genesis' endpoint",
		NULL, false},
	{"publish", "ENDPOINT",
		"publish here instead of at the genesis' endpoint", NULL,
		false},
	{"listen", "ENDPOINT",
		"hear other nodes here instead of at the genesis' endpoint "
		"(peer)",
		NULL, false},
	{"peer", "NAME=ENDPOINT...",
		"look for another node there first; may be given for each",
		NULL, false},
	{"dns", "HOST:PORT...",
		"look for the other nodes at every address of this name", NULL,
		false},
	{"beacon", "PORT",
		"find the other nodes of this local network, by broadcasts to "
		"this UDP port; 0: no (default)",
		"0", false},
	{"beacon-interface", "NAME",
		"of the local network (default: the first that broadcasts)",
		NULL, false},
	{"discover", "SOURCE...",
		"where addresses of other nodes are taken from: any of "
		"command, saved, dns, genesis, peers and lan (default: all)",
		NULL, false},
	{"election", "MS", "shortest election timeout (default 500)", "500",
		false},
	{"heartbeat", "MS", "a leader's heartbeat (default 100)", "100", false},
	{"skew", "MS",
		"how far a block's time may be ahead of this clock (default "
		"10000)",
		"10000", false},
	{"keep-blocks", "N",
		"keep at least so many blocks; 0: all, for ever (default)", "0",
		false},
	{"rate", "N",
		"requests a second of one key, then it is told to wait; 0: no "
		"limit (default 20000, more than a node orders)",
		"20000", false},
	{"disk-limit", "PERCENT",
		"take nothing new when so much of the disk is used (default "
		"90)",
		"90", false},
	{"log-level", "LEVEL", "debug, info (default), warn or error", "info",
		false},
	{"json", NULL, "log lines are JSON objects", NULL, false},
	{0},
};

static struct options options = {
	.program = "perch-node",
	.doc = "A node of a Perch network: orders, validates, stores and "
	       "publishes reservations of landing pads.",
	.examples =
		"Examples:\n"
		"  perch-node --config node.conf\n"
		"  perch-node --genesis demo.zpl --key blue.key --data blue/\n"
		"  perch-node --config node.conf --peer "
		"white_noise=tcp://10.0.0.5:7003\n"
		"A passphrase of the key file is taken from "
		"PERCH_PASSPHRASE.\n",
	.settings = settings,
	.has_config = true,
};

/* Whoever may connect: members to the peer socket; to the others those whom
 * the ledger knows, and anyone if the genesis says so. */
static bool admits(void *context, enum bus_kind kind, const struct key *known)
{
	struct node *node = context;
	struct record_node member;
	struct record_party party;
	if (node->lane_count == 0)
		return false;
	const struct state *state = chain_state(
		replica_chain(driver_replica(node->lanes[0].driver)));
	if (kind == BUS_PEER_SERVER)
		return known != NULL &&
		       ((state_node(state, known, &member) &&
				member.role != 0) ||
			       links_find(driver_links(node->lanes[0].driver),
				       known) != NULL);
	return node->genesis->observers_anyone ||
	       (known != NULL && (state_party(state, known, &party) ||
					 state_node(state, known, &member)));
}

static void know_everybody(struct node *node)
{
	const struct genesis *genesis = node->genesis;
	enum err err = ERR_OK;
	for (size_t i = 0; i < genesis->node_count && err == ERR_OK; i++)
		err = bus_know(node->bus, &genesis->nodes[i].key);
	for (size_t i = 0; i < genesis->party_count && err == ERR_OK; i++)
		err = bus_know(node->bus, &genesis->parties[i].key);
	if (err != ERR_OK)
		log_warn("genesis", "a key in it cannot be used: %s",
			err_text(err));
}

static const struct record_node *find_self(const struct node *node)
{
	for (size_t i = 0; i < node->genesis->node_count; i++) {
		const struct record_node *record = &node->genesis->nodes[i];
		if (key_equal(&record->key, &node->self->key))
			return record;
	}
	return NULL;
}

/* The setting, else the genesis' endpoint. */
static const char *endpoint(
	const char *name, struct view genesis, char room[129])
{
	const char *text = options_text(&options, name);
	if (text != NULL)
		return text;
	if (genesis.size == 0)
		options_refuse(&options, name,
			"this key is not in the genesis, so its endpoints "
			"must be given");
	CHECK(genesis.size <= 128);
	memcpy(room, genesis.data, genesis.size);
	room[genesis.size] = '\0';
	return room;
}

static bool bind_one(struct node *node, struct bus_socket **socket,
	enum bus_kind kind, const char *where)
{
	char bound[128];
	enum err err = bus_bind(node->bus, socket, kind, where, bound);
	if (err != ERR_OK)
		log_error("node", "cannot listen on %s: %s", where,
			bus_bind_text(err));
	return err == ERR_OK;
}

static bool is_mesh(void)
{
	const char *topology = options_text(&options, "topology");
	bool mesh = strcmp(topology, "mesh") == 0;
	if (!mesh && strcmp(topology, "star") != 0)
		options_refuse(&options, "topology", "say star or mesh");
	return mesh;
}

static enum replica_mine read_mine(void)
{
	static const char *const words[] = {"always", "demand", "never"};
	const char *word = options_text(&options, "mine");
	for (int i = 0; i < 3; i++) {
		if (strcmp(words[i], word) == 0)
			return (enum replica_mine)i;
	}
	options_refuse(&options, "mine", "say always, demand or never");
}

/* One more chain of this node. Side by side, each engine has a directory of
 * its own and the first one's links. */
static bool open_lane(struct node *node, const struct engine_ops *engine,
	const char *directory, const char *peer)
{
	char why[300];
	struct lane *lane = &node->lanes[node->lane_count];
	lane->node = node;
	lane->chain = engine->chain;
	lane->mines = engine->mines;
	struct driver_config config = {
		.engine = engine,
		.genesis = node->genesis,
		.self = node->self,
		.bus = node->bus,
		.directory = directory,
		.peer_endpoint = peer,
		.finder = &node->finder,
		.elder = node->lane_count == 0 ? NULL : node->lanes[0].driver,
		.mesh = is_mesh(),
		.mine = read_mine(),
		.miners = options_number(
			&options, "miners", 0, MINER_THREADS_MAX),
		.election_ms = (time_ms)options_number(
			&options, "election", 10, 60000),
		.heartbeat_ms = (time_ms)options_number(
			&options, "heartbeat", 1, 10000),
		.skew_ms =
			(time_ms)options_number(&options, "skew", 1, 3600000),
		.keep_blocks =
			options_number(&options, "keep-blocks", 0, UINT32_MAX),
		.disk_percent =
			(int)options_number(&options, "disk-limit", 1, 100),
	};
	node_hooks(lane, &config);
	mkdir(directory, 0700);
	enum err err = driver_open(&lane->driver, &config, why);
	if (err != ERR_OK)
		log_error("node", "cannot start: %s", why);
	else
		node->lane_count++;
	return err == ERR_OK;
}

static const struct engine_ops *find_engine(const char *name)
{
	const struct engine_ops *engine = engine_find(name);
	if (engine == NULL)
		options_refuse(&options, "engine", "no such engine");
	return engine;
}

static bool open_lanes(struct node *node, const char *name, const char *peer)
{
	static const char *const both[LANES_MAX] = {"ordered", "pow"};
	static char directories[LANES_MAX][4096]; /* for the drivers' life */
	const char *data = options_text(&options, "data");
	if (strcmp(name, "compare") != 0)
		return open_lane(node, find_engine(name), data, peer);
	mkdir(data, 0700);
	for (size_t i = 0; i < LANES_MAX; i++) {
		snprintf(directories[i], sizeof(directories[i]), "%s/%s", data,
			both[i]);
		if (!open_lane(
			    node, find_engine(both[i]), directories[i], peer))
			return false;
	}
	return true;
}

static void close_lanes(struct node *node)
{
	while (node->lane_count > 0)
		driver_close(&node->lanes[--node->lane_count].driver);
}

static int serve(struct node *node, const char *engine, int fd)
{
	char room[3][129];
	struct record_node none = {0};
	const struct record_node *self = find_self(node);
	if (self == NULL)
		self = &none;
	const char *request = endpoint("request", self->request, room[0]);
	const char *publish = endpoint("publish", self->publish, room[1]);
	const char *peer = endpoint("listen", self->peer, room[2]);
	char name[33] = "standby";
	if (self->name.size > 0)
		snprintf(name, sizeof(name), "%.*s", (int)self->name.size,
			(const char *)self->name.data);
	node->name = name;
	bus_set_admission(node->bus, admits, node);
	know_everybody(node);
	int code = 1;
	if (open_lanes(node, engine, peer) &&
		bind_one(node, &node->server, BUS_REQUEST_SERVER, request) &&
		bind_one(node, &node->publisher.socket, BUS_PUBLISH, publish)) {
		publish_topics(node);
		log_info("node", "%s of %s answers on %s", name,
			node->genesis->name, request);
		sources_beacon(node, &options, peer);
		code = node_run(node, fd);
	}
	close_lanes(node);
	return code;
}

/* The same process, so that whoever watches over it sees none end. */
static void begin_again(char **argv)
{
	execv("/proc/self/exe", argv);
	log_error("node", "cannot begin again: %s. Start it", strerror(errno));
}

int main(int argc, char **argv)
{
	static struct genesis genesis;
	static struct node node;
	static struct keypair pair;
	char why[300];
	options_read(&options, argc, argv);
	options_start_log(&options);
	limits_set();
	crypto_start();
	int fd = signals_open();
	const char *engine = options_text(&options, "engine");
	if (strcmp(engine, "compare") != 0)
		find_engine(engine);
	if (genesis_load(&genesis, options_text(&options, "genesis"), why) !=
			ERR_OK ||
		keyfile_load(options_text(&options, "key"),
			getenv("PERCH_PASSPHRASE"), &pair, why) != ERR_OK) {
		fprintf(stderr, "perch-node: %s\n", why);
		return EXIT_USAGE;
	}
	node.self = &pair;
	node.genesis = &genesis;
	finder_init(&node.finder, &pair.key);
	sources_read(&node.finder, &options);
	node.started_at = clock_monotonic();
	node.publisher.boot = clock_random();
	node.read_next = 1;
	node.waiters = waiters_new();
	rate_init(&node.rate, (uint32_t)options_number(&options, "rate", 0,
				      RATE_PER_SECOND_MAX));
	if (bus_open(&node.bus, &pair) != ERR_OK) {
		fprintf(stderr, "perch-node: cannot open sockets\n");
		return 1;
	}
	int code = serve(&node, engine, fd);
	finder_close(&node.finder);
	bus_close(&node.bus);
	if (options_number(&options, "beacon", 0, UINT16_MAX) != 0)
		beacon_end();
	waiters_free(&node.waiters);
	if (node.again)
		begin_again(argv);
	return code;
}
