/* service/beacon.c -- czmq's zbeacon, with its traps avoided: it takes no
 * signals, says nothing by itself, and its context is ended explicitly, last.
 */
#include "service/beacon.h"

#include <czmq.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static const char magic[] = "perch\1";

enum {
	MAGIC_SIZE = sizeof(magic) - 1,
	KEY_AT = MAGIC_SIZE + HASH_SIZE,
	PORT_AT = KEY_AT + KEY_SIZE,
	BEACON_SIZE = PORT_AT + 2,
};

struct beacon {
	zactor_t *actor;
};

enum err beacon_open(struct beacon **out, uint16_t udp_port,
	const char *interface, const struct hash *network,
	const struct key *self, uint16_t listens)
{
	struct beacon *beacon = calloc(1, sizeof(*beacon));
	uint8_t bytes[BEACON_SIZE];
	CHECK(beacon != NULL);
	zsys_handler_set(NULL);
	zsys_set_logstream(NULL);
	zsys_set_interface(interface == NULL ? "" : interface);
	beacon->actor = zactor_new(zbeacon, NULL);
	CHECK(beacon->actor != NULL);
	memcpy(bytes, magic, MAGIC_SIZE);
	memcpy(bytes + MAGIC_SIZE, network->bytes, HASH_SIZE);
	memcpy(bytes + KEY_AT, self->bytes, KEY_SIZE);
	bytes[PORT_AT] = (uint8_t)(listens >> 8);
	bytes[PORT_AT + 1] = (uint8_t)listens;
	int rc = zsock_send(beacon->actor, "si", "CONFIGURE", (int)udp_port);
	CHECK(rc == 0);
	char *host = zstr_recv(beacon->actor);
	bool works = host != NULL && host[0] != '\0';
	zstr_free(&host);
	rc = zsock_send(beacon->actor, "sbi", "PUBLISH", bytes, sizeof(bytes),
		(int)BEACON_MS);
	CHECK(rc == 0);
	rc = zsock_send(beacon->actor, "sb", "SUBSCRIBE", bytes,
		(size_t)KEY_AT); /* of this network only */
	CHECK(rc == 0);
	*out = beacon;
	return works ? ERR_OK : ERR_UNREACHABLE;
}

void beacon_close(struct beacon **beacon)
{
	if (*beacon == NULL)
		return;
	zactor_destroy(&(*beacon)->actor);
	free(*beacon);
	*beacon = NULL;
}

void beacon_end(void)
{
	zsys_shutdown();
}

/* What came by UDP is of any size and content. */
static bool read_beacon(
	zmsg_t *message, struct key *key, char endpoint[BOOK_ENDPOINT_SIZE])
{
	zframe_t *from = zmsg_first(message);
	zframe_t *said = zmsg_next(message);
	char host[16] = "";
	if (from == NULL || said == NULL || zframe_size(said) != BEACON_SIZE ||
		zframe_size(from) >= sizeof(host))
		return false;
	const uint8_t *bytes = zframe_data(said);
	uint16_t port = (uint16_t)(bytes[PORT_AT] << 8 | bytes[PORT_AT + 1]);
	memcpy(host, zframe_data(from), zframe_size(from));
	memcpy(key->bytes, bytes + KEY_AT, KEY_SIZE);
	endpoint_print(endpoint, host, port);
	return true;
}

bool beacon_take(struct beacon *beacon, struct key *key,
	char endpoint[BOOK_ENDPOINT_SIZE])
{
	zsock_t *socket = zactor_sock(beacon->actor);
	bool good = false;
	while (!good && (zsock_events(socket) & ZMQ_POLLIN) != 0) {
		zmsg_t *message = zmsg_recv(socket);
		if (message == NULL)
			return false;
		good = read_beacon(message, key, endpoint);
		zmsg_destroy(&message);
	}
	return good;
}
