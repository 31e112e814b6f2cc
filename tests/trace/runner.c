/* trace/runner.c -- play a script and compare what happens with what it says.
 *
 * A line at the margin is a command, an indented line below it is what is to
 * happen, "#" begins a comment. With --update the indented lines are written
 * anew: read the difference before you commit it.
 */
#include "trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static void watch(void *context, struct net *net, size_t node,
	const struct event *event, const struct effects *effects)
{
	(void)net;
	trace_step(context, node, event, effects);
}

static size_t node_of(const struct trace *trace, char name)
{
	size_t node = (size_t)(name - 'A');
	if (name < 'A' || node >= trace->net.node_count) {
		fprintf(stderr, "there is no node %c\n", name);
		exit(2);
	}
	return node;
}

/* ---- commands: true when the line is one of theirs ---- */

static bool do_cluster(struct trace *trace, const char *line)
{
	unsigned voters, standbys = 0, strangers = 0;
	if (sscanf(line, "cluster of %u nodes, %u stand-bys, %u strangers",
		    &voters, &standbys, &strangers) < 1)
		return false;
	if (trace->net.node_count > 0)
		net_free(&trace->net);
	net_init(&trace->net, voters, standbys, strangers);
	trace->net.watch = watch;
	trace->net.watch_context = trace;
	return true;
}

static bool do_disk(struct trace *trace, const char *line)
{
	char name, terms[64];
	unsigned term;
	struct net *net = &trace->net;
	if (sscanf(line, "disk of %c holds %63[0-9], term %u", &name, terms,
		    &term) == 3) {
		size_t node = node_of(trace, name);
		net_disk_write(net, node, terms);
		net_disk_record(net, node, term);
		return true;
	}
	if (strncmp(line, "disk of ", 8) == 0 &&
		strcmp(line + 9, " is done") == 0) {
		net_saved_all(net, node_of(trace, line[8]));
		return true;
	}
	if (strcmp(line, "disks are slow") == 0)
		net->saves_at_once = false;
	else if (strcmp(line, "disks are fast") == 0)
		net->saves_at_once = true;
	else
		return false;
	return true;
}

static bool do_message(struct trace *trace, const char *line)
{
	char from, to;
	struct net *net = &trace->net;
	if (strcmp(line, "deliver all") == 0) {
		net_settle(net);
		return true;
	}
	bool lose = sscanf(line, "lose %c -> %c", &from, &to) == 2;
	if (!lose && sscanf(line, "deliver %c -> %c", &from, &to) != 2)
		return false;
	size_t a = node_of(trace, from), b = node_of(trace, to);
	if (lose)
		net_drop(net, a, b);
	else if (!net_deliver(net, a, b))
		text_add(&trace->out, "    there is no message\n");
	return true;
}

/* "split AB from CDE": nothing gets across, in either direction. */
static bool do_split(struct trace *trace, const char *line)
{
	char left[20], right[20];
	struct net *net = &trace->net;
	if (strcmp(line, "heal") == 0) {
		for (size_t i = 0; i < net->node_count; i++)
			net_cut(net, i, false);
		return true;
	}
	if (sscanf(line, "split %19[A-Z] from %19[A-Z]", left, right) != 2)
		return false;
	for (const char *a = left; *a != '\0'; a++) {
		for (const char *b = right; *b != '\0'; b++) {
			size_t from = node_of(trace, *a);
			size_t to = node_of(trace, *b);
			net->lost[from][to] = net->lost[to][from] = true;
		}
	}
	return true;
}

static bool do_change(struct trace *trace, const char *line)
{
	char at, who;
	int end = 0;
	if (sscanf(line, "change at %c: %c %n", &at, &who, &end) != 2 ||
		end == 0)
		return false;
	uint8_t role;
	if (strcmp(line + end, "leaves") == 0)
		role = ROLE_LEAVES;
	else if (strcmp(line + end, "stands by") == 0)
		role = ROLE_STANDBY;
	else if (strcmp(line + end, "votes") == 0)
		role = ROLE_VOTER;
	else
		return false;
	if (!net_propose_change(
		    &trace->net, node_of(trace, at), node_of(trace, who), role))
		text_add(&trace->out, "    %c wants no such block now\n", at);
	return true;
}

static bool do_all(struct trace *trace, const char *line)
{
	struct net *net = &trace->net;
	unsigned ms;
	if (strcmp(line, "start all") == 0)
		net_start_all(net);
	else if (strcmp(line, "show") == 0)
		trace_show(trace);
	else if (strcmp(line, "in silence") == 0)
		trace->silent = true;
	else if (strcmp(line, "aloud") == 0)
		trace->silent = false;
	else if (sscanf(line, "time +%u ms", &ms) == 1)
		net_run(net, ms);
	else
		return false;
	return true;
}

static bool do_propose(struct trace *trace, const char *line)
{
	char name;
	unsigned count = 1;
	if (sscanf(line, "propose at %c, %u times", &name, &count) < 1)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!net_propose(&trace->net, node_of(trace, name)))
			text_add(&trace->out, "    %c wants no block\n", name);
	}
	return true;
}

static bool do_node(struct trace *trace, const char *line)
{
	char name;
	unsigned height;
	struct net *net = &trace->net;
	if (sscanf(line, "start %c", &name) == 1)
		net_start(net, node_of(trace, name));
	else if (sscanf(line, "timer of %c", &name) == 1)
		net_timer(net, node_of(trace, name));
	else if (sscanf(line, "crash %c", &name) == 1)
		net_crash(net, node_of(trace, name), 0);
	else if (sscanf(line, "cut off %c", &name) == 1)
		net_cut(net, node_of(trace, name), true);
	else if (sscanf(line, "elect %c", &name) == 1)
		net_elect(net, node_of(trace, name));
	else if (sscanf(line, "read at %c", &name) == 1)
		net_read(net, node_of(trace, name), ++trace->reads);
	else if (sscanf(line, "hand over at %c", &name) == 1)
		net_transfer(net, node_of(trace, name));
	else if (sscanf(line, "forget at %c up to %u", &name, &height) == 2)
		net_forget(net, node_of(trace, name), height);
	else if (sscanf(line, "state for %c arrives", &name) == 1) {
		if (!net_fetch(net, node_of(trace, name)))
			text_add(&trace->out, "    there is none\n");
	} else {
		return false;
	}
	return true;
}

static bool do_line(struct trace *trace, const char *line)
{
	/* The longer beginnings first: "start all" is no node. */
	return do_cluster(trace, line) || do_all(trace, line) ||
	       do_disk(trace, line) || do_message(trace, line) ||
	       do_split(trace, line) || do_change(trace, line) ||
	       do_propose(trace, line) || do_node(trace, line);
}

/* ---- a script ---- */

/* What the script should be: its own lines, with what happened in between. */
static bool play(struct trace *trace, const char *path, struct text *is)
{
	FILE *file = fopen(path, "r");
	char line[512];
	unsigned number = 0;
	bool good = file != NULL;
	if (!good)
		fprintf(stderr, "%s: cannot be read\n", path);
	while (good && fgets(line, sizeof(line), file) != NULL) {
		number++;
		text_add(is, "%s", line);
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == ' ')
			continue; /* what was to happen */
		text_add(&trace->out, "%s\n", line);
		if (line[0] == '#' || line[0] == '\0')
			continue;
		good = do_line(trace, line);
		if (!good)
			fprintf(stderr, "%s:%u: no such command: %s\n", path,
				number, line);
		if (good && trace->net.violation != NULL) {
			fprintf(stderr, "%s:%u: %s\n", path, number,
				trace->net.violation);
			good = false;
		}
	}
	if (file != NULL)
		fclose(file);
	return good;
}

static void say_difference(const char *path, const char *is, const char *now)
{
	unsigned number = 1;
	const char *line = is;
	while (*is != '\0' && *is == *now) {
		if (*is == '\n') {
			number++;
			line = is + 1;
		}
		is++;
		now++;
	}
	now -= is - line;
	fprintf(stderr,
		"%s:%u: the script says\n%.*s\nand what happens is\n%.*s\n"
		"(--update writes it anew)\n",
		path, number, (int)strcspn(line, "\n"), line,
		(int)strcspn(now, "\n"), now);
}

static bool write_anew(const char *path, const struct text *text)
{
	FILE *file = fopen(path, "w");
	if (file == NULL)
		return false;
	bool good = fwrite(text->bytes, 1, text->size, file) == text->size;
	return fclose(file) == 0 && good;
}

static bool run(const char *path, bool update)
{
	struct trace *trace = calloc(1, sizeof(*trace));
	struct text is = {0};
	CHECK(trace != NULL);
	text_add(&is, "%s", "");
	text_add(&trace->out, "%s", "");
	bool good = play(trace, path, &is);
	bool same = good && strcmp(is.bytes, trace->out.bytes) == 0;
	if (good && !same && update)
		good = write_anew(path, &trace->out);
	else if (good && !same)
		say_difference(path, is.bytes, trace->out.bytes);
	if (trace->net.node_count > 0)
		net_free(&trace->net);
	text_free(&is);
	text_free(&trace->out);
	free(trace);
	return good && (same || update);
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && strcmp(argv[1], "--update") == 0;
	bool good = true;
	if (argc < 2 + update) {
		fprintf(stderr, "usage: trace [--update] SCRIPT...\n");
		return 2;
	}
	for (int i = 1 + update; i < argc; i++)
		good = run(argv[i], update) && good;
	return good ? 0 : 1;
}
