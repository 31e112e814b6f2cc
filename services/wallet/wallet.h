/* wallet/wallet.h -- what the verbs of perch-wallet share.
 *
 * A verb reads its settings, opens the network, asks or signs, says what the
 * ledger said in the words of the reader, and ends with the exit code that
 * scripts rely on.
 */
#ifndef PERCH_WALLET_WALLET_H
#define PERCH_WALLET_WALLET_H

#include <perch/client.h>

#include "service/json.h"
#include "service/options.h"

/* EXIT_USAGE, 2, is service/options.h's. */
enum { EXIT_GRANTED = 0, EXIT_REFUSED = 1, EXIT_UNKNOWN = 3 };
enum { WALLET_SETTINGS_MAX = 32, WALLET_LINE_MAX = 8 << 20 };

struct wallet {
	char program[64]; /* "perch-wallet reserve" */
	struct options options;
	struct setting settings[WALLET_SETTINGS_MAX];
	bool json;
	bool japanese;
	enum perch_status wait;
	bool stays; /* until what is ordered is final */
	int64_t timeout_ms;
	struct perch_network network;
	bool has_key;
	bool has_evaluator;
	struct perch *client;
	int signals;
};

/* ---- settings.c ---- */

struct verb_manual {
	const char *doc;
	const char *words; /* "ID"; NULL: none */
	size_t words_min, words_max;
	const char *examples;
};

/* Settings of this verb, which end with an empty one, and those of every verb.
 * Ends the program when they are wrong. */
void wallet_read(struct wallet *wallet, const struct verb_manual *manual,
	const struct setting *own, int argc, char **argv);
const char *wallet_text(const struct wallet *wallet, const char *name);
/* A time as people write it: now, +10m, 2026-01-31T08:30 (this place's time) or
 * 2026-01-31T08:30:00Z; otherwise ends the program. -1: not given. */
int64_t wallet_time(const struct wallet *wallet, const char *name);
/* Milliseconds of "5m"; -1: not given. */
int64_t wallet_duration(const struct wallet *wallet, const char *name);
/* 32 hex digits, or the program ends. */
struct perch_id wallet_id(const struct wallet *wallet, const char *text);
/* "PORT/PAD"; both empty when it is not given. False: something else. */
struct wallet_place {
	char port[PERCH_NAME_MAX + 1], pad[PERCH_NAME_MAX + 1];
};
bool wallet_place(const struct wallet *wallet, const char *name,
	struct wallet_place *out);
/* A setting that is a public key, or the program ends. */
struct perch_key wallet_key(const struct wallet *wallet, const char *name);
/* Say what is wrong with a setting in the reader's language and end. */
_Noreturn void wallet_refuse(const struct wallet *wallet, const char *name,
	const char *english, const char *japanese);

/* ---- network.c ---- */

enum need { NEED_NODES = 1, NEED_EVALUATOR = 2, NEED_KEY = 4 };

/* Open the network, or end the program when something needed is not set. */
void wallet_open(struct wallet *wallet, unsigned needs);
/* The answer to a question; false: a signal came first. */
bool wallet_wait(
	struct wallet *wallet, uint64_t request, struct perch_event *event);
/* Wait a moment until the evaluator is as far as the nodes are. */
void wallet_catch_up(struct wallet *wallet);
/* Close it. Returns code. */
int wallet_close(struct wallet *wallet, int code);
/* A seed from a key file; asks for the passphrase if there is a terminal. Ends
 * the program when there is none to be had. */
void wallet_seed(
	const struct wallet *wallet, const char *path, uint8_t seed[32]);
/* The passphrase from the file that is set or from PERCH_PASSPHRASE, or NULL;
 * lives on. */
const char *wallet_passphrase(const struct wallet *wallet);

/* ---- submit.c ---- */

/* What a granted transaction of a verb is called. any: one granted operation is
 * enough (cancelling half a pair ends both). */
struct done {
	const char *english, *japanese;
	bool any;
};
/* Sign, send, wait as asked, say, close. Returns the exit code. */
int wallet_submit(
	struct wallet *wallet, struct perch_tx *tx, const struct done *done);

/* ---- say.c ---- */

const char *wallet_say(
	const struct wallet *wallet, const char *english, const char *japanese);
/* The sentence of an error of libperch, or of a word on the wire. */
const char *wallet_err_text(const struct wallet *wallet, enum perch_err err);
/* "2026-01-31 17:30:00 JST (08:30:00Z)" */
const char *wallet_show_time(char out[64], int64_t time);
/* A window of one day or two. */
const char *wallet_show_slot(char out[160], const struct perch_slot *slot);

struct result {
	struct perch_id id;
	enum perch_status status;
	int code; /* exit code: granted, refused or unknown */
	const char *word, *text;
	const struct perch_fate *fate; /* NULL: there is no receipt */
	const struct done *done;
};
/* One object, or sentences. Returns result->code. */
int wallet_say_result(const struct wallet *wallet, const struct result *result);
/* A transaction was sent, and nobody said what became of it (NULL: a signal
 * came first): with the id to ask about. Returns the exit code. */
int wallet_say_unanswered(const struct wallet *wallet,
	const struct perch_id *id, const struct perch_event *event);
/* What was ordered is not any more. */
void wallet_say_undone(
	const struct wallet *wallet, const struct perch_fate *fate);
/* What a fate means; word and text point into it or to constants. */
struct result wallet_judge(
	const struct wallet *wallet, const struct perch_fate *fate);
/* A question that failed: says so and returns the exit code. Refused, if the
 * answer was no; unknown, if there is none. */
int wallet_say_failure(
	const struct wallet *wallet, const struct perch_event *event);
/* The answer is that there is no such thing: says so, EXIT_REFUSED. */
int wallet_say_none(
	const struct wallet *wallet, const char *english, const char *japanese);

/* Begin a line of --json, print it. */
struct json wallet_json(void);
void wallet_json_print(struct json *json);
void wallet_json_reservation(struct json *json, const char *name,
	const struct perch_reservation *reservation);
void wallet_json_outcome(const struct wallet *wallet, struct json *json,
	const struct perch_outcome *outcome);
void wallet_json_as_of(struct json *json, const struct perch_as_of *as_of);
void wallet_print_reservation(
	const struct wallet *wallet, const struct perch_reservation *r);

/* ---- the verbs, one file each ---- */

int verb_confirm(struct wallet *wallet, int argc, char **argv);
int verb_request_clearance(struct wallet *wallet, int argc, char **argv);
int verb_go_around(struct wallet *wallet, int argc, char **argv);
int verb_emergency(struct wallet *wallet, int argc, char **argv);
int verb_revoke(struct wallet *wallet, int argc, char **argv);
int verb_close_pad(struct wallet *wallet, int argc, char **argv);
int verb_open_pad(struct wallet *wallet, int argc, char **argv);
int verb_grant_tier(struct wallet *wallet, int argc, char **argv);
int verb_set_party(struct wallet *wallet, int argc, char **argv);
int verb_register(struct wallet *wallet, int argc, char **argv);
int verb_key(struct wallet *wallet, int argc, char **argv);
int verb_reserve(struct wallet *wallet, int argc, char **argv);
int verb_reservation(struct wallet *wallet, int argc, char **argv);
int verb_pair(struct wallet *wallet, int argc, char **argv);
int verb_amend(struct wallet *wallet, int argc, char **argv);
int verb_cancel(struct wallet *wallet, int argc, char **argv);
int verb_inquire(struct wallet *wallet, int argc, char **argv);
int verb_status(struct wallet *wallet, int argc, char **argv);
int verb_history(struct wallet *wallet, int argc, char **argv);
int verb_details(struct wallet *wallet, int argc, char **argv);
int verb_watch(struct wallet *wallet, int argc, char **argv);
int verb_clearance(struct wallet *wallet, int argc, char **argv);
int verb_verify(struct wallet *wallet, int argc, char **argv);
int verb_set_node(struct wallet *wallet, int argc, char **argv);
int verb_fly(struct wallet *wallet, int argc, char **argv);
int verb_traffic(struct wallet *wallet, int argc, char **argv);

#endif
