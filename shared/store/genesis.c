/* store/genesis.c -- ZPL to struct genesis, strictly: a setting that is not
 * known is an error, because a typing mistake here is a different network.
 */
#include "store/genesis.h"

#include <czmq.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "store/duration.h"

/* One file being read; the first error stays. */
struct reading {
	const char *path;
	char *why;
	enum err err;
	struct genesis *out;
};

static bool refuse(struct reading *reading, const char *section,
	const char *name, const char *cause)
{
	if (reading->err == ERR_OK)
		snprintf(reading->why, GENESIS_WHY, "%s: %s%s%s: %s",
			reading->path, section, name[0] == '\0' ? "" : "/",
			name, cause);
	reading->err = ERR_CONFIG;
	return false;
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

static bool read_name(struct reading *reading, const char *section,
	const char *text, struct view *out)
{
	if (!is_name(text))
		return refuse(reading, section, text,
			"a name is 1 to 32 of a-z A-Z 0-9 _ -");
	*out = keep(text);
	return true;
}

static bool read_key(struct reading *reading, const char *section,
	const char *name, const char *text, struct key *out)
{
	if (strlen(text) != 2 * KEY_SIZE ||
		hex_decode(out->bytes, KEY_SIZE, text) != ERR_OK)
		return refuse(reading, section, name,
			"a key is 64 hex digits (perch-wallet key show)");
	if (!key_is_valid(out))
		return refuse(reading, section, name,
			"not a valid Ed25519 public key");
	return true;
}

static bool read_duration(struct reading *reading, const char *section,
	const char *name, const char *text, uint64_t *out)
{
	time_ms value;
	if (duration_parse(text, &value) != ERR_OK)
		return refuse(reading, section, name,
			"a duration is like 250ms, 5s, 10m or 2h");
	*out = (uint64_t)value;
	return true;
}

static bool read_endpoint(struct reading *reading, const char *section,
	const char *name, const char *text, struct view *out)
{
	if (strncmp(text, "tcp://", 6) != 0 || strlen(text) > 128 ||
		strrchr(text, ':') == text + 3)
		return refuse(reading, section, name,
			"an endpoint is like tcp://host:7001");
	*out = keep(text);
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
			if (utc_parse(text, &out->time) != ERR_OK)
				return refuse(reading, "perch", name,
					"a time is like 2026-01-31T08:30:00Z");
		} else if (strcmp(name, "observers") == 0 &&
			   strcmp(text, "anyone") == 0) {
			out->observers_anyone = true;
		} else if (strcmp(name, "observers") != 0 ||
			   strcmp(text, "enrolled") != 0) {
			return refuse(reading, "perch", name,
				"expected name = NAME, time = UTC, observers = "
				"anyone or enrolled");
		}
	}
	if (out->name[0] == '\0' || out->time == 0)
		return refuse(reading, "perch", "", "name and time are needed");
	return true;
}

static bool add_party(struct reading *reading, const char *section,
	const char *name, const struct key *key, enum party_role role,
	uint64_t quota)
{
	struct genesis *out = reading->out;
	for (size_t i = 0; i < out->party_count; i++) {
		if (key_equal(&out->parties[i].key, key))
			return refuse(reading, section, name,
				"this key has a role already; one key, one "
				"role");
	}
	if (out->party_count == GENESIS_PARTIES_MAX)
		return refuse(reading, section, name, "too many parties");
	struct record_party *party = &out->parties[out->party_count++];
	*party = (struct record_party){
		.key = *key,
		.role = role,
		.quota = quota,
		.up = 1,
	};
	return read_name(reading, section, name, &party->name);
}

static bool read_party(struct reading *reading, const char *section,
	zconfig_t *entry, enum party_role role)
{
	const char *name = zconfig_name(entry);
	struct key key;
	bool has_key = false;
	uint64_t quota = role == ROLE_OPERATOR ? 1000 : 0;
	for (zconfig_t *item = zconfig_child(entry); item != NULL;
		item = zconfig_next(item)) {
		const char *text = value_of(item);
		if (strcmp(zconfig_name(item), "key") == 0) {
			has_key = true;
			if (!read_key(reading, section, name, text, &key))
				return false;
		} else if (strcmp(zconfig_name(item), "quota") == 0 &&
			   role == ROLE_OPERATOR &&
			   strspn(text, "0123456789") == strlen(text) &&
			   strlen(text) >= 1 && strlen(text) <= 6) {
			quota = strtoull(text, NULL, 10);
		} else {
			return refuse(reading, section, zconfig_name(item),
				"expected key = HEX, and for an operator "
				"quota = 0 to 999999");
		}
	}
	if (!has_key)
		return refuse(reading, section, name, "key is needed");
	return add_party(reading, section, name, &key, role, quota);
}

static bool read_node(struct reading *reading, zconfig_t *entry)
{
	struct genesis *out = reading->out;
	const char *name = zconfig_name(entry);
	if (out->node_count == sizeof(out->nodes) / sizeof(out->nodes[0]))
		return refuse(reading, "nodes", name, "too many nodes");
	struct record_node *node = &out->nodes[out->node_count++];
	bool good = read_name(reading, "nodes", name, &node->name);
	bool has_key = false;
	node->role = 2;
	for (zconfig_t *item = zconfig_child(entry); good && item != NULL;
		item = zconfig_next(item)) {
		const char *key = zconfig_name(item), *text = value_of(item);
		if (strcmp(key, "key") == 0) {
			has_key = true;
			good = read_key(
				reading, "nodes", name, text, &node->key);
		} else if (strcmp(key, "role") == 0 &&
			   (strcmp(text, "voter") == 0 ||
				   strcmp(text, "standby") == 0)) {
			node->role = strcmp(text, "voter") == 0 ? 2 : 1;
		} else if (strcmp(key, "request") == 0) {
			good = read_endpoint(
				reading, "nodes", name, text, &node->request);
		} else if (strcmp(key, "publish") == 0) {
			good = read_endpoint(
				reading, "nodes", name, text, &node->publish);
		} else if (strcmp(key, "peer") == 0) {
			good = read_endpoint(
				reading, "nodes", name, text, &node->peer);
		} else {
			good = refuse(reading, name, key,
				"expected key, role (voter or standby), "
				"request, publish, peer");
		}
	}
	if (good && (!has_key || node->request.size == 0 ||
			    node->publish.size == 0 || node->peer.size == 0))
		return refuse(reading, "nodes", name,
			"key, request, publish and peer are needed");
	return good &&
	       add_party(reading, "nodes", name, &node->key, ROLE_NODE, 0);
}

static bool read_pads(struct reading *reading, struct record_port *port,
	const char *name, zconfig_t *section)
{
	for (zconfig_t *entry = zconfig_child(section); entry != NULL;
		entry = zconfig_next(entry)) {
		if (port->pads_count == 16)
			return refuse(reading, name, zconfig_name(entry),
				"a port has at most 16 pads");
		struct record_pad *pad = &port->pads[port->pads_count++];
		pad->open = 1;
		if (!read_name(reading, name, zconfig_name(entry), &pad->name))
			return false;
		pad->group = pad->name;
		zconfig_t *item = zconfig_child(entry);
		if (item == NULL)
			continue;
		if (strcmp(zconfig_name(item), "group") != 0 ||
			zconfig_next(item) != NULL)
			return refuse(reading, name, zconfig_name(item),
				"a pad has at most: group = NAME");
		if (!read_name(reading, name, value_of(item), &pad->group))
			return false;
	}
	return true;
}

static bool read_port_item(struct reading *reading, struct record_port *port,
	const char *name, zconfig_t *item)
{
	const struct {
		const char *key;
		uint64_t *to;
	} durations[] = {
		{"lead", &port->lead},
		{"before", &port->before},
		{"after", &port->after},
		{"duration", &port->duration},
	};
	const char *key = zconfig_name(item);
	for (size_t i = 0; i < 4; i++) {
		if (strcmp(key, durations[i].key) == 0)
			return read_duration(reading, name, key, value_of(item),
				durations[i].to);
	}
	if (strcmp(key, "controller") == 0)
		return read_key(
			reading, name, key, value_of(item), &port->controller);
	if (strcmp(key, "pads") == 0)
		return read_pads(reading, port, name, item);
	return refuse(reading, name, key,
		"expected controller, lead, before, after, duration, pads");
}

static bool read_port(struct reading *reading, zconfig_t *entry)
{
	struct genesis *out = reading->out;
	static const struct key none = {{0}};
	const char *name = zconfig_name(entry);
	if (out->port_count == GENESIS_PORTS_MAX)
		return refuse(reading, "ports", name, "too many ports");
	struct record_port *port = &out->ports[out->port_count++];
	port->duration = 5 * 60 * 1000;
	if (!read_name(reading, "ports", name, &port->name))
		return false;
	for (zconfig_t *item = zconfig_child(entry); item != NULL;
		item = zconfig_next(item)) {
		if (!read_port_item(reading, port, name, item))
			return false;
	}
	if (port->pads_count == 0 || key_equal(&port->controller, &none))
		return refuse(reading, "ports", name,
			"controller and at least one pad are needed");
	return add_party(
		reading, "ports", name, &port->controller, ROLE_CONTROLLER, 0);
}

static bool read_entry(
	struct reading *reading, const char *section, zconfig_t *entry)
{
	if (strcmp(section, "nodes") == 0)
		return read_node(reading, entry);
	if (strcmp(section, "ports") == 0)
		return read_port(reading, entry);
	if (strcmp(section, "authority") == 0)
		return read_party(reading, section, entry, ROLE_AUTHORITY);
	if (strcmp(section, "operators") == 0)
		return read_party(reading, section, entry, ROLE_OPERATOR);
	if (strcmp(section, "observers") == 0)
		return read_party(reading, section, entry, ROLE_OBSERVER);
	return refuse(reading, section, "",
		"expected perch, authority, nodes, ports, operators, "
		"observers");
}

static bool read_all(struct reading *reading, zconfig_t *root)
{
	for (zconfig_t *section = zconfig_child(root); section != NULL;
		section = zconfig_next(section)) {
		const char *name = zconfig_name(section);
		bool good = true;
		if (strcmp(name, "perch") == 0) {
			good = read_perch(reading, section);
		} else if (zconfig_child(section) == NULL) {
			good = refuse(reading, name, "",
				"an unknown or empty section");
		} else {
			for (zconfig_t *entry = zconfig_child(section);
				good && entry != NULL;
				entry = zconfig_next(entry))
				good = read_entry(reading, name, entry);
		}
		if (!good)
			return false;
	}
	const struct genesis *out = reading->out;
	if (out->name[0] == '\0')
		return refuse(reading, "perch", "", "this section is missing");
	if (out->node_count == 0)
		return refuse(reading, "nodes", "", "at least one is needed");
	return true;
}

/* The whole file; NULL and errno when it cannot be read. */
static char *read_bytes(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	char *bytes = malloc(GENESIS_BYTES_MAX);
	CHECK(bytes != NULL);
	*size = fread(bytes, 1, GENESIS_BYTES_MAX, file);
	bool failed = ferror(file) != 0;
	fclose(file);
	if (!failed && *size < GENESIS_BYTES_MAX)
		return bytes;
	errno = failed ? EIO : EFBIG;
	free(bytes);
	return NULL;
}

enum err genesis_load(struct genesis *out, const char *path, char *why)
{
	size_t size;
	char *bytes = read_bytes(path, &size);
	if (bytes == NULL) {
		snprintf(why, GENESIS_WHY, "%s: %s", path, strerror(errno));
		return ERR_IO;
	}
	memset(out, 0, sizeof(*out));
	out->network = hash_bytes(view_of(bytes, size));
	struct reading reading = {.path = path, .why = why, .out = out};
	zchunk_t *chunk = zchunk_new(bytes, size);
	zconfig_t *root = memchr(bytes, '\0', size) != NULL
				  ? NULL
				  : zconfig_chunk_load(chunk);
	if (root == NULL)
		refuse(&reading, "file", "",
			"not ZPL: lines are \"name = value\", indented by 4 "
			"spaces a level");
	else
		read_all(&reading, root);
	zconfig_destroy(&root);
	zchunk_destroy(&chunk);
	free(bytes);
	return reading.err;
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
