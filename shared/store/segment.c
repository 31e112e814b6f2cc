/* store/segment.c -- one preallocated file of the log.
 */
#include "store/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/little.h"

#define MAGIC 0x31474553U /* "SEG1" */
#define NAME_NEW "segment.new"

enum {
	AT_MAGIC = 0,
	AT_SIZE = 4,
	AT_FIRST = 8,
	AT_EPOCH = 16,
	AT_LINK = 24,
	AT_SALT = 32,
	HEADS_AT_ONCE = 1 << 14, /* bytes read where only heads are wanted */
};

void segment_name(char out[DISK_NAME_MAX], const struct segment *segment)
{
	snprintf(out, DISK_NAME_MAX, "%016" PRIu64 "-%08" PRIu64 ".log",
		segment->first, segment->epoch);
}

bool segment_parse_name(struct segment *out, const char *name)
{
	struct segment parsed = {.used = SEGMENT_HEAD};
	char again[DISK_NAME_MAX];
	char *end;

	parsed.first = strtoull(name, &end, 10);
	if (*end != '-')
		return false;
	/* Whatever else is wrong with it, it is not written like this. */
	parsed.epoch = strtoull(end + 1, NULL, 10);
	segment_name(again, &parsed);
	if (strcmp(name, again) != 0)
		return false;
	*out = parsed;
	return true;
}

int segment_make(struct segment *segment, const struct disk *disk,
	const uint8_t link[RECORD_LINK], const uint8_t salt[RECORD_SALT])
{
	uint8_t head[SEGMENT_HEAD] = {0};
	char name[DISK_NAME_MAX];
	int error;
	int file;

	little_put32(head + AT_MAGIC, MAGIC);
	little_put32(head + AT_SIZE, segment->size);
	little_put64(head + AT_FIRST, segment->first);
	little_put64(head + AT_EPOCH, segment->epoch);
	memcpy(head + AT_LINK, link, RECORD_LINK);
	memcpy(head + AT_SALT, salt, RECORD_SALT);
	head_seal(head, salt);
	segment_name(name, segment);
	/* What an interrupted call may have left. */
	(void)disk->ops->remove(disk->context, NAME_NEW);
	file = disk->ops->open(disk->context, NAME_NEW, true);
	if (file < 0)
		disk_failed(disk, "making", name, file);
	do
		error = disk->ops->reserve(disk->context, file, segment->size);
	while (error == -EINTR);
	if (!error)
		error = disk_write(disk, file, head, sizeof(head), 0);
	if (!error)
		error = disk->ops->sync(disk->context, file);
	if (!error)
		error = disk->ops->rename(disk->context, NAME_NEW, name);
	if (!error)
		error = disk->ops->sync_names(disk->context);
	if (error)
		disk_failed(disk, "making", name, error);
	segment->used = SEGMENT_HEAD;
	return file;
}

uint32_t segment_end(const struct segment *segment, uint32_t i)
{
	CHECK(i < segment->count);
	return i + 1 < segment->count ? segment->offsets[i + 1] : segment->used;
}

void segment_add(struct segment *segment, uint32_t span)
{
	CHECK(span <= segment->size - segment->used);
	if (segment->count == segment->capacity) {
		uint32_t capacity =
			segment->capacity ? 2 * segment->capacity : 256;

		segment->offsets =
			realloc(segment->offsets, capacity * sizeof(uint32_t));
		CHECK(segment->offsets);
		segment->capacity = capacity;
	}
	segment->offsets[segment->count++] = segment->used;
	segment->used += span;
}

void segment_free(struct segment *segment)
{
	free(segment->offsets);
	segment->offsets = NULL;
	segment->count = 0;
	segment->capacity = 0;
}

/* need bytes of the file at offset, or NULL when they cannot be read. want:
 * read so many, at most, when it must read. */
static const uint8_t *window(struct segment_walk *walk, uint32_t limit,
	uint32_t offset, uint32_t need, uint32_t want)
{
	uint32_t size;

	if (offset >= walk->window_at &&
		offset + need <= walk->window_at + walk->window_size)
		return walk->window + (offset - walk->window_at);
	if (need > limit - offset)
		return NULL;
	size = want > need ? want : need;
	if (size > limit - offset)
		size = limit - offset;
	walk->window_size = 0;
	if (disk_read(walk->disk, walk->file, walk->window, size, offset) !=
		0) {
		/* What cannot be read may lie behind what is needed. */
		size = need;
		if (disk_read(walk->disk, walk->file, walk->window, size,
			    offset) != 0)
			return NULL;
	}
	walk->window_at = offset;
	walk->window_size = size;
	return walk->window;
}

bool segment_walk_head(
	struct segment_walk *walk, struct segment *segment, bool check_link)
{
	uint8_t head[SEGMENT_HEAD];
	uint32_t size;

	walk->window_size = 0;
	if (disk_read(walk->disk, walk->file, head, sizeof(head), 0) != 0 ||
		!head_holds(head, walk->rules.salt))
		return false;
	size = little_get32(head + AT_SIZE);
	if (little_get32(head + AT_MAGIC) != MAGIC ||
		little_get64(head + AT_FIRST) != segment->first ||
		little_get64(head + AT_EPOCH) != segment->epoch ||
		size < SEGMENT_SIZE_MIN || size > SEGMENT_SIZE_MAX)
		return false;
	if (check_link && memcmp(head + AT_LINK, walk->link, RECORD_LINK) != 0)
		return false;
	memcpy(walk->link, head + AT_LINK, RECORD_LINK);
	segment->size = size;
	segment->used = SEGMENT_HEAD;
	return true;
}

/* Whether head is that of the record at height, written after the one whose
 * sum is link, and not before a truncation that took it away. */
static bool head_follows(const struct segment_walk *walk,
	const struct record_head *head, uint64_t height)
{
	if (head->height != height ||
		memcmp(head->link, walk->link, RECORD_LINK) != 0)
		return false;
	if (height > walk->rules.cut)
		return head->epoch == walk->rules.epoch;
	return head->epoch <= walk->rules.epoch;
}

void segment_walk_records(
	struct segment_walk *walk, struct segment *segment, bool whole)
{
	uint32_t want = whole ? SEGMENT_WINDOW : HEADS_AT_ONCE;

	for (;;) {
		const uint8_t *at = window(
			walk, segment->size, segment->used, RECORD_HEAD, want);
		struct record_head head;
		uint32_t span;

		if (!at || !record_read_head(&head, at, walk->rules.salt))
			return;
		span = record_span(head.size);
		if (!head_follows(
			    walk, &head, segment->first + segment->count) ||
			span > segment->size - segment->used)
			return;
		if (whole) {
			at = window(
				walk, segment->size, segment->used, span, want);
			if (!at || !record_holds(at, walk->rules.salt,
					   at + RECORD_HEAD,
					   at + RECORD_HEAD + head.size))
				return;
		}
		memcpy(walk->link, head.sum, RECORD_LINK);
		segment_add(segment, span);
	}
}

/* The record at used does not hold: was it ever whole? */
static enum segment_tail judge_record(
	struct segment_walk *walk, const struct segment *segment)
{
	uint64_t height = segment->first + segment->count;
	uint32_t left = segment->size - segment->used;
	struct record_head head;
	const uint8_t *at;
	uint32_t span;

	if (left < RECORD_HEAD)
		return TAIL_EMPTY;
	at = window(walk, segment->size, segment->used, RECORD_HEAD,
		SEGMENT_WINDOW);
	if (!at)
		return TAIL_UNREADABLE;
	if (bytes_are_zero(at, RECORD_HEAD))
		return TAIL_EMPTY;
	if (!record_read_head(&head, at, walk->rules.salt))
		return head_is_torn(at) ? TAIL_TORN : TAIL_ROT;
	if (head.epoch < walk->rules.epoch && height > walk->rules.cut)
		return TAIL_OLD;
	span = record_span(head.size);
	if (!head_follows(walk, &head, height) || span > left)
		return TAIL_ROT;
	at = window(walk, segment->size, segment->used, span, SEGMENT_WINDOW);
	if (!at)
		return TAIL_UNREADABLE;
	return record_is_torn(at, span, segment->used) ? TAIL_TORN : TAIL_ROT;
}

struct segment_witness segment_judge(
	struct segment_walk *walk, const struct segment *segment)
{
	struct segment_witness out = {.dirty = segment->used};

	out.tail = judge_record(walk, segment);
	for (uint32_t at = segment->used; at < segment->size;
		at += RECORD_ALIGN) {
		uint32_t left = segment->size - at;
		uint32_t need = left < RECORD_ALIGN ? left : RECORD_ALIGN;
		const uint8_t *bytes =
			window(walk, segment->size, at, need, SEGMENT_WINDOW);
		struct record_head head;

		if (!bytes) {
			out.tail = TAIL_UNREADABLE;
			break;
		}
		if (bytes_are_zero(bytes, need))
			continue;
		out.dirty = at + need;
		if (need < RECORD_HEAD ||
			!record_read_head(&head, bytes, walk->rules.salt) ||
			head.epoch != walk->rules.epoch)
			continue;
		if (head.durable > out.durable)
			out.durable = head.durable;
	}
	return out;
}

uint64_t segment_highest(const struct disk *disk, int file)
{
	uint8_t start[SEGMENT_HEAD];
	uint8_t bytes[1 << 12];
	int64_t size = disk->ops->size(disk->context, file);
	uint64_t highest = 0;

	if (size < SEGMENT_HEAD ||
		disk_read(disk, file, start, sizeof(start), 0) != 0 ||
		!head_holds(start, start + AT_SALT))
		return 0;
	for (int64_t at = 0; at < size; at += (int64_t)sizeof(bytes)) {
		size_t part = size - at < (int64_t)sizeof(bytes)
				      ? (size_t)(size - at)
				      : sizeof(bytes);

		if (disk_read(disk, file, bytes, part, (uint64_t)at) != 0)
			break;
		for (size_t i = 0; i + RECORD_HEAD <= part; i += RECORD_ALIGN) {
			struct record_head head;

			if (record_read_head(
				    &head, bytes + i, start + AT_SALT) &&
				head.height > highest)
				highest = head.height;
		}
	}
	return highest;
}
