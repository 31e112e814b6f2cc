/* controller/try.c -- `--try`: a driver and its device, moved by hand, without
 * a ledger. For those who write a driver or install a pad.
 */
#include "controller.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock/clock.h"
#include "service/json.h"
#include "service/signals.h"
#include "store/duration.h"

enum { LINE_MAX_BYTES = 256, WORDS_MAX = 4 };

struct trial {
	struct controller *controller;
	struct pad_state told[PERCH_PADS_MAX];
	bool has_told[PERCH_PADS_MAX];
	char line[LINE_MAX_BYTES];
	size_t used;
};

static void tell_pad(struct trial *trial, size_t i, const struct pad_state *now)
{
	const struct controller *controller = trial->controller;
	char text[512];
	struct json json = json_of(text, sizeof(text));

	if (!controller->json) {
		printf("%s: %s %s%s\n", controller->setup.pads[i],
			pad_is_name(now->is), now->aircraft,
			now->by_air ? " (by air)" : "");
		fflush(stdout);
		return;
	}
	json_object(&json, NULL);
	json_text(&json, "event", "pad");
	json_text(&json, "pad", controller->setup.pads[i]);
	json_text(&json, "is", pad_is_name(now->is));
	json_text(&json, "aircraft", now->aircraft);
	json_bool(&json, "by_air", now->by_air);
	json_number(&json, "broken_off", now->broken_off);
	json_number(&json, "measured", now->measured);
	json_end(&json);
	(void)!json_print(&json, stdout);
}

static void tell_changes(struct trial *trial)
{
	const struct controller *controller = trial->controller;

	for (size_t i = 0; i < controller->setup.pad_count; i++) {
		struct pad_state *told = &trial->told[i], now;

		controller->driver->pad_state(controller->device, i, &now);
		if (now.is != PAD_OCCUPIED)
			now.aircraft[0] = '\0';
		if (trial->has_told[i] && told->is == now.is &&
			told->by_air == now.by_air &&
			told->broken_off == now.broken_off &&
			strcmp(told->aircraft, now.aircraft) == 0)
			continue;
		tell_pad(trial, i, &now);
		trial->has_told[i] = true;
		*told = now;
	}
}

static void tell_order(
	const struct trial *trial, const char *order, const char *word)
{
	char text[512];
	struct json json = json_of(text, sizeof(text));

	if (!trial->controller->json) {
		printf("%s: %s\n", order, word);
		fflush(stdout);
		return;
	}
	json_object(&json, NULL);
	json_text(&json, "event", "order");
	json_text(&json, "order", order);
	json_text(&json, "code", word);
	json_end(&json);
	(void)!json_print(&json, stdout);
}

/* "depart A JA01XY 30s"; false: not understood. */
static bool obey(const struct trial *trial, char *const *words, size_t count,
	enum err *err)
{
	const struct controller *controller = trial->controller;
	const struct driver *driver = controller->driver;
	struct movement movement = {0};
	time_ms how_long = 30000;
	int pad = count < 2 ? -1
			    : driver_pad(&controller->setup, words[1],
				      strlen(words[1]));

	if (pad < 0 ||
		(count > 3 && duration_parse(words[3], &how_long) != ERR_OK))
		return false;
	if (count > 2)
		snprintf(movement.aircraft, sizeof(movement.aircraft), "%s",
			words[2]);
	movement.until = clock_wall() + how_long;
	movement.is_arrival = strcmp(words[0], "land") == 0 ||
			      strcmp(words[0], "expect") == 0;
	*err = ERR_OK;
	if (strcmp(words[0], "stop") == 0)
		*err = driver->abort(controller->device, (size_t)pad);
	else if (strcmp(words[0], "close") == 0)
		*err = driver->close(controller->device, (size_t)pad);
	else if (count < 3)
		return false;
	else if (strcmp(words[0], "prepare") == 0 ||
		 strcmp(words[0], "expect") == 0)
		*err = driver->prepare == NULL
			       ? ERR_OK
			       : driver->prepare(controller->device,
					 (size_t)pad, &movement);
	else if (strcmp(words[0], "depart") == 0)
		*err = driver->clear_departure(
			controller->device, (size_t)pad, &movement);
	else if (strcmp(words[0], "land") == 0)
		*err = driver->clear_arrival(
			controller->device, (size_t)pad, &movement);
	else
		return false;
	return true;
}

static void on_line(struct trial *trial, char *line)
{
	char order[LINE_MAX_BYTES], *words[WORDS_MAX], *rest = line;
	size_t count = 0;
	enum err err;

	memcpy(order, line, strlen(line) + 1);
	while (count < WORDS_MAX) {
		rest += strspn(rest, " \t");
		if (*rest == '\0')
			break;
		words[count++] = rest;
		rest += strcspn(rest, " \t");
		if (*rest != '\0')
			*rest++ = '\0';
	}
	if (count == 0)
		return;
	if (obey(trial, words, count, &err))
		tell_order(trial, order, err_name(err));
	else
		tell_order(trial, order,
			controller_say(trial->controller,
				"say prepare, expect, depart, land, stop or "
				"close, then PAD, AIRCRAFT and how long (30s)",
				"prepare、expect、depart、land、stop、close の"
				"あとに PAD AIRCRAFT 時間(30s)"));
}

/* False: there are no more. */
static bool read_lines(struct trial *trial)
{
	ssize_t got = read(STDIN_FILENO, trial->line + trial->used,
		sizeof(trial->line) - 1 - trial->used);
	char *end;

	if (got <= 0)
		return false;
	trial->used += (size_t)got;
	trial->line[trial->used] = '\0';
	while ((end = memchr(trial->line, '\n', trial->used)) != NULL) {
		size_t size = (size_t)(end - trial->line) + 1;

		*end = '\0';
		on_line(trial, trial->line);
		trial->used -= size;
		memmove(trial->line, end + 1, trial->used);
	}
	if (trial->used == sizeof(trial->line) - 1)
		trial->used = 0; /* no order is that long */
	return true;
}

int controller_try(struct controller *controller)
{
	struct trial trial = {.controller = controller};
	struct pollfd fds[] = {{.fd = controller->signals, .events = POLLIN},
		{.fd = STDIN_FILENO, .events = POLLIN}};

	for (;;) {
		controller->driver->poll(controller->device, clock_wall());
		tell_changes(&trial);
		if (ferror(stdout) || poll(fds, 2, POLL_MS) < 0)
			return EXIT_REFUSED;
		if (signals_take(controller->signals) != 0)
			return 0;
		if ((fds[1].revents & (POLLIN | POLLHUP)) != 0 &&
			!read_lines(&trial))
			return 0;
	}
}
