/* tests/unit/book.h -- flights as a clerk keeps them: a list of pairs, and for
 * every question a walk over all of it.
 *
 * Written from domain.md's rows 1, 2, 6, 8 and 15 and invariants 2 and 7. It
 * shares nothing with the contract, nor with the naive one of tests/support: a
 * line of this book is a whole flight, so it cannot hold half of one.
 */
#ifndef PERCH_TESTS_UNIT_BOOK_H
#define PERCH_TESTS_UNIT_BOOK_H

#include "world.h"

enum { BOOK_MAX = 4096, SERIAL_SIZE = 8 };

/* Ports and pads by their number in the genesis. */
struct spot {
	size_t port, pad;
};

struct half {
	struct id id;
	struct spot at;
	time_ms start, end;
	bool has_alternate;
	struct spot alternate;
};

struct flight {
	uint64_t number;
	struct half halves[2]; /* departure, arrival */
	enum who owner;
	unsigned tier;
	char aircraft[SERIAL_SIZE];
};

struct book {
	const struct genesis *genesis;
	size_t count;
	struct flight list[BOOK_MAX];
};

/* What became of those that were in the way of a higher tier. */
struct gave_way {
	size_t moved, ended;
};

static inline void book_copy(struct book *to, const struct book *from)
{
	to->genesis = from->genesis;
	to->count = from->count;
	memcpy(to->list, from->list, from->count * sizeof(from->list[0]));
}

static inline struct view book_pad_name(
	const struct book *book, const struct spot *at)
{
	return book->genesis->ports[at->port].pads[at->pad].name;
}

/* One approach for both, and less than the buffers between them. */
static inline bool halves_meet(
	const struct book *book, const struct half *a, const struct half *b)
{
	const struct record_port *port = &book->genesis->ports[a->at.port];
	time_ms gap = (time_ms)(port->before + port->after);

	return a->at.port == b->at.port &&
	       view_equal(port->pads[a->at.pad].group,
		       port->pads[b->at.pad].group) &&
	       a->start - gap < b->end && b->start - gap < a->end;
}

/* The flight that has this half, with which place it has in it. */
static inline struct flight *book_find(
	struct book *book, const struct id *id, size_t *place)
{
	for (size_t i = 0; i < book->count; i++) {
		for (*place = 0; *place < 2; ++*place) {
			struct flight *flight = &book->list[i];

			if (id_equal(&flight->halves[*place].id, id))
				return flight;
		}
	}
	return NULL;
}

static inline void book_strike(struct book *book, struct flight *flight)
{
	*flight = book->list[--book->count];
}

/* Flights of which a window is over, or was not taken up, end. How many. */
UNUSED static size_t book_pass_time(struct book *book, time_ms now)
{
	size_t before = book->count;

	for (size_t i = 0; i < book->count;) {
		bool over = false;

		for (size_t k = 0; k < 2; k++) {
			const struct half *half = &book->list[i].halves[k];
			time_ms no_show =
				(time_ms)book->genesis->ports[half->at.port]
					.no_show;

			over |= half->end <= now ||
				(no_show > 0 && half->start + no_show <= now);
		}
		if (over)
			book_strike(book, &book->list[i]);
		else
			i++;
	}
	return before - book->count;
}

/* One in the way of this half that does not have to give way to this tier. */
static inline const struct half *book_in_the_way(const struct book *book,
	const struct half *wanted, unsigned tier, const struct half *but)
{
	for (size_t i = 0; i < book->count; i++) {
		const struct flight *flight = &book->list[i];

		for (size_t k = 0; k < 2; k++) {
			const struct half *half = &flight->halves[k];

			if (half != but && flight->tier >= tier &&
				halves_meet(book, half, wanted))
				return half;
		}
	}
	return NULL;
}

/* The aircraft is in another flight then. */
static inline bool book_busy(const struct book *book,
	const struct flight *flight, const struct half *wanted)
{
	for (size_t i = 0; i < book->count; i++) {
		const struct flight *other = &book->list[i];

		for (size_t k = 0; k < 2; k++) {
			const struct half *half = &other->halves[k];

			if (other->number != flight->number &&
				strcmp(other->aircraft, flight->aircraft) ==
					0 &&
				half->start < wanted->end &&
				wanted->start < half->end)
				return true;
		}
	}
	return false;
}

/* Why one half cannot be had, whatever the other one is; GRANTED: it can. */
static inline enum refusal book_refuses(const struct book *book,
	const struct flight *flight, const struct half *wanted)
{
	if (book_in_the_way(book, wanted, flight->tier, NULL) != NULL)
		return flight->tier > 0 ? REFUSAL_PRIORITY : REFUSAL_SLOT_TAKEN;
	return book_busy(book, flight, wanted) ? REFUSAL_AIRCRAFT_BUSY
					       : REFUSAL_GRANTED;
}

/* The half that is in the way and starts first, of whatever tier. */
static inline struct flight *book_first_in_the_way(
	struct book *book, const struct half *wanted, size_t *place)
{
	struct flight *first = NULL;

	for (size_t i = 0; i < book->count; i++) {
		struct flight *flight = &book->list[i];

		for (size_t k = 0; k < 2; k++) {
			if (!halves_meet(book, &flight->halves[k], wanted) ||
				(first != NULL &&
					first->halves[*place].start <=
						flight->halves[k].start))
				continue;
			first = flight;
			*place = k;
		}
	}
	return first;
}

/* Each in the way goes to its alternate, once; or its whole flight ends. */
static inline void book_make_way(
	struct book *book, const struct half *wanted, struct gave_way *gave_way)
{
	struct flight *flight;
	size_t k = 0;

	while ((flight = book_first_in_the_way(book, wanted, &k)) != NULL) {
		struct half *half = &flight->halves[k];
		struct half there = *half;

		there.at = half->alternate;
		if (half->has_alternate && !halves_meet(book, &there, wanted) &&
			book_in_the_way(book, &there, 0, half) == NULL &&
			!book_busy(book, flight, &there)) {
			half->at = there.at;
			half->has_alternate = false;
			gave_way->moved++;
		} else {
			book_strike(book, flight);
			gave_way->ended++;
		}
	}
}

/* Both halves are written, or the reason why not is returned, and at says
 * which one it was; some may have given way by then: keep a copy. */
UNUSED static enum refusal book_write(struct book *book,
	const struct flight *flight, size_t *at, struct gave_way *gave_way)
{
	for (*at = 0; *at < 2; ++*at) {
		const struct half *wanted = &flight->halves[*at];
		enum refusal code = book_refuses(book, flight, wanted);

		if (code != REFUSAL_GRANTED)
			return code;
		book_make_way(book, wanted, gave_way);
		/* The landing finds the take-off there, as if it were both. */
		if (*at == 0) {
			assert_true(book->count < BOOK_MAX);
			book->list[book->count] = *flight;
			book->list[book->count++].halves[1] = *wanted;
		}
	}
	for (size_t i = 0; i < book->count; i++) {
		if (book->list[i].number == flight->number)
			book->list[i] = *flight;
	}
	return REFUSAL_GRANTED;
}

#endif
