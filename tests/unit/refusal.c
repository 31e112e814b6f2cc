/* tests/unit/refusal.c -- every row of the table of refusals, reproduced; the
 * last test checks that all were.
 */
#include "rules.h"

#include "contract/reservation.h"

static void test_words(void **unused)
{
	(void)unused;
	for (int code = REFUSAL_GRANTED; code <= REFUSAL_UNKNOWN_PARTY;
		code++) {
		const char *english = refusal_text(code, "en");
		const char *japanese = refusal_text(code, "ja");

		assert_true(strlen(refusal_name(code)) > 0);
		/* The cause, and then the cure. */
		assert_true(code == REFUSAL_GRANTED ||
			    (strstr(english, "; ") != NULL &&
				    strstr(japanese, "。") != NULL));
		assert_string_not_equal(english, japanese);
		assert_true(text_is_utf8(view_text(japanese)));
		assert_true((unsigned char)japanese[0] >= 0xe3);
		for (int other = 0; other < code; other++)
			assert_string_not_equal(
				refusal_name(code), refusal_name(other));
	}
	assert_string_equal(refusal_name(REFUSAL_SLOT_TAKEN), "slot_taken");
	assert_string_equal(refusal_text(REFUSAL_GRANTED, "fr"), "granted");
}

/* BLAKE2b-256("perch/reservation" || wallet || tx id || op index). */
static void test_slot_taken(void **unused)
{
	struct desk *f = open_small();
	struct detail_slot_taken detail;

	(void)unused;
	time_ms start = f->now + HOUR;
	/* Pads a and b share an approach, c has its own. */
	assert_int_equal(reserve(f, ALICE, "east", "a", start, start + HOUR),
		REFUSAL_GRANTED);
	struct id first = granted_id(f);
	assert_int_equal(reserve(f, BOB, "east", "b", start + HOUR - 1,
				 start + 2 * HOUR),
		REFUSAL_SLOT_TAKEN);
	assert_int_equal(detail_slot_taken_decode(
				 &detail, f->answer.receipt.ops[0].details),
		ERR_OK);
	assert_int_equal(f->answer.receipt.ops[0].reservation.size, 0);
	assert_int_equal(detail.conflicts_count, 1);
	assert_true(id_equal(&detail.conflicts[0].reservation, &first));
	assert_int_equal(detail.conflicts[0].start, start);
	assert_int_equal(detail.free_count, 3);
	assert_true(view_equal(detail.free[0].pad, view_text("b")));
	assert_int_equal(detail.free[0].start, start + HOUR);
	assert_int_equal(detail.free[0].end, start + 2 * HOUR + 1);
	assert_int_equal(detail.free[1].start, detail.free[0].end);
	assert_int_equal(reserve(f, BOB, "east", "c", start, start + HOUR),
		REFUSAL_GRANTED);
	assert_int_equal(
		reserve(f, BOB, "east", "b", start + HOUR, start + 2 * HOUR),
		REFUSAL_GRANTED);
	assert_int_equal(reserve(f, BOB, "east", "b", start - HOUR, start),
		REFUSAL_GRANTED);
	assert_int_equal(
		reserve(f, BOB, "east", "a", start - HOUR, start + 3 * HOUR),
		REFUSAL_SLOT_TAKEN);
	assert_int_equal(detail_slot_taken_decode(
				 &detail, f->answer.receipt.ops[0].details),
		ERR_OK);
	assert_int_equal(detail.conflicts_count, 3);
	shut(f);
}

static void test_window_guards(void **unused)
{
	struct desk *f = open_small();
	time_ms now = f->now, month = 30 * 24 * HOUR;

	(void)unused;
	assert_int_equal(reserve(f, ALICE, "west", "a", now, now + HOUR),
		REFUSAL_PAD_CLOSED);
	assert_int_equal(reserve(f, ALICE, "east", "z", now, now + HOUR),
		REFUSAL_UNKNOWN_PAD);
	assert_int_equal(reserve(f, ALICE, "south", "a", now, now + HOUR),
		REFUSAL_UNKNOWN_PAD);
	assert_int_equal(reserve(f, ALICE, "east", "a", now - 1, now + HOUR),
		REFUSAL_PAST);
	assert_int_equal(reserve(f, ALICE, "north", "a", now + 5 * MINUTE - 1,
				 now + HOUR),
		REFUSAL_PAST);
	assert_int_equal(reserve(f, ALICE, "east", "a", now + 1, now + 1),
		REFUSAL_BAD_WINDOW);
	assert_int_equal(reserve(f, ALICE, "east", "a", now + 2, now + 1),
		REFUSAL_BAD_WINDOW);
	assert_int_equal(
		reserve(f, ALICE, "east", "a", now, now + 24 * HOUR + 1),
		REFUSAL_BAD_WINDOW);
	assert_int_equal(reserve(f, ALICE, "east", "a", now + month - HOUR,
				 now + month + 1),
		REFUSAL_HORIZON);
	assert_int_equal(reserve(f, ALICE, "east", "a", now, now + 24 * HOUR),
		REFUSAL_GRANTED);
	assert_int_equal(
		reserve(f, ALICE, "east", "a", now + month - HOUR, now + month),
		REFUSAL_GRANTED);
	shut(f);
}

static void test_quota(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	time_ms at = f->now + HOUR;
	assert_int_equal(reserve(f, CAROL, "east", "a", at, at + 1), 0);
	struct id id = granted_id(f);
	assert_int_equal(reserve(f, CAROL, "east", "a", at + 1, at + 2), 0);
	assert_int_equal(
		reserve(f, CAROL, "east", "a", at + 2, at + 3), REFUSAL_QUOTA);
	paper_cancel(write_as(f, CAROL, TX_MODE_ALL), &id);
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	assert_int_equal(reserve(f, CAROL, "east", "a", at + 2, at + 3), 0);
	shut(f);
}

static uint64_t reserve_for(struct desk *f, const char *port, time_ms start,
	time_ms end, const char *aircraft)
{
	paper_reserve(write_as(f, ALICE, TX_MODE_ALL), port, "b", start, end,
		aircraft, 0, MOVEMENT_ANY);
	return submit_op(f);
}

static void test_aircraft_busy(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	time_ms at = f->now + HOUR;
	assert_int_equal(reserve_for(f, "east", at, at + HOUR, "X1"), 0);
	struct id id = granted_id(f);
	assert_int_equal(
		reserve_for(f, "west", at + HOUR - 1, at + 2 * HOUR, "X1"),
		REFUSAL_AIRCRAFT_BUSY);
	assert_int_equal(reserve_for(f, "west", at, at + HOUR, "X2"), 0);
	assert_int_equal(
		reserve_for(f, "west", at + HOUR, at + 2 * HOUR, "X1"), 0);
	/* Amending does not see itself, but does see the other. */
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &id, 1, "b", at + MINUTE,
		at + HOUR);
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &id, 2, "b", at,
		at + HOUR + 1);
	assert_int_equal(submit_op(f), REFUSAL_AIRCRAFT_BUSY);
	shut(f);
}

static void test_whole_transaction(void **unused)
{
	struct desk *f = open_small();
	struct record_seen seen;

	(void)unused;
	paper_reservation(write_as(f, DOWN, TX_MODE_ALL), "east");
	assert_int_equal(submit(f), REFUSAL_PARTY_DOWN);
	assert_int_equal(f->answer.receipt.ops_count, 0);
	/* A refused one is remembered too. */
	assert_true(state_seen(
		f->home.state, &who_pair(DOWN)->key, &f->paper.tx.id, &seen));
	assert_int_equal(seen.height, f->height);
	assert_int_equal(seen.index, 3);
	run(f->home.state, &f->paper, 4, &f->member_free, &f->answer, NULL);
	assert_false(f->answer.fresh);

	paper_reservation(write_as(f, STRANGER, TX_MODE_ALL), "east");
	assert_int_equal(submit(f), REFUSAL_ROLE);

	/* The same id with other content. */
	paper_begin(
		&f->paper, STRANGER, f->number, f->now + MINUTE, TX_MODE_ALL);
	paper_reservation(&f->paper, "west");
	assert_int_equal(submit(f), REFUSAL_REPLAY);

	paper_begin(&f->paper, ALICE, 900, f->now, TX_MODE_ALL);
	paper_reservation(&f->paper, "east");
	assert_int_equal(submit(f), REFUSAL_EXPIRED);
	paper_begin(&f->paper, ALICE, 900, f->now + TX_VALID_MS_MAX + 1,
		TX_MODE_ALL);
	paper_reservation(&f->paper, "east");
	assert_int_equal(submit(f), REFUSAL_EXPIRED);
	assert_false(state_seen(
		f->home.state, &who_pair(ALICE)->key, &f->paper.tx.id, &seen));
	paper_begin(
		&f->paper, ALICE, 900, f->now + TX_VALID_MS_MAX, TX_MODE_ALL);
	paper_reservation(&f->paper, "east");
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	shut(f);
}

static void test_roles(void **unused)
{
	struct desk *f = open_small();
	struct id id = {{1}};

	(void)unused;
	for (enum who who = AUTHORITY; who <= OBSERVER; who++) {
		assert_int_equal(
			reserve(f, who, "east", "a", f->now, f->now + HOUR),
			REFUSAL_ROLE);
		paper_amend(write_as(f, who, TX_MODE_ALL), &id, 1, "a", f->now,
			f->now + HOUR);
		assert_int_equal(submit_op(f), REFUSAL_ROLE);
		paper_reservation(write_as(f, who, TX_MODE_ALL), "east");
		assert_int_equal(submit_op(f), REFUSAL_ROLE);
	}
	paper_cancel(write_as(f, OBSERVER, TX_MODE_ALL), &id);
	assert_int_equal(submit_op(f), REFUSAL_ROLE);
	paper_set_node(write_as(f, ALICE, TX_MODE_ALL), 1, "two", 1);
	assert_int_equal(submit_op(f), REFUSAL_ROLE);
	shut(f);
}

static void test_malformed(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	for (uint64_t kind = 0; kind <= OP_OPEN_PAD + 1; kind++) {
		const struct op_kind *known = op_find((uint8_t)kind);
		enum who who = ALICE;

		if (known != NULL && (known->roles >> ROLE_OPERATOR & 1) == 0)
			who = known->roles >> ROLE_AUTHORITY & 1 ? AUTHORITY
								 : TOWER;
		struct paper *paper = write_as(f, who, TX_MODE_ALL);

		memset(paper->bodies[0], 0xc0, 4);
		paper_close_op(paper, kind, 4);
		assert_int_equal(submit_op(f), REFUSAL_MALFORMED);
	}
	/* A node's name, or key, that is none. */
	paper_set_node(write_as(f, AUTHORITY, TX_MODE_ALL), 9, "N o", 1);
	assert_int_equal(submit_op(f), REFUSAL_MALFORMED);
	struct op_set_node op = {
		.name = view_text("no"),
		.role = 1,
		.request = view_text(""),
		.publish = view_text(""),
		.peer = view_text(""),
	};
	PAPER_ADD(write_as(f, AUTHORITY, TX_MODE_ALL), op_set_node, &op);
	assert_int_equal(submit_op(f), REFUSAL_MALFORMED);
	shut(f);
}

static void test_pair_time(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;

	(void)unused;
	write_pair(f, TX_MODE_ALL, at, at + MINUTE - 1, "X1");
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	assert_int_equal(f->answer.receipt.ops[1].code, REFUSAL_ROLLED_BACK);
	write_pair(f, TX_MODE_EACH, at, at + HOUR, "X1");
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	assert_int_equal(f->answer.receipt.ops[1].code, REFUSAL_PAIR_TIME);
	write_pair(f, TX_MODE_ALL, at, at + HOUR, "X2");
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	/* Once, and thrice. */
	paper_reserve(write_as(f, ALICE, TX_MODE_ALL), "east", "a", at,
		at + HOUR, "", 1, MOVEMENT_DEPARTURE);
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	write_pair(f, TX_MODE_ALL, at, at + HOUR, "X1");
	paper_reserve(&f->paper, "east", "c", at, at + HOUR, "X1", 1,
		MOVEMENT_ARRIVAL);
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	/* Two departures; the arrival first. */
	struct paper *paper = write_as(f, ALICE, TX_MODE_ALL);
	for (int i = 0; i < 2; i++)
		paper_reserve(paper, i == 0 ? "east" : "west", "b",
			at + i * HOUR, at + (i + 1) * HOUR, "", 1,
			MOVEMENT_DEPARTURE);
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	paper = write_as(f, ALICE, TX_MODE_ALL);
	paper_reserve(paper, "west", "b", at + HOUR, at + 2 * HOUR, "", 1,
		MOVEMENT_ARRIVAL);
	paper_reserve(
		paper, "east", "b", at, at + HOUR, "", 1, MOVEMENT_DEPARTURE);
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	assert_int_equal(state_live_count(f->home.state), 0);

	/* Overlapping windows of one flight are no contradiction. */
	write_pair(f, TX_MODE_ALL, at, at + MINUTE, "X1");
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	struct id first = receipt_id(&f->answer.receipt, 0);
	struct id second = receipt_id(&f->answer.receipt, 1);
	struct record_reservation record;
	assert_true(state_reservation(f->home.state, &first, &record));
	assert_true(view_equal(record.pair, view_of(&second, ID_SIZE)));
	assert_true(state_reservation(f->home.state, &second, &record));
	assert_true(view_equal(record.pair, view_of(&first, ID_SIZE)));

	/* Amending a half keeps the flight. */
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &first, 1, "a", at + 1,
		at + HOUR);
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &second, 1, "b",
		at + MINUTE - 1, at + HOUR);
	assert_int_equal(submit_op(f), REFUSAL_PAIR_TIME);
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &second, 1, "b", at + HOUR,
		at + 2 * HOUR);
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	shut(f);
}

static void test_amend(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;
	struct record_reservation record;

	(void)unused;
	assert_int_equal(reserve(f, ALICE, "east", "a", at, at + HOUR), 0);
	struct id id = granted_id(f), none = {{9}};
	assert_int_equal(
		reserve(f, BOB, "east", "a", at + HOUR, at + 2 * HOUR), 0);

	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &none, 1, "a", at, at + 1);
	assert_int_equal(submit_op(f), REFUSAL_UNKNOWN_RESERVATION);
	paper_amend(write_as(f, BOB, TX_MODE_ALL), &id, 1, "a", at, at + 1);
	assert_int_equal(submit_op(f), REFUSAL_NOT_OWNER);
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &id, 2, "a", at, at + 1);
	assert_int_equal(submit_op(f), REFUSAL_VERSION);
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &id, 1, "z", at, at + 1);
	assert_int_equal(submit_op(f), REFUSAL_UNKNOWN_PAD);
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &id, 1, "a", at,
		at + HOUR + 1);
	assert_int_equal(submit_op(f), REFUSAL_SLOT_TAKEN);
	/* Refused: the old one stays. */
	assert_true(state_reservation(f->home.state, &id, &record));
	assert_int_equal(record.start, at);
	assert_int_equal(record.end, at + HOUR);
	assert_int_equal(record.version, 1);

	f->moves->count = 0;
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &id, 1, "c", at + MINUTE,
		at + 2 * HOUR);
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	assert_true(state_reservation(f->home.state, &id, &record));
	assert_true(view_equal(record.pad, view_text("c")));
	assert_int_equal(record.version, 2);
	assert_int_equal(f->moves->items[0].from, RESERVATION_CONFIRMED);
	assert_int_equal(f->moves->items[0].to, RESERVATION_CONFIRMED);
	assert_int_equal(reserve(f, BOB, "east", "b", at, at + HOUR), 0);

	uint32_t index = reservation_find(f->home.state, &id);
	arena_mark mark = arena_now(&f->home.arena);
	struct cause cause = {.moves = NULL};
	reservation_move(f->home.state, index, RESERVATION_CLEARED, &cause);
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &id, 3, "c", at, at + 1);
	assert_int_equal(submit_op(f), REFUSAL_STATE);
	arena_rollback(&f->home.arena, mark);
	reservation_at(f->home.state, index)->version = UINT32_MAX;
	paper_amend(write_as(f, ALICE, TX_MODE_ALL), &id, UINT32_MAX, "c", at,
		at + 1);
	assert_int_equal(submit_op(f), REFUSAL_FULL);
	shut(f);
}

static void test_cancel(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;
	struct id none = {{9}};

	(void)unused;
	write_pair(f, TX_MODE_ALL, at, at + HOUR, "X1");
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	struct id first = receipt_id(&f->answer.receipt, 0);
	struct id second = receipt_id(&f->answer.receipt, 1);
	uint32_t departure = reservation_find(f->home.state, &first);

	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), &none);
	assert_int_equal(submit_op(f), REFUSAL_UNKNOWN_RESERVATION);
	paper_cancel(write_as(f, BOB, TX_MODE_ALL), &first);
	assert_int_equal(submit_op(f), REFUSAL_NOT_OWNER);
	/* The departure is cleared: neither half can be given back. */
	arena_mark before = arena_now(&f->home.arena);
	struct cause cause = {.moves = NULL};
	reservation_move(f->home.state, departure, RESERVATION_CLEARED, &cause);
	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), &first);
	assert_int_equal(submit_op(f), REFUSAL_STATE);
	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), &second);
	assert_int_equal(submit_op(f), REFUSAL_STATE);
	/* It has left: the landing place stays. */
	reservation_end(f->home.state, departure, RESERVATION_RELEASED, &cause);
	reservation_at(f->home.state, reservation_find(f->home.state, &second))
		->flags |= FLAG_AIRBORNE;
	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), &second);
	assert_int_equal(submit_op(f), REFUSAL_AIRBORNE);
	reservation_at(f->home.state, reservation_find(f->home.state, &second))
		->flags = 0;
	arena_rollback(&f->home.arena, before);

	/* One half ends the other; the authority may. */
	f->moves->count = 0;
	paper_cancel(write_as(f, AUTHORITY, TX_MODE_ALL), &second);
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	assert_int_equal(state_live_count(f->home.state), 0);
	assert_int_equal(f->moves->count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(f->moves->items[i].to, RESERVATION_CANCELLED);
		assert_int_equal(
			f->moves->items[i].record.state, RESERVATION_CANCELLED);
		assert_int_equal(f->moves->items[i].record.version, 2);
	}
	assert_true(view_equal(
		f->moves->items[1].record.pair, view_of(&second, ID_SIZE)));
	struct id answered = receipt_id(&f->answer.receipt, 0);
	assert_true(id_equal(&answered, &second));
	assert_int_equal(state_deadline(f->home.state), INT64_MAX);
	shut(f);
}

static void test_full(void **unused)
{
	struct state_limits limits = state_limits_small;
	struct desk *f = malloc(sizeof(*f));

	(void)unused;
	limits.reservations_max = 3;
	limits.group_max = 2;
	limits.seen_max = 7;
	open_with(f, &limits);
	time_ms at = f->now + HOUR;
	assert_int_equal(reserve(f, ALICE, "east", "a", at, at + 1), 0);
	assert_int_equal(reserve(f, ALICE, "east", "b", at + 1, at + 2), 0);
	assert_int_equal(
		reserve(f, ALICE, "east", "b", at + 2, at + 3), REFUSAL_FULL);
	assert_int_equal(reserve(f, ALICE, "east", "c", at, at + 1), 0);
	struct id id = granted_id(f);
	assert_int_equal(
		reserve(f, ALICE, "west", "b", at, at + 1), REFUSAL_FULL);
	paper_amend(
		write_as(f, ALICE, TX_MODE_ALL), &id, 1, "a", at + 2, at + 3);
	assert_int_equal(submit_op(f), REFUSAL_FULL);
	paper_amend(
		write_as(f, ALICE, TX_MODE_ALL), &id, 1, "c", at + 2, at + 3);
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	/* The eighth transaction cannot be remembered, so it has no effect. */
	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), &id);
	assert_int_equal(submit(f), REFUSAL_FULL);
	assert_int_equal(state_live_count(f->home.state), 3);
	next_block(f, 2 * MINUTE);
	paper_cancel(write_as(f, ALICE, TX_MODE_ALL), &id);
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	shut(f);
}

/* A forgotten transaction's id makes the same reservation ids again. */
static void test_id_in_use(void **unused)
{
	struct desk *f = open_small();

	(void)unused;
	time_ms at = f->now + HOUR;
	assert_int_equal(reserve(f, ALICE, "east", "a", at, at + HOUR), 0);
	next_block(f, 2 * MINUTE);
	f->number--;
	assert_int_equal(
		reserve(f, ALICE, "east", "c", at, at + HOUR), REFUSAL_REPLAY);
	shut(f);
}

static void test_membership(void **unused)
{
	struct desk *f = open_small();
	struct record_node node;

	(void)unused;
	paper_set_node(write_as(f, AUTHORITY, TX_MODE_ALL), 9, "ten", 0);
	assert_int_equal(submit_op(f), REFUSAL_UNKNOWN_NODE);
	f->member_free = false;
	paper_set_node(write_as(f, AUTHORITY, TX_MODE_ALL), 9, "ten", 1);
	assert_int_equal(submit_op(f), REFUSAL_MEMBERSHIP);
	f->member_free = true;
	paper_set_node(write_as(f, AUTHORITY, TX_MODE_ALL), 9, "ten", 1);
	assert_int_equal(submit_op(f), REFUSAL_GRANTED);
	assert_false(f->member_free);
	assert_true(state_node(f->home.state, &node_pair(9)->key, &node));
	assert_int_equal(node.role, 1);
	assert_true(view_equal(node.peer, view_text("tcp://127.0.0.1:9")));
	assert_int_equal(state_node_count(f->home.state), 4);

	/* Two in one transaction: the second waits, and with it the first. */
	f->member_free = true;
	paper_set_node(write_as(f, AUTHORITY, TX_MODE_ALL), 0, "one", 1);
	paper_set_node(&f->paper, 1, "two", 1);
	assert_int_equal(submit_op(f), REFUSAL_ROLLED_BACK);
	assert_int_equal(f->answer.receipt.ops[1].code, REFUSAL_MEMBERSHIP);
	assert_true(f->member_free);
	assert_true(state_node(f->home.state, &node_pair(0)->key, &node));
	assert_int_equal(node.role, 2);

	/* The last voter stays. */
	for (int i = 0; i < NODES; i++) {
		f->member_free = true;
		paper_set_node(write_as(f, AUTHORITY, TX_MODE_ALL), i, "gone",
			i == 1 ? 1 : 0);
		assert_int_equal(submit_op(f),
			i == NODES - 1 ? REFUSAL_MEMBERSHIP : REFUSAL_GRANTED);
	}
	assert_int_equal(state_node_count(f->home.state), 3);
	assert_false(state_node(f->home.state, &node_pair(0)->key, &node));

	for (int i = 10; i < 24; i++) {
		f->member_free = true;
		paper_set_node(
			write_as(f, AUTHORITY, TX_MODE_ALL), i, "more", 1);
		assert_int_equal(
			submit_op(f), i < 23 ? REFUSAL_GRANTED : REFUSAL_FULL);
	}
	shut(f);
}

/* The guards of clearances, tiers, closures and the registry, each once; their
 * own programs go into them. */
static void test_flight(void **unused)
{
	struct desk *f = open_small();
	struct flight flight = plan_flight(f, HOUR);
	const struct id *id = &flight.departure;

	(void)unused;
	assert_int_equal(request(f, ALICE, id, 0), REFUSAL_NONCE);
	assert_int_equal(request(f, ALICE, id, 1), 0);
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_WINDOW);
	assert_int_equal(clear(f, WEST_TOWER, id, 1), REFUSAL_NOT_CONTROLLER);
	next_block(f, HOUR);
	struct op_clear op = good_clear(f, id, 1);
	op.pad_state = PAD_UNKNOWN;
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_STALE);
	op.pad_state = PAD_OCCUPIED;
	op.on_pad = view_text("X2");
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_PAD_BUSY);
	assert_int_equal(
		close_pad(f, AUTHORITY, "west", "b", f->now + MINUTE, 0, ""),
		REFUSAL_NOTICE);
	assert_int_equal(close_pad(f, AUTHORITY, "west", "b",
				 flight.lands + 4 * MINUTE, 0, ""),
		0);
	assert_int_equal(clear(f, TOWER, id, 1), REFUSAL_UNKNOWN_RESERVATION);
	assert_int_equal(
		reserve(f, ALICE, "east", "c", f->now, f->now + HOUR), 0);
	struct id other = granted_id(f);
	assert_int_equal(request(f, ALICE, &other, 1), REFUSAL_AIRCRAFT);
	shut(f);
}

static void test_destination(void **unused)
{
	struct desk *f = open_with_hold(0, 30 * MINUTE);
	struct flight flight = plan_flight(f, 10 * MINUTE);

	(void)unused;
	assert_int_equal(confirm(f, ALICE, &flight.arrival, 1), 0);
	next_block(f, 10 * MINUTE);
	assert_int_equal(request(f, ALICE, &flight.departure, 1), 0);
	assert_int_equal(emergency(f, ALICE, &flight.arrival, NULL, NULL), 0);
	assert_int_equal(clear(f, TOWER, &flight.departure, 1), REFUSAL_STATE);
	shut(f);

	/* The landing is over before the clearance would be. */
	f = open_small();
	time_ms at = f->now + HOUR;
	paper_reserve(write_as(f, ALICE, TX_MODE_ALL), "east", "a", at,
		at + HOUR, "X1", 1, MOVEMENT_DEPARTURE);
	paper_reserve(&f->paper, "west", "b", at + MINUTE, at + 2 * MINUTE,
		"X1", 1, MOVEMENT_ARRIVAL);
	assert_int_equal(submit_op(f), 0);
	struct id id = granted_id(f);
	next_block(f, HOUR);
	assert_int_equal(request(f, ALICE, &id, 1), 0);
	struct op_clear op = good_clear(f, &id, 1);
	op.until = (uint64_t)(at + 2 * MINUTE);
	assert_int_equal(clear_with(f, TOWER, &op), REFUSAL_DESTINATION);
	op.until--;
	assert_int_equal(clear_with(f, TOWER, &op), 0);
	shut(f);
}

static void test_priority(void **unused)
{
	struct desk *f = open_small();
	time_ms at = f->now + HOUR;
	struct key nobody = who_pair(STRANGER)->key;

	(void)unused;
	assert_int_equal(reserve(f, ALICE, "east", "a", at, at + HOUR), 0);
	assert_int_equal(reserve_tier(f, BOB, "east", "a", at, at + HOUR, 1),
		REFUSAL_TIER_NOT_GRANTED);
	assert_int_equal(
		grant_tier(f, AUTHORITY, &nobody, 1), REFUSAL_UNKNOWN_PARTY);
	assert_int_equal(grant_tier(f, AUTHORITY, &who_pair(BOB)->key, 1), 0);
	assert_int_equal(
		reserve_tier(f, BOB, "east", "a", at, at + HOUR, 1), 0);
	assert_int_equal(reserve_tier(f, BOB, "east", "a", at, at + HOUR, 1),
		REFUSAL_PRIORITY);
	for (int i = 0; i < 9; i++)
		assert_int_equal(
			reserve_wait(f, ALICE, "east", "a", at, at + HOUR),
			i < 8 ? 0 : REFUSAL_WAITLIST_FULL);
	assert_int_equal(register_party(f, AUTHORITY, &who_pair(BOB)->key,
				 "bob2", ROLE_OPERATOR),
		REFUSAL_EXISTS);
	shut(f);
}

static void test_all_reproduced(void **unused)
{
	(void)unused;
	for (int code = REFUSAL_GRANTED; code <= REFUSAL_UNKNOWN_PARTY;
		code++) {
		if (!reproduced[code])
			fail_msg("no test reproduces %s", refusal_name(code));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_slot_taken),
		cmocka_unit_test(test_window_guards),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_aircraft_busy),
		cmocka_unit_test(test_whole_transaction),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_pair_time),
		cmocka_unit_test(test_amend),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_id_in_use),
		cmocka_unit_test(test_membership),
		cmocka_unit_test(test_flight),
		cmocka_unit_test(test_destination),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_all_reproduced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
