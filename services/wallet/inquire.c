/* wallet/inquire.c -- `inquire`: ports, a port's timetable, or who is in the
 * way of a window. A read: nobody has to be enrolled where the genesis says so.
 */
#include "wallet.h"

#include <inttypes.h>
#include <stdio.h>

static const struct setting own[] = {
	{"port", "NAME", "this port; without, which ports there are", NULL,
		false},
	{"pad", "NAME", "this pad only", NULL, false},
	{"from", "TIME", "is it free from then ...", NULL, false},
	{"for", "TIME", "... for so long?", "5m", false},
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

/* All live reservations, page by page: one line of --json a page. */
static int say_timetable(struct wallet *wallet, const char *port)
{
	struct perch_event event;
	const struct perch_timetable *page;
	int64_t from = 0;
	bool more = true;

	while (more) {
		uint64_t request = 0;
		enum perch_err err =
			perch_timetable(wallet->client, port, from, &request);
		struct json json;
		int code = ask(
			wallet, err, request, PERCH_EVENT_TIMETABLE, &event);

		if (code != EXIT_GRANTED)
			return code;
		page = event.timetable;
		json = wallet_json();
		json_text(&json, "port", port);
		wallet_json_as_of(&json, &page->as_of);
		json_array(&json, "reservations");
		for (size_t i = 0; i < page->count; i++) {
			const struct perch_reservation *r =
				&page->reservations[i];

			wallet_json_reservation(&json, NULL, r);
			if (!wallet->json)
				wallet_print_reservation(wallet, r);
			from = r->start + 1;
		}
		json_end(&json);
		more = page->more && page->count > 0;
		if (wallet->json)
			wallet_json_print(&json);
		else if (!more)
			print_as_of(wallet, &page->as_of);
	}
	return EXIT_GRANTED;
}

int verb_inquire(struct wallet *wallet, int argc, char **argv)
{
	const char *port;
	int64_t start;
	int code;

	wallet_read(wallet, &manual, own, argc, argv);
	start = wallet_time(wallet, "from");
	port = wallet_text(wallet, "port");
	if (wallet->options.word_count == 1)
		port = wallet->options.words[0];
	wallet_open(wallet, NEED_EVALUATOR);
	if (port == NULL)
		code = say_ports(wallet);
	else if (start >= 0)
		code = say_window(wallet, port, start);
	else
		code = say_timetable(wallet, port);
	return wallet_close(wallet, code);
}
