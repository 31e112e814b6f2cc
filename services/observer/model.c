/* observer/model.c -- hearsay kept apart from facts: what nodes say is drawn,
 * and what any of them calls final is held against all the others.
 */
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool same(const struct perch_hash *a, const struct perch_hash *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

const char *model_role(int role)
{
	static const char *const names[] = {
		"follower", "candidate", "leader", "standby", "miner"};
	return role >= 0 && role < 5 ? names[role] : "unknown";
}

const char *model_chain_name(unsigned chain)
{
	return chain == 0 ? "ordered" : "pow";
}

int model_party(const struct model *model, const struct perch_key *key)
{
	for (size_t i = 0; i < model->party_count; i++) {
		if (memcmp(&model->parties[i].key, key, sizeof(*key)) == 0)
			return (int)i;
	}
	return -1;
}

const char *model_name(
	const struct model *model, const struct perch_key *key, char room[12])
{
	int party = model_party(model, key);
	if (party >= 0)
		return model->parties[party].name;
	for (size_t i = 0; i < model->node_count; i++) {
		if (memcmp(&model->nodes[i].key, key, sizeof(*key)) == 0)
			return model->nodes[i].name;
	}
	return perch_hex(room, key, 5);
}

/* ---- alarms and notes ---- */

bool model_alarm(struct model *model, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(model->alarm, sizeof(model->alarm), format, arguments);
	va_end(arguments);
	model->alarms++;
	return false;
}

void model_note(struct model *model, int64_t time, bool refused,
	const char *format, ...)
{
	struct note *note =
		&model->notes[model->note_count++ % MODEL_NOTES_MAX];
	va_list arguments;
	note->time = time;
	note->refused = refused;
	va_start(arguments, format);
	vsnprintf(note->text, sizeof(note->text), format, arguments);
	va_end(arguments);
}

static const char *speaker(const struct model *model, int node)
{
	return node < 0 ? "a verified block" : model->nodes[node].name;
}

/* Told once a height; the nodes go on saying it every second. */
static bool contradiction(struct model *model, struct fact *fact, int node,
	const char *what, const struct perch_hash *before,
	const struct perch_hash *now)
{
	char a[11], b[11];
	if (!fact->disputed)
		model_alarm(model,
			"two %s final at %llu: %s %s, %s %s; stop granting "
			"and compare these nodes",
			what, (unsigned long long)fact->height,
			speaker(model, fact->node), perch_hex(a, before, 5),
			speaker(model, node), perch_hex(b, now, 5));
	fact->disputed = true;
	return false;
}

/*~ Nobody is believed: whatever a node calls final is a fact about everybody.
 * The first to speak of a height fixes it; each later word, from any node or
 * from a verified block, must be the same hash and the same state root. Heights
 * that left the table are not compared again. (What must never happen: 13.) */
static bool fact_hold(struct model *model, unsigned chain, int node,
	uint64_t height, const struct perch_hash *hash,
	const struct perch_hash *root)
{
	struct fact *fact = &model->facts[chain][height % MODEL_FACTS_MAX];
	if (height == 0 || height < fact->height)
		return true;
	if (height > fact->height) {
		*fact = (struct fact){
			.height = height, .hash = *hash, .node = node};
	}
	if (!same(&fact->hash, hash))
		return contradiction(
			model, fact, node, "blocks", &fact->hash, hash);
	if (root != NULL && fact->has_root && !same(&fact->state_root, root))
		return contradiction(model, fact, node, "state roots",
			&fact->state_root, root);
	if (root != NULL && !fact->has_root) {
		fact->has_root = true;
		fact->state_root = *root;
	}
	return true;
}

/* ---- nodes ---- */

const struct perch_hash *tower_at(const struct tower *tower, uint64_t height)
{
	if (!tower->known || height < tower->lowest || height > tower->height ||
		height == 0)
		return NULL;
	return &tower->recent[height % MODEL_RECENT_MAX];
}

uint64_t tower_number(const struct tower *tower, const char *name)
{
	for (size_t i = 0; i < tower->number_count; i++) {
		if (strcmp(tower->numbers[i].name, name) == 0)
			return tower->numbers[i].value;
	}
	return 0;
}

static void tower_put(
	struct tower *tower, uint64_t height, const struct perch_hash *hash)
{
	if (!tower->known || height != tower->height + 1)
		tower->lowest = height;
	tower->known = true;
	tower->height = height;
	tower->hash = *hash;
	tower->recent[height % MODEL_RECENT_MAX] = *hash;
	if (height - tower->lowest >= MODEL_RECENT_MAX)
		tower->lowest = height - MODEL_RECENT_MAX + 1;
}

void model_link(
	struct model *model, size_t node, bool up, const char *why, int64_t now)
{
	struct seen_node *seen = &model->nodes[node];
	enum seen state = up ? SEEN_UP : SEEN_DOWN;
	if (seen->seen != state) {
		model_note(model, now, !up, "%s is %s", seen->name,
			up ? "up" : "down");
		seen->since = now;
	}
	seen->seen = state;
	snprintf(seen->why, sizeof(seen->why), "%s", why);
}

/* Blocks that went without a word: their hints were lost. */
static void find_left(struct model *model, size_t node,
	const struct perch_chain_status *said, int64_t now)
{
	struct tower *tower = &model->nodes[node].towers[said->chain];
	uint64_t first = said->height - said->recent_count + 1, differs = 0;
	for (uint64_t height = first; height <= said->height; height++) {
		const struct perch_hash *had = tower_at(tower, height);
		const struct perch_hash *has = &said->recent[height - first];
		fork_seen(model, said->chain, node, height, has, now);
		if (differs == 0 && had != NULL && !same(had, has))
			differs = height;
	}
	if (differs == 0)
		return;
	for (uint64_t height = tower->height; height >= differs; height--)
		fork_left(tower, height, tower_at(tower, height), now);
	fork_joined(
		model, said->chain, node, &said->recent[differs - first], now);
}

static bool tower_status(struct model *model, size_t node,
	const struct perch_chain_status *said, int64_t now)
{
	struct tower *tower = &model->nodes[node].towers[said->chain];
	find_left(model, node, said, now);
	tower->known = false;
	for (size_t i = 0; i < said->recent_count; i++)
		tower_put(tower, said->height - said->recent_count + 1 + i,
			&said->recent[i]);
	if (said->recent_count == 0)
		tower->lowest = said->height + 1;
	tower->known = true;
	tower->height = said->height;
	tower->hash = said->hash;
	tower->final_height = said->final_height;
	tower->final_hash = said->final_hash;
	tower->state_root = said->state_root;
	tower->number_count = said->number_count;
	memcpy(tower->numbers, said->numbers, sizeof(tower->numbers));
	return fact_hold(model, said->chain, (int)node, said->final_height,
		&said->final_hash, &said->state_root);
}

bool model_status(struct model *model, size_t node,
	const struct perch_node_status *status, int64_t now)
{
	struct seen_node *seen = &model->nodes[node];
	bool good = true;
	if (seen->seen == SEEN_UP && seen->role != status->role)
		model_note(model, now, false, "%s is %s of term %llu",
			seen->name, model_role(status->role),
			(unsigned long long)status->term);
	seen->role = status->role;
	seen->term = status->term;
	seen->mempool = status->mempool;
	seen->peers = status->peers;
	model_link(model, node, true, "", now);
	for (size_t i = 0; i < status->chain_count; i++) {
		const struct perch_chain_status *chain = &status->chains[i];
		if (chain->chain < MODEL_CHAINS &&
			chain->recent_count <= chain->height)
			good = tower_status(model, node, chain, now) && good;
	}
	return good;
}

bool model_chain(struct model *model, size_t node,
	const struct perch_chain_hint *hint, int64_t now)
{
	enum { CONNECTED = 1, DISCONNECTED, FINAL };
	if (hint->chain >= MODEL_CHAINS || hint->height == 0)
		return true;
	struct tower *tower = &model->nodes[node].towers[hint->chain];
	switch (hint->event) {
	case CONNECTED:
		fork_seen(model, hint->chain, node, hint->height, &hint->hash,
			now);
		fork_joined(model, hint->chain, node, &hint->hash, now);
		tower_put(tower, hint->height, &hint->hash);
		return true;
	case DISCONNECTED:
		if (!tower->known || hint->height > tower->height)
			return true;
		fork_left(tower, hint->height, &hint->hash, now);
		tower->height = hint->height - 1;
		tower->hash = hint->parent;
		if (tower->lowest > hint->height)
			tower->lowest = hint->height;
		return true;
	case FINAL:
		if (hint->height > tower->final_height) {
			tower->final_height = hint->height;
			tower->final_hash = hint->hash;
		}
		return fact_hold(model, hint->chain, (int)node, hint->height,
			&hint->hash, NULL);
	}
	return true;
}

/* ---- blocks ---- */

bool model_block(struct model *model, const struct perch_block *block,
	size_t granted, size_t refused)
{
	int64_t second = block->time / 1000;
	if (model->first_height == 0)
		model->first_height = block->height;
	model->height = block->height;
	model->txs += block->tx_count;
	model->granted += granted;
	model->refused += refused;
	if (second - model->rate_second >= MODEL_RATE_SECONDS)
		memset(model->rate, 0, sizeof(model->rate));
	else
		for (int64_t i = model->rate_second + 1; i <= second; i++)
			model->rate[i % MODEL_RATE_SECONDS] = 0;
	model->rate_second = second;
	model->rate[second % MODEL_RATE_SECONDS] += (unsigned)block->tx_count;
	return fact_hold(model, block->chain, -1, block->height, &block->hash,
		&block->state_root);
}

double model_rate(const struct model *model, int64_t now)
{
	int64_t second = now / 1000;
	uint64_t count = 0;
	/* The running second is not over: it does not count. */
	for (int64_t i = second - MODEL_RATE_SECONDS + 1; i < second; i++) {
		if (i <= model->rate_second &&
			i > model->rate_second - MODEL_RATE_SECONDS)
			count += model->rate[i % MODEL_RATE_SECONDS];
	}
	return (double)count / (MODEL_RATE_SECONDS - 1);
}

/* ---- the timetable ---- */

void model_row(struct model *model, const char *port, const char *pad)
{
	if (model->row_count == MODEL_ROWS_MAX) {
		model->rows_left_out++;
		return;
	}
	struct row *row = &model->rows[model->row_count++];
	snprintf(row->port, sizeof(row->port), "%s", port);
	snprintf(row->pad, sizeof(row->pad), "%s", pad);
}

void model_bookings_clear(struct model *model, const char *port)
{
	size_t kept = 0;
	for (size_t i = 0; i < model->booking_count; i++) {
		const struct booking *booking = &model->bookings[i];
		if (port != NULL &&
			strcmp(model->rows[booking->row].port, port) != 0)
			model->bookings[kept++] = *booking;
	}
	model->booking_count = kept;
}

void model_booking(
	struct model *model, const struct perch_reservation *reservation)
{
	if (model->booking_count == MODEL_BOOKINGS_MAX)
		return;
	for (size_t i = 0; i < model->row_count; i++) {
		const struct row *row = &model->rows[i];
		if (strcmp(row->port, reservation->port) != 0 ||
			strcmp(row->pad, reservation->pad) != 0)
			continue;
		model->bookings[model->booking_count++] = (struct booking){
			.row = i,
			.start = reservation->start,
			.end = reservation->end,
			.state = reservation->state,
			.party = model_party(model, &reservation->operator_key),
			.movement = reservation->movement,
			.on_pad = reservation->on_pad,
			.until = reservation->until,
		};
		memcpy(model->bookings[model->booking_count - 1].aircraft,
			reservation->aircraft, sizeof(reservation->aircraft));
		return;
	}
}

void model_port(struct model *model, const struct perch_port *port)
{
	for (size_t i = 0; i < model->row_count; i++) {
		struct row *row = &model->rows[i];
		if (strcmp(row->port, port->name) != 0)
			continue;
		for (size_t j = 0; j < port->pad_count; j++) {
			const struct perch_pad *pad = &port->pads[j];
			if (strcmp(row->pad, pad->name) != 0)
				continue;
			row->blocked = pad->blocked;
			row->closed_from = pad->closed_from;
			row->closed_until = pad->closed_until;
		}
	}
}
