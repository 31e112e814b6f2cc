/* tests/install/example.c -- what a stranger writes on the first day: reserve a
 * pad and say what became of it. Built with nothing but pkg-config.
 *
 *	cc example.c $(pkg-config --cflags --libs perch) -o example
 *	./example genesis.zpl wallet.key haneda a
 *
 * Exit: 0 granted, 1 refused, 2 wrong usage, 3 the outcome is unknown.
 */
#include <perch/client.h>

#include <stdio.h>

static int say(const struct perch_event *event)
{
	const struct perch_fate *fate = event->fate;
	const struct perch_outcome *op = &fate->ops[0];
	char id[2 * sizeof(fate->id) + 1];

	if (event->failure != NULL) {
		printf("%s %s: %s\n",
			perch_hex(id, &fate->id, sizeof(fate->id)),
			event->failure->code, event->failure->text);
		return fate->refused ? 1 : 3;
	}
	if (fate->status != PERCH_FINAL || !fate->has_receipt)
		return 3;
	if (fate->code != 0 || op->code != 0) {
		printf("refused: %s\n",
			perch_refusal_text(
				fate->code != 0 ? fate->code : op->code, "en"));
		return 1;
	}
	printf("reserved %s %s at height %llu\n", op->port, op->slot.pad,
		(unsigned long long)fate->height);
	return 0;
}

static int reserve(struct perch *client, const char *port, const char *pad)
{
	struct perch_reserve landing = {
		.port = port,
		.pad = pad,
		.start = perch_now() + 600000,
		.end = perch_now() + 900000,
	};
	struct perch_event event;
	struct perch_tx tx;
	uint64_t request;
	enum perch_err err;

	perch_tx_start(&tx, PERCH_ALL);
	err = perch_tx_reserve(&tx, &landing);
	if (err == PERCH_OK)
		err = perch_submit(client, &tx, PERCH_FINAL, &request);
	if (err == PERCH_OK)
		err = perch_wait(client, request, &event);
	if (err == PERCH_OK)
		return say(&event);
	fprintf(stderr, "%s: %s\n", perch_err_name(err), perch_err_text(err));
	return 2;
}

int main(int argc, char **argv)
{
	static struct perch_network network;
	struct perch_config config = {.timeout_ms = 3000, .prove = true};
	struct perch *client = NULL;
	uint8_t seed[32];
	char why[PERCH_WHY_MAX] = "usage: example GENESIS KEY PORT PAD";
	int rc = 2;

	if (argc != 5 ||
		perch_genesis_read(argv[1], &network, why) != PERCH_OK ||
		perch_key_read(argv[2], NULL, seed, why) != PERCH_OK) {
		fprintf(stderr, "%s\n", why);
		return rc;
	}
	config.network = network.id;
	config.nodes = network.nodes;
	config.node_count = network.node_count;
	config.seed = seed;
	if (perch_open(&client, &config, why) == PERCH_OK)
		rc = reserve(client, argv[3], argv[4]);
	else
		fprintf(stderr, "%s\n", why);
	perch_close(&client);
	return rc;
}
