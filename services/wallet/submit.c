/* wallet/submit.c -- one signed transaction, from the key to the exit code.
 *
 * Whatever happens on the way, the id is said: it is all that is needed to ask
 * again, and the same id never has two effects.
 */
#include "wallet.h"

#include <string.h>

enum {
	LAST_LOOK_MS = 1000,
	STAY_MS = 60 * 60 * 1000,
	VALID_MS_MAX = 4 * 60 * 1000, /* nodes take 5 min, by their clocks */
};

/* Whoever waits longer than a transaction is valid by itself wants it to be
 * valid for as long: it may be behind a link that is cut, or be undone. */
static void stay_valid(const struct wallet *wallet, struct perch_tx *tx)
{
	int64_t valid = wallet->timeout_ms;

	if (tx->valid_until != 0 || valid <= PERCH_VALID_MS)
		return;
	if (valid > VALID_MS_MAX)
		valid = VALID_MS_MAX;
	tx->valid_until = perch_now() + valid;
}

/* Nobody answered in time: how far has it come all the same? */
static bool last_look(struct wallet *wallet, const struct perch_tx *tx,
	struct perch_event *event)
{
	uint64_t request;

	perch_set_timeout(wallet->client, LAST_LOOK_MS);
	return perch_ask_tx(wallet->client, NULL, &tx->id, &request) ==
		       PERCH_OK &&
	       wallet_wait(wallet, request, event) &&
	       event->fate->status > PERCH_UNKNOWN;
}

static struct result unanswered(const struct wallet *wallet,
	const struct perch_tx *tx, enum perch_err err, const char *word,
	const char *text)
{
	struct result result = {
		.id = tx->id,
		.status = PERCH_UNKNOWN,
		.code = EXIT_UNKNOWN,
		.word = word,
		.text = text != NULL ? text : wallet_err_text(wallet, err),
	};

	return result;
}

static struct result judge(struct wallet *wallet, const struct perch_tx *tx,
	struct perch_event *event)
{
	static struct perch_failure failure;
	enum perch_err err = event->err;
	struct result result;

	if (event->failure == NULL)
		return wallet_judge(wallet, event->fate);
	failure = *event->failure;
	result = unanswered(wallet, tx, err, failure.code,
		wallet->japanese ? NULL : failure.text);
	if (event->fate->refused) {
		result.code = EXIT_REFUSED;
		return result;
	}
	/* Never sent, never heard of: there is nothing to look for. */
	if (err == PERCH_ERR_UNREACHABLE || !last_look(wallet, tx, event))
		return result;
	result = wallet_judge(wallet, event->fate);
	if (result.fate == NULL) {
		result.word = failure.code;
		result.text = wallet_say(wallet,
			"a node has it on disk, but it is in no block yet",
			"ノードのディスクにありますが、"
			"まだ台帳にありません");
	} else if (result.status < wallet->wait) {
		result.fate = NULL; /* what can be undone is no outcome */
		result.code = EXIT_UNKNOWN;
		result.word = failure.code;
		result.text = wallet_say(wallet,
			"it is in a block that is not final, and may be undone",
			"ブロックに入りましたが未確定で、"
			"取り消される可能性があります");
	}
	return result;
}

static void accept_any(const struct wallet *wallet, struct result *result)
{
	for (size_t i = 0; i < result->fate->op_count; i++) {
		if (result->fate->ops[i].code != 0)
			continue;
		result->code = EXIT_GRANTED;
		result->word = perch_refusal_name(0);
		result->text =
			perch_refusal_text(0, wallet_say(wallet, "en", "ja"));
	}
}

/* What is ordered can be undone: stay until it is final, and say what happens.
 * The same transaction is sent again, now to be told when that is. */
static int stay(struct wallet *wallet, struct perch_tx *tx, uint64_t told,
	const struct done *done, int code)
{
	struct perch_event event;
	struct result result;
	uint64_t request;

	perch_set_timeout(wallet->client, STAY_MS);
	if (perch_submit(wallet->client, tx, PERCH_FINAL, &request) != PERCH_OK)
		return code;
	for (;;) {
		perch_next(wallet->client, &event, -1);
		if (event.type == PERCH_EVENT_WAKE)
			return EXIT_UNKNOWN;
		if (event.type == PERCH_EVENT_UNDONE)
			wallet_say_undone(wallet, event.fate);
		if (event.type != PERCH_EVENT_FATE ||
			(event.request == told &&
				event.fate->status == PERCH_FINAL))
			continue;
		result = judge(wallet, tx, &event);
		result.done = done;
		if (done->any && result.fate != NULL)
			accept_any(wallet, &result);
		code = wallet_say_result(wallet, &result);
		fflush(stdout);
		if (event.request == request)
			return code;
	}
}

int wallet_submit(
	struct wallet *wallet, struct perch_tx *tx, const struct done *done)
{
	struct perch_event event;
	struct result result;
	uint64_t request;
	int code;

	stay_valid(wallet, tx);
	enum perch_err err =
		perch_submit(wallet->client, tx, wallet->wait, &request);
	if (err != PERCH_OK) {
		result = unanswered(wallet, tx, err, perch_err_name(err), NULL);
	} else if (wallet_wait(wallet, request, &event)) {
		result = judge(wallet, tx, &event);
	} else {
		result = unanswered(wallet, tx, PERCH_ERR_TIMEOUT,
			"interrupted",
			wallet_say(wallet, "interrupted; it may have been sent",
				"中断されました。"
				"送信済みかもしれません"));
	}
	result.done = done;
	if (done->any && result.fate != NULL)
		accept_any(wallet, &result);
	code = wallet_say_result(wallet, &result);
	fflush(stdout);
	if (wallet->stays && result.fate != NULL &&
		result.status == PERCH_ORDERED)
		return wallet_close(
			wallet, stay(wallet, tx, request, done, code));
	/* Done as far as was asked for, even if the outcome is open. */
	if (result.fate == NULL && result.status >= wallet->wait)
		code = EXIT_GRANTED;
	return wallet_close(wallet, code);
}
