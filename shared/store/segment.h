/* store/segment.h -- one preallocated file of the log.
 *
 * A head of 64 bytes, then records, then zeros: what lies behind the last
 * record is zeros, durably, before anything is appended. So a torn record shows
 * as zeros where bytes should be, and rot does not.
 */
#ifndef PERCH_STORE_SEGMENT_H
#define PERCH_STORE_SEGMENT_H

#include "store/disk.h"
#include "store/record.h"

enum {
	SEGMENT_HEAD = 64,
	SEGMENT_SIZE_MIN = SEGMENT_HEAD + RECORD_SPAN_MAX,
	SEGMENT_SIZE_MAX = 1 << 30,
};

struct segment {
	uint64_t first; /* height of its first record */
	uint64_t epoch; /* when it was made */
	uint32_t size;
	uint32_t used;     /* end of the last record */
	uint32_t count;    /* of records */
	uint32_t capacity; /* of offsets */
	uint32_t *offsets;
};

void segment_name(char out[DISK_NAME_MAX], const struct segment *segment);
/* Whether name is one that segment_name writes: first and epoch of it. */
bool segment_parse_name(struct segment *out, const char *name);

/* A new empty file, durable; link is the sum of the last record before it.
 * Fills used. Returns the file. */
int segment_make(struct segment *segment, const struct disk *disk,
	const uint8_t link[RECORD_LINK], const uint8_t salt[RECORD_SALT]);

/* Where record i ends. */
uint32_t segment_end(const struct segment *segment, uint32_t i);
/* A record of span bytes was written at used. */
void segment_add(struct segment *segment, uint32_t span);
void segment_free(struct segment *segment);

/* What a record must be to follow: see slots.h for cut and epoch. */
struct segment_rules {
	const uint8_t *salt;
	uint64_t cut;
	uint64_t epoch;
};

/* Walking a file from its head to the last record that holds. */
struct segment_walk {
	const struct disk *disk;
	int file;
	struct segment_rules rules;
	uint8_t link[RECORD_LINK]; /* of the last record that holds */
	uint8_t *window;           /* SEGMENT_WINDOW bytes */
	uint32_t window_at, window_size;
};
enum { SEGMENT_WINDOW = 1 << 18 };

/* Read the head: false when it is not the one of this segment. check_link: it
 * must follow walk->link, which is set to its own otherwise. */
bool segment_walk_head(
	struct segment_walk *walk, struct segment *segment, bool check_link);
/* Add the records that hold; whole: their blocks are verified too. */
void segment_walk_records(
	struct segment_walk *walk, struct segment *segment, bool whole);

/* What lies behind the last record that holds. */
enum segment_tail {
	TAIL_EMPTY,      /* zeros */
	TAIL_OLD,        /* what a truncation left */
	TAIL_TORN,       /* a record that was written in part */
	TAIL_ROT,        /* neither: it was written and has changed */
	TAIL_UNREADABLE, /* the file ends too early, or the disk fails */
};
struct segment_witness {
	enum segment_tail tail;
	uint64_t durable; /* a record says that up to here all was durable */
	uint32_t dirty;   /* end of what is not zeros */
};
struct segment_witness segment_judge(
	struct segment_walk *walk, const struct segment *segment);

/* The highest height of all heads in a file, whatever is wrong with it; 0 when
 * there is none. For a log that has lost even its salt: a segment has it too.
 */
uint64_t segment_highest(const struct disk *disk, int file);

#endif
