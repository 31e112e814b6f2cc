/* tests/unit/story.h -- a controller's judgement, told stories: a port with
 * pads A and B of one group and C alone, the ledger and the pads as they
 * please.
 */
#ifndef PERCH_TESTS_UNIT_STORY_H
#define PERCH_TESTS_UNIT_STORY_H

#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "contract/refusal.h"
#include "controller/core.h"

enum { PAD_A, PAD_B, PAD_C, PADS, BOOKINGS_MAX = 8, MINUTE = 60000 };

#define BEGIN INT64_C(1800000000000)

struct story {
	struct core core;
	int64_t now;
	uint64_t height;
	struct perch_port port;
	struct pad_state pads[PADS];
	size_t count;
	struct perch_reservation bookings[BOOKINGS_MAX];
	struct core_actions all; /* since they were last looked at */
};

/* ---- telling ---- */

__attribute__((unused)) static void tell(
	struct story *story, struct core_event event)
{
	struct core_actions out;

	event.now = story->now;
	core_step(&story->core, &event, &out);
	for (size_t i = 0; i < out.count; i++) {
		assert_true(story->all.count < CORE_ACTIONS_MAX);
		story->all.items[story->all.count++] = out.items[i];
	}
}

__attribute__((unused)) static void measure(struct story *story)
{
	for (size_t i = 0; i < PADS; i++) {
		if (story->pads[i].is != PAD_UNKNOWN)
			story->pads[i].measured = story->now;
	}
	tell(story,
		(struct core_event){.type = CORE_PADS, .states = story->pads});
}

__attribute__((unused)) static void read_ledger(struct story *story)
{
	tell(story, (struct core_event){.type = CORE_LEDGER,
			    .height = ++story->height,
			    .port = &story->port,
			    .reservations = story->bookings,
			    .count = story->count});
}

__attribute__((unused)) static void be_sure(struct story *story)
{
	tell(story,
		(struct core_event){.type = CORE_SYNC, .as_of = story->now});
}

/* Time passes, and nothing else that matters. */
__attribute__((unused)) static void pass(struct story *story, int64_t how_long)
{
	for (int64_t end = story->now + how_long; story->now < end;) {
		story->now += 500;
		be_sure(story);
		measure(story);
	}
}

__attribute__((unused)) static void begin_anew(struct story *story)
{
	struct core_config config = {.port = "haneda", .clearance_ms = MINUTE};

	core_start(&story->core, &config);
	read_ledger(story);
	measure(story);
	be_sure(story);
}

__attribute__((unused)) static struct story *begin(void)
{
	static struct story story;
	static const char *const names[PADS][2] = {
		{"A", "near"}, {"B", "near"}, {"C", "far"}};

	memset(&story, 0, sizeof(story));
	story.now = BEGIN;
	snprintf(story.port.name, sizeof(story.port.name), "haneda");
	story.port.pad_count = PADS;
	for (size_t i = 0; i < PADS; i++) {
		struct perch_pad *pad = &story.port.pads[i];

		snprintf(pad->name, sizeof(pad->name), "%s", names[i][0]);
		snprintf(pad->group, sizeof(pad->group), "%s", names[i][1]);
		pad->open = true;
		story.pads[i].is = PAD_EMPTY;
	}
	begin_anew(&story);
	story.all.count = 0;
	return &story;
}

__attribute__((unused)) static struct perch_reservation *book(
	struct story *story, size_t pad, const char *aircraft,
	enum perch_movement movement)
{
	struct perch_reservation *r = &story->bookings[story->count++];

	*r = (struct perch_reservation){
		.start = story->now - 1000,
		.end = story->now + 5 * MINUTE,
		.state = PERCH_CONFIRMED,
		.movement = movement,
	};
	r->id.bytes[0] = (uint8_t)story->count;
	snprintf(r->port, sizeof(r->port), "haneda");
	memcpy(r->pad, story->port.pads[pad].name, sizeof(r->pad));
	snprintf(r->aircraft, sizeof(r->aircraft), "%s", aircraft);
	return r;
}

__attribute__((unused)) static void ask(
	struct story *story, struct perch_reservation *r)
{
	r->nonce++;
	r->asked = story->now;
	tell(story, (struct core_event){.type = CORE_REQUEST,
			    .height = ++story->height,
			    .as_of = story->now,
			    .id = r->id,
			    .nonce = r->nonce,
			    .aircraft = ""});
}

__attribute__((unused)) static void stand(
	struct story *story, size_t pad, const char *aircraft, bool by_air)
{
	story->pads[pad].is = aircraft == NULL ? PAD_EMPTY : PAD_OCCUPIED;
	story->pads[pad].by_air = by_air;
	snprintf(story->pads[pad].aircraft, DRIVER_NAME_SIZE, "%s",
		aircraft == NULL ? "" : aircraft);
	measure(story);
}

/* ---- looking ---- */

__attribute__((unused)) static const struct core_action *find_action(
	const struct story *story, enum core_action_type type,
	enum wish_kind kind)
{
	for (size_t i = 0; i < story->all.count; i++) {
		const struct core_action *action = &story->all.items[i];

		if (action->type == type &&
			(kind == WISH_NONE || action->wish.kind == kind))
			return action;
	}
	return NULL;
}

__attribute__((unused)) static bool did(const struct story *story,
	enum core_action_type type, enum wish_kind kind)
{
	return find_action(story, type, kind) != NULL;
}

__attribute__((unused)) static struct wish wished(
	struct story *story, enum wish_kind kind)
{
	const struct core_action *action =
		find_action(story, ACTION_SUBMIT, kind);

	assert_non_null(action);
	return action->wish;
}

__attribute__((unused)) static enum core_doubt doubted(struct story *story)
{
	const struct core_action *action =
		find_action(story, ACTION_DOUBT, WISH_NONE);

	return action == NULL ? DOUBT_NONE : action->doubt;
}

__attribute__((unused)) static void grant(struct story *story,
	const struct wish *wish, const struct perch_outcome *outcome)
{
	story->all.count = 0;
	tell(story, (struct core_event){.type = CORE_FATE,
			    .height = ++story->height,
			    .id = wish->id,
			    .fate = FATE_GRANTED,
			    .outcome = outcome});
}

/* A clearance for this one, as the ledger then has it. */
__attribute__((unused)) static void clear(
	struct story *story, struct perch_reservation *r)
{
	struct wish wish;

	ask(story, r);
	wish = wished(story, WISH_CLEAR);
	r->state = PERCH_CLEARED;
	r->until = wish.until;
	r->asked = 0;
	r->version++;
	grant(story, &wish, NULL);
	assert_true(did(story, ACTION_CLEAR, WISH_NONE));
	read_ledger(story);
	story->all.count = 0;
}

#endif
