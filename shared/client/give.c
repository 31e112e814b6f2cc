/* client/give.c -- decoded messages into the plain values of the public
 * headers: borrowed text becomes NUL-terminated, views become copies.
 */
#include "client/give.h"

#include <string.h>

#include "base/check.h"
#include "client/inside.h"
#include "contract/refusal.h"
#include "contract/state.h"

void give_text(char *out, size_t size, struct view text)
{
	CHECK(text.size < size);
	if (text.size > 0)
		memcpy(out, text.data, text.size);
	out[text.size] = '\0';
}

void give_words(char *out, size_t size, struct view text)
{
	give_text(out, size, text);
	for (char *c = out; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

void give_hash(struct perch_hash *out, const struct hash *in)
{
	memcpy(out, in, sizeof(*out));
}

void give_key(struct perch_key *out, const struct key *in)
{
	memcpy(out, in, sizeof(*out));
}

void give_id(struct perch_id *out, const struct id *in)
{
	memcpy(out, in, sizeof(*out));
}

void give_reservation(
	struct perch_reservation *out, const struct record_reservation *in)
{
	memset(out, 0, sizeof(*out));
	give_id(&out->id, &in->reservation);
	give_text(out->port, sizeof(out->port), in->port);
	give_text(out->pad, sizeof(out->pad), in->pad);
	out->start = (int64_t)in->start;
	out->end = (int64_t)in->end;
	give_key(&out->operator_key, &in->operator);
	give_text(out->aircraft, sizeof(out->aircraft), in->aircraft);
	out->state = (int)in->state;
	out->version = (uint32_t)in->version;
	out->has_pair = in->pair.size == ID_SIZE;
	if (out->has_pair)
		memcpy(&out->pair, in->pair.data, ID_SIZE);
	out->movement = (int)in->movement;
	out->height = in->height;
	out->place = (unsigned)in->place;
	out->until = (int64_t)in->until;
	out->nonce = in->nonce;
	out->asked = (int64_t)in->asked;
	out->tier = (unsigned)in->tier;
	out->airborne = (in->flags & RECORD_AIRBORNE) != 0;
	out->on_pad = (in->flags & RECORD_ON_PAD) != 0;
	give_text(out->alternate_port, sizeof(out->alternate_port),
		in->alternate_port);
	give_text(out->alternate_pad, sizeof(out->alternate_pad),
		in->alternate_pad);
	out->has_commitment = in->commitment.size == HASH_SIZE;
	if (out->has_commitment)
		memcpy(&out->commitment, in->commitment.data, HASH_SIZE);
}

void give_move(struct perch_move *out, const struct history_entry *in)
{
	out->sequence = in->sequence;
	out->height = in->height;
	out->time = (int64_t)in->time;
	out->from = (int)in->from;
	out->to = (int)in->to;
	out->cause = (int)in->cause;
	give_reservation(&out->reservation, &in->record);
}

void give_port(struct perch_port *out, const struct record_port *in)
{
	memset(out, 0, sizeof(*out));
	give_text(out->name, sizeof(out->name), in->name);
	give_key(&out->controller, &in->controller);
	out->lead = (int64_t)in->lead;
	out->before = (int64_t)in->before;
	out->after = (int64_t)in->after;
	out->duration = (int64_t)in->duration;
	out->hold = (int64_t)in->hold;
	out->no_show = (int64_t)in->no_show;
	out->pad_count = in->pads_count;
	for (size_t i = 0; i < in->pads_count; i++) {
		struct perch_pad *pad = &out->pads[i];

		give_text(pad->name, sizeof(pad->name), in->pads[i].name);
		give_text(pad->group, sizeof(pad->group), in->pads[i].group);
		pad->open = in->pads[i].open == 1;
		pad->blocked = in->pads[i].blocked == 1;
		pad->closed_from = (int64_t)in->pads[i].closed_from;
		pad->closed_until = (int64_t)in->pads[i].closed_until;
		pad->incursions = (unsigned)in->pads[i].incursions;
	}
}

void give_certificate(struct perch_certificate *out,
	const struct certificate *in,
	const struct checkpoint_statement *statement, struct view bytes)
{
	memset(out, 0, sizeof(*out));
	out->chain = (unsigned)statement->chain;
	out->height = statement->height;
	give_hash(&out->hash, &statement->hash);
	give_hash(&out->state_root, &statement->state_root);
	out->signer_count = in->endorsements_count;
	for (size_t i = 0; i < in->endorsements_count; i++)
		give_key(&out->signers[i], &in->endorsements[i].signer);
	out->bytes = bytes.data;
	out->size = bytes.size;
}

static void read_chain_status(
	struct perch_chain_status *out, const struct chain_status *in)
{
	out->chain = (unsigned)in->chain;
	out->height = in->height;
	out->final_height = in->final_height;
	give_hash(&out->hash, &in->hash);
	give_hash(&out->final_hash, &in->final_hash);
	give_hash(&out->state_root, &in->state_root);
	out->time = (int64_t)in->time;
	out->recent_count = in->recent_count;
	for (size_t i = 0; i < in->recent_count; i++)
		give_hash(&out->recent[i], &in->recent[i]);
	out->number_count = in->numbers_count;
	for (size_t i = 0; i < in->numbers_count; i++) {
		struct perch_number *number = &out->numbers[i];

		give_text(number->name, sizeof(number->name),
			in->numbers[i].name);
		number->value = in->numbers[i].value;
	}
}

void give_status(struct perch_node_status *out, const struct status *in)
{
	memset(out, 0, sizeof(*out));
	give_text(out->name, sizeof(out->name), in->name);
	give_key(&out->key, &in->key);
	give_text(out->release, sizeof(out->release), in->release);
	out->role = (int)in->role;
	out->term = in->term;
	out->has_leader = in->leader.size == KEY_SIZE;
	if (out->has_leader)
		memcpy(&out->leader, in->leader.data, KEY_SIZE);
	out->chain_count = in->chains_count;
	for (size_t i = 0; i < in->chains_count; i++)
		read_chain_status(&out->chains[i], &in->chains[i]);
	out->mempool = (unsigned)in->mempool;
	out->peers = (unsigned)in->peers;
	out->time = (int64_t)in->time;
	out->uptime = (int64_t)in->uptime;
	out->sent = in->sent;
	out->sent_bytes = in->sent_bytes;
}

static bool read_granted(struct perch_outcome *out, struct view details)
{
	struct detail_granted granted;

	if (detail_granted_decode(&granted, details) != ERR_OK)
		return false;
	out->has_slot = true;
	give_text(out->port, sizeof(out->port), granted.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), granted.pad);
	out->slot.start = (int64_t)granted.start;
	out->slot.end = (int64_t)granted.end;
	out->version = (uint32_t)granted.version;
	out->state = (int)granted.state;
	out->until = (int64_t)granted.until;
	out->displaced = (unsigned)granted.displaced;
	return true;
}

static bool read_clearance(struct perch_outcome *out, struct view details)
{
	struct perch_clearance *to = &out->clearance;
	struct detail_clearance in;

	if (detail_clearance_decode(&in, details) != ERR_OK)
		return false;
	out->has_clearance = true;
	out->has_slot = true;
	give_text(out->port, sizeof(out->port), in.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), in.pad);
	out->slot.start = (int64_t)in.from;
	out->slot.end = (int64_t)in.until;
	out->version = (uint32_t)in.version;
	out->state = PERCH_CLEARED;
	out->until = (int64_t)in.until;
	give_words(to->aircraft, sizeof(to->aircraft), in.aircraft);
	give_key(&to->operator_key, &in.operator);
	to->movement = (enum perch_movement)in.movement;
	to->nonce = in.nonce;
	to->from = (int64_t)in.from;
	to->until = (int64_t)in.until;
	return true;
}

static bool read_fact(struct perch_outcome *out, struct view details)
{
	struct detail_fact in;

	if (detail_fact_decode(&in, details) != ERR_OK)
		return false;
	out->has_fact = true;
	give_text(out->port, sizeof(out->port), in.port);
	give_text(out->slot.pad, sizeof(out->slot.pad), in.pad);
	out->incursion = in.incursion == 1;
	out->blocked = in.blocked == 1;
	out->state = (int)in.state;
	return true;
}

static bool read_closed(struct perch_outcome *out, struct view details)
{
	struct detail_closed in;

	if (detail_closed_decode(&in, details) != ERR_OK)
		return false;
	out->has_closed = true;
	out->ended = (unsigned)in.ended;
	out->diverted = (unsigned)in.diverted;
	out->left = (unsigned)in.left;
	return true;
}

/* Each has its own number of members. */
static enum err read_done(struct perch_outcome *out, struct view details)
{
	if (read_granted(out, details) || read_clearance(out, details) ||
		read_fact(out, details) || read_closed(out, details))
		return ERR_OK;
	return ERR_ENCODING;
}

static enum err read_slot_taken(struct perch_outcome *out, struct view details)
{
	struct detail_slot_taken taken;
	enum err err = detail_slot_taken_decode(&taken, details);

	if (err != ERR_OK)
		return err;
	out->conflict_count = taken.conflicts_count;
	for (size_t i = 0; i < taken.conflicts_count; i++) {
		const struct in_the_way *from = &taken.conflicts[i];
		struct perch_slot *slot = &out->conflicts[i].slot;

		give_id(&out->conflicts[i].reservation, &from->reservation);
		give_text(slot->pad, sizeof(slot->pad), from->pad);
		slot->start = (int64_t)from->start;
		slot->end = (int64_t)from->end;
		out->conflicts[i].state = (int)from->state;
		give_words(out->conflicts[i].operator_name,
			sizeof(out->conflicts[i].operator_name),
			from->operator);
	}
	out->free_count = taken.free_count;
	for (size_t i = 0; i < taken.free_count; i++) {
		struct perch_slot *slot = &out->free[i];

		give_text(slot->pad, sizeof(slot->pad), taken.free[i].pad);
		slot->start = (int64_t)taken.free[i].start;
		slot->end = (int64_t)taken.free[i].end;
	}
	return ERR_OK;
}

enum err give_outcome(struct perch_outcome *out, const struct op_receipt *in)
{
	enum err err = ERR_OK;

	memset(out, 0, sizeof(*out));
	out->code = (uint8_t)in->code;
	if (in->reservation.size != 0 && in->reservation.size != ID_SIZE)
		return ERR_LENGTH;
	out->has_reservation = in->reservation.size == ID_SIZE;
	if (out->has_reservation)
		memcpy(&out->reservation, in->reservation.data, ID_SIZE);
	if (in->details.size == 0)
		return ERR_OK;
	/* Details that this release has no name for are not an error. */
	if (in->code == REFUSAL_GRANTED)
		err = read_done(out, in->details);
	else if (in->code == REFUSAL_SLOT_TAKEN || in->code == REFUSAL_PRIORITY)
		err = read_slot_taken(out, in->details);
	return err;
}

enum err give_receipt(struct perch_fate *out, const struct receipt *in)
{
	if (in->code != REFUSAL_GRANTED && in->ops_count != 0)
		return ERR_ENCODING;
	for (size_t i = 0; i < in->ops_count; i++) {
		enum err err = give_outcome(&out->ops[i], &in->ops[i]);

		if (err != ERR_OK)
			return err;
	}
	out->has_receipt = true;
	out->code = (uint8_t)in->code;
	out->op_count = in->ops_count;
	return ERR_OK;
}
