/* node/certify.c -- certificates, gathered when somebody wants one, and what is
 * known of those who signed twice.
 */
#include "node.h"

#include <string.h>

#include "base/check.h"
#include "gen/checkpoint.h"

static struct certificate_wait *take(struct node *node)
{
	for (size_t i = 0; i < CERTIFICATES_MAX; i++) {
		if (node->certificates[i].lane == NULL)
			return &node->certificates[i];
	}
	return NULL;
}

enum err serve_certificate(
	struct node *node, const struct origin *origin, struct view body)
{
	struct certificate_query query;
	size_t size;
	enum err err = certificate_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	struct lane *lane = node_lane(node, query.chain);
	if (lane == NULL)
		return ERR_CHAIN;
	if (driver_certificate(lane->driver, query.height, node->body, &size)) {
		answer(node, origin, MESSAGE_CERTIFICATE, size);
		return ERR_OK;
	}
	struct certificate_wait *wait = take(node);
	if (wait == NULL)
		return ERR_BUSY;
	*wait = (struct certificate_wait){
		.lane = lane,
		.origin = *origin,
		.height = query.height,
	};
	err = driver_certify(lane->driver, query.height);
	if (err != ERR_OK)
		wait->lane = NULL;
	return err;
}

void serve_certified(struct lane *lane, const struct output *output)
{
	struct node *node = lane->node;
	for (size_t i = 0; i < CERTIFICATES_MAX; i++) {
		struct certificate_wait *wait = &node->certificates[i];
		if (wait->lane != lane || wait->height != output->height)
			continue;
		wait->lane = NULL;
		if (output->bytes.size == 0) {
			answer_refusal(node, &wait->origin, ERR_SIGNERS);
			continue;
		}
		memcpy(node->body, output->bytes.data, output->bytes.size);
		answer(node, &wait->origin, MESSAGE_CERTIFICATE,
			output->bytes.size);
	}
}

enum err serve_evidence(
	struct node *node, const struct origin *origin, struct view body)
{
	struct evidence_query query;
	struct evidence evidence = {.count = 0};
	uint8_t room[EVIDENCE_ITEMS_MAX][DOUBLE_SIGNING_BYTES_MAX];
	enum err err = evidence_query_decode(&query, body);
	if (err != ERR_OK)
		return err;
	uint64_t skip = query.from;
	for (size_t i = 0; i < node->lane_count; i++) {
		struct index *index = driver_index(node->lanes[i].driver);
		uint64_t count = index_evidence_count(index), cursor = skip;
		size_t size, at = evidence.items_count;
		skip -= count < skip ? count : skip;
		while (at < EVIDENCE_ITEMS_MAX &&
			index_next_evidence(index, &cursor, room[at], &size,
				sizeof(room[at])) &&
			double_signing_decode(&evidence.items[at],
				view_of(room[at], size)) == ERR_OK)
			at++;
		/* What came since it was counted is counted, too. */
		if (at > evidence.items_count && cursor > count)
			count = cursor;
		evidence.count += count;
		evidence.items_count = at;
	}
	answer(node, origin, MESSAGE_EVIDENCE,
		evidence_encode(node->body, sizeof(node->body), &evidence));
	return ERR_OK;
}
