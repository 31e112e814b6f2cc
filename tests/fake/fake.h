/* tests/fake/fake.h -- nodes and an evaluator that say what a test wants: the
 * real sockets, frames and signatures, and lies on request.
 *
 * A chain is what nodes share. It grants every operation at once, so that what
 * is tested is the asker. Everything runs in the test's own thread: whoever
 * waits for a client also lets the fakes answer, with fake_step.
 */
#ifndef PERCH_TESTS_FAKE_FAKE_H
#define PERCH_TESTS_FAKE_FAKE_H

#include "bus/bus.h"
#include "crypto/crypto.h"
#include "gen/request.h"
#include "ledger/block.h"

enum { FAKE_BLOCKS_MAX = 1024, FAKE_TYPES = 256 };

enum fake_lie {
	FAKE_TRUTH,
	FAKE_SIGNATURE, /* blocks whose signature is of another key */
	FAKE_PROPOSER,  /* blocks that a stranger proposed and signed */
	FAKE_PARENT,    /* blocks that do not follow */
	FAKE_BODY,    /* blocks with another transaction than the header says */
	FAKE_RECEIPT, /* fates with another receipt than in the block */
	FAKE_OTHER_ID, /* fates of another id */
	FAKE_GARBAGE,  /* answers that do not decode */
	FAKE_TYPE,     /* answers of another type */
};

enum fake_hello {
	FAKE_HELLO_GOOD,
	FAKE_HELLO_NETWORK,
	FAKE_HELLO_VERSION,
	FAKE_HELLO_KEY,
	FAKE_HELLO_REFUSED, /* with the word `network` */
	FAKE_HELLO_NONE,
};

struct fake_chain {
	struct hash network;
	struct keypair proposer;
	struct keypair stranger;
	size_t count; /* blocks; height of the last */
	size_t open;  /* of them the last ones, which are not final */
	struct hash tip;
	struct {
		uint8_t *bytes;
		size_t size;
		struct hash hash;
		struct key wallet; /* of its one transaction */
		struct id id;
		uint8_t receipt[1024];
		size_t receipt_size;
	} blocks[FAKE_BLOCKS_MAX + 1]; /* from 1 on */
	int64_t later; /* block time is so late in answers; 0: by height */
	uint8_t code;  /* what every operation is answered with; 0 granted */
	uint8_t details[512];
	size_t details_size;
};

void fake_chain_start(struct fake_chain *chain, uint8_t seed);
void fake_chain_free(struct fake_chain *chain);
/* One more block: with this transaction, or with none (size 0). */
void fake_chain_add(struct fake_chain *chain, struct view tx);
/* The last one never was. */
void fake_chain_undo(struct fake_chain *chain);

struct fake {
	struct fake_chain *chain;
	struct keypair pair;
	struct bus *bus;
	struct bus_socket *request, *publish;
	char request_at[128], publish_at[128];
	enum fake_hello hello;
	enum fake_lie lie;
	uint64_t lie_from;   /* height, of lies about blocks */
	bool mute;           /* hears, never answers (but hello) */
	bool refuses_all;    /* admission */
	bool knows_stranger; /* as a node that joined later */
	const char *refusal; /* answer to everything but hello */
	struct view proof;   /* body of its answer to a proof query */
	struct view certificate, evidence; /* the same of those queries */
	struct view chunk, simulated;
	size_t blocks_max;     /* in one answer; 0: all that fit */
	uint64_t first_height; /* older blocks are gone */
	uint64_t boot, counters[5];
	unsigned seen[FAKE_TYPES]; /* requests, by type */
	bool drops_published;      /* counted, not sent */
};

/* seed: its key. The chain is borrowed. Endpoints are free local ports. */
void fake_start(struct fake *fake, struct fake_chain *chain, uint8_t seed);
void fake_stop(struct fake *fake);
/* Answer what has come; wait for at most timeout_ms for the first. */
void fake_step(struct fake *fake, time_ms timeout_ms);
/* Publish the block at this height, or a heartbeat. */
void fake_publish_block(struct fake *fake, uint64_t height);
void fake_publish_status(struct fake *fake);
/* 1 connected, 2 disconnected, 3 final. */
void fake_publish_chain(struct fake *fake, uint64_t event, uint64_t height,
	const struct hash *hash);

#endif
