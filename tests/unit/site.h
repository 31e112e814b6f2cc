/* tests/unit/site.h -- one node without an engine: a state, its chain, its
 * pool.
 */
#ifndef PERCH_TESTS_UNIT_SITE_H
#define PERCH_TESTS_UNIT_SITE_H

#include "paper.h"

struct site {
	struct home home;
	struct chain *chain;
	struct mempool *pool;
	struct moves *moves;
	uint8_t *block; /* of the last build */
};

UNUSED static void site_open(struct site *site, const struct genesis *genesis,
	const struct state_limits *limits)
{
	home_open(&site->home, genesis, limits, CHAIN_JOURNAL_BYTES_MIN);
	site->chain = chain_init(
		calloc(1, chain_bytes()), site->home.state, genesis, 0);
	size_t size = mempool_bytes(1000, 1 << 20);
	void *memory = aligned_alloc(64, size);
	assert_non_null(memory);
	memset(memory, 0, size);
	site->pool = mempool_init(memory, 1000, 1 << 20);
	site->moves = calloc(1, sizeof(*site->moves));
	site->block = malloc(BLOCK_BYTES_MAX);
	assert_non_null(site->moves);
	assert_non_null(site->block);
}

UNUSED static void site_close(struct site *site)
{
	home_close(&site->home);
	free(site->chain);
	free(site->pool);
	free(site->moves);
	free(site->block);
}

UNUSED static enum err pool_put(struct site *site, struct paper *paper,
	enum who who, const struct genesis *genesis)
{
	static uint8_t bytes[TX_BYTES_MAX];
	struct tx_view tx;
	size_t size =
		tx_seal(bytes, &paper->tx, who_pair(who), &genesis->network);

	assert_true(size > 0);
	assert_int_equal(tx_open(&tx, view_of(bytes, size)), ERR_OK);
	return mempool_put(site->pool, &tx, true);
}

UNUSED static struct block_ref build(
	struct site *site, time_ms now, bool member_free)
{
	static const uint8_t field[] = {0x91, 0x07};
	struct chain_template template = {
		.now = now,
		.proposer = node_pair(0),
		.engine = view_of(field, sizeof(field)),
		.member_free = member_free,
		.txs_max = BLOCK_TXS_MAX,
	};
	struct block_ref block;

	site->moves->count = 0;
	chain_build(site->chain, site->pool, &template, site->block, &block,
		site->moves);
	return block;
}

UNUSED static struct hash root_of(struct site *site)
{
	return state_root(site->home.state);
}

UNUSED static void assert_same(struct site *a, struct site *b)
{
	struct chain_tip x = chain_tip(a->chain), y = chain_tip(b->chain);
	struct hash p = root_of(a), q = root_of(b);

	assert_int_equal(x.height, y.height);
	assert_true(hash_equal(&x.hash, &y.hash));
	assert_int_equal(x.time, y.time);
	assert_true(hash_equal(&p, &q));
}

#endif
