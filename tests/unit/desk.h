/* tests/unit/desk.h -- one state, where transactions are handed in one by one.
 */
#ifndef PERCH_TESTS_UNIT_DESK_H
#define PERCH_TESTS_UNIT_DESK_H

#include "paper.h"

struct desk {
	struct genesis *genesis;
	struct home home;
	struct paper paper;
	struct answer answer;
	struct moves *moves;
	uint64_t number; /* of the next transaction */
	uint64_t height;
	time_ms now;
	bool member_free;
};

/* Codes that this program has seen. */
UNUSED static bool reproduced[256];
/* And by which kind of operation. */
UNUSED static bool refused_with[256][256];

UNUSED static void next_block(struct desk *f, time_ms later)
{
	f->now += later;
	f->height++;
	f->member_free = true;
	f->moves->count = 0;
	contract_begin(f->home.state, f->height, f->now, f->moves);
}

UNUSED static void open_with(struct desk *f, const struct state_limits *limits)
{
	memset(f, 0, sizeof(*f));
	f->genesis = genesis_new();
	f->moves = calloc(1, sizeof(*f->moves));
	home_open(&f->home, f->genesis, limits, JOURNAL_BYTES);
	f->now = T0;
	next_block(f, 1);
}

UNUSED static struct desk *open_small(void)
{
	struct desk *f = malloc(sizeof(*f));

	assert_non_null(f);
	open_with(f, &state_limits_small);
	return f;
}

UNUSED static void shut(struct desk *f)
{
	home_close(&f->home);
	free(f->genesis);
	free(f->moves);
	free(f);
}

UNUSED static struct paper *write_as(
	struct desk *f, enum who who, uint64_t mode)
{
	paper_begin(&f->paper, who, ++f->number, f->now + MINUTE, mode);
	return &f->paper;
}

/* Run what is on the paper; the code of the whole transaction. */
UNUSED static uint64_t submit(struct desk *f)
{
	run(f->home.state, &f->paper, 3, &f->member_free, &f->answer, f->moves);
	assert_true(f->answer.fresh);
	reproduced[f->answer.receipt.code] = true;
	for (size_t i = 0; i < f->answer.receipt.ops_count; i++) {
		uint64_t code = f->answer.receipt.ops[i].code;

		reproduced[code] = true;
		refused_with[f->paper.tx.ops[i].kind][code] = true;
	}
	return f->answer.receipt.code;
}

/* Run one operation that the transaction itself allows; its code. */
UNUSED static uint64_t submit_op(struct desk *f)
{
	assert_int_equal(submit(f), REFUSAL_GRANTED);
	assert_int_equal(f->answer.receipt.ops_count, f->paper.tx.ops_count);
	return f->answer.receipt.ops[0].code;
}

UNUSED static uint64_t reserve(struct desk *f, enum who who, const char *port,
	const char *pad, time_ms start, time_ms end)
{
	paper_reserve(write_as(f, who, TX_MODE_ALL), port, pad, start, end, "",
		0, MOVEMENT_ANY);
	return submit_op(f);
}

UNUSED static struct id granted_id(const struct desk *f)
{
	return receipt_id(&f->answer.receipt, 0);
}

UNUSED static void write_pair(struct desk *f, uint64_t mode, time_ms departure,
	time_ms arrival, const char *arriving)
{
	struct paper *paper = write_as(f, ALICE, mode);

	paper_reserve(paper, "east", "a", departure, departure + 5 * MINUTE,
		"X1", 1, MOVEMENT_DEPARTURE);
	paper_reserve(paper, "west", "b", arrival, arrival + 5 * MINUTE,
		arriving, 1, MOVEMENT_ARRIVAL);
}

#endif
