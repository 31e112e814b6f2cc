/* contract/snapshot.c -- a state as bytes, and back.
 *
 * Canonical: one state has one snapshot, whatever order its tables grew in.
 * What comes back is not believed until its root is the one that was asked
 * for; until then nothing in it may do more than waste time.
 */
#include "contract/reservation.h"

#include <string.h>

#include "base/check.h"

enum { SNAPSHOT_VERSION = 2, SIZE_BYTES = 2 };

/* ---- saving ---- */

size_t state_save_bytes(const struct state *state)
{
	return SIZE_BYTES + SNAPSHOT_HEAD_BYTES_MAX +
	       state->port_count * (SIZE_BYTES + RECORD_PORT_BYTES_MAX) +
	       state->parties.count * (SIZE_BYTES + RECORD_PARTY_BYTES_MAX) +
	       state->node_count * (SIZE_BYTES + RECORD_NODE_BYTES_MAX) +
	       state->reservations.count *
		       (SIZE_BYTES + RECORD_RESERVATION_BYTES_MAX) +
	       SEEN_SLOTS * (SIZE_BYTES + SNAPSHOT_SLOT_BYTES_MAX) +
	       state->seen.count * (SIZE_BYTES + RECORD_SEEN_BYTES_MAX);
}

/* Put the size before a record that was just encoded behind it; where the next
 * one goes. */
static uint8_t *close_record(uint8_t *at, size_t size)
{
	CHECK(size > 0);
	at[0] = (uint8_t)(size >> 8);
	at[1] = (uint8_t)size;
	return at + SIZE_BYTES + size;
}

/* Encode one record of a rule at `at`, and move on. There is room: see
 * state_save_bytes. */
#define SAVE(rule, at, record)                                                 \
	close_record(at, rule##_encode(at + SIZE_BYTES, UINT16_MAX, record))

static uint8_t *save_port(
	const struct state *state, const struct port *port, uint8_t *at)
{
	struct record_reservation record;

	for (size_t i = 0; i < LIVE_BUCKETS; i++) {
		uint32_t index = port->buckets[i];

		while (index != TABLE_NONE) {
			const struct reservation *live =
				reservation_at(state, index);
			record_of_reservation(state, live, &record);
			at = SAVE(record_reservation, at, &record);
			index = live->bucket_next;
		}
	}
	return at;
}

static uint8_t *save_waiting(
	const struct state *state, const struct port *port, uint8_t *at)
{
	struct record_reservation record;

	for (size_t i = 0; i < port->group_count; i++) {
		const struct group *group = &port->groups[i];

		for (uint32_t k = 0; k < group->waiting_count; k++) {
			record_of_reservation(state,
				reservation_at(state, group->waiting[k]),
				&record);
			at = SAVE(record_reservation, at, &record);
		}
	}
	return at;
}

static uint8_t *save_seen(const struct state *state, uint8_t *at)
{
	for (size_t i = 0; i < SEEN_SLOTS; i++) {
		const struct seen_slot *slot = &state->seen_slots[i];
		struct snapshot_slot head = {
			.place = i,
			.base = slot->base,
			.count = slot->count,
		};
		uint32_t index = slot->first;

		if (slot->count == 0)
			continue;
		at = SAVE(snapshot_slot, at, &head);
		for (uint32_t k = 0; k < slot->count; k++) {
			const struct seen *seen = table_at(&state->seen, index);
			struct record_seen record;

			record_of_seen(seen, &record);
			at = SAVE(record_seen, at, &record);
			index = seen->next;
		}
	}
	return at;
}

static uint64_t slots_in_use(const struct state *state)
{
	uint64_t count = 0;

	for (size_t i = 0; i < SEEN_SLOTS; i++)
		count += state->seen_slots[i].count > 0;
	return count;
}

size_t state_save(const struct state *state, uint8_t *out)
{
	struct snapshot_head head = {
		.version = SNAPSHOT_VERSION,
		.height = state->height,
		.time = (uint64_t)state->time,
		.swept = state->seen_swept,
		.ports = state->port_count,
		.parties = state->parties.count,
		.nodes = state->node_count,
		.reservations =
			state->reservations.count - state->waiting_count,
		.waiting = state->waiting_count,
		.slots = slots_in_use(state),
	};
	uint8_t *at = SAVE(snapshot_head, out, &head);

	for (uint32_t i = 0; i < state->port_count; i++) {
		struct record_port record;
		record_of_port(port_ranked(state, i), &record);
		at = SAVE(record_port, at, &record);
	}
	for (uint32_t i = 0; i < state->parties.count; i++) {
		struct record_party record;
		record_of_party(
			state_party_at(state, state->party_order[i]), &record);
		at = SAVE(record_party, at, &record);
	}
	for (uint32_t i = 0; i < state->node_count; i++) {
		struct record_node record;
		record_of_node(&state->nodes[i], &record);
		at = SAVE(record_node, at, &record);
	}
	for (uint32_t i = 0; i < state->port_count; i++)
		at = save_port(state, port_ranked(state, i), at);
	for (uint32_t i = 0; i < state->port_count; i++)
		at = save_waiting(state, port_ranked(state, i), at);
	return (size_t)(save_seen(state, at) - out);
}

/* ---- loading ---- */

/* The bytes of the next record; empty when there is none. */
static struct view next_record(struct view *rest)
{
	struct view none = view_of(NULL, 0);

	if (rest->size < SIZE_BYTES)
		return none;
	size_t size = (size_t)rest->data[0] << 8 | rest->data[1];
	if (size > rest->size - SIZE_BYTES)
		return none;
	struct view record = view_of(rest->data + SIZE_BYTES, size);
	rest->data += SIZE_BYTES + size;
	rest->size -= SIZE_BYTES + size;
	return record;
}

/* Decode the next record of a rule. */
#define LOAD(rule, rest, record) rule##_decode(record, next_record(rest))

static enum err load_fixed(struct state *state,
	const struct snapshot_head *head, struct view *rest)
{
	enum err err = ERR_OK;

	for (uint64_t i = 0; err == ERR_OK && i < head->ports; i++) {
		struct record_port record;
		err = LOAD(record_port, rest, &record);
		if (err == ERR_OK)
			err = state_add_port(state, &record);
	}
	for (uint64_t i = 0; err == ERR_OK && i < head->parties; i++) {
		struct record_party record;
		err = LOAD(record_party, rest, &record);
		if (err == ERR_OK)
			err = state_add_party(state, &record);
	}
	for (uint64_t i = 0; err == ERR_OK && i < head->nodes; i++) {
		struct record_node record;
		err = LOAD(record_node, rest, &record);
		if (err == ERR_OK)
			err = state_add_node(state, &record);
	}
	return err;
}

static bool find_pad(const struct port *port, struct view name, uint8_t *pad)
{
	for (uint8_t i = 0; i < port->pad_count; i++) {
		if (view_equal(name_view(&port->pads[i].name), name)) {
			*pad = i;
			return true;
		}
	}
	return false;
}

static bool load_alternate(const struct state *state,
	const struct record_reservation *record, struct reservation *draft)
{
	uint32_t port;

	draft->alternate_port = TABLE_NONE;
	if (record->alternate_port.size == 0)
		return record->alternate_pad.size == 0;
	if (!port_find(state, record->alternate_port, &port) ||
		!find_pad(&state->ports[port], record->alternate_pad,
			&draft->alternate_pad))
		return false;
	draft->alternate_port = port;
	return true;
}

static bool load_commitment(
	const struct record_reservation *record, struct reservation *draft)
{
	if (record->commitment.size == 0)
		return true;
	if (record->commitment.size != HASH_SIZE)
		return false;
	memcpy(&draft->commitment, record->commitment.data, HASH_SIZE);
	draft->flags |= FLAG_SEALED;
	return true;
}

static bool is_live(uint64_t state)
{
	return state >= RESERVATION_HELD && state <= RESERVATION_CONTINGENT;
}

/* What the contract never makes, and relies on not to be. */
static bool is_possible(
	const struct state *state, const struct reservation *draft)
{
	const struct group *group = group_of(state, draft->port, draft->pad);

	if (draft->state == RESERVATION_WAITLISTED)
		return group->waiting_count < WAITING_MAX;
	return is_live(draft->state) && (draft->state != RESERVATION_CLEARED ||
						group->cleared == TABLE_NONE);
}

static enum err load_reservation(struct state *state,
	const struct record_reservation *record, bool waiting)
{
	uint32_t party = table_find(&state->parties, &record->operator);
	struct reservation draft = {
		.id = record->reservation,
		.state = (uint8_t)record->state,
		.movement = (uint8_t)record->movement,
		.party = party,
		.version = (uint32_t)record->version,
		.start = (time_ms)record->start,
		.end = (time_ms)record->end,
		.height = record->height,
		.paired = record->pair.size > 0,
		.place = (uint32_t)record->place,
		.until = (time_ms)record->until,
		.nonce = record->nonce,
		.asked = (time_ms)record->asked,
		.tier = (uint8_t)record->tier,
		.flags = (uint8_t)record->flags,
	};
	uint32_t port;

	if (party == TABLE_NONE ||
		waiting != (record->state == RESERVATION_WAITLISTED) ||
		!port_find(state, record->port, &port) ||
		!find_pad(&state->ports[port], record->pad, &draft.pad) ||
		(draft.paired && record->pair.size != ID_SIZE) ||
		!load_alternate(state, record, &draft) ||
		!load_commitment(record, &draft) ||
		reservation_find(state, &draft.id) != TABLE_NONE)
		return ERR_ENCODING;
	draft.port = port;
	if (!is_possible(state, &draft))
		return ERR_ENCODING;
	if (waiting ? state->reservations.count >=
				state->limits.reservations_max
		    : !reservation_room(state, draft.port, draft.pad))
		return ERR_FULL;
	name_set(&draft.aircraft, record->aircraft);
	if (draft.paired)
		memcpy(&draft.pair, record->pair.data, ID_SIZE);
	reservation_insert(state, &draft);
	return ERR_OK;
}

/* In order of port, then id. */
static bool in_order(const struct record_reservation *before,
	const struct record_reservation *after)
{
	int order = view_order(before->port, after->port);

	return order < 0 ||
	       (order == 0 && memcmp(&before->reservation, &after->reservation,
				      ID_SIZE) < 0);
}

static enum err load_list(
	struct state *state, uint64_t count, bool waiting, struct view *rest)
{
	struct record_reservation record, before;

	for (uint64_t i = 0; i < count; i++) {
		enum err err = LOAD(record_reservation, rest, &record);

		if (err == ERR_OK && i > 0 && !waiting &&
			!in_order(&before, &record))
			err = ERR_ENCODING;
		if (err == ERR_OK)
			err = load_reservation(state, &record, waiting);
		if (err != ERR_OK)
			return err;
		before = record;
	}
	return ERR_OK;
}

static enum err load_slot(
	struct state *state, uint64_t from, struct view *rest, uint64_t *place)
{
	struct snapshot_slot head;
	struct record_seen record;

	enum err err = LOAD(snapshot_slot, rest, &head);
	if (err != ERR_OK)
		return err;
	if (head.place < from || head.count == 0)
		return ERR_ENCODING;
	struct seen_slot *slot = &state->seen_slots[head.place];
	slot->base = head.base;
	slot->tip = head.base;
	for (uint64_t i = 0; i < head.count; i++) {
		err = LOAD(record_seen, rest, &record);
		if (err != ERR_OK)
			return err;
		struct hash key = seen_key(&record.wallet, &record.id);
		if (record.valid_until / SEEN_SLOT_MS % SEEN_SLOTS !=
				head.place ||
			table_find(&state->seen, &key) != TABLE_NONE)
			return ERR_ENCODING;
		if (!seen_put(state, &key, &record))
			return ERR_FULL;
	}
	*place = head.place;
	return ERR_OK;
}

/* The counts in the parties' records are those of the reservations. */
static enum err check_live(const struct state *state, struct view rest)
{
	struct snapshot_head head;
	struct record_port port;
	struct record_party record;
	enum err err = LOAD(snapshot_head, &rest, &head);

	for (uint64_t i = 0; err == ERR_OK && i < head.ports; i++)
		err = LOAD(record_port, &rest, &port);
	for (uint64_t i = 0; err == ERR_OK && i < head.parties; i++) {
		err = LOAD(record_party, &rest, &record);
		uint32_t index = state->party_order[i];

		if (err == ERR_OK &&
			record.live != state_party_at(state, index)->live)
			err = ERR_ENCODING;
	}
	return err;
}

static enum err load(struct state *state, struct view bytes)
{
	struct view rest = bytes;
	struct snapshot_head head;
	uint64_t from = 0, place = 0;

	enum err err = LOAD(snapshot_head, &rest, &head);
	if (err != ERR_OK)
		return err;
	if (head.version != SNAPSHOT_VERSION)
		return ERR_VERSION;
	state->height = head.height;
	state->time = (time_ms)head.time;
	state->seen_swept = head.swept;
	err = load_fixed(state, &head, &rest);
	if (err != ERR_OK)
		return err;
	state_seal(state);
	err = load_list(state, head.reservations, false, &rest);
	if (err == ERR_OK)
		err = load_list(state, head.waiting, true, &rest);
	for (uint64_t i = 0; err == ERR_OK && i < head.slots; i++) {
		err = load_slot(state, from, &rest, &place);
		from = place + 1;
	}
	if (err == ERR_OK)
		err = check_live(state, bytes);
	if (err == ERR_OK && rest.size > 0)
		err = ERR_ENCODING;
	return err;
}

enum err state_load(struct state *state, const struct genesis *genesis,
	struct view bytes, const struct hash *root)
{
	state_clear(state);
	enum err err = load(state, bytes);
	if (err == ERR_OK) {
		struct hash loaded = state_root(state);
		err = hash_equal(&loaded, root) ? ERR_OK : ERR_ROOT;
	}
	if (err != ERR_OK) {
		enum err again = state_fill(state, genesis);
		CHECK(again == ERR_OK);
	}
	state_forget(state);
	return err == ERR_CONFIG ? ERR_ENCODING : err;
}
