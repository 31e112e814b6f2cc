/* service/book.c -- a table a source, each small enough to be walked.
 */
#include "service/book.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

static const struct {
	const char *name, *text;
} sources[HINT_SOURCES] = {
	{"command", "the command line"},
	{"saved", "the saved peers"},
	{"dns", "a name of the network"},
	{"genesis", "the genesis list"},
	{"peers", "another member"},
	{"lan", "a beacon"},
};

const char *hint_source_name(enum hint_source source)
{
	return sources[source].name;
}

const char *hint_source_text(enum hint_source source)
{
	return sources[source].text;
}

/* ---- endpoints ---- */

/* Letters, digits, dots, and what node names have; RFC 1123 and "_". */
static bool is_host(const char *host)
{
	size_t size = strspn(host, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.-_");
	return size > 0 && host[size] == '\0' && host[0] != '.' &&
	       host[0] != '-';
}

/* Digits and dots only: an address, or a slip of the pen, but not a name. */
static bool looks_numeric(const char *host)
{
	return host[strspn(host, "0123456789.")] == '\0';
}

static bool is_connectable(const char *host)
{
	struct in_addr address;
	if (inet_pton(AF_INET, host, &address) != 1)
		return false;
	uint32_t bits = ntohl(address.s_addr);
	return bits >> 24 != 0 && bits >> 28 < 14; /* no multicast */
}

static enum err refuse(char why[120], struct view text, const char *cause)
{
	int shown = text.size < 40 ? (int)text.size : 40;
	snprintf(why, 120, "\"%.*s\": %s", shown, (const char *)text.data,
		cause);
	for (char *c = why; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return ERR_CONFIG;
}

enum err endpoint_parse_name(
	struct endpoint *out, struct view text, char why[120])
{
	struct endpoint endpoint = {.port = 0};
	size_t colon = text.size;
	uint32_t port = 0;
	while (colon > 0 && text.data[colon - 1] != ':')
		colon--;
	if (colon < 2 || colon == text.size || text.size - colon > 5 ||
		text.size + 7 > BOOK_ENDPOINT_SIZE)
		return refuse(why, text, "say HOST:PORT, as in 10.0.0.5:7003");
	for (size_t i = colon; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return refuse(why, text, "the port is not a number");
		port = 10 * port + (uint32_t)(text.data[i] - '0');
	}
	if (port == 0 || port > 65535)
		return refuse(why, text, "ports are 1 to 65535");
	memcpy(endpoint.host, text.data, colon - 1);
	endpoint.port = (uint16_t)port;
	endpoint.numeric = is_connectable(endpoint.host);
	if (!is_host(endpoint.host) || strlen(endpoint.host) != colon - 1 ||
		(looks_numeric(endpoint.host) && !endpoint.numeric))
		return refuse(why, text,
			"no host name, and no IPv4 address to connect to");
	*out = endpoint;
	return ERR_OK;
}

enum err endpoint_parse(struct endpoint *out, struct view text, char why[120])
{
	static const char scheme[] = "tcp://";
	size_t size = sizeof(scheme) - 1;
	if (text.size < size || memcmp(text.data, scheme, size) != 0)
		return refuse(why, text, "say tcp://HOST:PORT");
	return endpoint_parse_name(
		out, view_of(text.data + size, text.size - size), why);
}

void endpoint_print(
	char out[BOOK_ENDPOINT_SIZE], const char *address, uint16_t port)
{
	int size =
		snprintf(out, BOOK_ENDPOINT_SIZE, "tcp://%s:%u", address, port);
	CHECK(size > 0 && size < BOOK_ENDPOINT_SIZE);
}

/* ---- the tables ---- */

static bool same_who(const struct hint_who *a, const struct hint_who *b)
{
	if (a->has_key || b->has_key)
		return a->has_key && b->has_key && key_equal(&a->key, &b->key);
	return strcmp(a->name, b->name) == 0;
}

static void take_out(struct book *book, enum hint_source source, size_t index)
{
	struct hint *hints = book->hints[source];
	size_t left = --book->counts[source] - index;
	memmove(&hints[index], &hints[index + 1], left * sizeof(*hints));
}

/* One member's hints may not fill what others need. */
static void make_room(
	struct book *book, enum hint_source source, const struct hint_who *who)
{
	size_t oldest = 0, found = 0;
	for (size_t i = book->counts[source]; i-- > 0;) {
		if (same_who(&book->hints[source][i].who, who)) {
			oldest = i;
			found++;
		}
	}
	if (found >= BOOK_MEMBER_MAX)
		take_out(book, source, oldest);
}

enum err book_put(struct book *book, enum hint_source source,
	const struct hint_who *who, const char *endpoint, uint16_t origin)
{
	size_t *count = &book->counts[source];
	CHECK(strlen(endpoint) < BOOK_ENDPOINT_SIZE);
	for (size_t i = 0; i < *count; i++) {
		const struct hint *hint = &book->hints[source][i];
		if (same_who(&hint->who, who) &&
			strcmp(hint->endpoint, endpoint) == 0)
			return ERR_EXISTS;
	}
	if (who->has_key || who->name[0] != '\0')
		make_room(book, source, who);
	if (*count == BOOK_SOURCE_MAX)
		return ERR_FULL;
	struct hint *hint = &book->hints[source][(*count)++];
	*hint = (struct hint){.who = *who, .origin = origin};
	snprintf(hint->endpoint, sizeof(hint->endpoint), "%s", endpoint);
	return ERR_OK;
}

void book_forget(struct book *book, enum hint_source source, uint16_t origin)
{
	for (size_t i = book->counts[source]; i-- > 0;) {
		if (book->hints[source][i].origin == origin)
			take_out(book, source, i);
	}
}

void book_forget_key(
	struct book *book, enum hint_source source, const struct key *key)
{
	struct hint_who who = {.has_key = true, .key = *key};
	for (size_t i = book->counts[source]; i-- > 0;) {
		if (same_who(&book->hints[source][i].who, &who))
			take_out(book, source, i);
	}
}

static bool is_about(
	const struct hint *hint, const struct key *key, const char *name)
{
	if (hint->who.has_key)
		return key_equal(&hint->who.key, key);
	return hint->who.name[0] == '\0' || strcmp(hint->who.name, name) == 0;
}

const struct hint *book_next(const struct book *book, const struct key *key,
	const char *name, size_t *cursor)
{
	for (size_t at = *cursor; at < HINT_SOURCES * BOOK_SOURCE_MAX; at++) {
		size_t source = at / BOOK_SOURCE_MAX;
		size_t index = at % BOOK_SOURCE_MAX;
		const struct hint *hint = &book->hints[source][index];
		if (index >= book->counts[source]) {
			at = (source + 1) * BOOK_SOURCE_MAX - 1;
			continue;
		}
		if (!is_about(hint, key, name))
			continue;
		*cursor = at + 1;
		return hint;
	}
	return NULL;
}

enum hint_source book_source(size_t cursor)
{
	CHECK(cursor > 0 && cursor <= HINT_SOURCES * BOOK_SOURCE_MAX);
	return (enum hint_source)((cursor - 1) / BOOK_SOURCE_MAX);
}
