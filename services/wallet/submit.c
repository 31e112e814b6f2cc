/* wallet/submit.c -- one signed transaction, from the key to the exit code.
 *
 * Whatever happens on the way, the id is said: it is all that is needed to ask
 * again, and the same id never has two effects.
 */
#include "wallet.h"

#include <string.h>

enum { LAST_LOOK_MS = 1000 };

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

int wallet_submit(
	struct wallet *wallet, struct perch_tx *tx, const struct done *done)
{
	struct perch_event event;
	struct result result;
	uint64_t request;
	int code;
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
	/* Done as far as was asked for, even if the outcome is open. */
	if (result.fate == NULL && result.status >= wallet->wait)
		code = EXIT_GRANTED;
	return wallet_close(wallet, code);
}
