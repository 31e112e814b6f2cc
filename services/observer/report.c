/* observer/report.c -- how the nodes are, once: for scripts and for people.
 */
#include "observer.h"

#include <stdio.h>

#include "clock/clock.h"

enum { REPORT_BYTES = 256 << 10 };

static void report_json(const struct model *model)
{
	static char buffer[REPORT_BYTES];
	struct json json = json_of(buffer, sizeof(buffer));
	json_object(&json, NULL);
	json_array(&json, "nodes");
	for (size_t i = 0; i < model->node_count; i++) {
		const struct seen_node *node = &model->nodes[i];
		bool up = node->seen == SEEN_UP;
		json_object(&json, NULL);
		json_text(&json, "name", node->name);
		json_bool(&json, "up", up);
		if (up)
			json_text(&json, "role", model_role(node->role));
		else
			json_null(&json, "role");
		json_array(&json, "chains");
		for (unsigned chain = 0; up && chain < MODEL_CHAINS; chain++) {
			if (node->towers[chain].known)
				tell_tower(&json, chain, &node->towers[chain]);
		}
		json_end(&json);
		json_number(&json, "mempool", up ? node->mempool : 0);
		json_number(&json, "peers", up ? node->peers : 0);
		json_end(&json);
	}
	json_end(&json);
	json_end(&json);
	enum err err = json_print(&json, stdout);
	if (err == ERR_FULL)
		fprintf(stderr, "perch-observer: %s\n", err_text(err));
}

/* "11.8M", or "-" where nobody mines. */
static const char *put_rate(char out[12], const struct tower *tower)
{
	double rate = (double)tower_number(tower, "hash_rate");
	if (rate == 0)
		snprintf(out, 12, "-");
	else if (rate < 1e6)
		snprintf(out, 12, "%.1fk", rate / 1e3);
	else
		snprintf(out, 12, "%.1fM", rate > 1e12 ? 1e6 : rate / 1e6);
	return out;
}

static void report_table(const struct model *model)
{
	printf("%-20s %-9s %-8s %10s %10s %-10s %-10s %7s %5s %8s\n", "node",
		"role", "chain", "height", "final", "hash", "state root",
		"mempool", "peers", "hashes/s");
	for (size_t i = 0; i < model->node_count; i++) {
		const struct seen_node *node = &model->nodes[i];
		if (node->seen != SEEN_UP)
			printf("%-20s %-9s %s\n", node->name, "down",
				node->why);
		for (unsigned chain = 0; chain < MODEL_CHAINS; chain++) {
			const struct tower *tower = &node->towers[chain];
			char hash[11], root[11], rate[12];
			if (node->seen != SEEN_UP || !tower->known)
				continue;
			printf("%-20s %-9s %-8s %10llu %10llu %-10s %-10s "
			       "%7u %5u %8s\n",
				node->name, model_role(node->role),
				model_chain_name(chain),
				(unsigned long long)tower->height,
				(unsigned long long)tower->final_height,
				perch_hex(hash, &tower->final_hash, 5),
				perch_hex(root, &tower->state_root, 5),
				node->mempool, node->peers,
				put_rate(rate, tower));
		}
	}
}

static void ask_everybody(struct observer *observer)
{
	struct perch_event event;
	struct perch_node_info info;
	size_t open = 0;
	for (size_t i = 0; i < observer->model.node_count; i++) {
		uint64_t request;
		if (perch_ask_status(observer->client, i, &request) == PERCH_OK)
			open++;
	}
	while (open > 0) {
		perch_next(observer->client, &event, -1);
		if (event.type == PERCH_EVENT_WAKE)
			return;
		if (event.request == 0)
			continue;
		open--;
		watch_event(observer, &event);
	}
	for (size_t i = 0; i < observer->model.node_count; i++) {
		if (observer->model.nodes[i].seen != SEEN_UP &&
			perch_node_at(observer->client, (int)i, &info))
			model_link(&observer->model, i, false,
				info.link == PERCH_UP ? "does not answer"
				: info.why[0] != '\0' ? info.why
						      : "no answer",
				clock_wall());
	}
}

int report_status(struct observer *observer, bool as_json)
{
	const struct model *model = &observer->model;
	ask_everybody(observer);
	if (as_json)
		report_json(model);
	else
		report_table(model);
	fflush(stdout);
	if (model->alarms > 0) {
		fprintf(stderr, "perch-observer: ALARM %s\n", model->alarm);
		return 1;
	}
	return observer->answered ? 0 : 3;
}
