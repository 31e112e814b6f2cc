/* tests/unit/bus_user.c -- the name of a sender is the handler's, not his: a
 * client that speaks CURVE by hand (ZeroMQ RFC 26) says in its metadata that it
 * is somebody else, and is known by its key all the same.
 */
#include "bus_world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/socket.h>

enum { FRAME_LONG = 2, FRAME_COMMAND = 4, SHORT_MAX = 255 };

/* The client's side of one connection. */
struct speaker {
	struct world *world;
	int fd;
	struct curve_pair own;
	uint8_t server[32];                  /* its lasting key */
	uint8_t brief[32], brief_secret[32]; /* of this connection */
	uint8_t server_brief[32], cookie[96];
	uint64_t counter;
};

/* A command that is being put together. */
struct piece {
	size_t size;
	uint8_t bytes[1024];
};

static void add(struct piece *piece, const void *bytes, size_t size)
{
	assert_true(piece->size + size <= sizeof(piece->bytes));
	memcpy(piece->bytes + piece->size, bytes, size);
	piece->size += size;
}

static void add_number(struct piece *piece, uint64_t number, size_t size)
{
	while (size-- > 0) {
		uint8_t byte = (uint8_t)(number >> (8 * size));
		add(piece, &byte, 1);
	}
}

/* The next short nonce, and a box under it with this prefix of 16 letters. */
static void add_box(struct speaker *speaker, struct piece *piece,
	const char *prefix, const struct piece *plain, const uint8_t *to,
	const uint8_t *secret)
{
	uint8_t nonce[24], box[1024];
	struct piece number = {0};

	add_number(&number, ++speaker->counter, 8);
	memcpy(nonce, prefix, 16);
	memcpy(nonce + 16, number.bytes, 8);
	assert_int_equal(crypto_box_easy(box, plain->bytes, plain->size, nonce,
				 to, secret),
		0);
	add(piece, number.bytes, 8);
	add(piece, box, plain->size + crypto_box_MACBYTES);
}

static void speak(
	struct speaker *speaker, uint8_t flags, const struct piece *piece)
{
	struct piece frame = {0};
	bool is_long = piece->size > SHORT_MAX;

	add_number(&frame, flags | (is_long ? FRAME_LONG : 0), 1);
	add_number(&frame, piece->size, is_long ? 8 : 1);
	add(&frame, piece->bytes, piece->size);
	assert_int_equal(
		send(speaker->fd, frame.bytes, frame.size, MSG_NOSIGNAL),
		(ssize_t)frame.size);
}

static void hear(struct speaker *speaker, void *out, size_t size)
{
	UNTIL(speaker->world,
		recv(speaker->fd, out, size, MSG_PEEK | MSG_DONTWAIT) ==
			(ssize_t)size);
	assert_int_equal(recv(speaker->fd, out, size, 0), (ssize_t)size);
}

static void connect_to(struct speaker *speaker, const char *bound)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int port = (int)strtol(strrchr(bound, ':') + 1, NULL, 10);

	address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	speaker->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(speaker->fd, (struct sockaddr *)&address,
				 sizeof(address)),
		0);
}

static void greet(struct speaker *speaker)
{
	uint8_t mine[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1, 'C', 'U',
		'R', 'V', 'E'};
	uint8_t theirs[64];

	assert_int_equal(send(speaker->fd, mine, 64, MSG_NOSIGNAL), 64);
	hear(speaker, theirs, sizeof(theirs));
}

static void say_hello(struct speaker *speaker)
{
	struct piece hello = {0}, zeros = {.size = 64};
	uint8_t nothing[72] = {0};

	crypto_box_keypair(speaker->brief, speaker->brief_secret);
	add(&hello, "\x05HELLO\x01\x00", 8);
	add(&hello, nothing, sizeof(nothing));
	add(&hello, speaker->brief, 32);
	add_box(speaker, &hello, "CurveZMQHELLO---", &zeros, speaker->server,
		speaker->brief_secret);
	speak(speaker, FRAME_COMMAND, &hello);
}

static void hear_welcome(struct speaker *speaker)
{
	uint8_t frame[2 + 8 + 16 + 144], nonce[24], plain[128];

	hear(speaker, frame, sizeof(frame));
	assert_memory_equal(frame + 2, "\x07WELCOME", 8);
	memcpy(nonce, "WELCOME-", 8);
	memcpy(nonce + 8, frame + 10, 16);
	assert_int_equal(crypto_box_open_easy(plain, frame + 26, 144, nonce,
				 speaker->server, speaker->brief_secret),
		0);
	memcpy(speaker->server_brief, plain, 32);
	memcpy(speaker->cookie, plain + 32, 96);
}

static void add_property(
	struct piece *piece, const char *name, const char *value)
{
	add_number(piece, strlen(name), 1);
	add(piece, name, strlen(name));
	add_number(piece, strlen(value), 4);
	add(piece, value, strlen(value));
}

/* Who it is, with a proof; and who it says it is. */
static void initiate(struct speaker *speaker, const char *user)
{
	struct piece command = {0}, plain = {0};
	uint8_t nonce[24], vouched[64], vouch[80];

	memcpy(nonce, "VOUCH---", 8);
	randombytes_buf(nonce + 8, 16);
	memcpy(vouched, speaker->brief, 32);
	memcpy(vouched + 32, speaker->server, 32);
	assert_int_equal(
		crypto_box_easy(vouch, vouched, 64, nonce,
			speaker->server_brief, speaker->own.secret_key),
		0);
	add(&plain, speaker->own.public_key, 32);
	add(&plain, nonce + 8, 16);
	add(&plain, vouch, sizeof(vouch));
	add_property(&plain, "Socket-Type", "DEALER");
	add_property(&plain, "Identity", "");
	add_property(&plain, "User-Id", user);
	add(&command, "\x08INITIATE", 9);
	add(&command, speaker->cookie, 96);
	add_box(speaker, &command, "CurveZMQINITIATE", &plain,
		speaker->server_brief, speaker->brief_secret);
	speak(speaker, FRAME_COMMAND, &command);
}

static void hear_ready(struct speaker *speaker)
{
	uint8_t head[2], rest[1024];

	hear(speaker, head, 2);
	assert_int_equal(head[0], FRAME_COMMAND);
	hear(speaker, rest, head[1]);
	assert_memory_equal(rest, "\x05READY", 6);
}

static void say(struct speaker *speaker, const char *text)
{
	struct piece message = {0}, plain = {0};

	add_number(&plain, 0, 1); /* the last frame */
	add(&plain, text, strlen(text));
	add(&message, "\x07MESSAGE", 8);
	add_box(speaker, &message, "CurveZMQMESSAGEC", &plain,
		speaker->server_brief, speaker->brief_secret);
	speak(speaker, 0, &message);
}

static void test_user_id_is_not_the_clients(void **state)
{
	struct world *world = *state;
	struct speaker speaker = {.world = world};
	struct bus_message message;
	char bound[128], alice[65];
	struct bus_socket *server = binds(world, BUS_PEER_SERVER, bound);

	assert_int_equal(
		bus_know(world->buses[SERVER], &world->pairs[BOB].key), ERR_OK);
	curve_from_keypair(&speaker.own, &world->pairs[BOB]);
	assert_int_equal(
		curve_from_key(speaker.server, &world->pairs[SERVER].key),
		ERR_OK);
	sodium_bin2hex(alice, sizeof(alice), world->pairs[ALICE].key.bytes, 32);
	connect_to(&speaker, bound);
	greet(&speaker);
	say_hello(&speaker);
	hear_welcome(&speaker);
	initiate(&speaker, alice);
	hear_ready(&speaker);
	say(&speaker, "I am Alice");
	UNTIL(world, bus_receive(server, &message) == ERR_OK);
	assert_true(frame_is(&message, 0, "I am Alice"));
	assert_true(message.has_sender);
	assert_true(key_equal(&message.sender, &world->pairs[BOB].key));
	close(speaker.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_user_id_is_not_the_clients),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
