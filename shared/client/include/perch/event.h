/* perch/event.h -- what perch_next tells.
 *
 * An event and everything it points to is valid until the next call with the
 * same client.
 */
#ifndef PERCH_EVENT_H
#define PERCH_EVENT_H

#include <perch/certificate.h>

#ifdef __cplusplus
extern "C" {
#endif

struct perch_fate {
	struct perch_id id;
	struct perch_key wallet;
	enum perch_status status;
	bool refused;     /* by the node, see event.failure: it has no effect */
	bool never;       /* unknown, expired in block time: it has no effect */
	bool has_receipt; /* the contract has spoken: code and ops */
	uint8_t code;     /* not 0: refused whole, ops is empty */
	size_t op_count;
	struct perch_outcome ops[PERCH_OPS_MAX];
	unsigned chain;
	uint64_t height; /* of its block */
	unsigned index;  /* in its block */
	struct perch_hash block;
	bool proved;    /* the block was fetched and says the same */
	uint64_t as_of; /* true at this final height at least */
	int64_t as_of_time;
	const uint8_t *receipt;
	size_t receipt_size;
};

struct perch_failure {
	char code[PERCH_NAME_MAX + 1]; /* stable word: "timeout", "role" ... */
	char text[401];                /* cause and cure */
};

enum perch_event_type {
	PERCH_EVENT_NONE, /* time passed */
	PERCH_EVENT_WAKE, /* the descriptor of perch_wake_on is readable */
	PERCH_EVENT_NODE, /* a node came up or went: see perch_node_at */
	/* answers: request is what the question returned */
	PERCH_EVENT_FATE, /* of perch_submit and perch_ask_tx, always */
	/* What was told to be ordered is not any more: fate.block has gone from
	 * the chain of the node that said so. Told once, with the request of
	 * that answer; the next PERCH_EVENT_FATE of the same request is what
	 * became of it then. */
	PERCH_EVENT_UNDONE,
	PERCH_EVENT_FAILED, /* of any other question: refused, or no answer */
	PERCH_EVENT_HEAD,
	PERCH_EVENT_BLOCKS,
	PERCH_EVENT_PEERS,
	PERCH_EVENT_STATUS,
	PERCH_EVENT_STATE,
	PERCH_EVENT_INQUIRE,
	PERCH_EVENT_TIMETABLE,
	PERCH_EVENT_HISTORY,
	PERCH_EVENT_SIMULATE, /* a fate with status unknown */
	PERCH_EVENT_PROOF,
	PERCH_EVENT_PORTS,
	PERCH_EVENT_CERTIFICATE,
	PERCH_EVENT_EVIDENCE,
	/* of perch_follow */
	PERCH_EVENT_BLOCK,   /* the next final block, verified */
	PERCH_EVENT_STALLED, /* the stream cannot go on: err; it keeps trying */
	/* of perch_subscribe */
	PERCH_EVENT_HINT_STATUS,
	PERCH_EVENT_HINT_TX,
	PERCH_EVENT_HINT_SLOT,
	PERCH_EVENT_HINT_CHAIN,
};

struct perch_event {
	enum perch_event_type type;
	uint64_t request; /* 0: not an answer */
	int node; /* index of who said it; -1: nobody did, or the evaluator */
	enum perch_err err; /* PERCH_OK, or what went wrong */
	union {
		const struct perch_fate *fate; /* also of SIMULATE */
		const struct perch_head *head;
		const struct perch_blocks *blocks;
		const struct perch_peers *peers;
		const struct perch_node_status *status; /* also of the hint */
		const struct perch_state_chunk *state;
		const struct perch_inquire *inquire;
		const struct perch_timetable *timetable;
		const struct perch_history *history;
		const struct perch_proof *proof;
		const struct perch_ports *ports;
		const struct perch_certificate *certificate;
		const struct perch_evidence *evidence;
		const struct perch_block *block;
		const struct perch_tx_hint *tx_hint;
		const struct perch_slot_hint *slot_hint;
		const struct perch_chain_hint *chain_hint;
	};
	const struct perch_failure *failure; /* of FATE and FAILED, or NULL */
	/* Of a hint: messages of this topic that were lost before this one;
	 * UINT64_MAX: its publisher started anew, nobody knows how many. */
	uint64_t lost;
};

#ifdef __cplusplus
}
#endif

#endif
