/* service/finder.c -- settings to hints, and names to addresses.
 */
#include "service/finder.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "service/log.h"

void finder_init(struct finder *finder, const struct key *self)
{
	finder->self = *self;
	for (size_t i = 0; i < HINT_SOURCES; i++)
		finder->uses[i] = true;
}

void finder_close(struct finder *finder)
{
	resolver_close(&finder->resolver);
	beacon_close(&finder->beacon);
}

/* ---- entering ---- */

static bool same_who(const struct hint_who *a, const struct hint_who *b)
{
	return a->has_key == b->has_key && key_equal(&a->key, &b->key) &&
	       strcmp(a->name, b->name) == 0;
}

static enum err add_name(struct finder *finder, enum hint_source source,
	const struct hint_who *who, const struct endpoint *endpoint)
{
	struct finder_name *name = NULL;
	for (size_t i = 0; i < finder->name_count; i++) {
		struct finder_name *one = &finder->names[i];
		if (one->endpoint.port == 0)
			name = one; /* a free place */
		else if (one->source == source && same_who(&one->who, who) &&
			 one->endpoint.port == endpoint->port &&
			 strcmp(one->endpoint.host, endpoint->host) == 0)
			return ERR_EXISTS;
	}
	if (name == NULL && finder->name_count == FINDER_NAMES_MAX)
		return ERR_FULL;
	if (name == NULL)
		name = &finder->names[finder->name_count++];
	*name = (struct finder_name){
		.source = source,
		.who = *who,
		.endpoint = *endpoint,
	};
	return ERR_OK;
}

static enum err add(struct finder *finder, enum hint_source source,
	const struct hint_who *who, const struct endpoint *endpoint)
{
	char text[BOOK_ENDPOINT_SIZE];
	if (!endpoint->numeric)
		return add_name(finder, source, who, endpoint);
	endpoint_print(text, endpoint->host, endpoint->port);
	return book_put(&finder->book, source, who, text, 0);
}

enum err finder_hint(struct finder *finder, enum hint_source source,
	const struct key *key, struct view text, char why[200])
{
	struct hint_who who = {.has_key = true, .key = *key};
	struct endpoint endpoint;
	why[0] = '\0';
	if (!finder->uses[source] || key_equal(key, &finder->self))
		return ERR_ROLE;
	enum err err = endpoint_parse(&endpoint, text, why);
	return err == ERR_OK ? add(finder, source, &who, &endpoint) : err;
}

void finder_forget(
	struct finder *finder, enum hint_source source, const struct key *key)
{
	struct hint_who who = {.has_key = true, .key = *key};
	for (size_t i = 0; i < finder->name_count; i++) {
		struct finder_name *name = &finder->names[i];
		if (name->source == source && same_who(&name->who, &who))
			*name = (struct finder_name){.next_at = INT64_MAX};
	}
	book_forget_key(&finder->book, source, key);
}

enum err finder_replace(struct finder *finder, enum hint_source source,
	const struct key *key, struct view text, char why[200])
{
	finder_forget(finder, source, key);
	return finder_hint(finder, source, key, text, why);
}

/* ---- settings ---- */

/* The next word of a list; false: there is none. */
static bool next_word(const char **at, struct view *word)
{
	*at += strspn(*at, " \t\n,");
	size_t size = strcspn(*at, " \t\n,");
	*word = view_of(*at, size);
	*at += size;
	return size > 0;
}

static enum err refuse(
	char why[200], enum err err, struct view word, const char *cause)
{
	int shown = word.size < 60 ? (int)word.size : 60;
	snprintf(why, 200, "\"%.*s\": %s", shown, (const char *)word.data,
		cause);
	return err;
}

enum err finder_discover(struct finder *finder, const char *text, char why[200])
{
	bool uses[HINT_SOURCES] = {false};
	struct view word;
	while (next_word(&text, &word)) {
		size_t source = 0;
		while (source < HINT_SOURCES &&
			!view_equal(word, view_text(hint_source_name(source))))
			source++;
		if (source == HINT_SOURCES)
			return refuse(why, ERR_CONFIG, word,
				"say any of command, saved, dns, genesis, "
				"peers and lan");
		uses[source] = true;
	}
	memcpy(finder->uses, uses, sizeof(uses));
	return ERR_OK;
}

/* Who is meant by what stands before the "=". */
static enum err read_who(struct hint_who *out, struct view text)
{
	*out = (struct hint_who){.has_key = text.size == 2 * KEY_SIZE};
	char digits[2 * KEY_SIZE + 1] = "";
	if (out->has_key) {
		memcpy(digits, text.data, text.size);
		return hex_decode(out->key.bytes, KEY_SIZE, digits);
	}
	if (text.size == 0 || text.size >= BOOK_NAME_SIZE)
		return ERR_CONFIG;
	memcpy(out->name, text.data, text.size);
	return ERR_OK;
}

static enum err add_setting(struct finder *finder, enum hint_source source,
	const struct hint_who *who, const struct endpoint *endpoint,
	struct view word, char why[200])
{
	enum err err = add(finder, source, who, endpoint);
	if (err == ERR_EXISTS)
		return refuse(why, ERR_CONFIG, word, "is there twice");
	if (err == ERR_FULL)
		return refuse(why, err, word, "one too many; 128 are enough");
	return err;
}

enum err finder_peers(struct finder *finder, const char *text, char why[200])
{
	struct view word;
	while (next_word(&text, &word)) {
		struct endpoint endpoint;
		struct hint_who who;
		const uint8_t *equals = memchr(word.data, '=', word.size);
		size_t size = equals == NULL ? 0 : (size_t)(equals - word.data);
		if (equals == NULL ||
			read_who(&who, view_of(word.data, size)) != ERR_OK)
			return refuse(why, ERR_CONFIG, word,
				"say NAME=tcp://HOST:PORT; where this node "
				"itself listens is the setting listen");
		enum err err = endpoint_parse(&endpoint,
			view_of(equals + 1, word.size - size - 1), why);
		if (err == ERR_OK)
			err = add_setting(finder, HINT_COMMAND, &who, &endpoint,
				word, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err finder_dns(struct finder *finder, const char *text, char why[200])
{
	struct hint_who anybody = {.has_key = false};
	struct view word;
	while (next_word(&text, &word)) {
		struct endpoint endpoint;
		enum err err = endpoint_parse_name(&endpoint, word, why);
		if (err == ERR_OK)
			err = add_setting(finder, HINT_DNS, &anybody, &endpoint,
				word, why);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

/* ---- names ---- */

static void ask_next(struct finder *finder, time_ms now)
{
	for (size_t i = 0; i < finder->name_count && !finder->asking; i++) {
		struct finder_name *name = &finder->names[i];
		if (name->next_at > now || !finder->uses[name->source])
			continue;
		if (finder->resolver == NULL)
			resolver_open(&finder->resolver, finder->ask);
		finder->asking = resolver_ask(
			finder->resolver, (uint32_t)i, name->endpoint.host);
		finder->asked = name->endpoint;
	}
}

/* What was known stays when a name cannot be resolved for a while. */
static void take_failure(
	struct finder_name *name, const char *failed, time_ms now)
{
	name->next_at = now + FINDER_RETRY_MS;
	if (!name->failed)
		log_warn("discover",
			"the name %s is not resolved: %s; check it, or give "
			"an address",
			name->endpoint.host, failed);
	name->failed = true;
}

static void take_answer(struct finder *finder,
	const struct resolver_answer *answer, time_ms now)
{
	struct finder_name *name = &finder->names[answer->tag];
	uint16_t origin = (uint16_t)(answer->tag + 1);
	if (name->endpoint.port != finder->asked.port ||
		strcmp(name->endpoint.host, finder->asked.host) != 0)
		return; /* it was forgotten meanwhile */
	if (answer->failed != NULL) {
		take_failure(name, answer->failed, now);
		return;
	}
	name->next_at = now + FINDER_AGAIN_MS;
	name->failed = false;
	book_forget(&finder->book, name->source, origin);
	for (size_t i = 0; i < answer->count; i++) {
		char text[BOOK_ENDPOINT_SIZE];
		endpoint_print(text, answer->addresses[i], name->endpoint.port);
		if (book_put(&finder->book, name->source, &name->who, text,
			    origin) == ERR_FULL)
			log_warn("discover",
				"no room for the addresses of %s; %d of a "
				"source are kept",
				name->endpoint.host, BOOK_SOURCE_MAX);
	}
}

void finder_work(struct finder *finder, time_ms now)
{
	struct resolver_answer answer;
	if (finder->asking && resolver_take(finder->resolver, &answer)) {
		finder->asking = false;
		take_answer(finder, &answer, now);
	}
	ask_next(finder, now);
}
