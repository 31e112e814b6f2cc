/* bus/heard.c -- which topics of a publisher anybody subscribes to.
 *
 * A publisher is an XPUB socket: it tells each prefix once, when the first one
 * subscribes to it and when the last one leaves, however he leaves. It is read
 * in every bus_wait, so that nobody can fill it up.
 */
#include "bus/internal.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"

static void count(struct bus_socket *socket, struct view told)
{
	struct view prefix = view_of(told.data + 1, told.size - 1);

	for (size_t i = 0; i < socket->topic_count; i++) {
		const char *topic = socket->topics[i];
		if (prefix.size > strlen(topic) ||
			memcmp(topic, prefix.data, prefix.size) != 0)
			continue;
		if (told.data[0] == 1)
			socket->heard[i]++;
		else if (socket->heard[i] > 0)
			socket->heard[i]--;
	}
}

void heard_update(struct bus_socket *socket)
{
	zmq_msg_t message;

	zmq_msg_init(&message);
	while (part_receive(socket, &message)) {
		struct view told =
			view_of(zmq_msg_data(&message), zmq_msg_size(&message));
		/* Anything else comes from no subscriber of ours. */
		if (told.size > 0 && told.data[0] <= 1)
			count(socket, told);
	}
	zmq_msg_close(&message);
}

void bus_announce(struct bus_socket *socket, const char *topic)
{
	CHECK(socket->kind == BUS_PUBLISH);
	CHECK(socket->topic_count < BUS_TOPICS_MAX);
	CHECK(strlen(topic) <= BUS_TOPIC_SIZE_MAX);
	memcpy(socket->topics[socket->topic_count++], topic, strlen(topic) + 1);
}

bool bus_is_heard(const struct bus_socket *socket, const char *topic)
{
	size_t at = 0;

	CHECK(socket->kind == BUS_PUBLISH);
	while (at < socket->topic_count &&
		strcmp(socket->topics[at], topic) != 0)
		at++;
	CHECK(at < socket->topic_count);
	return socket->heard[at] > 0;
}
