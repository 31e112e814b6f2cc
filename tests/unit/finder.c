/* tests/unit/finder.c -- where members are looked for: endpoints as people
 * write them, the order of the sources, tables with an end, and names that are
 * resolved without anybody waiting.
 */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock/clock.h"
#include "service/finder.h"
#include "service/log.h"

enum { DEADLINE_MS = 20000 };

static const struct key self = {{1}}, blue = {{2}}, white = {{3}};

static int set_up(void **state)
{
	struct finder *finder = calloc(1, sizeof(*finder));
	assert_non_null(finder);
	finder_init(finder, &self);
	*state = finder;
	return 0;
}

static int tear_down(void **state)
{
	finder_close(*state);
	free(*state);
	return 0;
}

/* ---- endpoints ---- */

static void good_endpoints(void **state)
{
	struct endpoint e;
	char why[120];
	(void)state;
	assert_int_equal(
		endpoint_parse(&e, view_text("tcp://10.0.0.5:7003"), why),
		ERR_OK);
	assert_true(e.numeric && e.port == 7003);
	assert_string_equal(e.host, "10.0.0.5");
	assert_int_equal(
		endpoint_parse(&e, view_text("tcp://a-b.example:1"), why),
		ERR_OK);
	assert_true(!e.numeric && e.port == 1);
	assert_int_equal(
		endpoint_parse_name(&e, view_text("localhost:65535"), why),
		ERR_OK);
	assert_string_equal(e.host, "localhost");
}

static void bad_endpoints(void **state)
{
	static const char *const bad[] = {"", "tcp://", "tcp://:1", "tcp://a",
		"tcp://a:", "tcp://a:0", "tcp://a:65536", "tcp://a:123456",
		"tcp://a:1x", "tcp://a:-1", "tcp://*:7003", "udp://a:1",
		"10.0.0.5:7003", "tcp://10.0.0:7003", "tcp://10.0.0.256:7003",
		"tcp://0.0.0.0:7003", "tcp://255.255.255.255:7003",
		"tcp://224.0.0.1:7003", "tcp://a b:1", "tcp://a/b:1",
		"tcp://[::1]:7003", "tcp://a:1\n", "tcp://-a:1", "tcp://.a:1",
		"tcp://a\x01:1", "ipc:///tmp/x:1", "inproc://a:1",
		"tcp://127.0.0.1;10.0.0.1:1"};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct endpoint e = {.port = 7};
		char why[120] = "";
		enum err err = endpoint_parse(&e, view_text(bad[i]), why);
		if (err != ERR_CONFIG || e.port != 7 || why[0] == '\0')
			fail_msg("\"%s\" passes: %s", bad[i], why);
	}
	char longest[400];
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "tcp://", 6);
	memcpy(longest + 390, ":1", 3);
	struct endpoint e;
	char why[120];
	assert_int_equal(
		endpoint_parse(&e, view_text(longest), why), ERR_CONFIG);
	struct view nul = view_of("tcp://a\0b:1", 11);
	assert_int_equal(endpoint_parse(&e, nul, why), ERR_CONFIG);
}

/* ---- the order ---- */

static void hint(struct finder *finder, enum hint_source source,
	const struct key *key, const char *endpoint, enum err expected)
{
	char why[200];
	enum err err =
		finder_hint(finder, source, key, view_text(endpoint), why);
	if (err != expected)
		fail_msg("%s: %s", endpoint, why);
}

/* The endpoints of a member in the order of trying, as one text. */
static const char *order(const struct finder *finder, const struct key *key,
	const char *name, char out[1000])
{
	size_t cursor = 0, used = 0;
	const struct hint *next;
	out[0] = '\0';
	while ((next = book_next(&finder->book, key, name, &cursor)) != NULL)
		used += (size_t)snprintf(out + used, 1000 - used, "%s %s\n",
			hint_source_name(book_source(cursor)), next->endpoint);
	return out;
}

static void sources_in_order(void **state)
{
	struct finder *finder = *state;
	char out[1000], why[200];
	hint(finder, HINT_LAN, &blue, "tcp://10.0.0.6:1", ERR_OK);
	hint(finder, HINT_PEERS, &blue, "tcp://10.0.0.5:1", ERR_OK);
	hint(finder, HINT_GENESIS, &blue, "tcp://10.0.0.4:1", ERR_OK);
	assert_int_equal(finder_dns(finder, "10.0.0.3:1", why), ERR_OK);
	hint(finder, HINT_SAVED, &blue, "tcp://10.0.0.2:1", ERR_OK);
	assert_int_equal(
		finder_peers(finder, "blue=tcp://10.0.0.1:1", why), ERR_OK);
	hint(finder, HINT_SAVED, &white, "tcp://10.0.0.9:1", ERR_OK);
	assert_string_equal(order(finder, &blue, "blue", out),
		"command tcp://10.0.0.1:1\n"
		"saved tcp://10.0.0.2:1\n"
		"dns tcp://10.0.0.3:1\n"
		"genesis tcp://10.0.0.4:1\n"
		"peers tcp://10.0.0.5:1\n"
		"lan tcp://10.0.0.6:1\n");
	assert_string_equal(order(finder, &white, "white", out),
		"saved tcp://10.0.0.9:1\ndns tcp://10.0.0.3:1\n");
}

static void only_some_sources(void **state)
{
	struct finder *finder = *state;
	char out[1000], why[200];
	assert_int_equal(finder_discover(finder, "saved, peers", why), ERR_OK);
	hint(finder, HINT_GENESIS, &blue, "tcp://10.0.0.4:1", ERR_ROLE);
	hint(finder, HINT_SAVED, &blue, "tcp://10.0.0.2:1", ERR_OK);
	assert_string_equal(
		order(finder, &blue, "blue", out), "saved tcp://10.0.0.2:1\n");
	assert_int_equal(
		finder_discover(finder, "saved gossip", why), ERR_CONFIG);
	assert_non_null(strstr(why, "gossip"));
	assert_non_null(strstr(why, "genesis"));
}

static void of_this_node(void **state)
{
	hint(*state, HINT_PEERS, &self, "tcp://10.0.0.4:1", ERR_ROLE);
}

static void replaced_and_forgotten(void **state)
{
	struct finder *finder = *state;
	char out[1000], why[200];
	hint(finder, HINT_GENESIS, &blue, "tcp://10.0.0.4:1", ERR_OK);
	hint(finder, HINT_GENESIS, &blue, "tcp://10.0.0.4:1", ERR_EXISTS);
	assert_int_equal(finder_replace(finder, HINT_GENESIS, &blue,
				 view_text("tcp://10.0.0.5:1"), why),
		ERR_OK);
	assert_string_equal(order(finder, &blue, "blue", out),
		"genesis tcp://10.0.0.5:1\n");
	finder_forget(finder, HINT_GENESIS, &blue);
	assert_string_equal(order(finder, &blue, "blue", out), "");
}

/* A key says who is meant, whatever he is called. */
static void by_key(void **state)
{
	struct finder *finder = *state;
	char out[1000], why[200];
	assert_int_equal(finder_peers(finder,
				 "02000000000000000000000000000000"
				 "00000000000000000000000000000000"
				 "=tcp://10.0.0.1:1",
				 why),
		ERR_OK);
	assert_string_equal(order(finder, &blue, "anything", out),
		"command tcp://10.0.0.1:1\n");
	assert_string_equal(order(finder, &white, "anything", out), "");
}

static void wrong_settings(void **state)
{
	struct finder *finder = *state;
	char why[200];
	static const struct {
		const char *text, *said;
	} bad[] = {
		{"tcp://127.0.0.1:7003", "listen"},
		{"=tcp://127.0.0.1:7003", "NAME"},
		{"blue=", "tcp://"},
		{"blue=tcp://127.0.0.1", "HOST:PORT"},
		{"a_name_that_is_longer_than_32_bytes=tcp://a:1", "NAME"},
		{"blue=tcp://10.0.0.1:1 blue=tcp://10.0.0.1:1", "twice"},
		{"zz00000000000000000000000000000000000000000000000000000000"
		 "000000=tcp://a:1",
			"NAME"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		enum err err = finder_peers(finder, bad[i].text, why);
		if (err != ERR_CONFIG || strstr(why, bad[i].said) == NULL)
			fail_msg("%s: %s", bad[i].text, why);
	}
	assert_int_equal(finder_dns(finder, "seed", why), ERR_CONFIG);
	assert_int_equal(finder_dns(finder, "a:1 a:1", why), ERR_CONFIG);
}

/* ---- tables with an end ---- */

static void endless_churn(void **state)
{
	struct finder *finder = *state;
	char out[1000], text[64], why[200];
	for (int i = 0; i < 10000; i++) {
		snprintf(text, sizeof(text), "tcp://10.1.%d.%d:1", i / 256,
			i % 256);
		hint(finder, HINT_PEERS, &blue, text, ERR_OK);
	}
	assert_int_equal(finder->book.counts[HINT_PEERS], BOOK_MEMBER_MAX);
	assert_string_equal(order(finder, &blue, "blue", out),
		"peers tcp://10.1.39.12:1\npeers tcp://10.1.39.13:1\n"
		"peers tcp://10.1.39.14:1\npeers tcp://10.1.39.15:1\n");
	/* Many members; then the table is full, and the others' hints stay. */
	enum err err = ERR_OK;
	for (int i = 0; i < 1000 && err != ERR_FULL; i++) {
		struct key key = {{9, (uint8_t)i, (uint8_t)(i >> 8)}};
		err = finder_hint(finder, HINT_PEERS, &key,
			view_text("tcp://10.2.0.1:1"), why);
	}
	assert_int_equal(err, ERR_FULL);
	assert_int_equal(finder->book.counts[HINT_PEERS], BOOK_SOURCE_MAX);
	hint(finder, HINT_SAVED, &white, "tcp://10.0.0.9:1", ERR_OK);
	/* Names, too. */
	err = ERR_OK;
	for (int i = 0; i < 1000 && err != ERR_FULL; i++) {
		struct key key = {{8, (uint8_t)i, (uint8_t)(i >> 8)}};
		err = finder_hint(finder, HINT_LAN, &key,
			view_text("tcp://a.example:1"), why);
	}
	assert_int_equal(err, ERR_FULL);
	assert_int_equal(finder->name_count, FINDER_NAMES_MAX);
	finder_forget(finder, HINT_LAN, &finder->names[7].who.key);
	hint(finder, HINT_SAVED, &white, "tcp://b.example:1", ERR_OK);
}

/* ---- names ---- */

static atomic_int asked;
/* Whoever has it keeps the answers back. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void give(struct resolver_answer *out, const char *address)
{
	snprintf(out->addresses[out->count++], RESOLVER_ADDRESS_SIZE, "%s",
		address);
}

/* What the names of this test mean. */
static void ask(const char *host, struct resolver_answer *out)
{
	pthread_mutex_lock(&gate);
	if (strcmp(host, "seed.example") != 0) {
		out->failed = "no such name";
	} else if (atomic_load(&asked) == 0) {
		give(out, "10.0.0.7");
		give(out, "10.0.0.8");
	} else {
		give(out, "10.0.0.9");
	}
	atomic_fetch_add(&asked, 1);
	pthread_mutex_unlock(&gate);
}

static void work_until(struct finder *finder, time_ms now, int answers)
{
	time_ms deadline = clock_monotonic() + DEADLINE_MS;
	do {
		finder_work(finder, now);
		assert_true(clock_monotonic() < deadline);
	} while (atomic_load(&asked) < answers || finder->asking);
}

static void names_are_followed(void **state)
{
	struct finder *finder = *state;
	char out[1000], why[200];
	finder->ask = ask;
	atomic_store(&asked, 0);
	assert_int_equal(finder_dns(finder, "seed.example:7003", why), ERR_OK);
	work_until(finder, 1, 1);
	assert_string_equal(order(finder, &blue, "blue", out),
		"dns tcp://10.0.0.7:7003\ndns tcp://10.0.0.8:7003\n");
	work_until(finder, 2 + FINDER_AGAIN_MS, 2);
	assert_string_equal(
		order(finder, &blue, "blue", out), "dns tcp://10.0.0.9:7003\n");
}

static void a_name_that_fails(void **state)
{
	struct finder *finder = *state;
	char out[1000];
	finder->ask = ask;
	atomic_store(&asked, 0);
	hint(finder, HINT_GENESIS, &blue, "tcp://nobody.example:1", ERR_OK);
	hint(finder, HINT_GENESIS, &white, "tcp://seed.example:1", ERR_OK);
	work_until(finder, 1, 2);
	assert_string_equal(order(finder, &blue, "blue", out), "");
	assert_true(finder->names[0].failed);
	assert_int_equal(finder->names[0].next_at, 1 + FINDER_RETRY_MS);
}

/* A slow name holds up nobody, and one that is forgotten meanwhile is. */
static void nobody_waits(void **state)
{
	struct finder *finder = *state;
	char out[1000], why[200];
	finder->ask = ask;
	atomic_store(&asked, 0);
	pthread_mutex_lock(&gate);
	hint(finder, HINT_GENESIS, &blue, "tcp://seed.example:1", ERR_OK);
	uint64_t least = UINT64_MAX; /* whoever waits does it each time */
	for (int i = 0; i < 1000; i++) {
		uint64_t begin = clock_monotonic_us();
		finder_work(finder, 1);
		uint64_t took = clock_monotonic_us() - begin;
		least = took < least ? took : least;
	}
	assert_true(least < 1000);
	assert_true(finder->asking);
	assert_int_equal(finder_replace(finder, HINT_GENESIS, &blue,
				 view_text("tcp://10.0.0.1:1"), why),
		ERR_OK);
	pthread_mutex_unlock(&gate);
	work_until(finder, 1, 1);
	assert_string_equal(order(finder, &blue, "blue", out),
		"genesis tcp://10.0.0.1:1\n");
	/* Nor does whoever closes it. */
	pthread_mutex_lock(&gate);
	hint(finder, HINT_GENESIS, &white, "tcp://seed.example:1", ERR_OK);
	finder_work(finder, 1);
	finder_close(finder);
	assert_null(finder->resolver);
	finder->asking = false;
	pthread_mutex_unlock(&gate);
}

static void the_system_knows_localhost(void **state)
{
	struct finder *finder = *state;
	char out[1000], why[200];
	time_ms deadline = clock_monotonic() + DEADLINE_MS;
	assert_int_equal(finder_dns(finder, "localhost:7003", why), ERR_OK);
	while (finder->book.counts[HINT_DNS] == 0) {
		finder_work(finder, 1);
		assert_true(clock_monotonic() < deadline);
	}
	assert_string_equal(order(finder, &blue, "blue", out),
		"dns tcp://127.0.0.1:7003\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_endpoints),
		cmocka_unit_test(bad_endpoints),
		cmocka_unit_test_setup_teardown(
			sources_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			only_some_sources, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			of_this_node, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			replaced_and_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(by_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			wrong_settings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			endless_churn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			names_are_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_name_that_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			nobody_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_system_knows_localhost, set_up, tear_down),
	};
	log_start(LOG_LEVEL_ERROR, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
