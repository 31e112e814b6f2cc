/* tests/unit/observer_render.c -- the view, line by line.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "observer/render.h"

enum { MINUTE = 60000, NOW = 1000 * MINUTE };

struct world {
	struct model model;
	struct frame frame;
};

static const char *const names[] = {"the_leader_node", "the_blue_sky",
	"white_noise", "yellow_submarine", "green_planet"};

/* Five nodes at height 20, of which 19 are final; six pads; two operators. */
static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct model *model = &world->model;
	memcpy(model->network, "demo", 5);
	for (size_t i = 0; i < 5; i++) {
		struct perch_node_status status = {
			.role = i == 0 ? 2 : 0, .term = 3, .chain_count = 1};
		struct perch_chain_status *chain = &status.chains[0];
		memcpy(model->nodes[model->node_count++].name, names[i],
			strlen(names[i]) + 1);
		chain->height = 20;
		chain->final_height = 19;
		chain->recent_count = 16;
		for (size_t j = 0; j < 16; j++)
			memset(&chain->recent[j], (int)(5 + j), 32);
		memset(&chain->hash, 20, 32);
		memset(&chain->final_hash, 19, 32);
		assert_true(model_status(model, i, &status, NOW));
	}
	for (size_t i = 0; i < 6; i++)
		model_row(model, i < 3 ? "haneda" : "kansai",
			(const char *const[]){"A", "B", "C"}[i % 3]);
	for (size_t i = 0; i < 2; i++) {
		struct party *party = &model->parties[model->party_count++];
		memcpy(party->name, i == 0 ? "alice" : "bob", 6 - 2 * i);
		party->is_operator = true;
		party->key.bytes[0] = (uint8_t)(i + 1);
	}
	world->frame.columns = 80;
	world->frame.rows = 24;
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* The first line that has this text in it. */
static const char *line_with(const struct world *world, const char *text)
{
	for (unsigned i = 0; i < world->frame.count; i++) {
		if (strstr(world->frame.lines[i], text) != NULL)
			return world->frame.lines[i];
	}
	fail_msg("no line with \"%s\"", text);
	return "";
}

static bool is_shown(const struct world *world, const char *text)
{
	for (unsigned i = 0; i < world->frame.count; i++) {
		if (strstr(world->frame.lines[i], text) != NULL)
			return true;
	}
	return false;
}

/* Columns that a terminal would use. */
static size_t visible(const char *line)
{
	size_t count = 0;
	for (; *line != '\0'; line++) {
		if (*line == '\033')
			line = strchr(line, 'm');
		else
			count++;
	}
	return count;
}

static void a_chain_is_drawn_newest_right(void **state)
{
	struct world *world = *state;
	render(&world->frame, &world->model, NOW);
	assert_string_equal(line_with(world, "the_blue_sky"),
		"(Node: the_blue_sky)     "
		"[10101]--[11111]--[12121]--[13131]--<14141> ordered");
	assert_non_null(strstr(line_with(world, "ordered leader "),
		"term 3  height 20  final 19"));
}

static void a_fork_is_seen_at_its_height(void **state)
{
	struct world *world = *state;
	struct perch_chain_hint back = {.event = 2, .height = 20};
	struct perch_chain_hint other = {.event = 1, .height = 20};
	memset(&other.hash, 0xfe, 32);
	assert_true(model_chain(&world->model, 3, &back, NOW));
	assert_true(model_chain(&world->model, 3, &other, NOW));
	render(&world->frame, &world->model, NOW);
	const char *forked = line_with(world, "yellow_submarine");
	const char *honest = line_with(world, "the_blue_sky");
	assert_non_null(strstr(forked, "{fefef}"));
	assert_non_null(strstr(honest, "{14141}"));
	assert_int_equal(
		strchr(forked, '{') - forked, strchr(honest, '{') - honest);
	assert_non_null(strstr(forked, "[13131]-<{fefef}"));
	assert_null(strstr(forked, "<f"));
	assert_non_null(strstr(line_with(world, "forks "), "forks 1"));
}

/* white_noise goes from ..1313--1414 to ..1313--fefe--efef. */
static void a_branch_that_was_left_stands_below(void **state)
{
	struct world *world = *state;
	struct perch_chain_hint back = {.event = 2, .height = 20};
	struct perch_chain_hint other = {.event = 1, .height = 20};
	memset(&back.hash, 20, 32);
	memset(&other.hash, 0xfe, 32);
	assert_true(model_chain(&world->model, 2, &back, NOW));
	assert_true(model_chain(&world->model, 2, &other, NOW));
	other.height = 21;
	memset(&other.hash, 0xef, 32);
	assert_true(model_chain(&world->model, 2, &other, NOW));
	render(&world->frame, &world->model, NOW);
	unsigned at = 0;
	while (strstr(world->frame.lines[at], "white_noise") == NULL)
		at++;
	const char *chain = world->frame.lines[at];
	const char *branch = world->frame.lines[at + 1];
	assert_non_null(strstr(chain, "[13131]-<{fefef}--<efefe> ordered"));
	assert_string_equal(branch,
		"  left 16:40:00 ordered                           "
		"\\-x14141x");
	assert_int_equal(strstr(chain, "{fefef}") - chain,
		strstr(branch, "x14141x") - branch);
	assert_non_null(strstr(line_with(world, "ordered  final"),
		"reorganised 1 (deepest 1)"));
	line_with(world, "white_noise reorganised above 19, 1 undone: 14141, "
			 "now fefef");
	render(&world->frame, &world->model, NOW + 61000);
	assert_false(is_shown(world, "x14141x"));
}

/* Both engines: each line says of which chain it is. */
static void two_chains_are_two_lines(void **state)
{
	struct world *world = *state;
	struct perch_node_status status = {.role = 2, .chain_count = 2};
	status.chains[0].height = status.chains[1].height = 1;
	status.chains[0].recent_count = status.chains[1].recent_count = 1;
	status.chains[1].chain = 1;
	status.chains[1].number_count = 3;
	status.chains[1].numbers[0] = (struct perch_number){"work", 1280};
	status.chains[1].numbers[1] =
		(struct perch_number){"ordered_us", 2100000};
	status.chains[1].numbers[2] =
		(struct perch_number){"hash_rate", 5120000};
	status.chains[0].number_count = 2;
	status.chains[0].numbers[0] = (struct perch_number){"ordered_us", 420};
	status.chains[0].numbers[1] = (struct perch_number){"final_us", 919800};
	memset(&status.chains[1].recent[0], 0x77, 32);
	world->model.node_count = 1;
	world->frame.columns = 120;
	assert_true(model_status(&world->model, 0, &status, NOW));
	render(&world->frame, &world->model, NOW);
	assert_non_null(strstr(line_with(world, "pow  "), "ordered in 2.1 s"));
	assert_non_null(strstr(
		line_with(world, "ordered  final"), "ordered in 0.42 ms"));
	assert_non_null(
		strstr(line_with(world, "ordered  final"), "final in 920 ms"));
	line_with(world, "<77777> pow");
	line_with(world, "<00000> ordered");
	line_with(world, "pow     miner     work 1.28 k  5.12 MH/s");
}

static void who_is_behind_is_not_drawn_in_line(void **state)
{
	struct world *world = *state;
	for (uint64_t height = 21; height < 60; height++) {
		struct perch_chain_hint hint = {.event = 1, .height = height};
		assert_true(model_chain(&world->model, 0, &hint, NOW));
	}
	render(&world->frame, &world->model, NOW);
	assert_non_null(
		strstr(line_with(world, "green_planet"), "39 blocks behind"));
}

static void a_node_that_is_down_says_since_when(void **state)
{
	struct world *world = *state;
	model_link(
		&world->model, 2, false, "nobody listens there", NOW + 61000);
	render(&world->frame, &world->model, NOW);
	line_with(world, "down since 16:41:01  nobody listens there");
	world->frame.rows = 16; /* one line a node */
	render(&world->frame, &world->model, NOW);
	assert_non_null(
		strstr(line_with(world, "white_noise"), "down since 16:41:01"));
}

/* Who is on a pad, and who may move until when; nothing, nothing is shown. */
static void pads_say_who_is_on_them(void **state)
{
	struct world *world = *state;
	struct perch_reservation booking = {.port = "haneda",
		.pad = "A",
		.start = NOW - 5 * MINUTE,
		.end = NOW + 10 * MINUTE,
		.state = PERCH_OCCUPIED,
		.movement = PERCH_ARRIVAL,
		.aircraft = "JA01XY"};
	struct perch_port port = {.name = "haneda",
		.pad_count = 2,
		.pads = {{.name = "B", .blocked = true},
			{.name = "C",
				.closed_from = NOW - MINUTE,
				.closed_until = NOW + MINUTE}}};
	render(&world->frame, &world->model, NOW);
	assert_false(is_shown(world, "on it"));
	model_booking(&world->model, &booking);
	render(&world->frame, &world->model, NOW);
	assert_non_null(
		strstr(line_with(world, "haneda/A"), "haneda/A JA01XY on it "));
	model_bookings_clear(&world->model, NULL);
	booking.state = PERCH_CLEARED;
	booking.until = NOW + MINUTE;
	model_booking(&world->model, &booking);
	model_port(&world->model, &port);
	render(&world->frame, &world->model, NOW);
	assert_non_null(
		strstr(line_with(world, "haneda/A"), "JA01XY lands -16:41:00"));
	assert_non_null(strstr(line_with(world, "haneda/B"), "blocked"));
	assert_non_null(
		strstr(line_with(world, "haneda/C"), "closed -16:41:00"));
	render(&world->frame, &world->model, NOW + MINUTE); /* it is over */
	assert_false(is_shown(world, "lands"));
}

static void bookings_stand_at_their_minutes(void **state)
{
	struct world *world = *state;
	struct perch_reservation booking = {.port = "haneda",
		.pad = "B",
		.start = NOW + 10 * MINUTE,
		.end = NOW + 20 * MINUTE,
		.state = PERCH_CONFIRMED};
	booking.operator_key.bytes[0] = 1;
	model_booking(&world->model, &booking);
	booking.start = NOW - 5 * MINUTE; /* running */
	booking.end = NOW + 1 * MINUTE;
	booking.operator_key.bytes[0] = 2;
	model_booking(&world->model, &booking);
	booking.start = NOW + 60 * MINUTE; /* outside */
	booking.end = NOW + 61 * MINUTE;
	model_booking(&world->model, &booking);
	world->frame.columns = 69; /* a minute a cell */
	render(&world->frame, &world->model, NOW + 30000);
	assert_string_equal(line_with(world, "haneda/B"),
		"haneda/B b.........|alice====............................."
		"...........");
	const char *axis = line_with(world, "pads");
	assert_int_equal(strstr(axis, "16:50") - axis, 19);
	world->model.is_stale = true;
	render(&world->frame, &world->model, NOW + 30000);
	assert_true(is_shown(world, "STALE"));
}

static void everything_fits_in_80_by_24(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 100; i++)
		model_note(&world->model, NOW, i % 2, "note %d", i);
	render(&world->frame, &world->model, NOW);
	assert_int_equal(world->frame.count, 24);
	line_with(world, "(Node: green_planet)");
	line_with(world, "kansai/C");
	line_with(world, "note 99");
	line_with(world, "operators  alice 0  bob 0");
	for (unsigned i = 0; i < 24; i++)
		assert_true(strlen(world->frame.lines[i]) <= 80);
}

/* Two miners with much to say, and no timetable. */
static void make_wordy(struct world *world)
{
	static const struct perch_number numbers[] = {{"work", 127000000},
		{"hash_rate", 1850000}, {"received_us", 1400},
		{"ordered_us", 2100000}, {"final_us", 13000000}};
	struct perch_node_status status = {
		.role = 0, .chain_count = 2, .mempool = 1234, .peers = 15};
	for (unsigned chain = 0; chain < 2; chain++) {
		struct perch_chain_status *one = &status.chains[chain];
		one->chain = (uint8_t)chain;
		one->height = 123456;
		one->final_height = 123450;
		one->recent_count = 16;
		one->number_count = 5;
		memcpy(one->numbers, numbers, sizeof(numbers));
	}
	for (size_t i = 0; i < 5; i++) {
		assert_true(model_status(&world->model, i, &status, NOW));
		world->model.nodes[i].towers[1].reorganisations = 3;
		world->model.nodes[i].towers[1].deepest = 2;
	}
	model_link(&world->model, 2, false, "nobody listens there", NOW);
	model_alarm(&world->model,
		"two blocks final at 20: white_noise 1111111111, green_planet "
		"2222222222; stop granting and compare these nodes");
	model_note(&world->model, NOW, true,
		"alice refused: haneda/B 12:05-12:10 slot_taken");
	world->model.row_count = 0;
}

/* Blocks, and what stands for words that are left out, are not words. */
static void check_words(char *line, const char *wide)
{
	char word[RENDER_COLUMNS_MAX + 3], *rest = NULL;
	char *at = strtok_r(line, " ", &rest);
	for (; at != NULL; at = strtok_r(NULL, " ", &rest)) {
		snprintf(word, sizeof(word), " %s ", at);
		if (strpbrk(at, "[<{") == NULL && strcmp(at, "..") != 0 &&
			strcmp(at, "white_noise") != 0 &&
			strstr(wide, word) == NULL)
			fail_msg("cut: %s", at);
	}
}

/* Each word of a narrow view is one of the wide view. */
static void words_are_whole_or_left_out(void **state)
{
	struct world *world = *state;
	static char wide[RENDER_ROWS_MAX * (RENDER_COLUMNS_MAX + 1) + 2];
	size_t used = 0;
	make_wordy(world);
	world->frame.columns = RENDER_COLUMNS_MAX;
	world->frame.rows = 60;
	render(&world->frame, &world->model, NOW);
	for (unsigned i = 0; i < world->frame.count; i++)
		used += (size_t)snprintf(wide + used, sizeof(wide) - used,
			" %s ", world->frame.lines[i]);
	for (unsigned columns = 50; columns < 130; columns++) {
		world->frame.columns = columns;
		world->frame.rows = columns % 2 == 0 ? 60 : 22;
		render(&world->frame, &world->model, NOW);
		for (unsigned i = 0; i < world->frame.count; i++)
			check_words(world->frame.lines[i], wide);
	}
}

static void at_80_columns_the_least_is_left_out(void **state)
{
	struct world *world = *state;
	make_wordy(world);
	world->frame.rows = 60;
	render(&world->frame, &world->model, NOW);
	line_with(world, "pow      final 123450  forks 0  reorganised 15  "
			 "ordered in 2.1 s  final in 13 s");
	line_with(world, "       pow     miner     height 123456  "
			 "final 123450  mempool 1234  peers 15");
	line_with(world, "these nodes"); /* the alarm's end */
	world->frame.columns = 120;
	render(&world->frame, &world->model, NOW);
	line_with(world, "(deepest 2)  received in 1.4 ms");
	line_with(world, "miner     work 127 M  1.85 MH/s  height 123456  "
			 "final 123450  reorganised 3  mempool 1234  peers 15");
}

static void no_node_is_left_out_silently(void **state)
{
	struct world *world = *state;
	world->frame.rows = 7; /* three of them are totals */
	render(&world->frame, &world->model, NOW);
	line_with(world, "white_noise");
	assert_string_equal(world->frame.lines[6], "and 2 more nodes");
	world->frame.rows = 8;
	render(&world->frame, &world->model, NOW);
	line_with(world, "green_planet");
}

static void narrow_views_have_blocks(void **state)
{
	struct world *world = *state;
	world->frame.columns = 60;
	world->frame.rows = 12;
	render(&world->frame, &world->model, NOW);
	line_with(world, "(Node: green_planet)     "
			 "[12121]--[13131]--<14141> ordered");
	world->frame.columns = 50;
	render(&world->frame, &world->model, NOW);
	line_with(world, "green_planet     "
			 "[12121]--[13131]--<14141> ordered");
}

static void any_size_is_kept_to(void **state)
{
	struct world *world = *state;
	model_alarm(&world->model, "%0200d", 1);
	for (int i = 0; i < 50; i++)
		model_note(&world->model, NOW, true, "%0150d", i);
	for (unsigned columns = 1; columns < 300; columns += 7) {
		for (unsigned rows = 1; rows < 130; rows += 5) {
			world->frame.columns = columns;
			world->frame.rows = rows;
			world->frame.colour = rows % 2 == 0;
			world->frame.chains_only = columns % 3 == 0;
			render(&world->frame, &world->model, NOW);
			assert_true(world->frame.count <= rows);
			for (unsigned i = 0; i < world->frame.count; i++)
				assert_true(visible(world->frame.lines[i]) <=
					    columns);
		}
	}
}

static void what_does_not_fit_is_counted(void **state)
{
	struct world *world = *state;
	for (int i = 0; i < 40; i++)
		model_row(&world->model, "naha", "Z");
	render(&world->frame, &world->model, NOW);
	assert_true(is_shown(world, "more pads"));
	assert_true(is_shown(world, "green_planet is up"));
}

static void an_alarm_comes_first(void **state)
{
	struct world *world = *state;
	model_alarm(&world->model, "two blocks");
	render(&world->frame, &world->model, NOW);
	assert_string_equal(world->frame.lines[1], "ALARM two blocks");
	world->frame.colour = true;
	render(&world->frame, &world->model, NOW);
	assert_non_null(strstr(world->frame.lines[1], "\033[0;1;37;41m"));
}

static void nobody_steers_the_terminal(void **state)
{
	struct world *world = *state;
	model_note(&world->model, NOW, false, "evil \033[2J\n\x7f name");
	render(&world->frame, &world->model, NOW);
	line_with(world, "evil ?[2J?? name");
}

static void chains_alone_are_alone(void **state)
{
	struct world *world = *state;
	world->frame.chains_only = true;
	render(&world->frame, &world->model, NOW);
	assert_int_equal(world->frame.count, 2 + 2 * 5);
	assert_false(is_shown(world, "pads"));
	assert_false(is_shown(world, "operators"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chain_is_drawn_newest_right),
		TEST(a_fork_is_seen_at_its_height),
		TEST(a_branch_that_was_left_stands_below),
		TEST(two_chains_are_two_lines),
		TEST(who_is_behind_is_not_drawn_in_line),
		TEST(a_node_that_is_down_says_since_when),
		TEST(pads_say_who_is_on_them),
		TEST(bookings_stand_at_their_minutes),
		TEST(everything_fits_in_80_by_24),
		TEST(words_are_whole_or_left_out),
		TEST(at_80_columns_the_least_is_left_out),
		TEST(no_node_is_left_out_silently),
		TEST(narrow_views_have_blocks),
		TEST(any_size_is_kept_to),
		TEST(what_does_not_fit_is_counted),
		TEST(an_alarm_comes_first),
		TEST(nobody_steers_the_terminal),
		TEST(chains_alone_are_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
