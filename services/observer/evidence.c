/* observer/evidence.c -- nodes that signed two blocks of one height.
 *
 * A status says how many cases a node knows of; what they are is asked for
 * once, verified by the client, and told once, whoever knows of them.
 */
#include "observer.h"

#include <string.h>

void evidence_status(struct observer *observer, size_t node,
	const struct perch_node_status *status)
{
	uint64_t count = 0, request;
	for (size_t i = 0; i < status->chain_count; i++) {
		const struct perch_chain_status *chain = &status->chains[i];
		for (size_t j = 0; j < chain->number_count; j++) {
			if (strcmp(chain->numbers[j].name, "evidence") == 0)
				count += chain->numbers[j].value;
		}
	}
	if (count <= observer->evidence_of[node])
		return;
	/* Asked again with the next status if there is no answer. */
	enum perch_err err = perch_ask_evidence(observer->client, node,
		(unsigned)observer->evidence_of[node], &request);
	(void)err;
}

static bool is_new(
	struct observer *observer, const struct perch_double_signing *item)
{
	size_t most = sizeof(observer->evidence) / sizeof(*item);
	for (size_t i = 0; i < observer->evidence_count && i < most; i++) {
		const struct perch_double_signing *had = &observer->evidence[i];
		if (had->height == item->height && had->chain == item->chain &&
			memcmp(&had->signer, &item->signer,
				sizeof(had->signer)) == 0)
			return false;
	}
	observer->evidence[observer->evidence_count++ % most] = *item;
	return true;
}

void evidence_event(struct observer *observer, size_t node,
	const struct perch_evidence *evidence)
{
	char room[12], a[11], b[11];
	for (size_t i = 0; i < evidence->count; i++) {
		const struct perch_double_signing *item = &evidence->items[i];
		if (!is_new(observer, item))
			continue;
		model_alarm(&observer->model,
			"%s signed two blocks at %llu of chain %u: %s and %s; "
			"its key must be taken out of the network",
			model_name(&observer->model, &item->signer, room),
			(unsigned long long)item->height, item->chain,
			perch_hex(a, &item->first, 5),
			perch_hex(b, &item->second, 5));
	}
	observer->evidence_of[node] += evidence->count;
}
