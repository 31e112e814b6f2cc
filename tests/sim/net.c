/* sim/net.c -- links: loss, doubles, delays, cuts and clogs. */
#include "net.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "world.h"

void net_clear(struct net *net)
{
	struct packet *free_ones = net->free;
	memset(net, 0, sizeof(*net));
	net->free = free_ones;
}

void net_free(struct net *net)
{
	while (net->free) {
		struct packet *packet = net->free;
		net->free = packet->next;
		free(packet);
	}
}

struct packet *packet_new(
	struct net *net, enum packet_kind kind, uint32_t from, uint32_t to)
{
	struct packet *packet = net->free;
	if (packet)
		net->free = packet->next;
	else
		packet = malloc(sizeof(*packet));
	CHECK(packet);
	memset(packet, 0, offsetof(struct packet, message));
	packet->next = NULL;
	packet->kind = kind;
	packet->from = from;
	packet->to = to;
	return packet;
}

void packet_drop(struct net *net, struct packet *packet)
{
	packet->next = net->free;
	net->free = packet;
}

static const struct link *link_of(
	const struct world *world, const struct packet *packet)
{
	if (packet->from >= SIM_CLIENT || packet->to >= SIM_CLIENT)
		return &world->net.client;
	return &world->net.links[packet->from][packet->to];
}

bool net_passes(const struct world *world, const struct packet *packet)
{
	return !link_of(world, packet)->cut;
}

static int64_t latency(struct world *world, const struct link *link)
{
	int64_t after = link->latency_us;
	if (link->jitter_us > 0)
		after += world_between(world, 0, link->jitter_us);
	if (link->late > 0 && world_chance(world, link->late))
		after += world_between(world, 0, 20 * link->latency_us);
	if (world->now_us + after < link->clogged_us)
		after = link->clogged_us - world->now_us;
	return after;
}

static void put(
	struct world *world, const struct link *link, struct packet *packet)
{
	queue_put(&world->queue,
		(struct plan){
			.at_us = world->now_us + latency(world, link),
			.kind = PLAN_PACKET,
			.who = packet->to,
			.what = packet,
		});
}

void net_send(struct world *world, struct packet *packet)
{
	const struct link *link = link_of(world, packet);
	world->net.sent++;
	if (link->cut || (link->loss > 0 && world_chance(world, link->loss))) {
		world->net.lost++;
		packet_drop(&world->net, packet);
		return;
	}
	if (link->twice > 0 && world_chance(world, link->twice)) {
		struct packet *twin = packet_new(
			&world->net, packet->kind, packet->from, packet->to);
		size_t size =
			offsetof(struct packet, message) + packet->message_size;
		memcpy(twin, packet, size);
		world->net.doubled++;
		put(world, link, twin);
	}
	put(world, link, packet);
}
