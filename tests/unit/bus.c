/* tests/unit/bus.c -- real sockets on loopback: every pair of kinds, who is let
 * in and by which name, full queues, and links that mend themselves.
 */
#include "bus_world.h"

#include <pthread.h>
#include <stdio.h>

#include "base/check.h"
#include "base/random.h"

static void test_request(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_socket *client =
		connects(world, ALICE, BUS_REQUEST_CLIENT, bound);
	struct bus_stats stats;

	assert_int_equal(send_text(client, "early"), ERR_UNREACHABLE);
	round_trip(world, server, client, &world->pairs[ALICE].key);
	round_trip(world, server, client, &world->pairs[ALICE].key);
	bus_stats_read(world->buses[SERVER], &stats);
	assert_true(stats.admitted >= 1); /* each handshake that took long */
	assert_int_equal(stats.received, 2);
	assert_int_equal(stats.sent, 2);
	bus_stats_read(world->buses[ALICE], &stats);
	assert_int_equal(stats.unreachable, 1);
}

static void test_peer(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_PEER_SERVER, bound);
	struct bus_socket *client =
		connects(world, ALICE, BUS_PEER_CLIENT, bound);

	round_trip(world, server, client, &world->pairs[ALICE].key);
}

/* The largest frame passes whole, both ways. */
static void test_frame_max(void **state)
{
	struct world *world = *state;
	uint8_t *bytes = malloc(BUS_FRAME_MAX);
	struct view frame = view_of(bytes, BUS_FRAME_MAX);
	struct bus_message message;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_PEER_SERVER, bound);
	struct bus_socket *client =
		connects(world, ALICE, BUS_PEER_CLIENT, bound);

	memset(bytes, 0xa5, BUS_FRAME_MAX);
	UNTIL(world, is_up(client));
	assert_int_equal(bus_send(client, &frame, 1), ERR_OK);
	UNTIL(world, bus_receive(server, &message) == ERR_OK);
	assert_true(view_equal(message.frames[0], frame));
	assert_int_equal(bus_answer(server, &message, &frame, 1), ERR_OK);
	UNTIL(world, bus_receive(client, &message) == ERR_OK);
	assert_true(view_equal(message.frames[0], frame));
	free(bytes);
}

static void test_publish(void **state)
{
	struct world *world = *state;
	struct view other[] = {view_text("other"), view_text("x")};
	struct view block[] = {view_text("block"),
		view_text("0123456789abcdef"), view_text("body")};
	struct bus_message message;
	char bound[128];
	struct bus_socket *publisher = binds(world, BUS_PUBLISH, bound);
	struct bus_socket *subscriber =
		connects(world, ALICE, BUS_SUBSCRIBE, bound);

	bus_subscribe(subscriber, "block");
	UNTIL(world, is_up(subscriber));
	/* What is published before the subscription arrives is lost. */
	UNTIL(world, bus_send(publisher, other, 2) == ERR_OK &&
			     bus_send(publisher, block, 3) == ERR_OK &&
			     bus_receive(subscriber, &message) == ERR_OK);
	assert_int_equal(message.frame_count, 3);
	assert_true(frame_is(&message, 0, "block"));
	assert_true(frame_is(&message, 2, "body"));
	assert_true(key_equal(&message.sender, &world->pairs[SERVER].key));
	while (bus_receive(subscriber, &message) == ERR_OK)
		assert_true(frame_is(&message, 0, "block"));
}

/* By one of several, by all of the topics, until the last one leaves. */
static void test_what_is_heard(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *publisher = binds(world, BUS_PUBLISH, bound);
	struct bus_socket *one = connects(world, ALICE, BUS_SUBSCRIBE, bound);
	struct bus_socket *two = connects(world, ALICE, BUS_SUBSCRIBE, bound);

	bus_announce(publisher, "block");
	bus_announce(publisher, "status");
	UNTIL(world, is_up(one) && is_up(two));
	assert_false(bus_is_heard(publisher, "block"));
	bus_subscribe(one, "block");
	UNTIL(world, bus_is_heard(publisher, "block"));
	assert_false(bus_is_heard(publisher, "status"));
	bus_subscribe(two, "");
	UNTIL(world, bus_is_heard(publisher, "status"));
	bus_unsubscribe(two, "");
	UNTIL(world, !bus_is_heard(publisher, "status"));
	assert_true(bus_is_heard(publisher, "block"));
	bus_subscribe(two, "block");
	bus_drop(world->buses[ALICE], &one);
	bus_subscribe(two, "status"); /* comes after its other one */
	UNTIL(world, bus_is_heard(publisher, "status"));
	assert_true(bus_is_heard(publisher, "block"));
	bus_drop(world->buses[ALICE], &two);
	UNTIL(world, !bus_is_heard(publisher, "block"));
	assert_false(bus_is_heard(publisher, "status"));
}

static void *echo(void *inside)
{
	struct bus_message message;
	bool stop = false;

	while (!stop) {
		enum err err = bus_receive_wait(inside, &message);
		stop = err != ERR_OK || frame_is(&message, 0, "stop");
		if (!stop)
			err = bus_send(inside, message.frames, 1);
		CHECK(err == ERR_OK);
	}
	return NULL;
}

static void test_pair(void **state)
{
	struct world *world = *state;
	struct bus *bus = world->buses[SERVER];
	struct bus_socket *owner, *inside;
	struct bus_message message;
	pthread_t thread;

	assert_int_equal(bus_pair(bus, &owner, &inside), ERR_OK);
	assert_int_equal(pthread_create(&thread, NULL, echo, inside), 0);
	assert_int_equal(send_text(owner, "one"), ERR_OK);
	assert_int_equal(send_text(owner, "two"), ERR_OK);
	UNTIL(world, bus_receive(owner, &message) == ERR_OK);
	assert_true(frame_is(&message, 0, "one"));
	assert_false(message.has_sender);
	UNTIL(world, bus_receive(owner, &message) == ERR_OK);
	assert_true(frame_is(&message, 0, "two"));
	assert_int_equal(send_text(owner, "stop"), ERR_OK);
	assert_int_equal(pthread_join(thread, NULL), 0);
	bus_drop(bus, &inside);
	bus_drop(bus, &owner);
	assert_null(owner);
}

/* A stranger is told so, and gets in by itself once it is known. */
static void test_unknown_is_refused(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_PEER_SERVER, bound);
	struct bus_socket *client =
		connects(world, BOB, BUS_PEER_CLIENT, bound);
	struct bus_stats stats;
	struct bus_message message;

	UNTIL(world, bus_link_state(client) == BUS_LINK_REFUSED);
	assert_int_equal(send_text(client, "psst"), ERR_UNREACHABLE);
	assert_int_equal(bus_receive(server, &message), ERR_TIMEOUT);
	bus_stats_read(world->buses[SERVER], &stats);
	assert_true(stats.refused >= 1 && stats.admitted == 0);

	enum err err = bus_know(world->buses[SERVER], &world->pairs[BOB].key);
	assert_int_equal(err, ERR_OK);
	round_trip(world, server, client, &world->pairs[BOB].key);
}

static void test_stranger_is_admitted(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_socket *client =
		connects(world, BOB, BUS_REQUEST_CLIENT, bound);

	world->admits_strangers = true;
	round_trip(world, server, client, NULL);
	/* Recognised from now on, on the same connection. */
	enum err err = bus_know(world->buses[SERVER], &world->pairs[BOB].key);
	assert_int_equal(err, ERR_OK);
	round_trip(world, server, client, &world->pairs[BOB].key);
}

/* Without anybody to ask, the known are admitted and no others. */
static void test_admission_by_default(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_socket *alice =
		connects(world, ALICE, BUS_REQUEST_CLIENT, bound);
	struct bus_socket *bob =
		connects(world, BOB, BUS_REQUEST_CLIENT, bound);

	bus_set_admission(world->buses[SERVER], NULL, NULL);
	UNTIL(world, bus_link_state(bob) == BUS_LINK_REFUSED);
	round_trip(world, server, alice, &world->pairs[ALICE].key);
}

static void test_wrong_server_key(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_socket *client;
	struct bus_message message;
	enum err err = bus_connect(world->buses[ALICE], &client,
		BUS_REQUEST_CLIENT, bound, &world->pairs[BOB].key);

	assert_int_equal(err, ERR_OK);
	UNTIL(world, bus_link_state(client) == BUS_LINK_STRANGE);
	assert_int_equal(send_text(client, "psst"), ERR_UNREACHABLE);
	assert_int_equal(bus_receive(server, &message), ERR_TIMEOUT);
}

/* ---- queues, addresses, waiting ---- */

static void test_gone_client(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_socket *client =
		connects(world, ALICE, BUS_REQUEST_CLIENT, bound);
	struct bus_message message;
	struct view answer = view_text("too late");

	UNTIL(world, is_up(client));
	assert_int_equal(send_text(client, "ask"), ERR_OK);
	UNTIL(world, bus_receive(server, &message) == ERR_OK);
	bus_drop(world->buses[ALICE], &client);
	UNTIL(world,
		bus_answer(server, &message, &answer, 1) == ERR_UNREACHABLE);
}

/* A server that does not read: the queue is bounded, and says so. */
static void test_full_queue(void **state)
{
	struct world *world = *state;
	uint8_t bytes[4000] = {0};
	struct view frame = view_of(bytes, sizeof(bytes));
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_socket *client =
		connects(world, ALICE, BUS_REQUEST_CLIENT, bound);
	struct bus_message message;
	size_t sent = 0;
	enum err err;

	UNTIL(world, is_up(client));
	while ((err = bus_send(client, &frame, 1)) == ERR_OK)
		assert_true(++sent < 100000);
	assert_int_equal(err, ERR_BUSY);
	for (size_t i = 0; i < sent; i++)
		UNTIL(world, bus_receive(server, &message) == ERR_OK);
	UNTIL(world, bus_send(client, &frame, 1) == ERR_OK);
}

static void test_addresses(void **state)
{
	struct world *world = *state;
	static const char *const malformed[] = {"", "tcp://", "tcp://127.0.0.1",
		"tcp://127.0.0.1:70000", "tcp://127.0.0.1:0", "tcp://:5000",
		"tcp://127.0.0.1:5000/x", "tcp://127.0.0.1:-1",
		"tcp://127.0.0.1:port", "127.0.0.1:5000", "ipc:///tmp/perch",
		"inproc://perch", "udp://127.0.0.1:5000",
		"tcp://no-such-device:5000", "tcp://192.0.2.1:5000"};
	const size_t connectable = 2; /* the last ones may be elsewhere */
	const size_t count = sizeof(malformed) / sizeof(malformed[0]);
	struct bus *bus = world->buses[SERVER];
	char bound[128], again[128], longest[200];
	struct bus_socket *socket = NULL;
	enum err err;

	for (size_t i = 0; i < count; i++) {
		err = bus_bind(bus, &socket, BUS_PUBLISH, malformed[i], bound);
		assert_int_equal(err, ERR_CONFIG);
		if (i + connectable >= count)
			break;
		err = bus_connect(bus, &socket, BUS_SUBSCRIBE, malformed[i],
			&world->pairs[ALICE].key);
		assert_int_equal(err, ERR_CONFIG);
	}
	snprintf(longest, sizeof(longest), "tcp://%0150d.example:5000", 0);
	err = bus_connect(
		bus, &socket, BUS_SUBSCRIBE, longest, &world->pairs[ALICE].key);
	assert_int_equal(err, ERR_CONFIG);
	err = bus_connect(bus, &socket, BUS_SUBSCRIBE, "tcp://127.0.0.1:5000",
		&(struct key){{1}});
	assert_int_equal(err, ERR_KEY);
	assert_int_equal(bus_know(bus, &(struct key){{1}}), ERR_KEY);
	assert_null(socket);

	binds(world, BUS_PUBLISH, bound);
	err = bus_bind(bus, &socket, BUS_PUBLISH, bound, again);
	assert_int_equal(err, ERR_IN_USE);
	assert_null(socket);
}

/* The server goes and comes back; the client notices both by itself. */
static void test_server_restarts(void **state)
{
	struct world *world = *state;
	char bound[128], again[128];
	struct bus_socket *server = binds(world, BUS_PEER_SERVER, bound);
	struct bus_socket *client =
		connects(world, ALICE, BUS_PEER_CLIENT, bound);

	round_trip(world, server, client, &world->pairs[ALICE].key);
	bus_drop(world->buses[SERVER], &server);
	UNTIL(world, bus_link_state(client) == BUS_LINK_DOWN);
	UNTIL(world, bus_bind(world->buses[SERVER], &server, BUS_PEER_SERVER,
			     bound, again) == ERR_OK);
	round_trip(world, server, client, &world->pairs[ALICE].key);
}

/* A socket made anew still wants the same topics. */
static void test_subscription_is_kept(void **state)
{
	struct world *world = *state;
	struct view block[] = {view_text("block"), view_text("body")};
	struct bus_message message;
	char bound[128];
	struct bus_socket *publisher = binds(world, BUS_PUBLISH, bound);
	struct bus_socket *subscriber =
		connects(world, BOB, BUS_SUBSCRIBE, bound);

	bus_subscribe(subscriber, "status");
	bus_subscribe(subscriber, "block");
	UNTIL(world, bus_link_state(subscriber) == BUS_LINK_REFUSED);
	enum err err = bus_know(world->buses[SERVER], &world->pairs[BOB].key);
	assert_int_equal(err, ERR_OK);
	subscriber->retry_at = 0; /* need not wait five seconds */
	UNTIL(world, bus_send(publisher, block, 2) == ERR_OK &&
			     bus_receive(subscriber, &message) == ERR_OK);
	assert_true(frame_is(&message, 0, "block"));
}

static void on_alarm(int number)
{
	(void)number;
}

static void test_wait(void **state)
{
	struct world *world = *state;
	struct bus *bus = world->buses[SERVER];
	struct bus_socket *owner, *inside;
	bool ready = true, fd_ready = true;
	int fds[2];

	assert_int_equal(bus_pair(bus, &owner, &inside), ERR_OK);
	assert_int_equal(pipe(fds), 0);
	time_ms before = clock_monotonic();
	assert_false(bus_wait(bus, &owner, &ready, 1, fds[0], &fd_ready, 20));
	assert_true(clock_monotonic() - before >= 20);
	assert_false(ready || fd_ready);
	assert_false(bus_wait(bus, &owner, &ready, 1, fds[0], &fd_ready, 0));

	assert_int_equal(send_text(inside, "x"), ERR_OK);
	assert_true(bus_wait(bus, &owner, &ready, 1, fds[0], &fd_ready, -1));
	assert_true(ready && !fd_ready);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_true(bus_wait(bus, NULL, NULL, 0, fds[0], &fd_ready, -1));
	assert_true(fd_ready);
	close(fds[0]);
	close(fds[1]);

	/* A signal ends the wait, and nothing is ready. */
	struct sigaction action = {.sa_handler = on_alarm}, old;
	sigaction(SIGALRM, &action, &old);
	ualarm(20000, 20000);
	assert_true(bus_wait(bus, &inside, &ready, 1, -1, NULL, DEADLINE_MS));
	ualarm(0, 0);
	sigaction(SIGALRM, &old, NULL);
	assert_false(ready);
}

struct echo {
	struct bus *bus;
	struct bus_socket *server;
};

/* Answer all until one is "stop"; only waits, never asks in vain. */
static void *echo_server(void *argument)
{
	struct echo *at = argument;
	struct bus_message message;
	bool ready, stop = false;

	while (!stop) {
		bool woken = bus_wait(
			at->bus, &at->server, &ready, 1, -1, NULL, DEADLINE_MS);
		CHECK(woken);
		while (bus_receive(at->server, &message) == ERR_OK) {
			stop = frame_is(&message, 0, "stop");
			enum err err = bus_answer(
				at->server, &message, message.frames, 1);
			CHECK(err == ERR_OK);
		}
	}
	return NULL;
}

/* Bursts of random length, taken in random portions; a wake-up that is lost
 * would be a wait until the deadline. */
static void test_no_wake_is_lost(void **state)
{
	struct world *world = *state;
	struct bus *bus = world->buses[ALICE];
	struct bus_message message;
	struct random random;
	char bound[128];
	struct echo at = {
		world->buses[SERVER], binds(world, BUS_REQUEST_SERVER, bound)};
	struct bus_socket *client =
		connects(world, ALICE, BUS_REQUEST_CLIENT, bound);
	size_t waiting = 0;
	pthread_t thread;
	bool ready;

	random_seed(&random, 5);
	UNTIL(world, is_up(client));
	assert_int_equal(pthread_create(&thread, NULL, echo_server, &at), 0);
	for (size_t round = 0; round < 3000; round++) {
		size_t burst = random_below(&random, 4);
		for (size_t i = 0; i < burst; i++, waiting++)
			assert_int_equal(send_text(client, "x"), ERR_OK);
		size_t portion = random_below(&random, 4);
		while (portion-- > 0 && waiting > 0) {
			assert_true(bus_wait(bus, &client, &ready, 1, -1, NULL,
				DEADLINE_MS));
			if (bus_receive(client, &message) == ERR_OK)
				waiting--;
		}
	}
	assert_int_equal(send_text(client, "stop"), ERR_OK);
	for (waiting++; waiting > 0;) {
		assert_true(bus_wait(
			bus, &client, &ready, 1, -1, NULL, DEADLINE_MS));
		if (bus_receive(client, &message) == ERR_OK)
			waiting--;
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_sockets_max(void **state)
{
	struct world *world = *state;
	struct bus *bus = world->buses[SERVER];
	struct bus_socket *owner, *inside;
	char bound[128];

	for (size_t i = 0; i < BUS_SOCKETS_MAX / 2; i++)
		assert_int_equal(bus_pair(bus, &owner, &inside), ERR_OK);
	assert_int_equal(bus_pair(bus, &owner, &inside), ERR_FULL);
	enum err err =
		bus_bind(bus, &owner, BUS_PUBLISH, "tcp://127.0.0.1:*", bound);
	assert_int_equal(err, ERR_FULL);
	bus_drop(bus, &inside);
	err = bus_bind(bus, &inside, BUS_PUBLISH, "tcp://127.0.0.1:*", bound);
	assert_int_equal(err, ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request),
		TEST(test_peer),
		TEST(test_frame_max),
		TEST(test_publish),
		TEST(test_what_is_heard),
		TEST(test_pair),
		TEST(test_unknown_is_refused),
		TEST(test_stranger_is_admitted),
		TEST(test_admission_by_default),
		TEST(test_wrong_server_key),
		TEST(test_gone_client),
		TEST(test_full_queue),
		TEST(test_addresses),
		TEST(test_server_restarts),
		TEST(test_subscription_is_kept),
		TEST(test_wait),
		TEST(test_no_wake_is_lost),
		TEST(test_sockets_max),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
