/* wallet/inquire.c -- `inquire`: ports, a port's timetable, or who is in the
 * way of a window. A read: nobody has to be enrolled where the genesis says so.
 */
#include "wallet.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct setting own[] = {
	{"port", "NAME", "this port; without, which ports there are", NULL,
		false},
	{"pad", "NAME", "this pad only", NULL, false},
	{"from", "TIME", "is it free from then ...", NULL, false},
	{"for", "TIME", "... for so long?", "5m", false},
	{"prove", NULL, "believe a timetable only with the ledger's proof",
		NULL, false},
	{0},
};

static const struct verb_manual manual = {
	.doc = "Which ports there are; a port's reservations; or, with --from, "
	       "which pads are free then and who is in the way.",
	.words = "[PORT]",
	.words_max = 1,
	.examples = "  perch-wallet inquire --config alice.conf\n"
		    "  perch-wallet inquire haneda --config alice.conf\n"
		    "  perch-wallet inquire --port haneda --from +10m --for "
		    "5m",
};

/* A question to the evaluator whose answer is of this type; else the code. */
static int ask(struct wallet *wallet, enum perch_err err, uint64_t request,
	enum perch_event_type type, struct perch_event *event)
{
	if (err != PERCH_OK)
		wallet_refuse(wallet, "--port --pad",
			"names are 1 to 32 letters, digits, _ or -",
			"名前は英数字と _ - で1から32文字です");
	if (!wallet_wait(wallet, request, event))
		return EXIT_UNKNOWN;
	if (event->type != type)
		return wallet_say_failure(wallet, event);
	return EXIT_GRANTED;
}

static void print_as_of(
	const struct wallet *wallet, const struct perch_as_of *as_of)
{
	char when[64];

	printf("%s %" PRIu64 ", %s\n",
		wallet_say(wallet, "as of final height", "確定した高さ"),
		as_of->height, wallet_show_time(when, as_of->time));
}

static int say_ports(struct wallet *wallet)
{
	struct perch_event event;
	uint64_t request = 0;
	enum perch_err err = perch_ports(wallet->client, &request);
	struct json json;
	int code = ask(wallet, err, request, PERCH_EVENT_PORTS, &event);

	if (code != EXIT_GRANTED)
		return code;
	json = wallet_json();
	wallet_json_as_of(&json, &event.ports->as_of);
	json_array(&json, "ports");
	for (size_t i = 0; i < event.ports->count; i++) {
		const struct perch_port *port = &event.ports->ports[i];

		json_object(&json, NULL);
		json_text(&json, "name", port->name);
		json_array(&json, "pads");
		for (size_t j = 0; j < port->pad_count; j++) {
			json_text(&json, NULL, port->pads[j].name);
			if (!wallet->json)
				printf("%s %s%s\n", port->name,
					port->pads[j].name,
					port->pads[j].open ? "" : "  (closed)");
		}
		json_end(&json);
		json_end(&json);
	}
	json_end(&json);
	if (wallet->json)
		wallet_json_print(&json);
	else
		print_as_of(wallet, &event.ports->as_of);
	return EXIT_GRANTED;
}

static int say_window(struct wallet *wallet, const char *port, int64_t start)
{
	struct perch_event event;
	uint64_t request = 0;
	const struct perch_inquire *answer;
	enum perch_err err = perch_inquire(wallet->client, port,
		wallet_text(wallet, "pad"), start,
		start + wallet_duration(wallet, "for"), &request);
	struct json json;
	int code = ask(wallet, err, request, PERCH_EVENT_INQUIRE, &event);

	if (code != EXIT_GRANTED)
		return code;
	answer = event.inquire;
	json = wallet_json();
	json_text(&json, "port", port);
	wallet_json_as_of(&json, &answer->as_of);
	json_array(&json, "free");
	for (size_t i = 0; i < answer->free_count; i++) {
		json_text(&json, NULL, answer->free[i]);
		if (!wallet->json)
			printf("%s %s %s\n",
				wallet_say(wallet, "free:", "空き:"), port,
				answer->free[i]);
	}
	json_end(&json);
	json_array(&json, "reservations");
	for (size_t i = 0; i < answer->count; i++) {
		wallet_json_reservation(&json, NULL, &answer->reservations[i]);
		if (!wallet->json)
			wallet_print_reservation(
				wallet, &answer->reservations[i]);
	}
	json_end(&json);
	if (wallet->json)
		wallet_json_print(&json);
	else
		print_as_of(wallet, &answer->as_of);
	return EXIT_GRANTED;
}

/* ---- a port's timetable ---- */

enum { TIMETABLE_MAX = 16384, TRIES_MAX = 8 };

struct table {
	struct perch_as_of as_of;
	bool mixed; /* its pages are of several heights */
	struct perch_port port;
	size_t count;
	struct perch_reservation list[TIMETABLE_MAX];
};

static bool is_later(
	const struct perch_reservation *a, const struct perch_reservation *b)
{
	return a->start > b->start ||
	       (a->start == b->start && strcmp(a->pad, b->pad) > 0);
}

/* All live reservations, page by page. A page begins with what still lasts at
 * its start: what is there already is left out. */
static int read_table(
	struct wallet *wallet, const char *port, struct table *table)
{
	struct perch_event event;
	bool more = true;

	table->count = 0;
	table->mixed = false;
	while (more) {
		const struct perch_timetable *page;
		size_t before = table->count;
		int64_t from = before == 0 ? 0 : table->list[before - 1].start;
		uint64_t request = 0;
		enum perch_err err =
			perch_timetable(wallet->client, port, from, &request);
		int code = ask(
			wallet, err, request, PERCH_EVENT_TIMETABLE, &event);

		if (code != EXIT_GRANTED)
			return code;
		page = event.timetable;
		table->mixed |=
			before > 0 && page->as_of.height != table->as_of.height;
		table->as_of = page->as_of;
		table->port = page->port;
		for (size_t i = 0; i < page->count; i++) {
			const struct perch_reservation *r =
				&page->reservations[i];

			if (table->count < TIMETABLE_MAX &&
				(before == 0 ||
					is_later(r, &table->list[before - 1])))
				table->list[table->count++] = *r;
		}
		more = page->more && table->count > before;
	}
	return EXIT_GRANTED;
}

/* The timetable and its proof must be of one height: blocks go on meanwhile. */
static int prove_table(
	struct wallet *wallet, const char *port, struct table *table)
{
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		struct perch_event event;
		uint64_t request = 0;
		enum perch_err err =
			perch_prove_port(wallet->client, port, &request);
		static struct perch_proof proof;
		int code = ask(wallet, err, request, PERCH_EVENT_PROOF, &event);

		if (code != EXIT_GRANTED)
			return code;
		proof = *event.proof;
		code = read_table(wallet, port, table);
		if (code != EXIT_GRANTED)
			return code;
		if (table->mixed || table->as_of.height != proof.height)
			continue;
		err = perch_proof_check(&proof, table->list, table->count);
		if (err == PERCH_OK)
			return EXIT_GRANTED;
		fprintf(stderr, "%s: %s: %s\n", wallet->program,
			perch_err_name(err),
			wallet_say(wallet,
				"the evaluator's answer is not what the "
				"ledger proves; do not use it",
				"評価器の答えは台帳の証明と一致しません。"
				"使わないでください"));
		return EXIT_UNKNOWN;
	}
	fprintf(stderr, "%s: busy: %s\n", wallet->program,
		wallet_say(wallet,
			"blocks come faster than the proof; try again",
			"ブロックの更新が速すぎます。"
			"もう一度試してください"));
	return EXIT_UNKNOWN;
}

static bool has_pad(const struct perch_port *port, const char *name)
{
	for (size_t i = 0; i < port->pad_count; i++) {
		if (strcmp(port->pads[i].name, name) == 0)
			return true;
	}
	return false;
}

static int say_timetable(struct wallet *wallet, const char *port)
{
	static struct table table;
	bool proved = options_flag(&wallet->options, "prove");
	int code = proved ? prove_table(wallet, port, &table)
			  : read_table(wallet, port, &table);
	struct json json;

	const char *pad = wallet_text(wallet, "pad");

	if (code != EXIT_GRANTED)
		return code;
	if (pad != NULL && !has_pad(&table.port, pad))
		return wallet_say_none(wallet,
			"this port has no such pad; see `perch-wallet inquire`",
			"このポートにそのパッドはありません。"
			"perch-wallet inquire で確かめてください");
	json = wallet_json();
	json_text(&json, "port", port);
	wallet_json_as_of(&json, &table.as_of);
	json_bool(&json, "proved", proved);
	json_array(&json, "reservations");
	for (size_t i = 0; i < table.count; i++) {
		if (pad != NULL && strcmp(pad, table.list[i].pad) != 0)
			continue;
		if (wallet->json)
			wallet_json_reservation(&json, NULL, &table.list[i]);
		else
			wallet_print_reservation(wallet, &table.list[i]);
	}
	json_end(&json);
	if (wallet->json) {
		wallet_json_print(&json);
		return EXIT_GRANTED;
	}
	if (proved)
		printf("%s\n",
			wallet_say(wallet,
				"proved: nothing is missing, added or changed",
				"証明済み: 欠落、追加、変更はありません"));
	print_as_of(wallet, &table.as_of);
	return EXIT_GRANTED;
}

int verb_inquire(struct wallet *wallet, int argc, char **argv)
{
	const char *port;
	int64_t start;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	start = wallet_time(wallet, "from");
	if (wallet_duration(wallet, "for") <= 0)
		wallet_refuse(wallet, "--for", "longer than 0s",
			"0s より長くしてください");
	port = wallet_text(wallet, "port");
	if (wallet->options.word_count == 1)
		port = wallet->options.words[0];
	wallet_open(wallet, NEED_EVALUATOR);
	wallet_catch_up(wallet);
	if (port == NULL)
		code = say_ports(wallet);
	else if (start >= 0)
		code = say_window(wallet, port, start);
	else
		code = say_timetable(wallet, port);
	return wallet_close(wallet, code);
}
