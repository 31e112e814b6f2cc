/* observer/render.c -- the view: totals, each node's chain, the pads' hour,
 * what happened last. Whatever does not fit is left out from the end.
 */
#include "render.h"

#include <stdio.h>
#include <string.h>

#include "chains.h"
#include "now.h"

enum {
	ROWS_MIN = 3,
	ALARM_ROWS = 4,
	LABEL_MAX = 20,
	TICK_MIN = 10,
	CELLS_MIN = 20,    /* of the hour, or it is not said who is where */
	MORE_COLUMNS = 13, /* "  and 99 more" */
};

const char *clock_text(char room[12], int64_t time, bool seconds)
{
	int64_t day = time / 1000 % 86400;
	snprintf(room, 12, seconds ? "%02d:%02d:%02d" : "%02d:%02d",
		(int)(day / 3600), (int)(day / 60 % 60), (int)(day % 60));
	return room;
}

/* ---- totals ---- */

/* In full: it ends with what is to be done. */
static void draw_alarm(struct frame *frame, const char *text)
{
	const char *mark = "ALARM ";

	for (int i = 0; i < ALARM_ROWS && *text != '\0'; i++) {
		struct pen pen = pen_line(frame);
		pen_put(&pen, ALARM, "%s", mark);
		text = pen_words(&pen, ALARM, text, "");
		pen_end(&pen);
		mark = "";
	}
}

static void draw_head(
	struct frame *frame, const struct model *model, int64_t now)
{
	char room[12];
	struct pieces pieces = {0};
	struct pen pen = pen_line(frame);
	pieces_add(&pieces, 0, BOLD, "Perch %s", model->network);
	pieces_add(&pieces, 1, PLAIN, "  %s UTC", clock_text(room, now, true));
	if (!frame->chains_only) {
		pieces_add(&pieces, 4, PLAIN, "  %s",
			model_chain_name(model->chain));
		pieces_add(&pieces, 3, PLAIN, "  %.1f tx/s",
			model_rate(model, now));
		pieces_add(&pieces, 2, PLAIN, "  granted ");
		pieces_add(&pieces, 2, GREEN, "%llu",
			(unsigned long long)model->granted);
		pieces_add(&pieces, 2, PLAIN, "  refused ");
		pieces_add(&pieces, 2, YELLOW, "%llu",
			(unsigned long long)model->refused);
	}
	pen_pieces(&pen, &pieces);
	pen_end(&pen);
	if (model->alarms > 0)
		draw_alarm(frame, model->alarm);
}

static void draw_operators(struct frame *frame, const struct model *model)
{
	struct pen pen = pen_line(frame);
	unsigned left = 0;
	pen_put(&pen, PLAIN, "operators");
	for (size_t i = 0; i < model->party_count; i++) {
		const struct party *party = &model->parties[i];
		char text[PERCH_NAME_MAX + 24];
		if (!party->is_operator)
			continue;
		int size = snprintf(text, sizeof(text), "  %s", party->name);
		size += snprintf(text + size, sizeof(text) - (size_t)size,
			" %llu", (unsigned long long)party->granted);
		left += left > 0 || pen.column + (unsigned)size + MORE_COLUMNS >
					    frame->columns;
		if (left > 0)
			continue;
		pen_put(&pen, CYAN, "  %s", party->name);
		pen_put(&pen, PLAIN, " %llu",
			(unsigned long long)party->granted);
	}
	struct pieces rest = {0};
	if (left > 0)
		pieces_add(&rest, 1, DIM, "  and %u more", left);
	if (model->first_height > 1)
		pieces_add(&rest, 2, DIM, "  since block %llu",
			(unsigned long long)model->first_height);
	pen_pieces(&pen, &rest);
	pen_end(&pen);
}

/* ---- the timetable ---- */

static unsigned label_width(const struct model *model)
{
	size_t widest = 8;
	for (size_t i = 0; i < model->row_count; i++) {
		const struct row *row = &model->rows[i];
		size_t size = strlen(row->port) + 1 + strlen(row->pad);
		widest = size > widest ? size : widest;
	}
	return (unsigned)(widest > LABEL_MAX ? LABEL_MAX : widest) + 1;
}

/* Where things stand in a line of it: a pad's name, who is there now, the hour
 * from a minute on. */
struct table {
	unsigned now_column, hour_column;
	int64_t from, now;
};

static void draw_axis(struct frame *frame, const struct model *model,
	const struct table *table)
{
	char room[12];
	struct pen pen = pen_line(frame);
	if (model->is_stale)
		pen_put(&pen, RED, "STALE");
	else
		pen_put(&pen, PLAIN, "pads");
	unsigned cells = frame->columns - table->hour_column;
	for (unsigned minute = 0; minute < 60; minute += TICK_MIN) {
		unsigned at = table->hour_column + minute * cells / 60;
		if (at + 6 > frame->columns || at <= pen.column)
			continue;
		pen_pad(&pen, at);
		pen_put(&pen, DIM, "%s",
			clock_text(room, table->from + minute * 60000, false));
	}
	pen_end(&pen);
}

/* The cells [first, last) of a booking, in so many of them. */
static bool cells_of(const struct booking *booking, int64_t from,
	unsigned cells, unsigned *first, unsigned *last)
{
	int64_t start = booking->start - from, stop = booking->end - from;
	if (stop <= 0 || start >= MODEL_SPAN_MS)
		return false;
	start = start < 0 ? 0 : start;
	stop = stop > MODEL_SPAN_MS ? MODEL_SPAN_MS : stop;
	*first = (unsigned)(start * cells / MODEL_SPAN_MS);
	*last = (unsigned)((stop * cells + MODEL_SPAN_MS - 1) / MODEL_SPAN_MS);
	return *first < *last;
}

/* A bar with as much of the operator's name as fits. */
static void paint(char *row, enum style *styles, const char *name,
	enum style style, unsigned first, unsigned last)
{
	size_t size = strlen(name), at = 0;
	for (unsigned i = first; i < last; i++) {
		styles[i] = style;
		if (i == first && last - first > 1)
			row[i] = '|';
		else
			row[i] = at < size ? name[at] : '=';
		at += i > first || last - first == 1;
	}
}

/* Its name, shortened if need be, and who is on it or may come. */
static void draw_pad(struct pen *pen, const struct model *model, size_t index,
	const struct table *table)
{
	char text[NOW_COLUMNS], name[2 * PERCH_NAME_MAX + 4];
	const struct row *row = &model->rows[index];
	int size = snprintf(name, sizeof(name), "%s/%s", row->port, row->pad);
	int most = (int)table->now_column - 1;
	pen_put(pen, PLAIN, "%.*s%s", size > most ? most - 1 : size, name,
		size > most ? "~" : "");
	if (table->hour_column > table->now_column) {
		enum style style = now_of(model, index, table->now, text);
		pen_pad(pen, table->now_column);
		pen_put(pen, style, "%s", text);
	}
	pen_pad(pen, table->hour_column);
}

static void draw_row(struct frame *frame, const struct model *model,
	size_t index, const struct table *table)
{
	char text[RENDER_COLUMNS_MAX];
	enum style styles[RENDER_COLUMNS_MAX];
	unsigned cells = frame->columns - table->hour_column, first, last;
	memset(text, '.', sizeof(text));
	for (unsigned i = 0; i < cells; i++)
		styles[i] = DIM;
	for (size_t i = 0; i < model->booking_count; i++) {
		const struct booking *booking = &model->bookings[i];
		if (booking->row != index ||
			!cells_of(booking, table->from, cells, &first, &last))
			continue;
		int party = booking->party;
		enum style style = (enum style)(BAR + (party + 1) % BARS);
		if (booking->state != PERCH_CONFIRMED)
			style = YELLOW;
		paint(text, styles,
			party < 0 ? "?" : model->parties[party].name, style,
			first, last);
	}
	struct pen pen = pen_line(frame);
	draw_pad(&pen, model, index, table);
	for (unsigned i = 0; i < cells; i++)
		pen_put(&pen, styles[i], "%c", text[i]);
	pen_end(&pen);
}

static void draw_timetable(struct frame *frame, const struct model *model,
	unsigned rows, int64_t now)
{
	struct table table = {.now_column = label_width(model),
		.from = now - now % 60000,
		.now = now};
	unsigned wide = table.now_column + NOW_COLUMNS;
	bool tells = now_any(model, now) && frame->columns >= wide + CELLS_MIN;
	size_t shown = model->row_count;
	size_t hidden = model->rows_left_out;
	table.hour_column = tells ? wide : table.now_column;
	if (rows < 2 || frame->columns < table.hour_column + CELLS_MIN)
		return;
	if (shown + 1 + (hidden > 0) > rows) {
		hidden += shown - (rows - 2);
		shown = rows - 2;
	}
	draw_axis(frame, model, &table);
	for (size_t i = 0; i < shown; i++)
		draw_row(frame, model, i, &table);
	if (hidden > 0) {
		struct pen pen = pen_line(frame);
		pen_put(&pen, DIM, "and %zu more pads", hidden);
		pen_end(&pen);
	}
}

/* ---- what happened last ---- */

static void draw_notes(struct frame *frame, const struct model *model)
{
	uint64_t kept = model->note_count < MODEL_NOTES_MAX ? model->note_count
							    : MODEL_NOTES_MAX;
	for (uint64_t i = 1; i <= kept && frame->count < frame->rows; i++) {
		char room[12];
		const struct note *note =
			&model->notes[(model->note_count - i) %
				      MODEL_NOTES_MAX];
		struct pen pen = pen_line(frame);
		pen_put(&pen, DIM, "%s ", clock_text(room, note->time, true));
		pen_words(&pen, note->refused ? YELLOW : PLAIN, note->text,
			" ..");
		pen_end(&pen);
	}
}

void render(struct frame *frame, const struct model *model, int64_t now)
{
	unsigned nodes = chains_rows(model, now);
	frame->count = 0;
	if (frame->columns > RENDER_COLUMNS_MAX)
		frame->columns = RENDER_COLUMNS_MAX;
	if (frame->rows > RENDER_ROWS_MAX)
		frame->rows = RENDER_ROWS_MAX;
	draw_head(frame, model, now);
	chains_draw_heads(frame, model);
	if (frame->chains_only) {
		chains_draw_nodes(frame, model,
			frame->count + 2 * nodes > frame->rows, now);
		return;
	}
	draw_operators(frame, model);
	/* Two lines a node if that leaves some of the rest to be seen. */
	chains_draw_nodes(frame, model,
		frame->count + 2 * nodes + 2 + 2 * ROWS_MIN > frame->rows, now);
	unsigned left = frame->rows - frame->count;
	if (left > ROWS_MIN)
		draw_timetable(frame, model, left - ROWS_MIN, now);
	draw_notes(frame, model);
}
