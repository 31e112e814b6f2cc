/* store/genesis.c -- ZPL to struct genesis, strictly: a setting that is not
 * known is an error, because a typing mistake here is a different network.
 */
#include "store/genesis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "store/duration.h"
#include "store/zpl.h"

/* One file being read, and where. */
struct reading {
	const char *path;
	char *why;
	char at[120]; /* of the section or entry: "ports/haneda/pads" */
	struct genesis *out;
};

static bool refuse(
	const struct reading *reading, const char *name, const char *cause)
{
	bool both = reading->at[0] != '\0' && name[0] != '\0';

	snprintf(reading->why, GENESIS_WHY, "%.90s: %.80s%s%.33s: %s",
		reading->path, reading->at, both ? "/" : "", name, cause);
	return false;
}

/* Go one level down; *back is what at was. */
static size_t enter(struct reading *reading, const char *name)
{
	size_t back = strlen(reading->at);

	snprintf(reading->at + back, sizeof(reading->at) - back, "%s%.33s",
		back == 0 ? "" : "/", name);
	return back;
}

static void leave(struct reading *reading, size_t back)
{
	reading->at[back] = '\0';
}

/* ---- single values ---- */

static bool is_name(const char *text)
{
	size_t size = strlen(text);
	return size >= 1 && size <= 32 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == size;
}

/* Text that outlives the parser. */
static struct view keep(const char *text)
{
	char *copy = strdup(text);
	CHECK(copy != NULL);
	return view_text(copy);
}

static const char *value_of(zconfig_t *item)
{
	const char *value = zconfig_value(item);
	return value == NULL ? "" : value;
}

static bool read_name(
	struct reading *reading, const char *text, struct view *out)
{
	if (!is_name(text))
		return refuse(
			reading, text, "a name is 1 to 32 of a-z A-Z 0-9 _ -");
	*out = keep(text);
	return true;
}

static bool read_key(struct reading *reading, const char *name,
	const char *text, struct key *out)
{
	if (strlen(text) != 2 * KEY_SIZE ||
		hex_decode(out->bytes, KEY_SIZE, text) != ERR_OK)
		return refuse(reading, name,
			"a key is 64 hex digits (perch-wallet key show)");
	if (!key_is_valid(out))
		return refuse(reading, name, "not a valid Ed25519 public key");
	return true;
}

static bool read_duration(struct reading *reading, const char *name,
	const char *text, uint64_t *out)
{
	time_ms value;
	if (duration_parse(text, &value) != ERR_OK)
		return refuse(reading, name,
			"a duration is like 250ms, 5s, 10m or 2h");
	*out = (uint64_t)value;
	return true;
}

/* digits, at most count of them */
static bool is_number(const char *text, size_t count)
{
	size_t size = strlen(text);
	return size >= 1 && size <= count && strspn(text, "0123456789") == size;
}

static bool read_endpoint(struct reading *reading, const char *name,
	const char *text, struct view *out)
{
	const char *port = strrchr(text, ':');
	if (strncmp(text, "tcp://", 6) != 0 || strlen(text) > 128 ||
		port < text + 7 || !is_number(port + 1, 5) ||
		strtoul(port + 1, NULL, 10) == 0 ||
		strtoul(port + 1, NULL, 10) > 65535 || strchr(text, ' '))
		return refuse(
			reading, name, "an endpoint is like tcp://host:7001");
	*out = keep(text);
	return true;
}

/* UTC, or milliseconds since 1970. */
static bool read_time(
	struct reading *reading, const char *name, const char *text)
{
	time_ms *out = &reading->out->time;
	if (is_number(text, 13))
		*out = strtoll(text, NULL, 10);
	else if (utc_parse(text, out) != ERR_OK)
		*out = 0;
	if (*out <= 0 || *out > 4102444800000)
		return refuse(
			reading, name, "a time is like 2026-01-31T08:30:00Z");
	return true;
}

/* ---- sections ---- */

static bool read_perch(struct reading *reading, zconfig_t *section)
{
	struct genesis *out = reading->out;
	for (zconfig_t *item = zconfig_child(section); item != NULL;
		item = zconfig_next(item)) {
		const char *name = zconfig_name(item);
		const char *text = value_of(item);
		if (strcmp(name, "name") == 0 && is_name(text)) {
			snprintf(out->name, sizeof(out->name), "%s", text);
		} else if (strcmp(name, "time") == 0) {
			if (!read_time(reading, name, text))
				return false;
		} else if (strcmp(name, "observers") == 0 &&
			   strcmp(text, "anyone") == 0) {
			out->observers_anyone = true;
		} else if (strcmp(name, "signers") == 0 && is_number(text, 2)) {
			out->signers = (uint32_t)strtoul(text, NULL, 10);
		} else if (strcmp(name, "observers") != 0 ||
			   strcmp(text, "enrolled") != 0) {
			return refuse(reading, name,
				"expected name = NAME, time = UTC, observers = "
				"anyone or enrolled, signers = 0 to 99");
		}
	}
	if (out->name[0] == '\0' || out->time == 0)
		return refuse(reading, "", "name and time are needed");
	return true;
}

static bool read_bits(
	struct reading *reading, const char *name, const char *text)
{
	uint8_t bytes[4];
	if (strlen(text) != 8 || hex_decode(bytes, 4, text) != ERR_OK ||
		bytes[0] > 0x20 || bytes[0] < 4 || bytes[1] > 0x7f ||
		(bytes[1] | bytes[2]) == 0)
		return refuse(reading, name,
			"a target in compact form is like 1e010000");
	reading->out->pow.bits = (uint32_t)bytes[0] << 24 |
				 (uint32_t)bytes[1] << 16 |
				 (uint32_t)bytes[2] << 8 | bytes[3];
	return true;
}

static bool read_retarget(
	struct reading *reading, const char *name, const char *text)
{
	static const char *const words[] = {
		[POW_RETARGET_ASERT] = "asert",
		[POW_RETARGET_WINDOW] = "window",
		[POW_RETARGET_FIXED] = "fixed",
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			reading->out->pow.retarget = (enum pow_retarget)i;
			return true;
		}
	}
	return refuse(reading, name, "say asert, window or fixed");
}

static bool read_pow_item(struct reading *reading, zconfig_t *item)
{
	struct pow_rules *rules = &reading->out->pow;
	const char *name = zconfig_name(item), *text = value_of(item);
	uint64_t duration = 0;
	if (strcmp(name, "bits") == 0)
		return read_bits(reading, name, text);
	if (strcmp(name, "retarget") == 0)
		return read_retarget(reading, name, text);
	if (strcmp(name, "depth") == 0 && is_number(text, 3) &&
		strtoul(text, NULL, 10) <= POW_DEPTH_MAX) {
		rules->depth = (uint32_t)strtoul(text, NULL, 10);
		return true;
	}
	bool interval = strcmp(name, "interval") == 0;
	if (!interval && strcmp(name, "half-life") != 0)
		return refuse(reading, name,
			"expected interval, bits, retarget, half-life, depth "
			"(0 to 100)");
	if (!read_duration(reading, name, text, &duration))
		return false;
	if (duration == 0)
		return refuse(reading, name, "it must not be zero");
	if (interval)
		rules->interval_ms = (time_ms)duration;
	else
		rules->half_life_ms = (time_ms)duration;
	return true;
}

/* A network without this section has the rules of a demonstration. */
static bool read_pow(struct reading *reading, zconfig_t *section)
{
	bool good = true;
	for (zconfig_t *item = zconfig_child(section); good && item != NULL;
		item = zconfig_next(item))
		good = read_pow_item(reading, item);
	return good;
}

static void default_pow(struct pow_rules *rules)
{
	if (rules->half_life_ms == 0)
		rules->half_life_ms =
			POW_HALF_LIFE_INTERVALS * rules->interval_ms;
}

static bool add_party(struct reading *reading, const char *name,
	const struct key *key, enum party_role role, uint64_t quota)
{
	struct genesis *out = reading->out;
	for (size_t i = 0; i < out->party_count; i++) {
		if (key_equal(&out->parties[i].key, key))
			return refuse(reading, "",
				"this key has a role already; one key, one "
				"role");
	}
	if (out->party_count == GENESIS_PARTIES_MAX)
		return refuse(reading, "", "too many parties");
	struct record_party *party = &out->parties[out->party_count++];
	*party = (struct record_party){
		.key = *key,
		.role = role,
		.quota = quota,
		.up = 1,
	};
	return read_name(reading, name, &party->name);
}

static bool read_party(
	struct reading *reading, zconfig_t *entry, enum party_role role)
{
	struct key key;
	bool has_key = false;
	uint64_t quota = role == ROLE_OPERATOR ? 1000 : 0, tier = 0;
	for (zconfig_t *item = zconfig_child(entry); item != NULL;
		item = zconfig_next(item)) {
		const char *name = zconfig_name(item), *text = value_of(item);
		if (strcmp(name, "key") == 0) {
			has_key = true;
			if (!read_key(reading, name, text, &key))
				return false;
		} else if (strcmp(name, "quota") == 0 &&
			   role == ROLE_OPERATOR && is_number(text, 6)) {
			quota = strtoull(text, NULL, 10);
		} else if (strcmp(name, "tier") == 0 && role == ROLE_OPERATOR &&
			   is_number(text, 1) && text[0] <= '7') {
			tier = strtoull(text, NULL, 10);
		} else {
			return refuse(reading, name,
				"expected key = HEX, and for an operator "
				"quota = 0 to 999999, tier = 0 to 7");
		}
	}
	if (!has_key)
		return refuse(reading, "", "key is needed");
	if (!add_party(reading, zconfig_name(entry), &key, role, quota))
		return false;
	reading->out->parties[reading->out->party_count - 1].tier = tier;
	return true;
}

static bool read_node_item(
	struct reading *reading, struct record_node *node, zconfig_t *item)
{
	const char *name = zconfig_name(item), *text = value_of(item);
	if (strcmp(name, "key") == 0)
		return read_key(reading, name, text, &node->key);
	if (strcmp(name, "request") == 0)
		return read_endpoint(reading, name, text, &node->request);
	if (strcmp(name, "publish") == 0)
		return read_endpoint(reading, name, text, &node->publish);
	if (strcmp(name, "peer") == 0)
		return read_endpoint(reading, name, text, &node->peer);
	if (strcmp(name, "role") != 0 ||
		(strcmp(text, "voter") != 0 && strcmp(text, "standby") != 0))
		return refuse(reading, name,
			"expected key, role (voter or standby), request, "
			"publish, peer");
	node->role = strcmp(text, "voter") == 0 ? 2 : 1;
	return true;
}

static bool read_node(struct reading *reading, zconfig_t *entry)
{
	static const struct key none = {{0}};
	struct genesis *out = reading->out;
	const char *name = zconfig_name(entry);
	if (out->node_count == sizeof(out->nodes) / sizeof(out->nodes[0]))
		return refuse(reading, "", "too many nodes");
	struct record_node *node = &out->nodes[out->node_count++];
	node->role = 2;
	if (!read_name(reading, name, &node->name))
		return false;
	for (zconfig_t *item = zconfig_child(entry); item != NULL;
		item = zconfig_next(item)) {
		if (!read_node_item(reading, node, item))
			return false;
	}
	if (key_equal(&node->key, &none) || node->request.size == 0 ||
		node->publish.size == 0 || node->peer.size == 0)
		return refuse(
			reading, "", "key, request, publish, peer are needed");
	return add_party(reading, name, &node->key, ROLE_NODE, 0);
}

static bool read_pad(
	struct reading *reading, struct record_port *port, zconfig_t *entry)
{
	if (port->pads_count == 16)
		return refuse(reading, "", "a port has at most 16 pads");
	struct record_pad *pad = &port->pads[port->pads_count++];
	pad->open = 1;
	if (!read_name(reading, zconfig_name(entry), &pad->name))
		return false;
	pad->group = pad->name;
	zconfig_t *item = zconfig_child(entry);
	if (item == NULL && *value_of(entry) == '\0')
		return true;
	if (item == NULL || strcmp(zconfig_name(item), "group") != 0 ||
		zconfig_next(item) != NULL)
		return refuse(reading, "", "a pad has at most: group = NAME");
	return read_name(reading, value_of(item), &pad->group);
}

static bool read_pads(
	struct reading *reading, struct record_port *port, zconfig_t *section)
{
	bool good = true;
	for (zconfig_t *entry = zconfig_child(section); good && entry != NULL;
		entry = zconfig_next(entry)) {
		size_t back = enter(reading, zconfig_name(entry));
		good = read_pad(reading, port, entry);
		leave(reading, back);
	}
	return good;
}

static bool read_port_item(
	struct reading *reading, struct record_port *port, zconfig_t *item)
{
	const struct {
		const char *name;
		uint64_t *to;
	} durations[] = {
		{"lead", &port->lead},
		{"before", &port->before},
		{"after", &port->after},
		{"duration", &port->duration},
		{"hold", &port->hold},
		{"no-show", &port->no_show},
	};
	const char *name = zconfig_name(item), *text = value_of(item);
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		if (strcmp(name, durations[i].name) == 0)
			return read_duration(
				reading, name, text, durations[i].to);
	}
	if (strcmp(name, "controller") == 0)
		return read_key(reading, name, text, &port->controller);
	if (strcmp(name, "pads") != 0)
		return refuse(reading, name,
			"expected controller, lead, before, after, duration, "
			"hold, no-show, pads");
	size_t back = enter(reading, name);
	bool good = read_pads(reading, port, item);
	leave(reading, back);
	return good;
}

static bool read_port(struct reading *reading, zconfig_t *entry)
{
	struct genesis *out = reading->out;
	static const struct key none = {{0}};
	const char *name = zconfig_name(entry);
	if (out->port_count == GENESIS_PORTS_MAX)
		return refuse(reading, "", "too many ports");
	struct record_port *port = &out->ports[out->port_count++];
	port->duration = 5 * 60 * 1000;
	if (!read_name(reading, name, &port->name))
		return false;
	for (zconfig_t *item = zconfig_child(entry); item != NULL;
		item = zconfig_next(item)) {
		if (!read_port_item(reading, port, item))
			return false;
	}
	if (port->pads_count == 0 || key_equal(&port->controller, &none))
		return refuse(reading, "",
			"controller and at least one pad are needed");
	return add_party(reading, name, &port->controller, ROLE_CONTROLLER, 0);
}

static bool read_entry(
	struct reading *reading, const char *section, zconfig_t *entry)
{
	if (strcmp(section, "nodes") == 0)
		return read_node(reading, entry);
	if (strcmp(section, "ports") == 0)
		return read_port(reading, entry);
	if (strcmp(section, "authority") == 0)
		return read_party(reading, entry, ROLE_AUTHORITY);
	if (strcmp(section, "operators") == 0)
		return read_party(reading, entry, ROLE_OPERATOR);
	if (strcmp(section, "observers") == 0)
		return read_party(reading, entry, ROLE_OBSERVER);
	return refuse(reading, "",
		"expected perch, pow, authority, nodes, ports, operators, "
		"observers");
}

static bool read_section(struct reading *reading, zconfig_t *section)
{
	const char *name = zconfig_name(section);
	size_t back = enter(reading, name);
	bool good = true;
	bool listed = false;
	if (strcmp(name, "perch") == 0)
		good = read_perch(reading, section);
	else if (strcmp(name, "pow") == 0)
		good = read_pow(reading, section);
	else if (zconfig_child(section) == NULL)
		good = refuse(reading, "", "an unknown or empty section");
	else
		listed = true;
	for (zconfig_t *entry = zconfig_child(section);
		good && entry != NULL && listed; entry = zconfig_next(entry)) {
		size_t within = enter(reading, zconfig_name(entry));
		good = read_entry(reading, name, entry);
		leave(reading, within);
	}
	leave(reading, back);
	return good;
}

/* With no more than half, two blocks of one height could both be certified. */
static bool check_signers(struct reading *reading)
{
	const struct genesis *out = reading->out;
	size_t voters = 0;
	for (size_t i = 0; i < out->node_count; i++)
		voters += out->nodes[i].role == 2;
	if (out->signers != 0 &&
		(out->signers > voters || out->signers <= voters / 2))
		return refuse(reading, "perch/signers",
			"more than half of the voters, and not more than all");
	return true;
}

static bool read_all(struct reading *reading, zconfig_t *root)
{
	for (zconfig_t *section = zconfig_child(root); section != NULL;
		section = zconfig_next(section)) {
		if (!read_section(reading, section))
			return false;
	}
	const struct genesis *out = reading->out;
	if (out->name[0] == '\0')
		return refuse(reading, "perch", "this section is missing");
	if (out->node_count == 0)
		return refuse(reading, "nodes", "at least one is needed");
	return check_signers(reading);
}

enum err genesis_load(struct genesis *out, const char *path, char *why)
{
	zconfig_t *root = NULL;
	memset(out, 0, sizeof(*out));
	out->pow = (struct pow_rules){
		.interval_ms = POW_INTERVAL_MS_DEFAULT,
		.bits = POW_BITS_DEFAULT,
		.depth = POW_DEPTH_DEFAULT,
	};
	enum err err = zpl_load(&root, &out->network, path, why);
	if (err != ERR_OK)
		return err;
	struct reading reading = {.path = path, .why = why, .out = out};
	bool good = read_all(&reading, root);
	default_pow(&out->pow);
	zconfig_destroy(&root);
	return good ? ERR_OK : ERR_CONFIG;
}

static void drop(struct view *text)
{
	free((void *)text->data);
	*text = (struct view){0};
}

void genesis_free(struct genesis *genesis)
{
	for (size_t i = 0; i < genesis->party_count; i++)
		drop(&genesis->parties[i].name);
	for (size_t i = 0; i < genesis->node_count; i++) {
		drop(&genesis->nodes[i].name);
		drop(&genesis->nodes[i].request);
		drop(&genesis->nodes[i].publish);
		drop(&genesis->nodes[i].peer);
	}
	for (size_t i = 0; i < genesis->port_count; i++) {
		struct record_port *port = &genesis->ports[i];
		drop(&port->name);
		for (size_t j = 0; j < port->pads_count; j++) {
			struct record_pad *pad = &port->pads[j];
			if (pad->group.data != pad->name.data)
				drop(&pad->group);
			drop(&pad->name);
		}
	}
}
