/* observer/chains.c -- one line a chain, then each node's own: a block under
 * the other ones of its height, so that a fork is where lines differ.
 */
#include "chains.h"

#include <stdio.h>
#include <string.h>

enum {
	BLOCK_COLUMNS = 9,
	CHAIN_COLUMNS = 8, /* " ordered" */
	LEFT_COLUMNS = 24, /* "  left 16:40:00 ordered " */
	BRANCH_MS = 60000, /* that a left branch is drawn */
	BLOCKS_MIN = 3,    /* or else names and roles are shortened */
	FRAME_COLUMNS = 8, /* "(Node: )" */
	ROLE_COLUMNS = 10,
};

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

/* ---- a chain, over all nodes ---- */

static bool is_known(const struct model *model, unsigned chain)
{
	for (size_t i = 0; i < model->node_count; i++) {
		if (model->nodes[i].towers[chain].known)
			return true;
	}
	return false;
}

/* "0.42 ms", "920 ms", "13 s" */
static const char *duration_text(char room[16], uint64_t us)
{
	bool is_short = us < 1000000;
	double value = (double)us / (is_short ? 1e3 : 1e6);

	snprintf(room, 16, value < 10 ? "%.2g %s" : "%.0f %s", value,
		is_short ? "ms" : "s");
	return room;
}

/* The median node's median. */
static uint64_t typical(
	const struct model *model, unsigned chain, const char *number)
{
	uint64_t sorted[PERCH_NODES_MAX];
	size_t count = 0;
	for (size_t i = 0; i < model->node_count; i++) {
		uint64_t us =
			tower_number(&model->nodes[i].towers[chain], number);
		size_t at = count;
		if (us == 0)
			continue;
		for (; at > 0 && sorted[at - 1] > us; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = us;
		count++;
	}
	return count == 0 ? 0 : sorted[count / 2];
}

static void draw_head(
	struct frame *frame, const struct model *model, unsigned chain)
{
	static const struct {
		const char *name, *number;
		unsigned rank;
	} steps[] = {{"received", "received_us", 5},
		{"ordered", "ordered_us", 3}, {"final", "final_us", 2}};
	struct pieces pieces = {0};
	uint64_t reorganisations = 0, deepest = 0;
	char room[16];
	struct pen pen = pen_line(frame);
	for (size_t i = 0; i < model->node_count; i++) {
		const struct tower *tower = &model->nodes[i].towers[chain];
		reorganisations += tower->reorganisations;
		if (tower->deepest > deepest)
			deepest = tower->deepest;
	}
	pieces_add(&pieces, 0, BOLD, "%-7s", model_chain_name(chain));
	pieces_add(&pieces, 0, PLAIN, "  final ");
	pieces_add(&pieces, 0, BOLD, "%llu",
		(unsigned long long)highest(model, chain, true));
	pieces_add(&pieces, 1, model->forks[chain] > 0 ? YELLOW : PLAIN,
		"  forks %llu", (unsigned long long)model->forks[chain]);
	pieces_add(&pieces, 1, reorganisations > 0 ? YELLOW : PLAIN,
		"  reorganised %llu", (unsigned long long)reorganisations);
	if (deepest > 0)
		pieces_add(&pieces, 4, YELLOW, " (deepest %llu)",
			(unsigned long long)deepest);
	for (size_t i = 0; i < 3; i++) {
		uint64_t us = typical(model, chain, steps[i].number);
		if (us > 0)
			pieces_add(&pieces, steps[i].rank, PLAIN, "  %s in %s",
				steps[i].name, duration_text(room, us));
	}
	pen_pieces(&pen, &pieces);
	pen_end(&pen);
}

void chains_draw_heads(struct frame *frame, const struct model *model)
{
	for (unsigned chain = 0; chain < MODEL_CHAINS; chain++) {
		if (is_known(model, chain))
			draw_head(frame, model, chain);
	}
}

/* ---- the chain of a node ---- */

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
	bool forked = is_forked(model, chain, height, hash);
	const struct perch_hash *parent = tower_at(tower, height - 1);
	bool splits = forked && linked &&
		      !is_forked(model, chain, height - 1, parent);
	pen_put(pen, splits ? RED : DIM,
		splits   ? "-<"
		: linked ? "--"
		: first  ? " "
			 : "  ");
	perch_hex(room, hash, 3);
	if (forked) {
		style = RED;
		form = "{%.5s}";
	}
	char text[12];
	snprintf(text, sizeof(text), form, room);
	pen_put(pen, style, "%s", text);
}

/* As many as there is room for before the chain's name. */
static uint64_t blocks_shown(
	const struct frame *frame, unsigned column, uint64_t top)
{
	unsigned used = column + CHAIN_COLUMNS;
	unsigned room = frame->columns > used ? frame->columns - used : 0;
	uint64_t count = (room + 1) / BLOCK_COLUMNS;
	if (count > MODEL_RECENT_MAX)
		count = MODEL_RECENT_MAX;
	return count > top ? top : count;
}

/* The branch that a node left last stands below the one that it joined, each
 * block under the one that has taken its place, as long as there is one. */
static bool has_branch(const struct tower *tower, int64_t now)
{
	return tower->known && tower->left.top > 0 &&
	       now - tower->left.time < BRANCH_MS;
}

static void draw_branch(struct frame *frame, const struct model *model,
	const struct seen_node *node, unsigned chain, unsigned column)
{
	const struct branch *left = &node->towers[chain].left;
	char room[12];
	struct pen pen = pen_line(frame);
	uint64_t top = highest(model, chain, false);
	uint64_t count = blocks_shown(frame, column, top);
	uint64_t first = top - count + 1, low = left->above + 1;
	uint64_t height = low > first ? low : first;
	pen_put(&pen, YELLOW, "  left ");
	if (column >= LEFT_COLUMNS)
		pen_put(&pen, YELLOW, "%s ",
			clock_text(room, left->time, true));
	pen_put(&pen, YELLOW, "%s", model_chain_name(chain));
	if (height <= top)
		pen_pad(&pen,
			column + (unsigned)(height - first) * BLOCK_COLUMNS -
				(height > first));
	pen_put(&pen, YELLOW,
		height > low     ? " "
		: height > first ? "\\-"
				 : "\\");
	for (uint64_t h = height; branch_at(left, h) != NULL && h <= top; h++)
		pen_put(&pen, YELLOW, "%sx%.5sx", h > height ? "--" : "",
			perch_hex(room, branch_at(left, h), 3));
	pen_end(&pen);
}

static void draw_blocks(struct pen *pen, const struct model *model,
	const struct seen_node *node, unsigned chain)
{
	const struct tower *tower = &node->towers[chain];
	uint64_t top = highest(model, chain, false);
	uint64_t count = blocks_shown(pen->frame, pen->column, top);
	if (!tower->known)
		return;
	if (tower->height < top && tower->height + count <= top) {
		char text[48];
		snprintf(text, sizeof(text), " ... %llu blocks behind",
			(unsigned long long)(top - tower->height));
		pen_words(pen, YELLOW, text, "");
		return;
	}
	for (uint64_t i = 1; i <= count; i++)
		draw_block(pen, model, node, chain, top - count + i, i == 1);
	pen_put(pen, PLAIN, " %s", model_chain_name(chain));
}

/* "5.12 G" */
static const char *amount_text(char room[16], double amount)
{
	static const char units[] = " kMGTPEZY";
	size_t unit = 0;
	for (; amount >= 999.5 && units[unit + 1] != '\0'; unit++)
		amount /= 1000;
	snprintf(room, 16, "%.3g %c", amount, units[unit]);
	return room;
}

static void add_work(struct pieces *pieces, const struct tower *tower)
{
	double work = (double)tower_number(tower, "work");
	double rate = (double)tower_number(tower, "hash_rate");
	char room[16];
	pieces_add(pieces, 6, PLAIN, "work %s  ", amount_text(room, work));
	if (rate > 0)
		pieces_add(
			pieces, 4, PLAIN, "%sH/s  ", amount_text(room, rate));
}

/* Side by side, the role is that of the order. */
static int role_of(const struct seen_node *node, unsigned chain)
{
	enum { STANDBY = 3, MINER = 4 };
	return chain == 0 || node->role == STANDBY ? node->role : MINER;
}

static void draw_role(
	struct pen *pen, const struct seen_node *node, unsigned chain)
{
	enum { LEADER = 2 };
	int role = role_of(node, chain);
	pen_put(pen, role == LEADER ? BOLD : PLAIN, "%-9s", model_role(role));
}

static void draw_facts(struct pen *pen, const struct model *model,
	const struct seen_node *node, unsigned chain)
{
	char room[12];
	struct pieces pieces = {0};
	const struct tower *tower = &node->towers[chain];
	switch (node->seen) {
	case SEEN_NEVER:
		pen_put(pen, DIM, "connecting");
		return;
	case SEEN_DOWN:
		pen_put(pen, RED, "down since %s",
			clock_text(room, node->since, true));
		pen_put(pen, PLAIN, "  ");
		pen_words(pen, PLAIN, node->why, " ..");
		return;
	case SEEN_UP:
		break;
	}
	pen_put(pen, PLAIN, "%-8s", model_chain_name(chain));
	draw_role(pen, node, chain);
	pen_put(pen, PLAIN, " ");
	if (chain == 0)
		pieces_add(&pieces, 6, PLAIN, "term %llu  ",
			(unsigned long long)node->term);
	else
		add_work(&pieces, tower);
	pieces_add(&pieces, 1, PLAIN, "height %llu",
		(unsigned long long)tower->height);
	pieces_add(&pieces, 0, PLAIN, "  final %llu",
		(unsigned long long)tower->final_height);
	uint64_t lag = highest(model, chain, true) - tower->final_height;
	if (lag > 0)
		pieces_add(&pieces, 0, YELLOW, "  lag %llu",
			(unsigned long long)lag);
	if (tower->reorganisations > 0)
		pieces_add(&pieces, 5, YELLOW, "  reorganised %llu",
			(unsigned long long)tower->reorganisations);
	pieces_add(&pieces, 2, PLAIN, "  mempool %u", node->mempool);
	pieces_add(&pieces, 3, PLAIN, "  peers %u", node->peers);
	pen_pieces(pen, &pieces);
}

static bool is_drawn(const struct model *model, size_t node, unsigned chain)
{
	const struct tower *towers = model->nodes[node].towers;
	if (towers[chain].known)
		return true;
	/* Somebody that was never heard of has a line, too. */
	return chain == 0 && !towers[1].known;
}

/* How much stands before the blocks: all, or less if only so few would follow.
 */
struct before {
	bool role, frame;
	unsigned column; /* where the blocks begin */
};

static struct before before_blocks(
	const struct frame *frame, const struct model *model, bool tight)
{
	struct before before = {.role = tight, .frame = true};
	unsigned widest = 0;
	for (size_t i = 0; i < model->node_count; i++) {
		unsigned size = (unsigned)strlen(model->nodes[i].name);
		widest = size > widest ? size : widest;
	}
	before.column = widest + FRAME_COLUMNS + (tight ? ROLE_COLUMNS : 0);
	if (blocks_shown(frame, before.column, BLOCKS_MIN) == BLOCKS_MIN)
		return before;
	before = (struct before){.frame = true};
	before.column = widest + FRAME_COLUMNS;
	if (blocks_shown(frame, before.column, BLOCKS_MIN) == BLOCKS_MIN)
		return before;
	return (struct before){.column = widest};
}

static void draw_node(struct frame *frame, const struct model *model,
	const struct seen_node *node, unsigned chain, bool tight)
{
	struct before before = before_blocks(frame, model, tight);
	struct pen pen = pen_line(frame);
	if (before.frame)
		pen_put(&pen, PLAIN, "(Node: ");
	pen_put(&pen, BOLD, "%s", node->name);
	if (before.frame)
		pen_put(&pen, PLAIN, ")");
	pen_pad(&pen, before.column - (before.role ? ROLE_COLUMNS : 0));
	if (tight && node->seen != SEEN_UP) {
		pen_put(&pen, PLAIN, " ");
		draw_facts(&pen, model, node, chain);
		pen_end(&pen);
		return;
	}
	if (before.role) {
		pen_put(&pen, PLAIN, " ");
		draw_role(&pen, node, chain);
	}
	draw_blocks(&pen, model, node, chain);
	pen_end(&pen);
}

static unsigned node_rows(
	const struct model *model, size_t node, bool tight, int64_t now)
{
	unsigned count = 0;
	for (unsigned chain = 0; chain < MODEL_CHAINS; chain++) {
		if (!is_drawn(model, node, chain))
			continue;
		count += tight ? 1 : 2;
		count += has_branch(&model->nodes[node].towers[chain], now);
	}
	return count;
}

static void draw_chains(struct frame *frame, const struct model *model,
	size_t index, bool tight, int64_t now)
{
	const struct seen_node *node = &model->nodes[index];
	for (unsigned chain = 0; chain < MODEL_CHAINS; chain++) {
		if (!is_drawn(model, index, chain))
			continue;
		draw_node(frame, model, node, chain, tight);
		if (has_branch(&node->towers[chain], now))
			draw_branch(frame, model, node, chain,
				before_blocks(frame, model, tight).column);
		if (tight)
			continue;
		struct pen pen = pen_line(frame);
		pen_pad(&pen, 7);
		draw_facts(&pen, model, node, chain);
		pen_end(&pen);
	}
}

/* A node in two lines for each of its chains, or in one; and the branch that it
 * left, if it has just left one. Nobody is left out without a word. */
void chains_draw_nodes(
	struct frame *frame, const struct model *model, bool tight, int64_t now)
{
	size_t count = model->node_count;
	for (size_t i = 0; i < count; i++) {
		unsigned end = frame->count + node_rows(model, i, tight, now);
		if (end + (i + 1 < count) > frame->rows) {
			struct pen pen = pen_line(frame);
			pen_put(&pen, DIM, "and %zu more nodes", count - i);
			pen_end(&pen);
			return;
		}
		draw_chains(frame, model, i, tight, now);
	}
}

unsigned chains_rows(const struct model *model, int64_t now)
{
	unsigned count = 0;
	for (size_t i = 0; i < model->node_count; i++)
		count += node_rows(model, i, true, now);
	return count;
}
