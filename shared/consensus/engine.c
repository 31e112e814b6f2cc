/* consensus/engine.c -- the list of effects, and engines by name. */
#include "consensus/engine.h"

#include <string.h>

#include "base/check.h"

const struct engine_ops *engine_find(const char *name)
{
	for (size_t i = 0; engines[i] != NULL; i++) {
		if (strcmp(engines[i]->name, name) == 0)
			return engines[i];
	}
	return NULL;
}

const char *engine_fault_name(enum engine_fault fault)
{
	static const char *const names[] = {
#define X(name, word, text) word,
		ENGINE_FAULT_LIST(X)
#undef X
	};
	CHECK(fault < ENGINE_FAULTS);
	return names[fault];
}

const char *engine_fault_text(enum engine_fault fault)
{
	static const char *const texts[] = {
#define X(name, word, text) text,
		ENGINE_FAULT_LIST(X)
#undef X
	};
	CHECK(fault < ENGINE_FAULTS);
	return texts[fault];
}

struct effect *effects_add(struct effects *effects, enum effect_type type)
{
	CHECK(effects->count < EFFECTS_MAX);
	struct effect *effect = &effects->items[effects->count++];
	memset(effect, 0, sizeof(*effect));
	effect->type = type;
	return effect;
}

struct view effects_bytes(struct effects *effects, struct view bytes)
{
	CHECK(bytes.size <= sizeof(effects->scratch) - effects->scratch_used);
	uint8_t *at = effects->scratch + effects->scratch_used;
	if (bytes.size > 0)
		memcpy(at, bytes.data, bytes.size);
	effects->scratch_used += bytes.size;
	return view_of(at, bytes.size);
}

void effects_clear(struct effects *effects)
{
	effects->count = 0;
	effects->scratch_used = 0;
}
