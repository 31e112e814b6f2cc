/* tests/unit/genesis.c -- the file that is a network: what it means, what is
 * refused and how that is said, and bytes that nobody would write.
 */
#include "unit.h"

#include <string.h>

#include "base/hex.h"
#include "base/random.h"
#include "directory.h"
#include "store/genesis.h"

enum { TEXT_MAX = 8192 };

static char top[PATH_SIZE];
static struct genesis genesis;

/* $0 to $9 stand for ten keys. */
static const char good[] = "# a comment\n"
			   "perch\n"
			   "    name = demo\n"
			   "    time = 2026-01-31T08:30:00Z\n"
			   "    observers = enrolled\n"
			   "    signers = 1\n"
			   "pow\n"
			   "    interval = 10s\n"
			   "    bits = 1d00ffff\n"
			   "    retarget = window\n"
			   "    half-life = 1h\n"
			   "    depth = 12\n"
			   "authority\n"
			   "    city\n"
			   "        key = $0\n"
			   "nodes\n"
			   "    blue\n"
			   "        key = $1\n"
			   "        request = \"tcp://127.0.0.1:7001\"\n"
			   "        publish = \"tcp://127.0.0.1:7002\"\n"
			   "        peer = \"tcp://127.0.0.1:7003\"\n"
			   "    white\n"
			   "        key = $2  # rests\n"
			   "        role = standby\n"
			   "        request = tcp://a.example:1\n"
			   "        publish = tcp://a.example:2\n"
			   "        peer = tcp://a.example:65535\n"
			   "ports\n"
			   "    haneda\n"
			   "        controller = $3\n"
			   "        lead = 30s\n"
			   "        before = 250ms\n"
			   "        after = 1m\n"
			   "        duration = 2h\n"
			   "        hold = 3m\n"
			   "        no-show = 4m\n"
			   "        pads\n"
			   "            A\n"
			   "                group = north\n"
			   "            B\n"
			   "                group = north\n"
			   "            C\n"
			   "    naha\n"
			   "        controller = $4\n"
			   "        pads\n"
			   "            A\n"
			   "operators\n"
			   "    alice\n"
			   "        key = $5\n"
			   "        quota = 7\n"
			   "        tier = 3\n"
			   "    bob\n"
			   "        key = $6\n"
			   "observers\n"
			   "    eve\n"
			   "        key = $7\n";

static struct key key_of(unsigned number)
{
	uint8_t seed[32] = {(uint8_t)(number + 1)};
	struct keypair pair;

	keypair_from_seed(&pair, seed);
	return pair.key;
}

/* template with keys for $0..$9 */
static void fill_in(char out[TEXT_MAX], const char *template)
{
	size_t used = 0;

	for (; *template; template ++) {
		struct key key;

		CHECK(used + 65 < TEXT_MAX);
		if (*template != '$') {
			out[used++] = *template;
			continue;
		}
		key = key_of((unsigned)(*++template - '0'));
		hex_encode(out + used, view_of(key.bytes, KEY_SIZE));
		used += 64;
	}
	out[used] = '\0';
}

static enum err load_bytes(struct view bytes, char why[GENESIS_WHY])
{
	char path[PATH_SIZE];
	FILE *file = fopen(path_of(path, top, "genesis.zpl"), "wb");

	CHECK(file);
	if (bytes.size)
		CHECK(fwrite(bytes.data, bytes.size, 1, file) == 1);
	CHECK(fclose(file) == 0);
	return genesis_load(&genesis, path, why);
}

static enum err load_template(const char *template, char why[GENESIS_WHY])
{
	char text[TEXT_MAX];

	fill_in(text, template);
	return load_bytes(view_text(text), why);
}

static void assert_text(struct view got, const char *want)
{
	assert_int_equal(got.size, strlen(want));
	assert_memory_equal(got.data, want, got.size);
}

static void assert_key(const struct key *got, unsigned number)
{
	struct key want = key_of(number);

	assert_true(key_equal(got, &want));
}

static void test_everything_is_read(void **state)
{
	char why[GENESIS_WHY] = "";
	char text[TEXT_MAX];
	struct hash network;
	const struct record_port *port = &genesis.ports[0];

	(void)state;
	assert_int_equal(load_template(good, why), ERR_OK);
	fill_in(text, good);
	network = hash_bytes(view_text(text));
	assert_true(hash_equal(&genesis.network, &network));
	assert_string_equal(genesis.name, "demo");
	assert_int_equal(genesis.time, 1769848200000);
	assert_false(genesis.observers_anyone);
	assert_int_equal(genesis.signers, 1);
	assert_int_equal(genesis.pow.interval_ms, 10000);
	assert_int_equal(genesis.pow.bits, 0x1d00ffff);
	assert_int_equal(genesis.pow.retarget, POW_RETARGET_WINDOW);
	assert_int_equal(genesis.pow.half_life_ms, 3600000);
	assert_int_equal(genesis.pow.depth, 12);

	assert_int_equal(genesis.node_count, 2);
	assert_text(genesis.nodes[0].name, "blue");
	assert_int_equal(genesis.nodes[0].role, 2);
	assert_text(genesis.nodes[0].request, "tcp://127.0.0.1:7001");
	assert_text(genesis.nodes[0].publish, "tcp://127.0.0.1:7002");
	assert_text(genesis.nodes[0].peer, "tcp://127.0.0.1:7003");
	assert_key(&genesis.nodes[0].key, 1);
	assert_int_equal(genesis.nodes[1].role, 1);
	assert_key(&genesis.nodes[1].key, 2);

	assert_int_equal(genesis.port_count, 2);
	assert_text(port->name, "haneda");
	assert_key(&port->controller, 3);
	assert_int_equal(port->lead, 30000);
	assert_int_equal(port->before, 250);
	assert_int_equal(port->after, 60000);
	assert_int_equal(port->duration, 7200000);
	assert_int_equal(port->hold, 180000);
	assert_int_equal(port->no_show, 240000);
	assert_int_equal(port->pads_count, 3);
	assert_text(port->pads[0].name, "A");
	assert_text(port->pads[0].group, "north");
	assert_text(port->pads[2].group, "C");
	assert_int_equal(port->pads[2].open, 1);
	port = &genesis.ports[1];
	assert_int_equal(port->lead, 0);
	assert_int_equal(port->duration, 300000);

	genesis_free(&genesis);
}

static void test_every_party_has_its_role(void **state)
{
	static const struct {
		const char *name;
		enum party_role role;
		uint64_t quota;
		unsigned key;
	} parties[] = {
		{"city", ROLE_AUTHORITY, 0, 0},
		{"blue", ROLE_NODE, 0, 1},
		{"white", ROLE_NODE, 0, 2},
		{"haneda", ROLE_CONTROLLER, 0, 3},
		{"naha", ROLE_CONTROLLER, 0, 4},
		{"alice", ROLE_OPERATOR, 7, 5},
		{"bob", ROLE_OPERATOR, 1000, 6},
		{"eve", ROLE_OBSERVER, 0, 7},
	};
	char why[GENESIS_WHY];

	(void)state;
	assert_int_equal(load_template(good, why), ERR_OK);
	assert_int_equal(genesis.party_count, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_text(genesis.parties[i].name, parties[i].name);
		assert_int_equal(genesis.parties[i].role, parties[i].role);
		assert_int_equal(genesis.parties[i].quota, parties[i].quota);
		assert_int_equal(genesis.parties[i].up, 1);
		assert_int_equal(
			genesis.parties[i].tier, parties[i].key == 5 ? 3 : 0);
		assert_key(&genesis.parties[i].key, parties[i].key);
	}
	genesis_free(&genesis);
}

/* Replace from by to in the good one; why must have the words. */
static const struct {
	const char *from, *to, *words;
} mistakes[] = {
	/* lines */
	{"    name = demo", "   name = demo", "line 3: indent by 4 spaces"},
	{"    name = demo", "        name = demo", "line 3: indent"},
	{"    name = demo", "\tname = demo", "line 3: tabs"},
	{"    name = demo", "    name = \"demo", "not closed"},
	{"    name = demo", "    name = \"demo\" or", "follows the value"},
	{"    name = demo", "    name is demo", "\"= value\""},
	{"    name = demo", "    = demo", "line 3: a name"},
	{"# a comment", "# a comment\r", "line 1: tabs and control"},
	/* the tree */
	{"    bob\n", "    alice\n", "operators/alice: this is here twice"},
	{"        quota = 7", "        key = $5", "operators/alice/key: this"},
	{"            B\n", "            A\n", "ports/haneda/pads/A: this"},
	{"    naha\n", "    haneda\n", "ports/haneda: this is here twice"},
	{"observers\n", "operators\n", "operators: this is here twice"},
	{"nodes\n", "nodes = 2\n", "nodes: this has settings below it"},
	/* unknown */
	{"operators\n", "pilots\n", "pilots/alice: expected perch"},
	{"    observers = enrolled", "    colour = red", "perch/colour"},
	{"lead = 30s", "led = 30s", "ports/haneda/led: expected"},
	{"role = standby", "rank = standby", "nodes/white/rank: expected"},
	{"group = north\n            B", "area = north\n            B",
		"ports/haneda/pads/A: a pad has"},
	{"            C\n", "            C = 5\n",
		"ports/haneda/pads/C: a pad"},
	{"quota = 7", "limit = 7", "operators/alice/limit: expected"},
	{"key = $7", "key = $7\n        quota = 5", "observers/eve/quota"},
	/* proof of work */
	{"signers = 1", "signers = 2", "perch/signers: more than half"},
	{"signers = 1", "signers = some", "perch/signers: expected"},
	{"interval = 10s", "interval = 0s", "pow/interval: it must not"},
	{"interval = 10s", "pause = 10s", "pow/pause: expected interval"},
	{"half-life = 1h", "half-life = long", "pow/half-life: a duration"},
	{"bits = 1d00ffff", "bits = 1d00fff", "pow/bits: a target"},
	{"bits = 1d00ffff", "bits = 1d80ffff", "pow/bits: a target"},
	{"bits = 1d00ffff", "bits = 2100ffff", "pow/bits: a target"},
	{"bits = 1d00ffff", "bits = 1d0000ff", "pow/bits: a target"},
	{"retarget = window", "retarget = daily", "pow/retarget: say asert"},
	{"depth = 12", "depth = 101", "pow/depth: expected interval"},
	/* missing */
	{"    name = demo\n", "", "perch: name and time are needed"},
	{"    time = 2026-01-31T08:30:00Z\n", "", "perch: name and time"},
	{"        key = $0\n", "        # none\n", "authority/city: key is"},
	{"        request = tcp://a.example:1\n", "", "nodes/white: key, req"},
	{"        controller = $4\n", "", "ports/naha: controller and"},
	{"        pads\n            A\noper", "oper", "ports/naha: controller"},
	/* malformed */
	{"name = demo", "name = \"our town\"", "perch/name: expected"},
	{"name = demo", "name = a23456789012345678901234567890123",
		"perch/name"},
	{"2026-01-31T08:30:00Z", "yesterday", "perch/time: a time is like"},
	{"2026-01-31T08:30:00Z", "2026-01-31T08:30:00", "perch/time"},
	{"observers = enrolled", "observers = all", "perch/observers"},
	{"lead = 30s", "lead = 30", "ports/haneda/lead: a duration"},
	{"lead = 30s", "lead = -30s", "ports/haneda/lead: a duration"},
	{"lead = 30s", "lead = 400d", "ports/haneda/lead: a duration"},
	{"key = $0", "key = 1234", "authority/city/key: a key is 64"},
	{"key = $0", "key = x$0", "authority/city/key: a key is 64"},
	{"role = standby", "role = leader", "nodes/white/role: expected"},
	{"tcp://a.example:1\n", "udp://a.example:1\n", "nodes/white/request"},
	{"tcp://a.example:1\n", "tcp://a.example\n", "nodes/white/request"},
	{"tcp://a.example:1\n", "tcp://a.example:0\n", "nodes/white/request"},
	{"tcp://a.example:1\n", "tcp://:1\n", "nodes/white/request"},
	{":65535", ":65536", "nodes/white/peer: an endpoint"},
	{":65535", ":*", "nodes/white/peer: an endpoint"},
	{"tier = 3", "tier = 8", "operators/alice/tier: expected"},
	{"hold = 3m", "hold = 3", "ports/haneda/hold: a duration"},
	{"quota = 7", "quota = many", "operators/alice/quota: expected"},
	{"quota = 7", "quota = 1000000", "operators/alice/quota: expected"},
	/* one key, one role */
	{"key = $6", "key = $5", "operators/bob: this key has a role"},
	{"controller = $4", "controller = $3", "ports/naha: this key"},
};

static void test_every_mistake_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char template[TEXT_MAX];
		char why[GENESIS_WHY] = "";
		const char *at = strstr(good, mistakes[i].from);

		assert_non_null(at);
		snprintf(template, sizeof(template), "%.*s%s%s",
			(int)(at - good), good, mistakes[i].to,
			at + strlen(mistakes[i].from));
		assert_int_equal(load_template(template, why), ERR_CONFIG);
		if (!strstr(why, mistakes[i].words) || !strstr(why, top))
			fail_msg("%s\nis not said in\n%s", mistakes[i].words,
				why);
		genesis_free(&genesis);
	}
}

static void test_without_proof_of_work(void **state)
{
	char template[TEXT_MAX];
	char why[GENESIS_WHY] = "";
	const char *at = strstr(good, "pow\n");
	const char *end = strstr(good, "authority\n");

	(void)state;
	snprintf(template, sizeof(template), "%.*s%s", (int)(at - good), good,
		end);
	assert_int_equal(load_template(template, why), ERR_OK);
	assert_int_equal(genesis.pow.interval_ms, POW_INTERVAL_MS_DEFAULT);
	assert_int_equal(genesis.pow.bits, POW_BITS_DEFAULT);
	assert_int_equal(genesis.pow.retarget, POW_RETARGET_ASERT);
	assert_int_equal(genesis.pow.half_life_ms,
		POW_HALF_LIFE_INTERVALS * POW_INTERVAL_MS_DEFAULT);
	assert_int_equal(genesis.pow.depth, POW_DEPTH_DEFAULT);
	genesis_free(&genesis);
}

static void test_a_key_of_small_order_is_refused(void **state)
{
	char text[TEXT_MAX];
	char why[GENESIS_WHY] = "";
	char *at;

	(void)state;
	fill_in(text, good);
	at = strstr(text, "key = ") + 6;
	memset(at, '0', 64);
	at[1] = '1';
	assert_int_equal(load_bytes(view_text(text), why), ERR_CONFIG);
	assert_non_null(strstr(why, "not a valid Ed25519 public key"));
	genesis_free(&genesis);
}

static void test_other_ways_to_write_it(void **state)
{
	char template[TEXT_MAX];
	char why[GENESIS_WHY] = "";
	const char *at = strstr(good, "2026-01-31T08:30:00Z");

	(void)state;
	snprintf(template, sizeof(template), "%.*s1769848200123%s",
		(int)(at - good), good, at + 20);
	assert_int_equal(load_template(template, why), ERR_OK);
	assert_int_equal(genesis.time, 1769848200123);
	genesis_free(&genesis);
	/* Without its last line end it is another network. */
	snprintf(template, sizeof(template), "%.*s", (int)strlen(good) - 1,
		good);
	assert_int_equal(load_template(template, why), ERR_OK);
	genesis_free(&genesis);
}

static void test_the_example_is_good(void **state)
{
	char why[GENESIS_WHY] = "";
	enum err err = genesis_load(
		&genesis, PERCH_SOURCE "/run/conf/genesis.example.zpl", why);

	(void)state;
	if (err)
		fail_msg("%s", why);
	assert_int_equal(genesis.node_count, 3);
	assert_int_equal(genesis.port_count, 2);
	assert_int_equal(genesis.party_count, 9);
	genesis_free(&genesis);
}

static void test_files_that_are_not_there(void **state)
{
	char path[PATH_SIZE];
	char why[GENESIS_WHY] = "";

	(void)state;
	path_of(path, top, "none.zpl");
	assert_int_equal(genesis_load(&genesis, path, why), ERR_IO);
	assert_non_null(strstr(why, "No such file"));
	assert_int_equal(genesis_load(&genesis, top, why), ERR_IO);
	assert_int_equal(load_bytes(view_of(NULL, 0), why), ERR_CONFIG);
	assert_non_null(strstr(why, "perch: this section is missing"));
	assert_int_equal(load_bytes(view_of("perch\0x", 7), why), ERR_CONFIG);
	assert_non_null(strstr(why, "byte 0"));
	genesis_free(&genesis);
}

static void test_random_bytes_do_no_harm(void **state)
{
	struct random random;
	unsigned accepted = 0;

	(void)state;
	random_seed(&random, 1);
	for (unsigned i = 0; i < 3000; i++) {
		static const char loved[] = " \n=\"'#\t{}:/$0aZ\x80";
		char text[TEXT_MAX];
		char why[GENESIS_WHY];
		size_t size;
		enum err err;

		fill_in(text, good);
		size = strlen(text);
		for (uint64_t n = 1 + random_below(&random, 4); n; n--) {
			size_t at = random_below(&random, size);
			size_t end = at + random_below(&random, 40);

			if (end > size)
				end = size;
			if (random_chance(&random, 300)) {
				memmove(text + at, text + end, size - end);
				size -= end - at;
			} else if (random_chance(&random, 500)) {
				text[at] = loved[random_below(
					&random, sizeof(loved))];
			} else {
				text[at] = (char)random_next(&random);
			}
		}
		err = load_bytes(view_of(text, size), why);
		assert_true(err == ERR_OK || err == ERR_CONFIG);
		accepted += err == ERR_OK;
		genesis_free(&genesis);
	}
	/* Names and comments may be anything: some must have come through. */
	assert_true(accepted > 10 && accepted < 2000);
}

static int start(void **state)
{
	(void)state;
	crypto_start();
	directory_make(top);
	return 0;
}

static int end(void **state)
{
	(void)state;
	directory_remove(top);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything_is_read),
		cmocka_unit_test(test_every_party_has_its_role),
		cmocka_unit_test(test_every_mistake_is_named),
		cmocka_unit_test(test_without_proof_of_work),
		cmocka_unit_test(test_a_key_of_small_order_is_refused),
		cmocka_unit_test(test_other_ways_to_write_it),
		cmocka_unit_test(test_the_example_is_good),
		cmocka_unit_test(test_files_that_are_not_there),
		cmocka_unit_test(test_random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, start, end);
}
