/* tests/unit/bus_world.h -- a server and two clients on loopback, for the tests
 * of the bus. Nothing sleeps: every wait is for a condition, with a deadline.
 */
#ifndef PERCH_TESTS_UNIT_BUS_WORLD_H
#define PERCH_TESTS_UNIT_BUS_WORLD_H

#include "unit.h"

#include <string.h>
#include <zmq.h>

#include "bus/internal.h"
#include "clock/clock.h"

#define UNUSED __attribute__((unused))

enum { DEADLINE_MS = 20000, SERVER = 0, ALICE = 1, BOB = 2, BUSES = 3 };

/* A server and two clients, each with a bus of its own; the server knows
 * Alice. */
struct world {
	struct keypair pairs[BUSES];
	struct bus *buses[BUSES];
	void *context;         /* of hostile peers */
	bool admits_strangers; /* on the request socket */
};

static bool admits(void *context, enum bus_kind kind, const struct key *known)
{
	const struct world *world = context;

	if (known == NULL)
		return world->admits_strangers && kind == BUS_REQUEST_SERVER;
	return true;
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	uint8_t seed[32] = {0};

	crypto_start();
	for (size_t i = 0; i < BUSES; i++) {
		seed[0] = (uint8_t)(i + 1);
		keypair_from_seed(&world->pairs[i], seed);
		enum err err = bus_open(&world->buses[i], &world->pairs[i]);
		assert_int_equal(err, ERR_OK);
	}
	enum err err = bus_know(world->buses[SERVER], &world->pairs[ALICE].key);
	assert_int_equal(err, ERR_OK);
	bus_set_admission(world->buses[SERVER], admits, world);
	world->context = zmq_ctx_new();
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	for (size_t i = 0; i < BUSES; i++)
		bus_close(&world->buses[i]);
	zmq_ctx_term(world->context);
	free(world);
	return 0;
}

/* Everybody's turn, a millisecond each. */
UNUSED static void turn(struct world *world)
{
	for (size_t i = 0; i < BUSES; i++)
		bus_wait(world->buses[i], NULL, NULL, 0, -1, NULL, 1);
}

/* Take turns until the condition holds. */
#define UNTIL(world, condition)                                                \
	do {                                                                   \
		time_ms deadline_ = clock_monotonic() + DEADLINE_MS;           \
		while (!(condition)) {                                         \
			if (clock_monotonic() > deadline_)                     \
				fail_msg("in vain: %s", #condition);           \
			turn(world);                                           \
		}                                                              \
	} while (0)

UNUSED static struct bus_socket *binds(
	struct world *world, enum bus_kind kind, char bound[128])
{
	struct bus_socket *socket;
	enum err err = bus_bind(world->buses[SERVER], &socket, kind,
		"tcp://127.0.0.1:*", bound);

	assert_int_equal(err, ERR_OK);
	return socket;
}

UNUSED static struct bus_socket *connects(struct world *world, size_t who,
	enum bus_kind kind, const char *endpoint)
{
	struct bus_socket *socket;
	enum err err = bus_connect(world->buses[who], &socket, kind, endpoint,
		&world->pairs[SERVER].key);

	assert_int_equal(err, ERR_OK);
	return socket;
}

UNUSED static bool is_up(const struct bus_socket *socket)
{
	return bus_link_state(socket) == BUS_LINK_UP;
}

UNUSED static enum err send_text(struct bus_socket *socket, const char *text)
{
	struct view frame = view_text(text);

	return bus_send(socket, &frame, 1);
}

UNUSED static bool frame_is(
	const struct bus_message *message, size_t index, const char *text)
{
	return index < message->frame_count &&
	       view_equal(message->frames[index], view_text(text));
}

/* ask goes there and the answer comes back; the server sees it come from
 * sender (NULL: a stranger). */
UNUSED static void round_trip(struct world *world, struct bus_socket *server,
	struct bus_socket *client, const struct key *sender)
{
	struct view ask[] = {view_text("12345678"), view_text("ask")};
	struct view answer[] = {view_text("12345678"), view_text("answer")};
	struct bus_message message;

	UNTIL(world, is_up(client));
	assert_int_equal(bus_send(client, ask, 2), ERR_OK);
	UNTIL(world, bus_receive(server, &message) == ERR_OK);
	assert_int_equal(message.frame_count, 2);
	assert_true(frame_is(&message, 0, "12345678"));
	assert_true(frame_is(&message, 1, "ask"));
	assert_int_equal(message.has_sender, sender != NULL);
	if (sender != NULL)
		assert_true(key_equal(&message.sender, sender));
	assert_int_equal(bus_answer(server, &message, answer, 2), ERR_OK);

	UNTIL(world, bus_receive(client, &message) == ERR_OK);
	assert_int_equal(message.frame_count, 2);
	assert_true(frame_is(&message, 1, "answer"));
	assert_true(message.has_sender);
	assert_true(key_equal(&message.sender, &world->pairs[SERVER].key));
	assert_int_equal(bus_receive(client, &message), ERR_TIMEOUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
