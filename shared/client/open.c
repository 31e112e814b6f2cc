/* client/open.c -- a client from its configuration, and who it talks to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "client/inside.h"
#include "clock/clock.h"

static enum err config_check(const struct perch_config *config, char *why)
{
	const char *wrong = NULL;

	if (config->node_count == 0 && config->evaluator == NULL)
		wrong = "neither a node nor an evaluator is given";
	else if (config->node_count > PERCH_NODES_MAX)
		wrong = "more than 64 nodes are given";
	else if (config->requests_max > CLIENT_REQUESTS_MAX)
		wrong = "requests_max is above 32768";
	else if (config->chain > 7)
		wrong = "there is no such chain";
	else if (config->timeout_ms < 0 || config->patience_ms < 0)
		wrong = "a time is negative";
	if (wrong == NULL)
		return ERR_OK;
	snprintf(why, PERCH_WHY_MAX, "%s", wrong);
	return ERR_CONFIG;
}

static enum err node_check(const struct perch_node *node, char *why)
{
	struct key key;

	memcpy(&key, &node->key, sizeof(key));
	if (memchr(node->name, '\0', sizeof(node->name)) == NULL ||
		memchr(node->request, '\0', sizeof(node->request)) == NULL ||
		memchr(node->publish, '\0', sizeof(node->publish)) == NULL ||
		node->request[0] == '\0') {
		snprintf(why, PERCH_WHY_MAX,
			"a node has no name or no request endpoint");
		return ERR_CONFIG;
	}
	if (key_is_valid(&key))
		return ERR_OK;
	snprintf(why, PERCH_WHY_MAX, "the key of %s is not a valid key",
		node->name);
	return ERR_KEY;
}

static void identity(struct perch *client, const uint8_t *seed)
{
	uint8_t drawn[32];

	if (seed == NULL) {
		for (size_t i = 0; i < sizeof(drawn); i += sizeof(uint64_t)) {
			uint64_t bits = clock_random();

			memcpy(drawn + i, &bits, sizeof(bits));
		}
		seed = drawn;
	}
	/* Out of swap, as far as the system allows. */
	(void)mlock(&client->pair, sizeof(client->pair));
	keypair_from_seed(&client->pair, seed);
	explicit_bzero(drawn, sizeof(drawn));
}

static enum err line_add(
	struct perch *client, const struct perch_node *node, char *why)
{
	struct line *line = &client->lines[client->line_count];
	enum err err = node_check(node, why);

	if (err != ERR_OK)
		return err;
	line->node = *node;
	line->index = (int)client->line_count++;
	line->backoff = CLIENT_BACKOFF_MIN_MS;
	return ERR_OK;
}

static enum err lines_add(
	struct perch *client, const struct perch_config *config, char *why)
{
	for (size_t i = 0; i < config->node_count; i++) {
		struct key key;
		enum err err = line_add(client, &config->nodes[i], why);

		if (err != ERR_OK)
			return err;
		memcpy(&key, &config->nodes[i].key, sizeof(key));
		trust_add(client, &key);
	}
	client->node_count = config->node_count;
	if (config->evaluator == NULL)
		return ERR_OK;
	client->has_evaluator = true;
	return line_add(client, config->evaluator, why);
}

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	CHECK(memory != NULL);
	return memory;
}

static unsigned or_default(unsigned value, unsigned otherwise)
{
	return value == 0 ? otherwise : value;
}

static struct perch *client_new(const struct perch_config *config)
{
	struct perch *client = zeroed(1, sizeof(*client));

	memcpy(&client->network, &config->network, sizeof(client->network));
	client->chain = config->chain;
	client->prove = config->prove;
	client->wake_fd = -1;
	client->lines_max = or_default(config->links_max, CLIENT_LINES_DEFAULT);
	client->timeout_ms = config->timeout_ms == 0 ? CLIENT_TIMEOUT_MS
						     : config->timeout_ms;
	client->patience_ms = config->patience_ms == 0 ? CLIENT_PATIENCE_MS
						       : config->patience_ms;
	client->requests_max =
		or_default(config->requests_max, CLIENT_REQUESTS_DEFAULT);
	client->slots = client->requests_max + CLIENT_SLOTS_OWN;
	client->flights = zeroed(client->slots, sizeof(*client->flights));
	client->look_at = INT64_MAX;
	/* Serial numbers begin anywhere, never at 0, and never wrap. */
	client->serial = 1 + (clock_random() >> (CLIENT_SLOT_BITS + 8));
	client->follow.publisher = -1;
	client->hold_line = -1;
	client->holds = zeroed(CLIENT_HOLDS_MAX, sizeof(*client->holds));
	client->follow.buffer = zeroed(1, BUS_FRAME_MAX);
	client->answer = zeroed(1, sizeof(*client->answer));
	client->decoded = zeroed(1, sizeof(*client->decoded));
	client->block = zeroed(1, sizeof(*client->block));
	client->scratch = zeroed(1, BUS_FRAME_MAX);
	return client;
}

void perch_close(struct perch **closed)
{
	struct perch *client = *closed;

	*closed = NULL;
	if (client == NULL)
		return;
	for (unsigned i = 0; i < client->slots; i++) {
		if (client->flights[i].id != 0)
			flight_end(client, &client->flights[i]);
	}
	bus_close(&client->bus);
	free(client->flights);
	free(client->holds);
	free(client->follow.buffer);
	free(client->answer);
	free(client->decoded);
	free(client->block);
	free(client->scratch);
	explicit_bzero(client, sizeof(*client));
	(void)munlock(&client->pair, sizeof(client->pair));
	free(client);
}

enum perch_err perch_open(
	struct perch **out, const struct perch_config *config, char *why)
{
	enum err err = config_check(config, why);
	struct perch *client;

	if (err != ERR_OK)
		return (enum perch_err)err;
	crypto_start();
	client = client_new(config);
	identity(client, config->seed);
	err = lines_add(client, config, why);
	if (err == ERR_OK)
		err = bus_open(&client->bus, &client->pair);
	if (err == ERR_IO)
		snprintf(why, PERCH_WHY_MAX,
			"no socket could be opened; raise `ulimit -n`");
	if (err != ERR_OK) {
		perch_close(&client);
		return (enum perch_err)err;
	}
	if (client->has_evaluator)
		line_want(client, &client->lines[client->node_count]);
	lines_tick(client, clock_monotonic());
	*out = client;
	return PERCH_OK;
}

/* ---- who it is, who is there ---- */

struct perch_key perch_self(const struct perch *client)
{
	struct perch_key key;

	give_key(&key, &client->pair.key);
	return key;
}

void perch_set_timeout(struct perch *client, int64_t timeout_ms)
{
	if (timeout_ms > 0)
		client->timeout_ms = timeout_ms;
}

void perch_wake_on(struct perch *client, int fd)
{
	client->wake_fd = fd;
}

size_t perch_node_count(const struct perch *client)
{
	return client->node_count;
}

bool perch_node_at(
	const struct perch *client, int index, struct perch_node_info *out)
{
	const struct line *line;

	if (index == PERCH_EVALUATOR && client->has_evaluator)
		line = &client->lines[client->node_count];
	else if (index >= 0 && (size_t)index < client->node_count)
		line = &client->lines[index];
	else
		return false;
	memset(out, 0, sizeof(*out));
	out->node = line->node;
	out->link = line->state;
	out->err = (enum perch_err)line->err;
	out->hint_err = (enum perch_err)line->hint_err;
	out->in_flight = line->in_flight;
	memcpy(out->why, line->why, sizeof(out->why));
	memcpy(out->release, line->release, sizeof(out->release));
	return true;
}

void perch_prefer(struct perch *client, size_t index)
{
	if (index >= client->node_count)
		return;
	client->prefer = index;
	if (client->lines[index].state == PERCH_IDLE)
		line_want(client, &client->lines[index]);
}
