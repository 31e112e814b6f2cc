/* sim/model_window.c -- windows, owners and names of the naive contract. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "model.h"

const struct record_party *model_party(
	const struct model *model, const struct key *key)
{
	const struct genesis *genesis = model->genesis;
	for (size_t i = 0; i < genesis->party_count; i++) {
		if (key_equal(&genesis->parties[i].key, key))
			return &genesis->parties[i];
	}
	return NULL;
}

bool model_port(const struct model *model, struct view name, uint32_t *port)
{
	for (uint32_t i = 0; i < model->genesis->port_count; i++) {
		if (view_equal(model->genesis->ports[i].name, name)) {
			*port = i;
			return true;
		}
	}
	return false;
}

bool model_pad(const struct model *model, uint32_t port, struct view name,
	uint32_t *pad)
{
	const struct record_port *at = &model->genesis->ports[port];
	for (uint32_t i = 0; i < at->pads_count; i++) {
		if (view_equal(at->pads[i].name, name)) {
			*pad = i;
			return true;
		}
	}
	return false;
}

struct model_reservation *model_find(
	const struct model *model, const struct id *id)
{
	for (size_t i = 0; i < model->live.count; i++) {
		if (id_equal(&model->live.items[i].id, id))
			return &model->live.items[i];
	}
	return NULL;
}

/* The id that operation index of a transaction gives to what it makes. */
struct id model_id(const struct tx_view *tx, size_t index)
{
	uint8_t number = (uint8_t)index;
	const struct view parts[] = {
		view_text("perch/reservation"),
		view_of(&tx->body.wallet, KEY_SIZE),
		view_of(&tx->body.id, ID_SIZE),
		view_of(&number, 1),
	};
	struct hash hash = hash_parts(parts, 4);
	struct id id;
	memcpy(&id, &hash, sizeof(id));
	return id;
}

static bool in_the_way(const struct model *model,
	const struct model_window *window, const struct model_reservation *one)
{
	const struct record_port *port = &model->genesis->ports[window->port];
	time_ms gap = (time_ms)(port->before + port->after);
	return one->port == window->port &&
	       view_equal(port->pads[one->pad].group,
		       port->pads[window->pad].group) &&
	       one->start < window->end + gap && window->start < one->end + gap;
}

bool model_taken(const struct model *model, const struct model_window *window,
	const struct id *without)
{
	for (size_t i = 0; i < model->live.count; i++) {
		const struct model_reservation *one = &model->live.items[i];
		if (!(without && id_equal(&one->id, without)) &&
			in_the_way(model, window, one))
			return true;
	}
	return false;
}

bool model_flying(const struct model *model, const struct model_window *window,
	const char *aircraft, const struct id *without, const struct id *pair)
{
	if (aircraft[0] == '\0')
		return false;
	for (size_t i = 0; i < model->live.count; i++) {
		const struct model_reservation *one = &model->live.items[i];
		if (strcmp(one->aircraft, aircraft) == 0 &&
			one->start < window->end && window->start < one->end &&
			!(without && id_equal(&one->id, without)) &&
			!(pair && id_equal(&one->id, pair)))
			return true;
	}
	return false;
}

unsigned model_window_broken(
	const struct model *model, const struct model_window *window)
{
	const struct record_port *port = &model->genesis->ports[window->port];
	time_ms length = window->end - window->start;
	unsigned broken = 0;
	if (window->start < model->time + (time_ms)port->lead)
		broken |= MODEL_BROKEN(PAST);
	if (length <= 0 || length > 24 * 3600 * 1000)
		broken |= MODEL_BROKEN(BAD_WINDOW);
	if (window->end > model->time + 30 * (time_ms)(24 * 3600 * 1000))
		broken |= MODEL_BROKEN(HORIZON);
	return broken;
}

size_t model_live_of(const struct model *model, const struct key *owner)
{
	size_t count = 0;
	for (size_t i = 0; i < model->live.count; i++)
		count += key_equal(&model->live.items[i].owner, owner);
	return count;
}

void model_name(char out[33], struct view name)
{
	memset(out, 0, 33);
	memcpy(out, name.data, name.size);
}

void model_add(struct model *model, const struct model_reservation *one)
{
	struct model_list *live = &model->live;
	if (live->count == live->room) {
		live->room = live->room ? 2 * live->room : 64;
		live->items = realloc(
			live->items, live->room * sizeof(live->items[0]));
		CHECK(live->items);
	}
	live->items[live->count++] = *one;
}

bool model_says(const struct op_receipt *receipt, const struct model *model,
	const struct model_reservation *one)
{
	struct detail_granted detail;
	const struct record_port *port = &model->genesis->ports[one->port];
	if (!receipt)
		return true; /* it was rolled back: nothing is said */
	return receipt->reservation.size == ID_SIZE &&
	       memcmp(receipt->reservation.data, &one->id, ID_SIZE) == 0 &&
	       detail_granted_decode(&detail, receipt->details) == ERR_OK &&
	       view_equal(detail.port, port->name) &&
	       view_equal(detail.pad, port->pads[one->pad].name) &&
	       (time_ms)detail.start == one->start &&
	       (time_ms)detail.end == one->end &&
	       detail.version == one->version;
}
