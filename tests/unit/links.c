/* tests/unit/links.c -- a member is looked for at one address after another,
 * and is who has his key; what members tell has an end.
 */
#include "bus_world.h"

#include <dirent.h>

#include "service/links.h"
#include "service/log.h"

struct bench {
	struct world *world;
	struct keypair self, blue;
	struct bus *bus;
	struct finder *finder;
	struct links links;
	struct hash network;
};

static struct keypair pair_of(uint8_t number)
{
	struct keypair pair;
	uint8_t seed[32] = {100, number};
	keypair_from_seed(&pair, seed);
	return pair;
}

static int begin(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	assert_non_null(bench);
	set_up((void **)&bench->world);
	bench->self = bench->world->pairs[ALICE];
	bench->bus = bench->world->buses[ALICE];
	bench->finder = calloc(1, sizeof(*bench->finder));
	assert_non_null(bench->finder);
	finder_init(bench->finder, &bench->self.key);
	links_init(&bench->links, bench->bus, &bench->self, &bench->network,
		bench->finder);
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;
	links_close(&bench->links);
	finder_close(bench->finder);
	free(bench->finder);
	tear_down((void **)&bench->world);
	free(bench);
	return 0;
}

static struct peer_entry entry_of(const struct keypair *pair, const char *name)
{
	return (struct peer_entry){
		.key = pair->key,
		.name = view_text(name),
		.role = 2,
		.request = view_text("tcp://127.0.0.1:1"),
		.publish = view_text("tcp://127.0.0.1:1"),
		.peer = view_text("tcp://127.0.0.1:1"),
	};
}

static void hint(struct bench *bench, enum hint_source source,
	const struct key *key, const char *endpoint)
{
	char why[200];
	enum err err = finder_hint(
		bench->finder, source, key, view_text(endpoint), why);
	assert_int_equal(err, ERR_OK);
}

static bool works(struct bench *bench)
{
	links_work(&bench->links, clock_monotonic());
	return true;
}

/* A member at the end of the list: before it, nobody, and somebody else. */
static void the_key_decides(void **state)
{
	struct bench *bench = *state;
	struct links *links = &bench->links;
	const struct key *key = &bench->world->pairs[SERVER].key;
	const struct key *other = &bench->world->pairs[BOB].key;
	char right[128], wrong[128];
	struct bus_socket *stranger;
	binds(bench->world, BUS_PEER_SERVER, right);
	enum err err = bus_bind(bench->world->buses[BOB], &stranger,
		BUS_PEER_SERVER, "tcp://127.0.0.1:*", wrong);
	assert_int_equal(err, ERR_OK);
	struct peer_entry entry =
		entry_of(&bench->world->pairs[SERVER], "blue");
	struct peer *peer = links_vouch(links, "a test", other, &entry);
	assert_non_null(peer);
	hint(bench, HINT_COMMAND, key, "tcp://127.0.0.1:1");
	hint(bench, HINT_SAVED, key, wrong);
	hint(bench, HINT_GENESIS, key, right);
	UNTIL(bench->world, works(bench) && peer->reached);
	assert_string_equal(peer->at, right);
	assert_int_equal(peer->source, HINT_GENESIS);
	assert_true(peer->unsaved);
	/* It is heard of only by what it says. */
	assert_int_equal(links_up(links, clock_monotonic()), 0);
	/* A pong counts once, and only for what was asked. */
	UNTIL(bench->world, works(bench) && peer->pinged_us != 0);
	links_pong(links, peer, peer->pinged_us + 1);
	assert_int_equal(peer->rtt_us, 0);
	uint64_t round = peer->pinged_us;
	links_pong(links, peer, round);
	uint64_t rtt = peer->rtt_us;
	assert_true(rtt > 0);
	links_pong(links, peer, round);
	assert_int_equal(peer->rtt_us, rtt);
	UNTIL(bench->world, works(bench) && links_nearest(links) == peer);
}

static void a_member_that_moves(void **state)
{
	struct bench *bench = *state;
	const struct key *key = &bench->world->pairs[SERVER].key;
	char first[128], second[128];
	struct bus_socket *socket = binds(bench->world, BUS_PEER_SERVER, first);
	struct peer_entry entry =
		entry_of(&bench->world->pairs[SERVER], "blue");
	struct peer *peer =
		links_vouch(&bench->links, "a test", &bench->blue.key, &entry);
	hint(bench, HINT_SAVED, key, first);
	UNTIL(bench->world, works(bench) && peer->reached);
	bus_drop(bench->world->buses[SERVER], &socket);
	UNTIL(bench->world, works(bench) && !peer->reached);
	binds(bench->world, BUS_PEER_SERVER, second);
	hint(bench, HINT_PEERS, key, second);
	UNTIL(bench->world, works(bench) && peer->reached);
	assert_string_equal(peer->at, second);
	assert_int_equal(peer->source, HINT_PEERS);
}

/* Without any address it is waited for, and nothing is sent. */
static void no_address(void **state)
{
	struct bench *bench = *state;
	struct keypair pair = pair_of(1);
	struct peer_entry entry = entry_of(&pair, "blue");
	struct peer *peer =
		links_vouch(&bench->links, "a test", &bench->blue.key, &entry);
	for (time_ms now = 1; now < 100000; now += 500)
		links_work(&bench->links, now);
	assert_null(peer->socket);
	assert_true(peer->missed && peer->unsent > 50);
	links_send(&bench->links, &peer->key, MESSAGE_PING, view_of("", 0));
	links_forward(&bench->links, 0, &peer->key, view_of("tx", 2));
	links_flush(&bench->links);
	assert_int_equal(bench->links.sent, 0);
}

static size_t open_files(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;
	assert_non_null(directory);
	while (readdir(directory) != NULL)
		count++;
	closedir(directory);
	return count;
}

/* A member that is away for a day, with several addresses: one socket at a
 * time, and each is closed. */
static void endless_looking(void **state)
{
	struct bench *bench = *state;
	struct keypair pair = pair_of(1);
	struct peer_entry entry = entry_of(&pair, "blue");
	struct peer *peer =
		links_vouch(&bench->links, "a test", &bench->blue.key, &entry);
	hint(bench, HINT_SAVED, &pair.key, "tcp://127.0.0.1:1");
	hint(bench, HINT_GENESIS, &pair.key, "tcp://127.0.0.1:2");
	hint(bench, HINT_PEERS, &pair.key, "tcp://127.0.0.1:3");
	size_t before = open_files();
	for (time_ms now = 1; now < 2000 * 1001; now += 1001) {
		links_work(&bench->links, now);
		UNTIL(bench->world, open_files() < before + 20);
	}
	assert_false(peer->reached);
	links_close(&bench->links);
	UNTIL(bench->world, open_files() <= before);
}

/* ---- what members tell ---- */

static void a_liar_fills_nothing(void **state)
{
	struct bench *bench = *state;
	struct links *links = &bench->links;
	struct keypair honest = pair_of(1), liar = pair_of(2);
	struct peer_entry entry = entry_of(&honest, "honest");
	links_vouch(links, "a test", &bench->blue.key, &entry);
	entry = entry_of(&liar, "liar");
	struct peer *by =
		links_vouch(links, "a test", &bench->blue.key, &entry);
	by->vouched = false; /* as if the ledger had it */
	for (uint8_t i = 0; i < 200; i++) {
		struct keypair pair = pair_of((uint8_t)(20 + i));
		entry = entry_of(&pair, "nobody");
		links_told(links, by, &entry);
	}
	assert_int_equal(links->count, 2 + LINKS_VOUCHED_MAX);
	/* Whom it vouched for vouches for nobody. */
	struct keypair pair = pair_of(19);
	entry = entry_of(&pair, "nobody");
	links_told(links, links->items[links->count - 1], &entry);
	assert_null(links_find(links, &pair.key));
	/* Nor is anybody taken up who is gone, this node, or a bad key. */
	entry.role = 0;
	assert_null(links_vouch(links, "a test", &honest.key, &entry));
	entry = entry_of(&bench->self, "myself");
	assert_null(links_vouch(links, "a test", &honest.key, &entry));
	entry = entry_of(&pair, "nobody");
	memset(&entry.key, 0, sizeof(entry.key));
	assert_null(links_vouch(links, "a test", &honest.key, &entry));
	/* Endless addresses for one member. */
	entry = entry_of(&honest, "honest");
	for (int i = 1; i < 5000; i++) {
		char where[64];
		snprintf(where, sizeof(where), "tcp://10.0.%d.%d:%d", i / 256,
			i % 256, 1 + i);
		entry.peer = view_text(where);
		links_told(links, by, &entry);
	}
	entry.peer = view_text("tcp://*:99999");
	links_told(links, by, &entry);
	assert_true(bench->finder->book.counts[HINT_PEERS] <=
		    BOOK_MEMBER_MAX + 2 + LINKS_VOUCHED_MAX);
}

static void a_member_takes_nobodys_word(void **state)
{
	struct bench *bench = *state;
	struct keypair pair = pair_of(1);
	struct peer_entry entry = entry_of(&pair, "blue");
	bench->links.joining = false;
	assert_null(
		links_vouch(&bench->links, "a test", &bench->blue.key, &entry));
	assert_int_equal(bench->links.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_key_decides, begin, end),
		cmocka_unit_test_setup_teardown(
			a_member_that_moves, begin, end),
		cmocka_unit_test_setup_teardown(no_address, begin, end),
		cmocka_unit_test_setup_teardown(endless_looking, begin, end),
		cmocka_unit_test_setup_teardown(
			a_liar_fills_nothing, begin, end),
		cmocka_unit_test_setup_teardown(
			a_member_takes_nobodys_word, begin, end),
	};
	log_start(LOG_LEVEL_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
