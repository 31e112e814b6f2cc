/* tests/unit/bus_hostile.c -- peers that do not keep to the rules: refused, cut
 * or dropped and counted, and everybody else is served on.
 *
 * They are bare sockets, because the bus would not do what they do.
 */
#include "bus_world.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

struct hostile {
	void *socket;
	void *monitor;
	unsigned seen; /* events, or-ed */
};

enum { IS_UP = ZMQ_EVENT_HANDSHAKE_SUCCEEDED, IS_CUT = ZMQ_EVENT_DISCONNECTED };

/* A bare socket; who: whose CURVE keys it uses, or BUSES for none. */
static struct hostile hostile_open(struct world *world, int type, size_t who)
{
	struct hostile out = {.socket = zmq_socket(world->context, type)};
	static unsigned names;
	char name[48];
	int zero = 0;

	zmq_setsockopt(out.socket, ZMQ_LINGER, &zero, sizeof(zero));
	snprintf(name, sizeof(name), "inproc://watch-%u", names++);
	zmq_socket_monitor(out.socket, name, ZMQ_EVENT_ALL);
	out.monitor = zmq_socket(world->context, ZMQ_PAIR);
	zmq_connect(out.monitor, name);
	if (who == BUSES)
		return out;

	struct curve_pair own;
	uint8_t server[32];
	curve_from_keypair(&own, &world->pairs[who]);
	enum err err = curve_from_key(server, &world->pairs[SERVER].key);
	assert_int_equal(err, ERR_OK);
	zmq_setsockopt(out.socket, ZMQ_CURVE_PUBLICKEY, own.public_key, 32);
	zmq_setsockopt(out.socket, ZMQ_CURVE_SECRETKEY, own.secret_key, 32);
	zmq_setsockopt(out.socket, ZMQ_CURVE_SERVERKEY, server, 32);
	return out;
}

static void hostile_close(struct hostile *hostile)
{
	zmq_socket_monitor(hostile->socket, NULL, 0);
	zmq_close(hostile->monitor);
	zmq_close(hostile->socket);
}

static bool hostile_saw(struct hostile *hostile, unsigned events)
{
	uint8_t frame[256];

	while (zmq_recv(hostile->monitor, frame, sizeof(frame), ZMQ_DONTWAIT) >=
		0) {
		uint16_t event;
		memcpy(&event, frame, sizeof(event));
		zmq_recv(hostile->monitor, frame, sizeof(frame), 0);
		hostile->seen |= event;
	}
	return (hostile->seen & events) != 0;
}

static void hostile_send(
	struct hostile *hostile, size_t frames, size_t frame_size)
{
	uint8_t *bytes = calloc(1, frame_size);

	for (size_t i = 0; i < frames; i++) {
		int rc = zmq_send(hostile->socket, bytes, frame_size,
			i + 1 < frames ? ZMQ_SNDMORE : 0);
		assert_int_equal(rc, (int)frame_size);
	}
	free(bytes);
}

static void test_null_and_plain(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_message message;
	const unsigned failed = ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
				ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
				ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

	world->admits_strangers = true;
	for (size_t i = 0; i < 2; i++) {
		struct hostile hostile = hostile_open(world, ZMQ_DEALER, BUSES);
		if (i == 1) {
			zmq_setsockopt(
				hostile.socket, ZMQ_PLAIN_USERNAME, "admin", 5);
			zmq_setsockopt(
				hostile.socket, ZMQ_PLAIN_PASSWORD, "admin", 5);
		}
		zmq_connect(hostile.socket, bound);
		hostile_send(&hostile, 2, 10);
		UNTIL(world, hostile_saw(&hostile, failed));
		assert_false(hostile_saw(&hostile, IS_UP));
		assert_int_equal(bus_receive(server, &message), ERR_TIMEOUT);
		hostile_close(&hostile);
	}
}

static void test_oversized_frame(void **state)
{
	struct world *world = *state;
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_message message;
	struct hostile hostile = hostile_open(world, ZMQ_DEALER, ALICE);

	zmq_connect(hostile.socket, bound);
	hostile_send(&hostile, 2, BUS_FRAME_MAX);
	UNTIL(world, bus_receive(server, &message) == ERR_OK);
	assert_int_equal(message.frames[1].size, BUS_FRAME_MAX);
	assert_false(hostile_saw(&hostile, IS_CUT));

	hostile_send(&hostile, 1, BUS_FRAME_MAX + 1);
	UNTIL(world, hostile_saw(&hostile, IS_CUT));
	assert_int_equal(bus_receive(server, &message), ERR_TIMEOUT);
	hostile_close(&hostile);

	struct bus_socket *client =
		connects(world, ALICE, BUS_REQUEST_CLIENT, bound);
	round_trip(world, server, client, &world->pairs[ALICE].key);
}

/* Long topics would fill a publisher's memory. */
static void test_oversized_topic(void **state)
{
	struct world *world = *state;
	uint8_t topic[600] = {0};
	char bound[128];
	struct view text = view_text("still here");
	struct bus_socket *publisher = binds(world, BUS_PUBLISH, bound);
	struct hostile hostile = hostile_open(world, ZMQ_SUB, ALICE);
	struct bus_message message;

	zmq_setsockopt(hostile.socket, ZMQ_SUBSCRIBE, topic, 300);
	zmq_connect(hostile.socket, bound);
	UNTIL(world, hostile_saw(&hostile, IS_UP));
	assert_false(hostile_saw(&hostile, IS_CUT));
	zmq_setsockopt(hostile.socket, ZMQ_SUBSCRIBE, topic, sizeof(topic));
	UNTIL(world, hostile_saw(&hostile, IS_CUT));
	hostile_close(&hostile);

	struct bus_socket *subscriber =
		connects(world, ALICE, BUS_SUBSCRIBE, bound);
	bus_subscribe(subscriber, "still");
	UNTIL(world, bus_send(publisher, &text, 1) == ERR_OK &&
			     bus_receive(subscriber, &message) == ERR_OK);
}

/* To leave twice, to say what is no subscription, and to say much: it is taken
 * in though nothing is published, and changes nothing for others. */
static void test_nonsense_is_no_subscription(void **state)
{
	struct world *world = *state;
	static const char *const said[] = {
		"\1block", "\1block", "\2block", "\1sta", "\1blocks", "x", ""};
	static const uint8_t left[] = {0, 's', 't', 'a', 't', 'u', 's'};
	char bound[128];
	struct bus_socket *publisher = binds(world, BUS_PUBLISH, bound);
	struct hostile hostile = hostile_open(world, ZMQ_XSUB, ALICE);

	bus_announce(publisher, "block");
	bus_announce(publisher, "status");
	zmq_connect(hostile.socket, bound);
	UNTIL(world, hostile_saw(&hostile, IS_UP));
	for (size_t i = 0; i < 500; i++)
		zmq_send(hostile.socket, i % 2 ? "\1xyz" : "\0xyz", 4, 0);
	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
		zmq_send(hostile.socket, said[i], strlen(said[i]), 0);
	for (size_t i = 0; i < 3; i++)
		zmq_send(hostile.socket, left, sizeof(left), 0);
	UNTIL(world, publisher->heard[1] == 1);
	assert_int_equal(publisher->heard[0], 1);

	struct bus_socket *subscriber =
		connects(world, ALICE, BUS_SUBSCRIBE, bound);
	bus_subscribe(subscriber, "block");
	bus_subscribe(subscriber, "stat");
	UNTIL(world, publisher->heard[1] == 2);
	hostile_close(&hostile);
	UNTIL(world, publisher->heard[1] == 1);
	assert_int_equal(publisher->heard[0], 1);
	bus_drop(world->buses[ALICE], &subscriber);
	UNTIL(world, !bus_is_heard(publisher, "status"));
	assert_false(bus_is_heard(publisher, "block"));
}

static void test_excess_frames(void **state)
{
	struct world *world = *state;
	static const size_t counts[] = {BUS_FRAMES_MAX + 1, 1000};
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_message message;
	struct bus_stats stats;
	struct hostile hostile = hostile_open(world, ZMQ_DEALER, ALICE);
	enum err err;

	zmq_connect(hostile.socket, bound);
	for (size_t i = 0; i < 2; i++) {
		hostile_send(&hostile, counts[i], 10);
		hostile_send(&hostile, BUS_FRAMES_MAX, 10);
		UNTIL(world,
			(err = bus_receive(server, &message)) != ERR_TIMEOUT);
		assert_int_equal(err, ERR_LENGTH);
		bus_stats_read(world->buses[SERVER], &stats);
		assert_int_equal(stats.excess, i + 1);
		UNTIL(world, bus_receive(server, &message) == ERR_OK);
		assert_int_equal(message.frame_count, BUS_FRAMES_MAX);
	}
	hostile_close(&hostile);
}

static void test_long_route(void **state)
{
	struct world *world = *state;
	uint8_t route[65];
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_message message;
	struct hostile hostile = hostile_open(world, ZMQ_DEALER, ALICE);
	enum err err;

	memset(route, 'r', sizeof(route));
	zmq_setsockopt(hostile.socket, ZMQ_ROUTING_ID, route, sizeof(route));
	zmq_connect(hostile.socket, bound);
	hostile_send(&hostile, 1, 10);
	UNTIL(world, (err = bus_receive(server, &message)) != ERR_TIMEOUT);
	assert_int_equal(err, ERR_LENGTH);
	hostile_close(&hostile);
}

/* Who comes second with a routing id neither gets the first one's answers nor
 * is heard. */
static void test_duplicate_route(void **state)
{
	struct world *world = *state;
	uint8_t bytes[16];
	char bound[128];
	struct bus_socket *server = binds(world, BUS_REQUEST_SERVER, bound);
	struct bus_message message;
	struct view answer = view_text("for alice");
	struct hostile alice = hostile_open(world, ZMQ_DEALER, ALICE);
	struct hostile bob = hostile_open(world, ZMQ_DEALER, BOB);

	world->admits_strangers = true;
	zmq_setsockopt(alice.socket, ZMQ_ROUTING_ID, "same", 4);
	zmq_setsockopt(bob.socket, ZMQ_ROUTING_ID, "same", 4);
	zmq_connect(alice.socket, bound);
	hostile_send(&alice, 1, 10);
	UNTIL(world, bus_receive(server, &message) == ERR_OK);
	zmq_connect(bob.socket, bound);
	UNTIL(world, hostile_saw(&bob, IS_UP));
	hostile_send(&bob, 1, 10);

	/* A third one's round trip: time enough for Bob's message. */
	struct bus_socket *client =
		connects(world, ALICE, BUS_REQUEST_CLIENT, bound);
	struct bus_message before = message;
	round_trip(world, server, client, &world->pairs[ALICE].key);

	assert_int_equal(bus_answer(server, &before, &answer, 1), ERR_OK);
	UNTIL(world, zmq_recv(alice.socket, bytes, sizeof(bytes),
			     ZMQ_DONTWAIT) == (int)answer.size);
	assert_int_equal(
		zmq_recv(bob.socket, bytes, sizeof(bytes), ZMQ_DONTWAIT), -1);
	assert_int_equal(bus_receive(server, &message), ERR_TIMEOUT);
	hostile_close(&alice);
	hostile_close(&bob);
}

static int listen_plain(char endpoint[128])
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(
		getsockname(fd, (struct sockaddr *)&address, &size), 0);
	snprintf(endpoint, 128, "tcp://127.0.0.1:%d", ntohs(address.sin_port));
	return fd;
}

/* Another program answers on that port with something else; after a handshake
 * that makes no sense libzmq would never try again. */
static void test_foreign_server(void **state)
{
	struct world *world = *state;
	static const char banner[] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
				     "and whatever else such a program says\r\n"
				     "until the other side has had enough\r\n";
	char endpoint[128], bound[128];
	int fd = -1, listener = listen_plain(endpoint);
	struct bus_socket *server;
	struct bus_socket *client =
		connects(world, ALICE, BUS_PEER_CLIENT, endpoint);

	UNTIL(world, (fd = accept(listener, NULL, NULL)) >= 0);
	assert_int_equal(write(fd, banner, sizeof(banner)), sizeof(banner));
	UNTIL(world, bus_link_state(client) == BUS_LINK_STRANGE);
	close(fd);
	close(listener);
	UNTIL(world, bus_bind(world->buses[SERVER], &server, BUS_PEER_SERVER,
			     endpoint, bound) == ERR_OK);
	round_trip(world, server, client, &world->pairs[ALICE].key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_null_and_plain),
		TEST(test_oversized_frame),
		TEST(test_oversized_topic),
		TEST(test_nonsense_is_no_subscription),
		TEST(test_excess_frames),
		TEST(test_long_route),
		TEST(test_duplicate_route),
		TEST(test_foreign_server),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
