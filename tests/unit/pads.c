/* tests/unit/pads.c -- the suite that every pad driver must pass: the
 * simulation, MAVLink, and the example of services/controller/README.md, each
 * with its device played by a rig.
 *
 * What it asks is what the ledger relies on: nothing is said that the device
 * did not say, nothing moves that was not cleared, and silence is never taken
 * for an empty pad.
 */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "pads/rig.h"

/* A busy machine stops a call that waits for nothing, but not many of them. */
enum {
	SECOND = 1000,
	SOON_MS = 15000,
	LONG_MS = 60000,
	CALL_MS = 200,
	SLOW_MAX = 3
};

static const char A[] = "JA01", B[] = "JA02";

struct bench {
	struct rig rig;
	struct driver_setup setup;
	unsigned slow;     /* calls of the driver, by the real clock */
	bool may_be_empty; /* of pad 0 */
};

/* ---- the driver, with an eye on the clock ---- */

static const struct driver *driver_of(const struct bench *bench)
{
	return bench->rig.ops->driver;
}

static struct pad_state look(const struct bench *bench, size_t pad)
{
	struct pad_state state;

	driver_of(bench)->pad_state(bench->rig.device, pad, &state);
	return state;
}

static void timed(struct bench *bench, time_ms begin)
{
	bench->slow += clock_monotonic() - begin >= CALL_MS;
}

/* Time passes. */
static void step(struct bench *bench)
{
	time_ms begin;

	bench->rig.now += STEP_MS;
	if (bench->rig.ops->speak != NULL)
		bench->rig.ops->speak(&bench->rig);
	begin = clock_monotonic();
	driver_of(bench)->poll(bench->rig.device, bench->rig.now);
	timed(bench, begin);
	if (!bench->may_be_empty)
		assert_int_not_equal(look(bench, 0).is, PAD_EMPTY);
}

static void pass(struct bench *bench, time_ms how_long)
{
	for (time_ms i = 0; i < how_long; i += STEP_MS)
		step(bench);
}

static void wait_for(struct bench *bench, size_t pad, enum pad_is is)
{
	for (time_ms i = 0; look(bench, pad).is != is; i += STEP_MS) {
		assert_true(i < SOON_MS);
		step(bench);
	}
}

static enum err say(struct bench *bench, size_t pad,
	enum err (*order)(void *, size_t, const struct movement *),
	const char *aircraft, bool is_arrival, time_ms for_ms)
{
	struct movement movement = {
		.is_arrival = is_arrival, .until = bench->rig.now + for_ms};
	time_ms begin = clock_monotonic();
	enum err err;

	snprintf(movement.aircraft, sizeof(movement.aircraft), "%s", aircraft);
	err = order == NULL ? ERR_OK : order(bench->rig.device, pad, &movement);
	timed(bench, begin);
	return err;
}

static enum err clear_departure(
	struct bench *bench, const char *aircraft, time_ms for_ms)
{
	return say(bench, 0, driver_of(bench)->clear_departure, aircraft, false,
		for_ms);
}

static enum err clear_arrival(struct bench *bench, const char *aircraft)
{
	return say(bench, 0, driver_of(bench)->clear_arrival, aircraft, true,
		LONG_MS);
}

/* ---- a driver with its device ---- */

static void open_driver(struct bench *bench)
{
	char why[DRIVER_WHY] = "";

	bench->rig.device = calloc(1, driver_of(bench)->size);
	if (driver_of(bench)->open(bench->rig.device, &bench->setup,
		    bench->rig.now, why) != ERR_OK)
		fail_msg("open: %s", why);
}

static void close_driver(struct bench *bench)
{
	if (driver_of(bench)->end != NULL)
		driver_of(bench)->end(bench->rig.device);
	free(bench->rig.device);
}

static void begin(struct bench *bench, const struct rig_ops *ops)
{
	*bench = (struct bench){.rig = {.ops = ops, .now = clock_wall()},
		.setup = {.port = "haneda",
			.pad_count = RIG_PADS,
			.pads = {"A", "B"}},
		.may_be_empty = true};
	snprintf(bench->rig.directory, sizeof(bench->rig.directory),
		"/tmp/perch-pads-XXXXXX");
	assert_non_null(mkdtemp(bench->rig.directory));
	ops->begin(&bench->rig, &bench->setup);
	open_driver(bench);
	/* Nobody has said anything yet. */
	for (size_t i = 0; i < RIG_PADS; i++)
		assert_int_equal(look(bench, i).is, PAD_UNKNOWN);
	wait_for(bench, 0, PAD_EMPTY);
	wait_for(bench, 1, PAD_EMPTY);
}

static void finish(struct bench *bench)
{
	assert_true(bench->slow <= SLOW_MAX);
	close_driver(bench);
	bench->rig.ops->end(&bench->rig);
	assert_int_equal(rmdir(bench->rig.directory), 0);
}

static void roll_in(struct bench *bench, const char *aircraft)
{
	bench->rig.ops->roll_in(&bench->rig, 0, aircraft);
	wait_for(bench, 0, PAD_OCCUPIED);
	assert_string_equal(look(bench, 0).aircraft, aircraft);
}

/* It tries for a minute, and stays where it is. */
static void cannot_depart(struct bench *bench, const char *aircraft)
{
	bench->may_be_empty = false;
	for (time_ms i = 0; i < LONG_MS; i += 5 * SECOND) {
		bench->rig.ops->depart(&bench->rig, 0, aircraft);
		pass(bench, 5 * SECOND);
		assert_int_equal(look(bench, 0).is, PAD_OCCUPIED);
	}
	bench->may_be_empty = true;
}

static void departs(struct bench *bench, const char *aircraft)
{
	for (time_ms i = 0; look(bench, 0).is != PAD_EMPTY; i += STEP_MS) {
		assert_true(i < SOON_MS);
		bench->rig.ops->depart(&bench->rig, 0, aircraft);
		step(bench);
	}
	assert_true(look(bench, 0).by_air);
}

static void lands(struct bench *bench, const char *aircraft)
{
	for (time_ms i = 0; look(bench, 0).is != PAD_OCCUPIED; i += STEP_MS) {
		assert_true(i < SOON_MS);
		bench->rig.ops->land(&bench->rig, 0, aircraft);
		step(bench);
	}
}

/* ---- the suite ---- */

static void measures(struct bench *bench)
{
	assert_in_range(look(bench, 0).measured, bench->rig.now - 5 * SECOND,
		bench->rig.now);
	roll_in(bench, A);
	assert_false(look(bench, 0).by_air);
	assert_in_range(look(bench, 0).measured, bench->rig.now - 5 * SECOND,
		bench->rig.now);
	assert_int_equal(look(bench, 1).is, PAD_EMPTY);
}

static void nothing_leaves_uncleared(struct bench *bench)
{
	roll_in(bench, A);
	say(bench, 0, driver_of(bench)->prepare, A, false, LONG_MS);
	cannot_depart(bench, A);
}

/* Who was rolled out and is not cleared makes room; who is cleared stays. */
static void makes_room(struct bench *bench)
{
	if (bench->rig.ops != &rig_sim)
		return; /* their aircraft do not roll by themselves */
	roll_in(bench, A);
	assert_int_equal(clear_departure(bench, A, STEP_MS), ERR_OK);
	say(bench, 0, driver_of(bench)->prepare, B, false, LONG_MS);
	assert_string_equal(look(bench, 0).aircraft, A);
	for (time_ms i = 0; strcmp(look(bench, 0).aircraft, B) != 0;
		i += STEP_MS) {
		assert_true(i < SOON_MS);
		bench->rig.now += 2 * STEP_MS; /* that clearance is over */
		step(bench);
		say(bench, 0, driver_of(bench)->prepare, B, false, LONG_MS);
	}
	cannot_depart(bench, B);
}

static void departs_once(struct bench *bench)
{
	roll_in(bench, A);
	assert_int_equal(clear_departure(bench, A, LONG_MS), ERR_OK);
	assert_int_equal(clear_departure(bench, A, LONG_MS), ERR_OK);
	departs(bench, A);
	if (bench->rig.ops == &rig_sim)
		return; /* it has flown away */
	bench->rig.ops->roll_in(&bench->rig, 0, A);
	wait_for(bench, 0, PAD_OCCUPIED);
	cannot_depart(bench, A);
}

static void only_the_one_that_is_cleared(struct bench *bench)
{
	roll_in(bench, A);
	(void)clear_departure(bench, B, LONG_MS);
	cannot_depart(bench, A);
}

static void only_in_time(struct bench *bench)
{
	roll_in(bench, A);
	assert_int_equal(clear_departure(bench, A, STEP_MS), ERR_OK);
	bench->rig.now += 2 * STEP_MS;
	cannot_depart(bench, A);
}

static void abort_is_heard(struct bench *bench)
{
	roll_in(bench, A);
	assert_int_equal(clear_departure(bench, A, LONG_MS), ERR_OK);
	assert_int_equal(driver_of(bench)->abort(bench->rig.device, 0), ERR_OK);
	cannot_depart(bench, A);
}

static void closed_is_closed(struct bench *bench)
{
	roll_in(bench, A);
	assert_int_equal(clear_departure(bench, A, LONG_MS), ERR_OK);
	assert_int_equal(driver_of(bench)->close(bench->rig.device, 0), ERR_OK);
	cannot_depart(bench, A);
	say(bench, 0, driver_of(bench)->prepare, A, false, LONG_MS);
	assert_int_equal(clear_departure(bench, A, LONG_MS), ERR_OK);
	departs(bench, A);
}

static void lands_when_cleared(struct bench *bench)
{
	bench->rig.ops->come(&bench->rig, A);
	pass(bench, SECOND);
	say(bench, 0, driver_of(bench)->prepare, A, true, LONG_MS);
	assert_int_equal(look(bench, 0).is, PAD_EMPTY);
	assert_int_equal(clear_arrival(bench, A), ERR_OK);
	lands(bench, A);
	assert_string_equal(look(bench, 0).aircraft, A);
	assert_true(look(bench, 0).by_air);
}

static void goes_around(struct bench *bench)
{
	uint32_t before = look(bench, 0).broken_off;

	if (bench->rig.ops->break_off == NULL)
		return;
	bench->rig.ops->come(&bench->rig, A);
	pass(bench, SECOND);
	assert_int_equal(clear_arrival(bench, A), ERR_OK);
	bench->rig.ops->land(&bench->rig, 0, A);
	step(bench);
	bench->rig.ops->break_off(&bench->rig, 0, A);
	for (time_ms i = 0; look(bench, 0).broken_off == before; i += STEP_MS) {
		assert_true(i < SOON_MS);
		step(bench);
	}
	assert_int_equal(look(bench, 0).is, PAD_EMPTY);
	assert_int_equal(look(bench, 0).broken_off, before + 1);
}

/* Something stands there, or nobody knows: never empty. */
static void intruder_is_seen(struct bench *bench)
{
	bench->rig.ops->come(&bench->rig, B);
	pass(bench, SECOND);
	bench->rig.ops->intrude(&bench->rig, 0, B);
	step(bench);
	bench->may_be_empty = false;
	pass(bench, 20 * SECOND);
	bench->may_be_empty = true;
}

/* The rule of all drivers: when the device falls silent the pad becomes
 * unknown within five seconds, and is not called empty again before the device
 * has said so. Five seconds is also how long the contract lets a measurement
 * count, so that a driver which misses this has still sent nobody there. */
static void silence_is_unknown(struct bench *bench)
{
	bench->rig.ops->lose(&bench->rig);
	wait_for(bench, 0, PAD_UNKNOWN);
	bench->may_be_empty = false;
	pass(bench, LONG_MS);
	assert_int_equal(look(bench, 0).is, PAD_UNKNOWN);
	(void)clear_arrival(bench, A); /* nobody hears it: no crash, no wait */
	(void)say(bench, 0, driver_of(bench)->prepare, A, true, LONG_MS);
	(void)driver_of(bench)->abort(bench->rig.device, 0);
	bench->may_be_empty = true;
	bench->rig.ops->find(&bench->rig);
	wait_for(bench, 0, PAD_EMPTY);
}

static void lost_with_an_aircraft_on_it(struct bench *bench)
{
	roll_in(bench, A);
	bench->may_be_empty = false;
	bench->rig.ops->lose(&bench->rig);
	wait_for(bench, 0, PAD_UNKNOWN);
	pass(bench, LONG_MS);
	bench->rig.ops->find(&bench->rig);
	wait_for(bench, 0, PAD_OCCUPIED);
	assert_string_equal(look(bench, 0).aircraft, A);
}

static void lost_in_the_middle_of_a_landing(struct bench *bench)
{
	bench->rig.ops->come(&bench->rig, A);
	pass(bench, SECOND);
	assert_int_equal(clear_arrival(bench, A), ERR_OK);
	bench->rig.ops->land(&bench->rig, 0, A);
	step(bench);
	bench->rig.ops->lose(&bench->rig);
	wait_for(bench, 0, PAD_UNKNOWN);
	bench->may_be_empty = false;
	pass(bench, 3 * SECOND);
	/* It came down meanwhile. */
	bench->rig.ops->land(&bench->rig, 0, A);
	pass(bench, SECOND);
	bench->rig.ops->find(&bench->rig);
	wait_for(bench, 0, PAD_OCCUPIED);
	bench->may_be_empty = true;
}

static void measured_anew_after_a_restart(struct bench *bench)
{
	roll_in(bench, A);
	bench->may_be_empty = false;
	close_driver(bench);
	open_driver(bench);
	assert_int_equal(look(bench, 0).is, PAD_UNKNOWN);
	wait_for(bench, 0, PAD_OCCUPIED);
	assert_string_equal(look(bench, 0).aircraft, A);
	bench->may_be_empty = true;
}

static const struct {
	const char *name;
	void (*run)(struct bench *bench);
} suite[] = {
	{"measures", measures},
	{"nothing leaves uncleared", nothing_leaves_uncleared},
	{"makes room", makes_room},
	{"departs once", departs_once},
	{"only the one that is cleared", only_the_one_that_is_cleared},
	{"only in time", only_in_time},
	{"abort is heard", abort_is_heard},
	{"closed is closed", closed_is_closed},
	{"lands when cleared", lands_when_cleared},
	{"goes around", goes_around},
	{"an intruder is seen", intruder_is_seen},
	{"silence is unknown", silence_is_unknown},
	{"lost with an aircraft on it", lost_with_an_aircraft_on_it},
	{"lost in the middle of a landing", lost_in_the_middle_of_a_landing},
	{"measured anew after a restart", measured_anew_after_a_restart},
};

static void run_suite(const struct rig_ops *ops)
{
	static struct bench bench;

	for (size_t i = 0; i < sizeof(suite) / sizeof(suite[0]); i++) {
		print_message("  %s: %s\n", ops->driver->name, suite[i].name);
		begin(&bench, ops);
		suite[i].run(&bench);
		finish(&bench);
	}
}

static void sim(void **state)
{
	(void)state;
	run_suite(&rig_sim);
}

static void mavlink(void **state)
{
	(void)state;
	run_suite(&rig_mavlink);
}

static void example(void **state)
{
	(void)state;
	run_suite(&rig_file);
}

/* A driver that is in the table is in this suite. */
static void none_is_forgotten(void **state)
{
	static const struct rig_ops *const rigs[] = {&rig_sim, &rig_mavlink};
	size_t count = 0;

	(void)state;
	for (size_t i = 0; drivers[i] != NULL; i++, count++) {
		bool has_rig = false;

		for (size_t j = 0; j < 2; j++)
			has_rig = has_rig || rigs[j]->driver == drivers[i];
		assert_true(has_rig);
		assert_ptr_equal(driver_find(drivers[i]->name), drivers[i]);
	}
	assert_int_equal(count, 2);
	assert_null(driver_find("no such driver"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sim),
		cmocka_unit_test(mavlink),
		cmocka_unit_test(example),
		cmocka_unit_test(none_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
