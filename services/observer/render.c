/* observer/render.c -- the view: totals, each node's chain, the pads' hour,
 * what happened last. Whatever does not fit is left out from the end.
 */
#include "render.h"

#include <stdio.h>
#include <string.h>

#include "pen.h"

enum { BLOCK_COLUMNS = 9, ROWS_MIN = 3, LABEL_MAX = 20, TICK_MIN = 10 };

static const char *clock_text(char room[12], int64_t time, bool seconds)
{
	int64_t day = time / 1000 % 86400;
	snprintf(room, 12, seconds ? "%02d:%02d:%02d" : "%02d:%02d",
		(int)(day / 3600), (int)(day / 60 % 60), (int)(day % 60));
	return room;
}

/* ---- totals ---- */

static uint64_t highest(const struct model *model, unsigned chain, bool final)
{
	uint64_t height = 0;
	for (size_t i = 0; i < model->node_count; i++) {
		const struct tower *tower = &model->nodes[i].towers[chain];
		uint64_t own = final ? tower->final_height : tower->height;
		if (tower->known && own > height)
			height = own;
	}
	return height;
}

static void draw_head(
	struct frame *frame, const struct model *model, int64_t now)
{
	char room[12];
	struct pen pen = pen_line(frame);
	pen_put(&pen, BOLD, "Perch %s", model->network);
	pen_put(&pen, PLAIN, "  %s UTC", clock_text(room, now, true));
	pen_put(&pen, PLAIN, "  final ");
	pen_put(&pen, BOLD, "%llu",
		(unsigned long long)highest(model, 0, true));
	if (!frame->chains_only) {
		pen_put(&pen, PLAIN, "  %.1f tx/s  granted ",
			model_rate(model, now));
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

/* ---- chains ---- */

static bool is_forked(const struct model *model, unsigned chain,
	uint64_t height, const struct perch_hash *hash)
{
	for (size_t i = 0; i < model->node_count; i++) {
		const struct perch_hash *other =
			tower_at(&model->nodes[i].towers[chain], height);
		if (other != NULL && memcmp(other, hash, sizeof(*hash)) != 0)
			return true;
	}
	return false;
}

static void draw_block(struct pen *pen, const struct model *model,
	const struct seen_node *node, unsigned chain, uint64_t height,
	bool first)
{
	char room[12];
	const struct tower *tower = &node->towers[chain];
	const struct perch_hash *hash = tower_at(tower, height);
	if (hash == NULL) {
		pen_pad(pen, pen->column + BLOCK_COLUMNS - first);
		return;
	}
	bool linked = !first && tower_at(tower, height - 1) != NULL;
	bool final = height <= tower->final_height;
	const char *form = final ? "[%.5s]" : "<%.5s>";
	enum style style = final ? GREEN : YELLOW;
	if (node->seen != SEEN_UP)
		style = DIM;
	pen_put(pen, DIM, linked ? "--" : first ? " " : "  ");
	perch_hex(room, hash, 3);
	if (is_forked(model, chain, height, hash)) {
		style = RED;
		form = "{%.5s}";
	}
	char text[12];
	snprintf(text, sizeof(text), form, room);
	pen_put(pen, style, "%s", text);
}

static void draw_blocks(struct pen *pen, const struct model *model,
	const struct seen_node *node, unsigned chain)
{
	const struct tower *tower = &node->towers[chain];
	uint64_t top = highest(model, chain, false);
	unsigned room = pen->frame->columns > pen->column
				? pen->frame->columns - pen->column
				: 0;
	uint64_t count = (room + 1) / BLOCK_COLUMNS;
	if (count > MODEL_RECENT_MAX)
		count = MODEL_RECENT_MAX;
	if (count > top)
		count = top;
	if (!tower->known)
		return;
	if (tower->height + count <= top) {
		pen_put(pen, YELLOW, " ... %llu blocks behind",
			(unsigned long long)(top - tower->height));
		return;
	}
	for (uint64_t i = 1; i <= count; i++)
		draw_block(pen, model, node, chain, top - count + i, i == 1);
}

static void draw_facts(struct pen *pen, const struct model *model,
	const struct seen_node *node, unsigned chain)
{
	char room[12];
	const struct tower *tower = &node->towers[chain];
	switch (node->seen) {
	case SEEN_NEVER:
		pen_put(pen, DIM, "connecting");
		return;
	case SEEN_DOWN:
		pen_put(pen, RED, "down since %s",
			clock_text(room, node->since, true));
		pen_put(pen, PLAIN, "  %s", node->why);
		return;
	case SEEN_UP:
		break;
	}
	pen_put(pen, node->role == 2 ? BOLD : PLAIN, "%-9s",
		model_role(node->role));
	pen_put(pen, PLAIN, " term %llu  height %llu  final %llu",
		(unsigned long long)node->term,
		(unsigned long long)tower->height,
		(unsigned long long)tower->final_height);
	pen_put(pen, PLAIN, "  mempool %u  peers %u  lag %llu", node->mempool,
		node->peers,
		(unsigned long long)(highest(model, chain, true) -
				     tower->final_height));
}

/* A node in two lines for each of its chains, or in one. */
static void draw_node(struct frame *frame, const struct model *model,
	const struct seen_node *node, bool tight)
{
	size_t widest = 0;
	for (size_t i = 0; i < model->node_count; i++) {
		size_t size = strlen(model->nodes[i].name);
		widest = size > widest ? size : widest;
	}
	for (unsigned chain = 0; chain < MODEL_CHAINS; chain++) {
		if (chain > 0 && !node->towers[chain].known)
			continue;
		struct pen pen = pen_line(frame);
		pen_put(&pen, PLAIN, "(Node: ");
		pen_put(&pen, BOLD, "%s", node->name);
		pen_put(&pen, PLAIN, ")");
		pen_pad(&pen, (unsigned)widest + 8);
		if (tight && node->seen != SEEN_UP) {
			pen_put(&pen, PLAIN, " ");
			draw_facts(&pen, model, node, chain);
		} else {
			if (tight)
				pen_put(&pen, node->role == 2 ? BOLD : PLAIN,
					" %-9s", model_role(node->role));
			draw_blocks(&pen, model, node, chain);
		}
		pen_end(&pen);
		if (tight)
			continue;
		pen = pen_line(frame);
		pen_pad(&pen, 7);
		draw_facts(&pen, model, node, chain);
		pen_end(&pen);
	}
}

static void draw_nodes(
	struct frame *frame, const struct model *model, bool tight)
{
	for (size_t i = 0; i < model->node_count; i++)
		draw_node(frame, model, &model->nodes[i], tight);
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

static void draw_row(struct frame *frame, const struct model *model,
	size_t index, unsigned label, int64_t from)
{
	char text[RENDER_COLUMNS_MAX];
	enum style styles[RENDER_COLUMNS_MAX];
	const struct row *row = &model->rows[index];
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
	char name[2 * PERCH_NAME_MAX + 4];
	snprintf(name, sizeof(name), "%s/%s", row->port, row->pad);
	pen_put(&pen, PLAIN, "%.*s", (int)label - 1, name);
	pen_pad(&pen, label);
	for (unsigned i = 0; i < cells; i++)
		pen_put(&pen, styles[i], "%c", text[i]);
	pen_end(&pen);
}

static void draw_timetable(struct frame *frame, const struct model *model,
	unsigned rows, int64_t now)
{
	unsigned label = label_width(model);
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
		draw_row(frame, model, i, label, from);
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

static unsigned node_lines(const struct model *model)
{
	unsigned count = 0;
	for (size_t i = 0; i < model->node_count; i++)
		count += model->nodes[i].towers[1].known ? 2 : 1;
	return count;
}

void render(struct frame *frame, const struct model *model, int64_t now)
{
	unsigned nodes = node_lines(model);
	frame->count = 0;
	if (frame->columns > RENDER_COLUMNS_MAX)
		frame->columns = RENDER_COLUMNS_MAX;
	if (frame->rows > RENDER_ROWS_MAX)
		frame->rows = RENDER_ROWS_MAX;
	draw_head(frame, model, now);
	if (frame->chains_only) {
		draw_nodes(
			frame, model, frame->count + 2 * nodes > frame->rows);
		return;
	}
	draw_operators(frame, model);
	/* Two lines a node if that leaves some of the rest to be seen. */
	draw_nodes(frame, model,
		frame->count + 2 * nodes + 2 + 2 * ROWS_MIN > frame->rows);
	unsigned left = frame->rows - frame->count;
	if (left > ROWS_MIN)
		draw_timetable(frame, model, left - ROWS_MIN, now);
	draw_notes(frame, model);
}
