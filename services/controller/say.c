/* controller/say.c -- what the controller does, as lines for people or JSON.
 */
#include "desk.h"

#include <stdio.h>
#include <string.h>

#include "clock/clock.h"
#include "service/json.h"
#include "store/duration.h"

enum { LINE_BYTES = 1024 };

static const char *pad_name(const struct desk *desk, size_t pad)
{
	return desk->core.port.pads[pad].name;
}

static struct json begin(char text[LINE_BYTES], const char *event)
{
	struct json json = json_of(text, LINE_BYTES);

	json_object(&json, NULL);
	json_text(&json, "event", event);
	json_number(&json, "time", clock_wall());
	return json;
}

static void end(struct json *json)
{
	json_end(json);
	(void)!json_print(json, stdout); /* desk_run sees that it fails */
}

static void print_time(void)
{
	char text[32];

	utc_format(text, clock_wall());
	printf("%s ", text + 11); /* the hour is enough */
}

static void put_id(
	struct json *json, const char *name, const struct perch_id *id)
{
	json_hex(json, name, view_of(id, sizeof(*id)));
}

static void say_wish(
	const struct desk *desk, const char *event, const struct core_action *a)
{
	const struct wish *wish = &a->wish;
	const char *pad = pad_name(desk, wish->pad);
	bool refused = a->type == ACTION_REFUSED;
	char text[LINE_BYTES], id[33];
	struct json json = begin(text, event);

	if (!desk->controller->json) {
		perch_hex(id, &wish->reservation, sizeof(wish->reservation));
		id[8] = '\0';
		print_time();
		printf("%s %s/%s %s %s%s%s%s\n", wish_name(wish->kind),
			desk->core.config.port, pad, wish->aircraft, id,
			a->type == ACTION_SUBMIT ? "" : " final",
			refused ? " refused: " : "",
			!refused ? ""
				 : perch_refusal_text(a->code,
					   controller_say(desk->controller,
						   "en", "ja")));
		fflush(stdout);
		return;
	}
	json_text(&json, "op", wish_name(wish->kind));
	put_id(&json, "id", &wish->id);
	json_text(&json, "pad", pad);
	if (wish->has_reservation)
		put_id(&json, "reservation", &wish->reservation);
	json_text(&json, "aircraft", wish->aircraft);
	json_number(&json, "nonce", (int64_t)wish->nonce);
	if (refused)
		json_text(&json, "code", perch_refusal_name(a->code));
	end(&json);
}

static void say_order(
	const struct desk *desk, const char *order, const struct core_action *a)
{
	char text[LINE_BYTES];
	struct json json = begin(text, "order");

	if (!desk->controller->json) {
		print_time();
		printf("order %s/%s: %s %s\n", desk->core.config.port,
			pad_name(desk, a->pad), order, a->movement.aircraft);
		fflush(stdout);
		return;
	}
	json_text(&json, "order", order);
	json_text(&json, "pad", pad_name(desk, a->pad));
	json_text(&json, "aircraft", a->movement.aircraft);
	json_number(&json, "until", a->movement.until);
	end(&json);
}

static void say_doubt(const struct desk *desk, const struct core_action *a)
{
	char text[LINE_BYTES];
	struct json json = begin(text, "doubt");

	if (!desk->controller->json) {
		print_time();
		printf("not cleared %s/%s %s: %s\n", desk->core.config.port,
			pad_name(desk, a->pad), a->wish.aircraft,
			core_doubt_text(a->doubt, desk->controller->japanese));
		fflush(stdout);
		return;
	}
	put_id(&json, "reservation", &a->wish.reservation);
	json_text(&json, "pad", pad_name(desk, a->pad));
	json_text(&json, "code", core_doubt_name(a->doubt));
	json_text(&json, "text",
		core_doubt_text(a->doubt, desk->controller->japanese));
	end(&json);
}

void say_action(const struct desk *desk, const struct core_action *action)
{
	switch (action->type) {
	case ACTION_SUBMIT:
		say_wish(desk, "wish", action);
		return;
	case ACTION_DONE:
		say_wish(desk, "final", action);
		return;
	case ACTION_REFUSED:
		say_wish(desk, "refused", action);
		return;
	case ACTION_CLEAR:
		say_order(desk, action->movement.is_arrival ? "land" : "depart",
			action);
		return;
	case ACTION_ABORT:
		say_order(desk, "abort", action);
		return;
	case ACTION_CLOSE:
		say_order(desk, "close", action);
		return;
	case ACTION_DOUBT:
		say_doubt(desk, action);
		return;
	case ACTION_ASK:
	case ACTION_PREPARE: /* too often to be told */
		return;
	}
}

void say_pad(const struct desk *desk, size_t pad)
{
	const struct pad_state *state = &desk->states[pad];
	const char *aircraft = state->is == PAD_OCCUPIED ? state->aircraft : "";
	char text[LINE_BYTES];
	struct json json = begin(text, "pad");

	if (!desk->controller->json) {
		print_time();
		printf("pad %s/%s: %s %s\n", desk->core.config.port,
			pad_name(desk, pad), pad_is_name(state->is), aircraft);
		fflush(stdout);
		return;
	}
	json_text(&json, "pad", pad_name(desk, pad));
	json_text(&json, "is", pad_is_name(state->is));
	json_text(&json, "aircraft", aircraft);
	json_bool(&json, "by_air", state->by_air);
	json_number(&json, "broken_off", state->broken_off);
	json_number(&json, "measured", state->measured);
	end(&json);
}

void say_sure(const struct desk *desk, bool sure)
{
	char text[LINE_BYTES];
	struct json json = begin(text, "sure");

	if (!desk->controller->json) {
		print_time();
		printf("%s\n", sure ? controller_say(desk->controller,
					      "knows the newest of the ledger",
					      "台帳の最新を確認しました")
				    : core_doubt_text(DOUBT_CUT_OFF,
					      desk->controller->japanese));
		fflush(stdout);
		return;
	}
	json_bool(&json, "sure", sure);
	end(&json);
}

void say_text(const struct desk *desk, const char *event, const char *what)
{
	char text[LINE_BYTES];
	struct json json = begin(text, event);

	if (!desk->controller->json) {
		print_time();
		printf("%s: %s\n", event, what);
		fflush(stdout);
		return;
	}
	json_text(&json, "text", what);
	end(&json);
}
