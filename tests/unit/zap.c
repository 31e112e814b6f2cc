/* tests/unit/zap.c -- the decision whom to let in apart from any socket, the
 * table of known keys, and the settings of every kind of socket.
 */
#include "bus_world.h"

#include "base/random.h"

static int64_t setting_of(void *socket, int option)
{
	int narrow = 0;
	int64_t wide = 0;
	bool is_wide = option == ZMQ_MAXMSGSIZE;
	size_t size = is_wide ? sizeof(wide) : sizeof(narrow);
	void *value = is_wide ? (void *)&wide : &narrow;

	assert_int_equal(zmq_getsockopt(socket, option, value, &size), 0);
	return is_wide ? wide : narrow;
}

static void test_settings(void **state)
{
	struct world *world = *state;
	static const struct {
		int option;
		int64_t value;
	} everywhere[] = {{ZMQ_HANDSHAKE_IVL, 1000}, {ZMQ_HEARTBEAT_IVL, 2000},
		{ZMQ_HEARTBEAT_TIMEOUT, 6000}, {ZMQ_HEARTBEAT_TTL, 6000},
		{ZMQ_TCP_MAXRT, 10000}, {ZMQ_SNDHWM, 1000}, {ZMQ_RCVHWM, 1000},
		{ZMQ_SNDTIMEO, 0}, {ZMQ_RCVTIMEO, 0},
		{ZMQ_MECHANISM, ZMQ_CURVE}};
	struct bus *bus = world->buses[SERVER];
	uint8_t curve[32];
	enum err err = curve_from_key(curve, &world->pairs[ALICE].key);

	assert_int_equal(err, ERR_OK);
	for (enum bus_kind kind = BUS_REQUEST_SERVER; kind < BUS_PAIR; kind++) {
		bool server = zap_domain(kind) != NULL;
		bool peer = kind == BUS_PEER_CLIENT;
		void *socket =
			settings_socket(bus, kind, server ? NULL : curve);
		for (size_t i = 0; i < 10; i++)
			assert_int_equal(
				setting_of(socket, everywhere[i].option),
				everywhere[i].value);
		assert_int_equal(setting_of(socket, ZMQ_MAXMSGSIZE),
			kind == BUS_PUBLISH ? 512 : 65536 + 33);
		assert_int_equal(
			setting_of(socket, ZMQ_LINGER), server ? 1000 : 0);
		assert_int_equal(
			setting_of(socket, ZMQ_CURVE_SERVER), server ? 1 : 0);
		if (server)
			assert_int_equal(setting_of(socket, ZMQ_BACKLOG), 512);
		if (kind == BUS_REQUEST_CLIENT || peer)
			assert_int_equal(setting_of(socket, ZMQ_IMMEDIATE), 1);
		if (!server) {
			assert_int_equal(
				setting_of(socket, ZMQ_CONNECT_TIMEOUT), 3000);
			assert_int_equal(
				setting_of(socket, ZMQ_RECONNECT_IVL), 200);
			assert_int_equal(
				setting_of(socket, ZMQ_RECONNECT_IVL_MAX),
				peer ? 1000 : 5000);
		}
		zmq_close(socket);
	}
}

static void test_zap_decide(void **state)
{
	struct world *world = *state;
	struct bus *bus = world->buses[SERVER];
	uint8_t alice[32], bob[32];
	struct zap_answer answer;
	struct key sender;
	struct view good[] = {view_text("1.0"), view_text("id"),
		view_text("peer"), view_text("127.0.0.1"), view_text(""),
		view_text("CURVE"), view_of(alice, 32), view_text("extra")};
	struct view bad[8];
	static const struct {
		size_t count, index;
		const char *value, *status, *text;
	} cases[] = {
		{7, 0, "1.1", "500", "malformed"},
		{7, 0, "", "500", "malformed"},
		{5, 4, "", "500", "malformed"},
		{2, 1, "other", "500", "malformed"},
		{7, 2, "pair", "400", "domain"},
		{7, 2, "", "400", "domain"},
		{7, 2, "peers", "400", "domain"},
		{6, 5, "NULL", "400", "mechanism"},
		{8, 5, "PLAIN", "400", "mechanism"},
		{7, 5, "curve", "400", "mechanism"},
		{7, 6, "short", "400", "credentials"},
		{6, 5, "CURVE", "400", "credentials"},
		{8, 7, "extra", "400", "credentials"},
		{1, 0, "1.0", NULL, NULL},
		{0, 0, "1.0", NULL, NULL},
	};

	assert_int_equal(curve_from_key(alice, &world->pairs[ALICE].key), 0);
	assert_int_equal(curve_from_key(bob, &world->pairs[BOB].key), 0);
	zap_decide(&answer, good, 7, &bus->policy);
	assert_string_equal(answer.status, "200");
	assert_true(view_equal(answer.id, view_text("id")));
	assert_true(zap_sender(&sender, answer.user, &bus->known));
	assert_true(key_equal(&sender, &world->pairs[ALICE].key));
	assert_false(zap_sender(&sender, "curve:", &bus->known));
	assert_false(zap_sender(&sender, "", &bus->known));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(bad, good, sizeof(good));
		bad[cases[i].index] = view_text(cases[i].value);
		zap_decide(&answer, bad, cases[i].count, &bus->policy);
		if (cases[i].status == NULL) {
			assert_null(answer.status);
			continue;
		}
		assert_string_equal(answer.status, cases[i].status);
		assert_string_equal(answer.text, cases[i].text);
		assert_string_equal(answer.user, "");
	}
	good[6] = view_of(bob, 32);
	zap_decide(&answer, good, 7, &bus->policy);
	assert_string_equal(answer.status, "400");
	assert_string_equal(answer.text, "key");
	world->admits_strangers = true; /* on the request socket only */
	zap_decide(&answer, good, 7, &bus->policy);
	assert_string_equal(answer.status, "400");
	good[2] = view_text("request");
	zap_decide(&answer, good, 7, &bus->policy);
	assert_string_equal(answer.status, "200");
	assert_memory_equal(answer.user, "curve:", 6);
	assert_false(zap_sender(&sender, answer.user, &bus->known));
}

/* Whatever the frames, nobody but Alice gets in. */
static void test_zap_random(void **state)
{
	struct world *world = *state;
	struct bus *bus = world->buses[SERVER];
	struct random random;
	uint8_t alice[32], junk[64];
	struct view good[] = {view_text("1.0"), view_text("1"),
		view_text("peer"), view_text(""), view_text(""),
		view_text("CURVE"), view_of(alice, 32), view_text("")};
	size_t admitted = 0;

	assert_int_equal(curve_from_key(alice, &world->pairs[ALICE].key), 0);
	random_seed(&random, 1);
	for (size_t i = 0; i < 200000; i++) {
		struct view frames[8];
		struct zap_answer answer;
		size_t count = random_below(&random, 9);
		memcpy(frames, good, sizeof(good));
		for (size_t j = 0; j < sizeof(junk); j++)
			junk[j] = (uint8_t)random_next(&random);
		if (random_chance(&random, 800))
			frames[random_below(&random, 8)] = view_of(
				junk, random_below(&random, sizeof(junk)));
		zap_decide(&answer, frames, count, &bus->policy);
		if (answer.status == NULL || answer.status[0] != '2')
			continue;
		admitted++;
		assert_int_equal(count, 7);
		assert_true(view_equal(frames[6], good[6]));
	}
	assert_true(admitted > 0);
}

static void test_known(void **state)
{
	struct known known = {0};
	struct random random;
	uint8_t curve[KEY_SIZE] = {0};
	struct key key = {{0}};

	(void)state;
	assert_null(known_find(&known, curve));
	random_seed(&random, 7);
	for (uint32_t i = 0; i < BUS_KNOWN_MAX; i++) {
		uint64_t draw = random_next(&random) & ~UINT64_C(0xff);
		memcpy(curve, &draw, sizeof(draw)); /* collides often */
		memcpy(curve + 8, &i, sizeof(i));
		memcpy(key.bytes, &i, sizeof(i));
		assert_int_equal(known_add(&known, curve, &key), ERR_OK);
		assert_int_equal(known_add(&known, curve, &key), ERR_OK);
	}
	assert_true(key_equal(known_find(&known, curve), &key));
	curve[31] = 1;
	assert_null(known_find(&known, curve));
	assert_int_equal(known_add(&known, curve, &key), ERR_FULL);
	random_seed(&random, 7);
	for (uint32_t i = 0; i < BUS_KNOWN_MAX; i++) {
		uint64_t draw = random_next(&random) & ~UINT64_C(0xff);
		memset(curve, 0, sizeof(curve));
		memcpy(curve, &draw, sizeof(draw));
		memcpy(curve + 8, &i, sizeof(i));
		assert_memory_equal(known_find(&known, curve), &i, sizeof(i));
	}
	known_free(&known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_settings),
		TEST(test_zap_decide),
		TEST(test_zap_random),
		cmocka_unit_test(test_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
