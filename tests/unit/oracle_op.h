/* tests/unit/oracle_op.h -- the oracle's operations, each a list of guards. */
#ifndef PERCH_TESTS_UNIT_ORACLE_OP_H
#define PERCH_TESTS_UNIT_ORACLE_OP_H

#include "oracle.h"

static inline bool oracle_full(const struct oracle *o, const struct entry *wish)
{
	size_t group = 0;

	for (size_t i = 0; i < o->count; i++)
		group += oracle_same_group(o, &o->list[i], wish);
	return o->count >= o->limits->reservations_max ||
	       group >= o->limits->group_max;
}

static inline enum refusal oracle_make(
	struct oracle *o, struct entry *wish, bool pair_wrong)
{
	const struct record_party *party = oracle_party(o, wish->owner);
	size_t live = 0;

	for (size_t i = 0; i < o->count; i++)
		live += o->list[i].owner == wish->owner;
	if (live >= party->quota)
		return REFUSAL_QUOTA;
	if (oracle_busy(o, wish, NULL))
		return REFUSAL_AIRCRAFT_BUSY;
	if (oracle_full(o, wish))
		return REFUSAL_FULL;
	if (oracle_find(o, &wish->id) != NULL)
		return REFUSAL_REPLAY;
	if (pair_wrong)
		return REFUSAL_PAIR_TIME;
	wish->version = 1;
	wish->height = o->height;
	assert_true(o->count < ORACLE_MAX);
	o->list[o->count++] = *wish;
	return REFUSAL_GRANTED;
}

static inline struct id oracle_id(const struct tx *tx, size_t op)
{
	uint8_t bytes[17 + KEY_SIZE + ID_SIZE + 1] = "perch/reservation";
	struct id id;

	memcpy(bytes + 17, &tx->wallet, KEY_SIZE);
	memcpy(bytes + 17 + KEY_SIZE, &tx->id, ID_SIZE);
	bytes[sizeof(bytes) - 1] = (uint8_t)op;
	struct hash hash = hash_bytes(view_of(bytes, sizeof(bytes)));
	memcpy(&id, &hash, sizeof(id));
	return id;
}

/* Operations as they were meant, before they were encoded. */
struct wish {
	uint64_t kind;
	struct op_reserve reserve;
	struct op_amend amend;
	struct op_cancel cancel;
	struct op_reservation reservation;
};

static inline enum refusal oracle_reserve(struct oracle *o, const struct tx *tx,
	const struct wish *wishes, size_t op, enum who who)
{
	const struct op_reserve *in = &wishes[op].reserve;
	struct entry wish = {
		.id = oracle_id(tx, op),
		.start = (time_ms)in->start,
		.end = (time_ms)in->end,
		.owner = who,
		.movement = in->movement,
	};
	size_t halves = 0, other = 0;
	bool wrong = false;

	memcpy(wish.aircraft, in->aircraft.data, in->aircraft.size);
	for (size_t i = 0; i < tx->ops_count; i++) {
		if (i != op && in->pair != 0 && wishes[i].kind == OP_RESERVE &&
			wishes[i].reserve.pair == in->pair) {
			halves++;
			other = i;
		}
	}
	if (in->pair != 0) {
		const struct op_reserve *a = &wishes[other].reserve;
		const struct op_reserve *departure = op < other ? in : a;
		const struct op_reserve *arrival = op < other ? a : in;

		wrong = halves != 1 || tx->mode != TX_MODE_ALL ||
			departure->movement != MOVEMENT_DEPARTURE ||
			arrival->movement != MOVEMENT_ARRIVAL ||
			!view_equal(departure->aircraft, arrival->aircraft) ||
			arrival->start < departure->start + 60000;
		wish.paired = halves == 1;
		if (wish.paired)
			wish.pair = oracle_id(tx, other);
	}
	if (!oracle_place(o, in->port, in->pad, &wish.port, &wish.pad))
		return REFUSAL_UNKNOWN_PAD;
	enum refusal code = oracle_window(o, &wish);
	if (code != REFUSAL_GRANTED)
		return code;
	if (!oracle_is_free(o, &wish, NULL))
		return REFUSAL_SLOT_TAKEN;
	return oracle_make(o, &wish, wrong);
}

static inline enum refusal oracle_amend(
	struct oracle *o, const struct op_amend *in, enum who who)
{
	struct entry *self = oracle_find(o, &in->reservation);

	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (self->owner != who)
		return REFUSAL_NOT_OWNER;
	if (self->version != in->version)
		return REFUSAL_VERSION;
	struct entry wish = *self;
	wish.start = (time_ms)in->start;
	wish.end = (time_ms)in->end;
	if (!oracle_place(o, o->genesis->ports[self->port].name, in->pad,
		    &wish.port, &wish.pad))
		return REFUSAL_UNKNOWN_PAD;
	enum refusal code = oracle_window(o, &wish);
	if (code != REFUSAL_GRANTED)
		return code;
	if (!oracle_is_free(o, &wish, self))
		return REFUSAL_SLOT_TAKEN;
	if (oracle_busy(o, &wish, self))
		return REFUSAL_AIRCRAFT_BUSY;
	struct entry *half = self->paired ? oracle_find(o, &self->pair) : NULL;
	if (half != NULL) {
		time_ms departure = self->movement == MOVEMENT_DEPARTURE
					    ? wish.start
					    : half->start;
		time_ms arrival = self->movement == MOVEMENT_DEPARTURE
					  ? half->start
					  : wish.start;
		if (arrival < departure + 60000)
			return REFUSAL_PAIR_TIME;
	}
	if (!oracle_same_group(o, self, &wish)) {
		size_t group = 0;

		for (size_t i = 0; i < o->count; i++)
			group += oracle_same_group(o, &o->list[i], &wish);
		if (group >= o->limits->group_max)
			return REFUSAL_FULL;
	}
	wish.version++;
	*self = wish;
	return REFUSAL_GRANTED;
}

static inline enum refusal oracle_cancel(
	struct oracle *o, const struct op_cancel *in, enum who who)
{
	struct entry *self = oracle_find(o, &in->reservation);

	if (self == NULL)
		return REFUSAL_UNKNOWN_RESERVATION;
	if (self->owner != who && who != AUTHORITY)
		return REFUSAL_NOT_OWNER;
	struct entry gone = *self;
	oracle_drop(o, &gone.id);
	if (gone.paired)
		oracle_drop(o, &gone.pair);
	return REFUSAL_GRANTED;
}

static inline enum refusal oracle_reservation(struct oracle *o,
	const struct tx *tx, size_t op, const struct op_reservation *in,
	enum who who)
{
	bool known = false, open = false;

	for (size_t i = 0; i < o->genesis->port_count; i++) {
		const struct record_port *port = &o->genesis->ports[i];
		time_ms start = o->now + (time_ms)port->lead;

		if (!view_equal(port->name, in->port))
			continue;
		known = true;
		for (size_t k = 0; k < port->pads_count; k++) {
			struct entry wish = {
				.id = oracle_id(tx, op),
				.port = i,
				.pad = k,
				.start = start,
				.end = start + (time_ms)port->duration,
				.owner = who,
			};
			if (port->pads[k].open == 0)
				continue;
			open = true;
			if (oracle_is_free(o, &wish, NULL))
				return oracle_make(o, &wish, false);
		}
	}
	if (!known)
		return REFUSAL_UNKNOWN_PAD;
	return open ? REFUSAL_SLOT_TAKEN : REFUSAL_PAD_CLOSED;
}

/* The codes of a transaction by an operator or the authority that is up. */
UNUSED static void oracle_run(struct oracle *o, const struct tx *tx,
	const struct wish *wishes, enum who who, enum refusal codes[64])
{
	static struct oracle before;
	bool operates = who != AUTHORITY;

	before = *o;
	for (size_t i = 0; i < tx->ops_count; i++) {
		const struct wish *wish = &wishes[i];
		enum refusal code = REFUSAL_ROLE;

		if (wish->kind == OP_CANCEL)
			code = oracle_cancel(o, &wish->cancel, who);
		else if (operates && wish->kind == OP_RESERVE)
			code = oracle_reserve(o, tx, wishes, i, who);
		else if (operates && wish->kind == OP_AMEND)
			code = oracle_amend(o, &wish->amend, who);
		else if (operates && wish->kind == OP_RESERVATION)
			code = oracle_reservation(
				o, tx, i, &wish->reservation, who);
		codes[i] = code;
		if (code == REFUSAL_GRANTED || tx->mode == TX_MODE_EACH)
			continue;
		*o = before;
		for (size_t k = 0; k < tx->ops_count; k++) {
			if (k != i)
				codes[k] = REFUSAL_ROLLED_BACK;
		}
		return;
	}
}

#endif
