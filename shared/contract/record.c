/* contract/record.c -- from what is stored to what is hashed, read and sent.
 * Views borrow from the state.
 */
#include "contract/inside.h"

#include <string.h>

#include "base/check.h"

void name_set(struct name *name, struct view text)
{
	CHECK(text.size <= sizeof(name->text));
	memset(name, 0, sizeof(*name));
	name->size = (uint8_t)text.size;
	if (text.size > 0)
		memcpy(name->text, text.data, text.size);
}

int view_order(struct view a, struct view b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common > 0 ? memcmp(a.data, b.data, common) : 0;

	if (order != 0)
		return order;
	return a.size < b.size ? -1 : a.size > b.size;
}

static void address_set(struct address *address, struct view text)
{
	CHECK(text.size <= sizeof(address->text));
	address->size = (uint8_t)text.size;
	if (text.size > 0)
		memcpy(address->text, text.data, text.size);
}

void node_set(struct node *node, const struct record_node *record)
{
	memset(node, 0, sizeof(*node));
	node->key = record->key;
	name_set(&node->name, record->name);
	node->role = (uint8_t)record->role;
	address_set(&node->request, record->request);
	address_set(&node->publish, record->publish);
	address_set(&node->peer, record->peer);
}

void record_of_reservation(const struct state *state,
	const struct reservation *reservation, struct record_reservation *out)
{
	const struct port *port = &state->ports[reservation->port];
	const struct party *party = state_party_at(state, reservation->party);
	const struct port *other = NULL;

	if (reservation->alternate_port != TABLE_NONE)
		other = &state->ports[reservation->alternate_port];
	*out = (struct record_reservation){
		.reservation = reservation->id,
		.port = name_view(&port->name),
		.pad = name_view(&port->pads[reservation->pad].name),
		.start = (uint64_t)reservation->start,
		.end = (uint64_t)reservation->end,
		.operator= party->key,
		.aircraft = name_view(&reservation->aircraft),
		.state = reservation->state,
		.version = reservation->version,
		.pair = view_of(reservation->pair.bytes,
			reservation->paired ? ID_SIZE : 0),
		.movement = reservation->movement,
		.height = reservation->height,
		.place = reservation->place,
		.until = (uint64_t)reservation->until,
		.nonce = reservation->nonce,
		.asked = (uint64_t)reservation->asked,
		.tier = reservation->tier,
		.flags = reservation->flags & (FLAG_AIRBORNE | FLAG_ON_PAD),
		.commitment = view_of(reservation->commitment.bytes,
			reservation->flags & FLAG_SEALED ? HASH_SIZE : 0),
	};
	if (other != NULL) {
		const struct pad *pad =
			&other->pads[reservation->alternate_pad];
		out->alternate_port = name_view(&other->name);
		out->alternate_pad = name_view(&pad->name);
	}
}

void record_of_port(const struct port *port, struct record_port *out)
{
	out->name = name_view(&port->name);
	out->controller = port->controller;
	out->lead = (uint64_t)port->lead;
	out->before = (uint64_t)port->before;
	out->after = (uint64_t)port->after;
	out->duration = (uint64_t)port->duration;
	out->hold = (uint64_t)port->hold;
	out->no_show = (uint64_t)port->no_show;
	out->pads_count = port->pad_count;
	for (size_t i = 0; i < port->pad_count; i++) {
		const struct pad *pad = &port->pads[i];

		out->pads[i] = (struct record_pad){
			.name = name_view(&pad->name),
			.group = name_view(&port->groups[pad->group].name),
			.open = pad->open,
			.blocked = pad->blocked,
			.closed_from = (uint64_t)pad->closed_from,
			.closed_until = (uint64_t)pad->closed_until,
			.incursions = pad->incursions,
		};
	}
}

void record_of_party(const struct party *party, struct record_party *out)
{
	*out = (struct record_party){
		.key = party->key,
		.name = name_view(&party->name),
		.role = party->role,
		.quota = party->quota,
		.live = party->live,
		.up = party->up,
		.tier = party->tier,
		.emergencies = party->emergencies,
	};
}

static struct view address_view(const struct address *address)
{
	return view_of(address->text, address->size);
}

void record_of_node(const struct node *node, struct record_node *out)
{
	*out = (struct record_node){
		.key = node->key,
		.name = name_view(&node->name),
		.role = node->role,
		.request = address_view(&node->request),
		.publish = address_view(&node->publish),
		.peer = address_view(&node->peer),
	};
}

void record_of_seen(const struct seen *seen, struct record_seen *out)
{
	*out = (struct record_seen){
		.wallet = seen->wallet,
		.id = seen->id,
		.tx = seen->tx,
		.height = seen->height,
		.index = seen->index,
		.valid_until = (uint64_t)seen->valid_until,
	};
}
