/* bus/zap.c -- only CURVE, only our domains, and a User-Id that names the
 * identity, so that every message says who sent it.
 */
#include "bus/zap.h"

#include <string.h>
#include <zmq.h>

#include "base/hex.h"

/* Requests answered before the caller's own sockets get their turn. */
enum { ZAP_TURN_MAX = 64 };

static const char stranger[] = "curve:";

const char *zap_domain(enum bus_kind kind)
{
	switch (kind) {
	case BUS_REQUEST_SERVER:
		return "request";
	case BUS_PEER_SERVER:
		return "peer";
	case BUS_PUBLISH:
		return "publish";
	case BUS_REQUEST_CLIENT:
	case BUS_PEER_CLIENT:
	case BUS_SUBSCRIBE:
	case BUS_PAIR:
		break;
	}
	return NULL;
}

static bool kind_of(enum bus_kind *out, struct view domain)
{
	for (enum bus_kind kind = BUS_REQUEST_SERVER; kind < BUS_PAIR; kind++) {
		const char *name = zap_domain(kind);
		if (name != NULL && view_equal(domain, view_text(name))) {
			*out = kind;
			return true;
		}
	}
	return false;
}

/* NULL when the request is a CURVE handshake with one of our servers. */
static const char *refuses(
	enum bus_kind *kind, const struct view *frames, size_t count)
{
	if (!kind_of(kind, frames[2]))
		return "domain";
	if (!view_equal(frames[5], view_text("CURVE")))
		return "mechanism";
	if (count != 7 || frames[6].size != KEY_SIZE)
		return "credentials";
	return NULL;
}

static void name_user(
	char out[ZAP_USER_SIZE], const struct key *key, struct view curve)
{
	if (key != NULL) {
		hex_encode(out, view_of(key->bytes, KEY_SIZE));
		return;
	}
	memcpy(out, stranger, sizeof(stranger));
	hex_encode(out + strlen(stranger), curve);
}

/*~ The door of the house. libzmq asks here before a single byte of a stranger
 * reaches a queue of ours: version, request id, domain, address, routing id,
 * mechanism, and for CURVE the 32 bytes of the key whose possession has just
 * been proved. What is not exactly that is refused, and what is admitted gets
 * the name by which everything above knows it.
 */
void zap_decide(struct zap_answer *out, const struct view *frames, size_t count,
	const struct zap_policy *policy)
{
	enum bus_kind kind;

	*out = (struct zap_answer){0};
	if (count < 2)
		return;
	out->id = frames[1];
	if (count < 6 || !view_equal(frames[0], view_text("1.0"))) {
		out->status = "500";
		out->text = "malformed";
		return;
	}
	out->status = "400";
	out->text = refuses(&kind, frames, count);
	if (out->text != NULL)
		return;

	const struct key *key = known_find(policy->known, frames[6].data);
	bool admitted = key != NULL;
	if (policy->admits != NULL)
		admitted = policy->admits(policy->context, kind, key);
	if (!admitted) {
		out->text = "key";
		return;
	}
	out->status = "200";
	out->text = "OK";
	name_user(out->user, key, frames[6]);
}

bool zap_sender(struct key *out, const char *user, const struct known *known)
{
	uint8_t bytes[KEY_SIZE];
	bool named = strncmp(user, stranger, strlen(stranger)) != 0;

	if (!named)
		user += strlen(stranger);
	if (hex_decode(bytes, KEY_SIZE, user) != ERR_OK)
		return false;
	if (named) {
		memcpy(out->bytes, bytes, KEY_SIZE);
		return true;
	}
	const struct key *key = known_find(known, bytes);
	if (key != NULL)
		*out = *key;
	return key != NULL;
}

/* Fill frames with the parts of one request; excess is drained. Returns how
 * many there were, 0 when none waits. */
static size_t request_read(void *socket, zmq_msg_t *frames, size_t frames_max)
{
	size_t count = 0;
	bool more = true;

	while (more) {
		zmq_msg_t *frame =
			&frames[count < frames_max ? count : frames_max - 1];
		if (zmq_msg_recv(frame, socket, ZMQ_DONTWAIT) < 0)
			break;
		more = zmq_msg_more(frame) != 0;
		count++;
	}
	return count;
}

static void answer_write(
	void *socket, zmq_msg_t *route, const struct zap_answer *answer)
{
	const char *texts[] = {
		"1.0", NULL, answer->status, answer->text, answer->user, ""};
	const int more = ZMQ_DONTWAIT | ZMQ_SNDMORE;
	bool sent = zmq_msg_send(route, socket, more) >= 0 &&
		    zmq_send(socket, "", 0, more) >= 0;

	for (size_t i = 0; sent && i < 6; i++) {
		struct view frame =
			texts[i] == NULL ? answer->id : view_text(texts[i]);
		sent = zmq_send(socket, frame.data, frame.size,
			       i < 5 ? more : ZMQ_DONTWAIT) >= 0;
	}
}

bool zap_serve(
	void *socket, const struct zap_policy *policy, struct bus_stats *stats)
{
	zmq_msg_t parts[2 + ZAP_FRAMES_MAX + 1]; /* route, delimiter, excess */
	struct view frames[ZAP_FRAMES_MAX];
	struct zap_answer answer;
	size_t turn = 0;
	const size_t parts_max = 2 + ZAP_FRAMES_MAX + 1;

	for (size_t i = 0; i < parts_max; i++)
		zmq_msg_init(&parts[i]);
	while (turn < ZAP_TURN_MAX) {
		size_t count = request_read(socket, parts, parts_max);
		if (count == 0)
			break;
		turn++;
		if (count < 2 || count >= parts_max)
			continue;
		for (size_t i = 2; i < count; i++)
			frames[i - 2] = view_of(zmq_msg_data(&parts[i]),
				zmq_msg_size(&parts[i]));
		zap_decide(&answer, frames, count - 2, policy);
		if (answer.status == NULL)
			continue;
		if (answer.user[0] != '\0')
			stats->admitted++;
		else
			stats->refused++;
		answer_write(socket, &parts[0], &answer);
	}
	for (size_t i = 0; i < parts_max; i++)
		zmq_msg_close(&parts[i]);
	return turn == ZAP_TURN_MAX;
}
