/* store/received.h -- the numbers of received transactions, by find key.
 *
 * They are stored in the order of their coming, which is cheap to write and the
 * order in which they are wanted again; this says where each one is.
 */
#ifndef PERCH_STORE_RECEIVED_H
#define PERCH_STORE_RECEIVED_H

#include "store/find_table.h"

/* The mempool holds 10,000: with twice as many the oldest is in a block or past
 * its valid-until. */
enum { RECEIVED_MAX = 20000, RECEIVED_SLOTS = 1 << 16 };

struct received_item {
	uint8_t key[FIND_KEY];
	uint64_t number; /* from 1; 0 is an empty slot */
};

struct received {
	uint64_t next; /* number of the next new one */
	size_t count;
	struct received_item *slots; /* RECEIVED_SLOTS */
};

void received_open(struct received *received);
void received_close(struct received *received);

/* 0 when it is not there. */
uint64_t received_find(
	const struct received *received, const uint8_t key[FIND_KEY]);
/* key is not there, count is below RECEIVED_MAX. */
void received_add(struct received *received, const uint8_t key[FIND_KEY],
	uint64_t number);
void received_remove(struct received *received, const uint8_t key[FIND_KEY]);
/* The key with the lowest number; count is not 0. Walks all. */
void received_oldest(const struct received *received, uint8_t out[FIND_KEY]);

#endif
