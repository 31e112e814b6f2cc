/* observer/render.c -- the view: totals, each node's chain, the pads' hour,
 * what happened last. Whatever does not fit is left out from the end.
 */
#include "render.h"

#include <stdio.h>
#include <string.h>

#include "chains.h"
#include "now.h"

enum { ROWS_MIN = 3, LABEL_MAX = 20, TICK_MIN = 10 };

const char *clock_text(char room[12], int64_t time, bool seconds)
{
	int64_t day = time / 1000 % 86400;
	snprintf(room, 12, seconds ? "%02d:%02d:%02d" : "%02d:%02d",
		(int)(day / 3600), (int)(day / 60 % 60), (int)(day % 60));
	return room;
}

/* ---- totals ---- */

static void draw_head(
	struct frame *frame, const struct model *model, int64_t now)
{
	char room[12];
	struct pen pen = pen_line(frame);
	pen_put(&pen, BOLD, "Perch %s", model->network);
	pen_put(&pen, PLAIN, "  %s UTC", clock_text(room, now, true));
	if (!frame->chains_only) {
		pen_put(&pen, PLAIN, "  %s  %.1f tx/s  granted ",
			model_chain_name(model->chain), model_rate(model, now));
		pen_put(&pen, GREEN, "%llu",
			(unsigned long long)model->granted);
		pen_put(&pen, PLAIN, "  refused ");
		pen_put(&pen, YELLOW, "%llu",
			(unsigned long long)model->refused);
	}
	pen_end(&pen);
	if (model->alarms > 0) {
		pen = pen_line(frame);
		pen_put(&pen, ALARM, "ALARM %s", model->alarm);
		pen_end(&pen);
	}
}

static void draw_operators(struct frame *frame, const struct model *model)
{
	struct pen pen = pen_line(frame);
	pen_put(&pen, PLAIN, "operators");
	for (size_t i = 0; i < model->party_count; i++) {
		const struct party *party = &model->parties[i];
		if (!party->is_operator)
			continue;
		pen_put(&pen, CYAN, "  %s", party->name);
		pen_put(&pen, PLAIN, " %llu",
			(unsigned long long)party->granted);
	}
	if (model->first_height > 1)
		pen_put(&pen, DIM, "  since block %llu",
			(unsigned long long)model->first_height);
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

static void draw_axis(struct frame *frame, const struct model *model,
	unsigned label, int64_t from)
{
	char room[12];
	struct pen pen = pen_line(frame);
	if (model->is_stale)
		pen_put(&pen, RED, "STALE");
	else
		pen_put(&pen, PLAIN, "pads");
	unsigned cells = frame->columns - label;
	for (unsigned minute = 0; minute < 60; minute += TICK_MIN) {
		unsigned at = label + minute * cells / 60;
		if (at + 6 > frame->columns || at < pen.column)
			continue;
		pen_pad(&pen, at);
		pen_put(&pen, DIM, "%s",
			clock_text(room, from + minute * 60000, false));
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

/* Between the name and the hour, when any pad has something to say. */
static void draw_now(struct pen *pen, const struct model *model, size_t index,
	unsigned label, int64_t now)
{
	char text[NOW_COLUMNS], name[2 * PERCH_NAME_MAX + 4];
	const struct row *row = &model->rows[index];
	unsigned width = now_any(model, now) ? NOW_COLUMNS : 0;
	enum style style = now_of(model, index, now, text);
	snprintf(name, sizeof(name), "%s/%s", row->port, row->pad);
	pen_put(pen, PLAIN, "%.*s", (int)(label - width) - 1, name);
	pen_pad(pen, label - width);
	if (width > 0)
		pen_put(pen, style, "%s", text);
	pen_pad(pen, label);
}

static void draw_row(struct frame *frame, const struct model *model,
	size_t index, unsigned label, int64_t from, int64_t now)
{
	char text[RENDER_COLUMNS_MAX];
	enum style styles[RENDER_COLUMNS_MAX];
	unsigned cells = frame->columns - label, first, last;
	memset(text, '.', sizeof(text));
	for (unsigned i = 0; i < cells; i++)
		styles[i] = DIM;
	for (size_t i = 0; i < model->booking_count; i++) {
		const struct booking *booking = &model->bookings[i];
		if (booking->row != index ||
			!cells_of(booking, from, cells, &first, &last))
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
	draw_now(&pen, model, index, label, now);
	for (unsigned i = 0; i < cells; i++)
		pen_put(&pen, styles[i], "%c", text[i]);
	pen_end(&pen);
}

static void draw_timetable(struct frame *frame, const struct model *model,
	unsigned rows, int64_t now)
{
	unsigned label =
		label_width(model) + (now_any(model, now) ? NOW_COLUMNS : 0);
	int64_t from = now - now % 60000;
	size_t shown = model->row_count;
	size_t hidden = model->rows_left_out;
	if (rows < 2 || frame->columns < label + 10)
		return;
	if (shown + 1 + (hidden > 0) > rows) {
		hidden += shown - (rows - 2);
		shown = rows - 2;
	}
	draw_axis(frame, model, label, from);
	for (size_t i = 0; i < shown; i++)
		draw_row(frame, model, i, label, from, now);
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
		pen_put(&pen, note->refused ? YELLOW : PLAIN, "%s", note->text);
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
