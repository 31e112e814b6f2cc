/* store/index_state.h -- what the files of the index share. */
#ifndef PERCH_STORE_INDEX_STATE_H
#define PERCH_STORE_INDEX_STATE_H

#include "store/checked.h"
#include "store/directory.h"
#include "store/finds.h"
#include "store/index.h"
#include "store/received.h"

enum index_base {
	BASE_META,
	BASE_SNAPSHOT, /* (height, chunk), see index_snapshot.c */
	BASE_PEER,     /* key -> entry */
	BASE_RECEIVED, /* number in order of coming -> find key, transaction */
	BASE_SIGNED,   /* height -> what this node signed there */
	BASE_CERTIFICATE, /* height -> certificate */
	BASE_EVIDENCE,    /* height and signer -> double signing */
	INDEX_BASES,
};

enum { INDEX_KEY_MAX = 32, INDEX_HEADER_MAX = 400 };

/* A change that waits for the commit. */
struct change {
	enum index_base base;
	uint64_t order; /* the last one for a key counts */
	size_t key_size;
	uint8_t key[INDEX_KEY_MAX];
	bool removes;
	size_t size;
	uint8_t *value;
};

struct index {
	struct directory directory;
	char where[100]; /* for messages */
	MDB_env *env;
	MDB_dbi bases[INDEX_BASES];
	struct finds finds;
	struct received received;
	/* Held by readers while they read: the map is not grown then. */
	pthread_rwlock_t map_lock;
	bool is_open;        /* all of it, so that it is sealed when closed */
	atomic_bool damaged; /* a record was met that does not check */
	size_t change_count, change_room;
	struct change *changes;
};

enum err index_remove_files(int directory);

/* Begin reading; NULL when LMDB does not let us. */
MDB_txn *index_begin_read(struct index *index);
void index_end_read(struct index *index, MDB_txn *txn);
/* checked_get; true when it is there and holds, and damage is remembered. */
bool index_get(struct index *index, MDB_txn *txn, enum index_base base,
	struct view key, struct view *value);

/* The keys of finds. */
void index_tx_key(
	uint8_t out[FIND_KEY], const struct key *wallet, const struct id *id);
void index_block_key(uint8_t out[FIND_KEY], const struct hash *block);

/* Gather a change. */
void index_put(struct index *index, enum index_base base, struct view key,
	struct view value);
void index_remove(struct index *index, enum index_base base, struct view key);

/* Forget what was gathered. */
void index_drop_changes(struct index *index);

/* In a commit that wrote snapshots: drop all but the newest. 0 or a code. */
int index_drop_snapshots(struct index *index, MDB_txn *txn);
/* The same for checkpoints: drop what is too much. */
int index_trim_checkpoints(struct index *index, MDB_txn *txn);
/* The record after so many of a base, copied; the cursor goes on. */
bool index_next(struct index *index, enum index_base base, uint64_t *cursor,
	uint8_t *out, size_t *size, size_t size_max);

#endif
