/* observer/now.c -- see now.h. What weighs most is told: an aircraft on the
 * pad, then a clearance, then why nobody may come.
 */
#include "now.h"

#include <stdio.h>

enum { SERIAL_MAX = 10, FOR_EVER_MS = 24 * 60 * 60 * 1000 };

static const char *second(char room[12], int64_t time)
{
	int64_t day = time / 1000 % 86400;
	snprintf(room, 12, "%02d:%02d:%02d", (int)(day / 3600),
		(int)(day / 60 % 60), (int)(day % 60));
	return room;
}

static enum style now_booking(
	const struct booking *booking, int64_t now, char out[NOW_COLUMNS])
{
	char room[12];
	const char *name =
		booking->aircraft[0] != '\0' ? booking->aircraft : "?";
	switch (booking->state) {
	case PERCH_OCCUPIED:
		snprintf(out, NOW_COLUMNS, "%.*s on it", SERIAL_MAX, name);
		return CYAN;
	case PERCH_OVERSTAY:
		snprintf(out, NOW_COLUMNS, "%.*s overstays", SERIAL_MAX, name);
		return YELLOW;
	case PERCH_CONTINGENT:
		if (!booking->on_pad && now < booking->start)
			return PLAIN;
		snprintf(out, NOW_COLUMNS, "%.*s %s", SERIAL_MAX, name,
			booking->on_pad ? "came, contingent" : "contingent");
		return YELLOW;
	case PERCH_CLEARED:
		if (now >= booking->until)
			return PLAIN;
		snprintf(out, NOW_COLUMNS, "%.*s %s -%.8s", SERIAL_MAX, name,
			booking->movement == PERCH_DEPARTURE ? "starts"
							     : "lands",
			second(room, booking->until));
		return GREEN;
	}
	return PLAIN;
}

static int weight(int state)
{
	return state == PERCH_CLEARED ? 1 : 2;
}

enum style now_of(const struct model *model, size_t row, int64_t now,
	char out[NOW_COLUMNS])
{
	const struct row *pad = &model->rows[row];
	enum style style = PLAIN;
	int best = 0;
	char room[12];
	out[0] = '\0';
	for (size_t i = 0; i < model->booking_count; i++) {
		const struct booking *booking = &model->bookings[i];
		char text[NOW_COLUMNS] = "";
		if (booking->row != row || weight(booking->state) <= best)
			continue;
		enum style found = now_booking(booking, now, text);
		if (text[0] == '\0')
			continue;
		snprintf(out, NOW_COLUMNS, "%s", text);
		style = found;
		best = weight(booking->state);
	}
	if (best > 0)
		return style;
	if (pad->blocked) {
		snprintf(out, NOW_COLUMNS, "blocked");
		return RED;
	}
	if (pad->closed_from > now || pad->closed_until <= now)
		return PLAIN;
	if (pad->closed_until - now > FOR_EVER_MS)
		snprintf(out, NOW_COLUMNS, "closed");
	else
		snprintf(out, NOW_COLUMNS, "closed -%s",
			second(room, pad->closed_until));
	return RED;
}

bool now_any(const struct model *model, int64_t now)
{
	char text[NOW_COLUMNS];
	for (size_t i = 0; i < model->row_count; i++) {
		now_of(model, i, now, text);
		if (text[0] != '\0')
			return true;
	}
	return false;
}
