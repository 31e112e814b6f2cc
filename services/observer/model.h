/* observer/model.h -- what the observer knows, and what it is sure of.
 *
 * Plain data, filled by what nodes say and by verified blocks, and drawn by
 * render.h. No clock and no socket, so that tests can tell it anything. Times
 * are UTC in milliseconds.
 */
#ifndef PERCH_OBSERVER_MODEL_H
#define PERCH_OBSERVER_MODEL_H

#include <perch/client.h>

enum {
	MODEL_RECENT_MAX = 16,  /* blocks of each node that are drawn */
	MODEL_FACTS_MAX = 4096, /* final heights that are compared */
	MODEL_NOTES_MAX = 64,
	MODEL_ROWS_MAX = 512, /* pads that are drawn */
	MODEL_BOOKINGS_MAX = 4096,
	MODEL_PARTIES_MAX = 1024,
	MODEL_RATE_SECONDS = 10,
	MODEL_CHAINS = 2,
	MODEL_SPAN_MS = 60 * 60 * 1000, /* of the timetable */
	MODEL_HEIGHTS_MAX = 256,        /* whose rival blocks are counted */
	MODEL_RIVALS_MAX = 4,           /* blocks of one height */
	MODEL_NEWS_MAX = 64,
};

/* The blocks that a node left last, for others. */
struct branch {
	uint64_t above, top; /* heights: what stayed, the last one that went */
	struct perch_hash blocks[MODEL_RECENT_MAX]; /* by height modulo */
	int64_t time;
	bool open; /* the others have not come yet */
};

/* One chain of one node: its last blocks, by height. */
struct tower {
	bool known;
	struct branch left;
	uint64_t reorganisations, deepest; /* since this observer looks */
	uint64_t height, final_height;
	struct perch_hash hash, final_hash, state_root;
	uint64_t lowest;                            /* of those in recent */
	struct perch_hash recent[MODEL_RECENT_MAX]; /* by height modulo */
	size_t number_count;
	struct perch_number numbers[PERCH_NUMBERS_MAX];
};

enum seen { SEEN_NEVER, SEEN_UP, SEEN_DOWN };

struct seen_node {
	char name[PERCH_NAME_MAX + 1];
	struct perch_key key;
	enum seen seen;
	int64_t since; /* when it came up or went down */
	char why[PERCH_WHY_MAX];
	int role;
	uint64_t term;
	unsigned mempool, peers;
	struct tower towers[MODEL_CHAINS];
};

/* The blocks of one height, whoever has or had them. */
struct rivals {
	uint64_t height; /* 0: nothing is known */
	size_t count;
	struct perch_hash blocks[MODEL_RIVALS_MAX];
};

/* What a chain did that is worth a line. */
struct news {
	enum { NEWS_FORK, NEWS_REORGANISATION } what;
	unsigned chain;
	size_t node; /* who has it */
	uint64_t
		height; /* of the fork's block; of the last block that stayed */
	uint64_t depth; /* blocks undone */
	struct perch_hash
		hash; /* the rival; the first block of the new branch */
	struct perch_hash other; /* what was there first; what it replaces */
	int64_t time;
};

/* What is final at a height, and who said so first. */
struct fact {
	uint64_t height; /* 0: nothing is known */
	struct perch_hash hash, state_root;
	bool has_root, disputed;
	int node; /* -1: a verified block */
};

struct party {
	char name[PERCH_NAME_MAX + 1];
	struct perch_key key;
	bool is_operator;
	uint64_t granted;
};

/* A line of the timetable. */
struct row {
	char port[PERCH_NAME_MAX + 1], pad[PERCH_NAME_MAX + 1];
	bool blocked;                      /* by an incursion */
	int64_t closed_from, closed_until; /* or 0 and 0 */
};

struct booking {
	size_t row;
	int64_t start, end;
	int state; /* enum perch_reservation_state */
	int party; /* -1: not in the genesis */
	int movement;
	bool on_pad;   /* contingent, with its aircraft on the pad */
	int64_t until; /* of its clearance */
	char aircraft[PERCH_NAME_MAX + 1];
};

struct note {
	int64_t time;
	bool refused;
	char text[160];
};

struct model {
	char network[PERCH_NAME_MAX + 1];
	unsigned chain; /* whose blocks and timetable these are */
	size_t node_count, party_count, row_count, booking_count;
	struct seen_node nodes[PERCH_NODES_MAX];
	struct party parties[MODEL_PARTIES_MAX];
	struct row rows[MODEL_ROWS_MAX];
	size_t rows_left_out;
	struct booking bookings[MODEL_BOOKINGS_MAX];
	bool is_stale; /* the bookings are what they were some time ago */
	struct fact facts[MODEL_CHAINS][MODEL_FACTS_MAX];
	struct rivals rivals[MODEL_CHAINS][MODEL_HEIGHTS_MAX];
	uint64_t forks[MODEL_CHAINS]; /* blocks beside the first of a height */
	uint64_t news_count;
	struct news news[MODEL_NEWS_MAX];
	unsigned alarms;
	char alarm[400]; /* the last one */
	/* of the blocks seen */
	uint64_t first_height, height, txs, granted, refused;
	int64_t rate_second; /* the newest of them */
	unsigned rate[MODEL_RATE_SECONDS];
	uint64_t note_count;
	struct note notes[MODEL_NOTES_MAX];
};

/* What a node says of itself. False: it contradicts what is final elsewhere,
 * and model->alarm says how. */
bool model_status(struct model *model, size_t node,
	const struct perch_node_status *status, int64_t now);
/* A block was connected, disconnected or final at a node. */
bool model_chain(struct model *model, size_t node,
	const struct perch_chain_hint *hint, int64_t now);
/* It came up or went down. */
void model_link(struct model *model, size_t node, bool up, const char *why,
	int64_t now);
/* A verified block, and how many of its operations were granted and not. */
bool model_block(struct model *model, const struct perch_block *block,
	size_t granted, size_t refused);
/* Something else is wrong. Always false. */
bool model_alarm(struct model *model, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void model_note(struct model *model, int64_t time, bool refused,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Transactions a second in the last blocks, at a time. */
double model_rate(const struct model *model, int64_t now);
/* Index, or -1. */
int model_party(const struct model *model, const struct perch_key *key);
/* The name of a node or party, or the first digits of its key. */
const char *model_name(
	const struct model *model, const struct perch_key *key, char room[12]);
/* The block of a tower at a height, or NULL. */
const struct perch_hash *tower_at(const struct tower *tower, uint64_t height);
/* What the node said under this name; 0 if it did not. */
uint64_t tower_number(const struct tower *tower, const char *name);
/* "leader"; never NULL. */
const char *model_role(int role);
const char *model_chain_name(unsigned chain);

/* ---- fork.c: blocks that stand beside each other ---- */

/* A node has this block: is there another one of its height? */
void fork_seen(struct model *model, unsigned chain, size_t node,
	uint64_t height, const struct perch_hash *hash, int64_t now);
/* A node took a block off its tip, or found that it has gone. */
void fork_left(struct tower *tower, uint64_t height,
	const struct perch_hash *hash, int64_t now);
/* A block came in the place of those. */
void fork_joined(struct model *model, unsigned chain, size_t node,
	const struct perch_hash *hash, int64_t now);
/* The block that a node left at a height, or NULL. */
const struct perch_hash *branch_at(
	const struct branch *branch, uint64_t height);

/* ---- the timetable ---- */
void model_row(struct model *model, const char *port, const char *pad);
/* Forget the bookings of a port; NULL: of all. */
void model_bookings_clear(struct model *model, const char *port);
void model_booking(
	struct model *model, const struct perch_reservation *reservation);
/* Which of its pads are closed or blocked. */
void model_port(struct model *model, const struct perch_port *port);

#endif
