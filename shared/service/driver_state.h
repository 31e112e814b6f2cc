/* service/driver_state.h -- the inside of a driver, for its own files. */
#ifndef PERCH_SERVICE_DRIVER_STATE_H
#define PERCH_SERVICE_DRIVER_STATE_H

#include "gen/common.h"
#include "service/disk.h"
#include "service/driver.h"
#include "service/fetch.h"
#include "service/indexer.h"
#include "service/verifier.h"

enum {
	SAVES_MAX = 1024,    /* SAVEs under way */
	RECEIVE_ROUND = 256, /* messages taken in one round */
	DISK_LOOK_MS = 1000,
	INLINE_MAX = 2, /* signatures that are not worth a thread's wake-up */
};

/* A SAVE is done when it is durable and all its signatures were checked. */
struct save_progress {
	uint64_t task;
	bool durable;
	uint32_t unverified; /* jobs under way */
};

enum { CERTIFY_WANTS_MAX = 64, SIGNS_MAX = 64 };

/* A certificate that somebody waits for. */
struct certify_want {
	struct checkpoint_statement statement; /* height 0: free */
	time_ms until, again_at;
};

/* Where a relay is put together. */
struct relay_buffer {
	size_t size;
	uint8_t body[ENVELOPE_BODY_BYTES_MAX];
	uint8_t room[ENGINE_ATTACH_MAX][BLOCK_BYTES_MAX]; /* from the log */
};

/* The state that the engine wants, until it wants it no more. */
struct wanted_state {
	uint64_t task, height;
	struct key from;
	uint32_t tries;
	time_ms again_at; /* after a fetch that was given up */
};

struct driver {
	struct driver_config config;
	struct replica *replica;
	void *memory;
	size_t memory_size;
	struct log *log;
	struct index *index;
	struct indexer indexer;
	struct worker *disk, *indexing;
	struct verifier verify;
	struct miner *miner; /* NULL: the engine does not mine, or never */
	struct bus_socket *peer_server;
	struct links *links; /* own, or the elder's */
	struct links own_links;
	struct driver *younger; /* speaks another chain on these links */
	struct fetch fetch;
	struct wanted_state wanted;
	struct outputs outputs;
	struct verified *verified;
	struct relay_buffer *relay;
	struct verify_job *gathering;     /* transactions of this round */
	uint64_t saves_first, saves_next; /* tasks under way */
	struct save_progress saves[SAVES_MAX];
	time_ms timer_at;
	time_ms commit_at;        /* of the index, when nothing else wakes it */
	uint64_t final_done;      /* height whose FINAL was carried out */
	uint64_t snapshot_height; /* newest durable one */
	size_t want_count;
	struct certify_want wants[CERTIFY_WANTS_MAX];
	size_t sign_count; /* that the engine asked for */
	struct checkpoint_statement signs[SIGNS_MAX];
	uint64_t certified; /* newest height */
	time_ms seal_at;
	time_ms disk_at; /* when the disk's space is looked at next */
	bool disk_low;
	bool members_changed;
	bool halted;
};

struct tick driver_tick(void);

/* ---- driver_output.c ---- */

/* Carry out what the last replica call asked for. */
void driver_carry_out(struct driver *driver);
/* SAVEs that are done: tell the engine. */
void driver_saved(struct driver *driver);

/* ---- driver_fetch.c ---- */

/* OUTPUT_FETCH. */
void driver_fetch_want(struct driver *driver, const struct output *output);
void driver_fetch_work(struct driver *driver);
/* When that is due without a message. */
time_ms driver_fetch_at(const struct driver *driver);
/* A snapshot is durable: if it is the fetched one, it takes over. */
void driver_snapshot_kept(struct driver *driver, uint64_t height);

/* ---- driver_certify.c ---- */

/* What a peer signed, or passes on. */
void driver_checkpoint(
	struct driver *driver, struct peer *peer, struct view body);
void driver_checkpoint_query(
	struct driver *driver, const struct peer *peer, uint64_t height);
/* OUTPUT_SIGN: driver_certify_work does it. */
void driver_sign(struct driver *driver, const struct output *output);
/* That this node signed is durable. */
void driver_signed(struct driver *driver, const struct index_job *job);
/* OUTPUT_CERTIFIED, OUTPUT_EVIDENCE. */
void driver_certify_start(struct driver *driver);
void driver_certified(struct driver *driver, const struct output *output);
void driver_evidence(struct driver *driver, const struct output *output);
void driver_certify_work(struct driver *driver);
/* When that is due without a message. */
time_ms driver_certify_at(const struct driver *driver);

/* ---- driver_mine.c ---- */

MUST_CHECK enum err driver_mine_start(struct driver *driver);
/* OUTPUT_MINE. */
void driver_mine_want(struct driver *driver, const struct output *output);
void driver_mine_work(struct driver *driver);

/* ---- driver_peers.c ---- */

/* The members that the ledger names, and where they were reached before. */
void driver_peers_start(struct driver *driver);
/* Follow the members, and keep where they are reached. */
void driver_peers_work(struct driver *driver, time_ms now);
/* ping, pong, peers_query and peers. */
void driver_peers_receive(struct driver *driver, struct peer *peer,
	enum message_type type, struct view body);

/* ---- driver_verify.c ---- */

/* Check a SAVE's blocks and what is not yet verified in them. */
void driver_verify_save(struct driver *driver, const struct output *output);
void driver_verdicts(struct driver *driver, struct verify_job *job);
/* ERR_OK: gathered. */
enum err driver_gather(
	struct driver *driver, struct view tx, uint64_t token, bool local);
void driver_check_gathered(struct driver *driver);

#endif
