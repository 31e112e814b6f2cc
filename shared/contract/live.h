/* contract/live.h -- a live reservation as it lies in memory; for
 * shared/contract only.
 */
#ifndef PERCH_CONTRACT_LIVE_H
#define PERCH_CONTRACT_LIVE_H

#include "contract/state.h"

enum { NAME_BYTES_MAX = 32 };

struct name {
	uint8_t size;
	char text[NAME_BYTES_MAX];
};

/* reservation.flags */
enum {
	/* Its departure has left: it is the landing place. */
	FLAG_AIRBORNE = RECORD_AIRBORNE,
	FLAG_ON_PAD = RECORD_ON_PAD, /* contingent, an aircraft on the pad */
	FLAG_SEALED = 4, /* there is a commitment; not in the record's flags */
};

/* What searches read is in the first 64 bytes, which are one line of a cache: a
 * record that is not in it costs more than all that is done with it. */
struct reservation {
	struct id id;
	time_ms start, end;
	uint32_t bucket_next; /* of its port's bucket, in order of id */
	uint32_t fleet_next;
	uint32_t port, party; /* indexes */
	uint32_t version;
	uint32_t deadline_at; /* its place in the heap, or TABLE_NONE */
	uint32_t fleet;       /* its aircraft, or TABLE_NONE */
	uint8_t pad;
	uint8_t state; /* enum reservation_state */
	uint8_t movement;
	bool paired;

	struct id pair; /* the other half, when paired */
	uint64_t height;
	uint32_t fleet_before;
	struct name aircraft;
	uint8_t tier;
	uint8_t flags;
	uint8_t alternate_pad;

	struct hash commitment;
	time_ms until, asked;
	uint64_t nonce;
	uint32_t alternate_port; /* or TABLE_NONE */
	uint32_t place;          /* in its block */
};
_Static_assert(sizeof(struct reservation) == 192, "three lines of a cache");

/* In the heap of deadlines: what is compared, and whose it is. */
struct deadline {
	time_ms at;
	uint32_t index;
};

/* An aircraft with live reservations, by the hash of its serial: a stranger
 * chooses serials. */
struct aircraft {
	struct hash key;
	uint32_t first;
};

#endif
