/* tests/fuzz/targets.c -- see targets.h. */
#include "fuzz/targets.h"

#include <string.h>

#include "base/check.h"
#include "gen/common.h"
#include "gen/ledger.h"
#include "gen/request.h"
#include "gen/table.h"
#include "support/wire_any.h"

enum { INPUT_MAX = 1 << 17 };

/* Longer than any limit is all the same. */
static enum err decode(const struct schema_rule *rule, struct view bytes)
{
	static uint8_t scratch[INPUT_MAX];

	if (bytes.size > sizeof(scratch))
		return ERR_LENGTH;
	return wire_check(rule, bytes, scratch, sizeof(scratch));
}

/* Operations are looked into as far as their schema goes. */
static void look_into_ops(struct view body)
{
	struct tx tx;

	if (tx_decode(&tx, body) != ERR_OK)
		return;
	for (size_t i = 0; i < tx.ops_count; i++) {
		const struct schema_rule *rule =
			schema_of_op((uint8_t)tx.ops[i].kind);

		if (rule != NULL)
			(void)decode(rule, tx.ops[i].body);
	}
}

/* What a service does with a frame from the network: the envelope, then the
 * message that it names, then what that carries. */
static void fuzz_frame(struct view bytes)
{
	struct envelope envelope;
	const struct schema_rule *rule;
	struct submit submit;

	if (decode(schema_find("envelope"), bytes) != ERR_OK)
		return;
	CHECK(envelope_decode(&envelope, bytes) == ERR_OK);
	rule = schema_of_message((uint8_t)envelope.type);
	if (rule == NULL || decode(rule, envelope.body) != ERR_OK)
		return;
	if (envelope.type == MESSAGE_TX)
		look_into_ops(envelope.body);
	if (envelope.type == MESSAGE_SUBMIT) {
		CHECK(submit_decode(&submit, envelope.body) == ERR_OK);
		fuzz_frame(submit.tx);
	}
}

const struct fuzz_target fuzz_targets[] = {
	{"frame", fuzz_frame},
	{"differ", fuzz_differ},
	{NULL, NULL},
};

void fuzz_run(const char *name, struct view bytes)
{
	const struct schema_rule *rule = schema_find(name);

	if (rule != NULL) {
		(void)decode(rule, bytes);
		return;
	}
	for (size_t i = 0; fuzz_targets[i].name != NULL; i++) {
		if (strcmp(fuzz_targets[i].name, name) == 0) {
			fuzz_targets[i].run(bytes);
			return;
		}
	}
	CHECK(!"no target of this name");
}
