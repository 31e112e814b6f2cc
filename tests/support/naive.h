/* tests/support/naive.h -- the whole domain once more, as slowly and plainly as
 * can be: one list of reservations, and every rule a walk over it.
 *
 * Written from domain.md's rows, so that it shares no idea with the code that
 * it judges: no order, no index, no undo but a copy. Ports and pads are those
 * of the genesis, in its order.
 */
#ifndef PERCH_TESTS_SUPPORT_NAIVE_H
#define PERCH_TESTS_SUPPORT_NAIVE_H

#include "contract/contract.h"

enum { NAIVE_MAX = 128, NAIVE_PORTS = 8, NAIVE_PARTIES = 16 };

struct naive_entry {
	struct id id, pair;
	bool paired, sealed, airborne, on_pad;
	size_t port, pad;
	time_ms start, end, until, asked;
	struct key owner;
	uint64_t state, version, movement, height, place, nonce, tier;
	struct naive_place {
		bool named;
		size_t port, pad;
	} alternate;
	char aircraft[33];
};

struct naive {
	const struct genesis *genesis;
	const struct state_limits *limits;
	time_ms now;
	uint64_t height;
	struct record_party parties[NAIVE_PARTIES];
	struct record_pad pads[NAIVE_PORTS][16];
	size_t freed_count;
	struct naive_place freed[NAIVE_MAX];
	size_t count;
	struct naive_entry list[NAIVE_MAX];
};

/* At height 0. */
void naive_start(struct naive *naive, const struct genesis *genesis,
	const struct state_limits *limits);
/* A block begins. */
void naive_begin(struct naive *naive, time_ms now);
/* The codes of a transaction's operations by a party that is up. */
void naive_run(struct naive *naive, const struct tx *tx, uint16_t tx_index,
	enum refusal codes[64]);
/* Whether a state knows the same reservations, pads and parties; what differs
 * is said on standard error. */
bool naive_equals(const struct naive *naive, const struct state *state);
struct naive_entry *naive_find(struct naive *naive, const struct id *id);

/* Facts, landings that fail, and emergencies only. */
bool naive_heard_when_down(const struct tx *tx);

/* ---- between its files ---- */

struct naive_act {
	const struct tx *tx;
	uint16_t tx_index;
	size_t index; /* of the operation */
	struct record_party *who;
};

struct naive_window {
	size_t port, pad;
	time_ms start, end;
};

enum refusal naive_reserving(
	struct naive *naive, const struct naive_act *act, const struct op *op);
enum refusal naive_flying(
	struct naive *naive, const struct naive_act *act, const struct op *op);
enum refusal naive_ruling(
	struct naive *naive, const struct naive_act *act, const struct op *op);

struct record_party *naive_party(struct naive *naive, const struct key *key);
bool naive_pad(const struct naive *naive, struct view port, struct view pad,
	struct naive_window *out);
bool naive_open(const struct naive *naive, const struct naive_window *window);
enum refusal naive_window_check(
	const struct naive *naive, const struct naive_window *window);
/* The one in the way that starts first, or NULL. */
struct naive_entry *naive_in_the_way(struct naive *naive,
	const struct naive_window *window, const struct naive_entry *without);
bool naive_busy(const struct naive *naive, const char *aircraft,
	const struct naive_window *window, const struct naive_entry *without,
	const struct id *pair);
bool naive_group_full(
	const struct naive *naive, const struct naive_window *window);
struct naive_entry *naive_half(
	struct naive *naive, const struct naive_entry *entry);
bool naive_same_group(
	const struct naive *naive, size_t port, size_t a, size_t b);
bool naive_stands(const struct naive_entry *entry);
/* Changes. */
void naive_end(struct naive *naive, const struct id *id);
void naive_set(struct naive_entry *entry, enum reservation_state state);
void naive_move(struct naive *naive, struct naive_entry *entry,
	const struct naive_window *to, enum reservation_state state);
bool naive_divert(struct naive *naive, struct naive_entry *entry,
	const struct naive_window *taken);
bool naive_may_go(struct naive *naive, const struct naive_entry *entry,
	const struct naive_window *to, const struct naive_window *taken);
bool naive_gives_way(
	struct naive *naive, const struct naive_entry *entry, uint64_t tier);
void naive_displace(struct naive *naive, struct naive_entry *entry,
	const struct naive_window *taken);
void naive_free(struct naive *naive, size_t port, size_t pad);
time_ms naive_deadline(
	const struct naive *naive, const struct naive_entry *entry);

#endif
