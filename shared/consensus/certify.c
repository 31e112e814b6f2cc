/* consensus/certify.c -- a place a height, an entry a signer. */
#include "consensus/certify.h"

#include <string.h>

#include "base/check.h"

struct entry {
	struct signed_checkpoint said;
	bool convicted; /* it said something else, too */
};

struct place {
	uint64_t height;
	uint64_t used_at; /* 0: free */
	bool given;       /* its certificate */
	bool wanted;      /* somebody asked for it */
	size_t count;
	struct entry entries[CERTIFY_SIGNERS_MAX];
};

/* Who signed twice, and at how many heights. */
struct convict {
	struct key key;
	uint32_t count; /* 0: free */
};

struct certify {
	uint64_t now;     /* counts uses */
	uint64_t settled; /* what is not above is final */
	struct convict convicts[CERTIFY_SIGNERS_MAX];
	size_t place_count;
	struct place places[];
};

size_t certify_bytes(size_t heights_max)
{
	return sizeof(struct certify) + heights_max * sizeof(struct place);
}

struct certify *certify_init(void *memory, size_t heights_max)
{
	struct certify *certify = memory;
	CHECK(heights_max > 0);
	certify->place_count = heights_max;
	return certify;
}

static struct place *find_place(const struct certify *certify, uint64_t height)
{
	for (size_t i = 0; i < certify->place_count; i++) {
		const struct place *place = &certify->places[i];
		if (place->used_at != 0 && place->height == height)
			return (struct place *)place;
	}
	return NULL;
}

static struct entry *find_entry(
	const struct place *place, const struct key *signer)
{
	for (size_t i = 0; place != NULL && i < place->count; i++) {
		const struct entry *entry = &place->entries[i];
		if (key_equal(&entry->said.signer, signer))
			return (struct entry *)entry;
	}
	return NULL;
}

static bool is_settled(const struct certify *certify, const struct place *place)
{
	return place->used_at != 0 && place->height <= certify->settled &&
	       (place->given || !place->wanted);
}

void certify_settle(struct certify *certify, uint64_t height)
{
	if (height > certify->settled)
		certify->settled = height;
}

static bool are_many_settled(const struct certify *certify)
{
	size_t count = 0;
	for (size_t i = 0; i < certify->place_count; i++)
		count += is_settled(certify, &certify->places[i]);
	return count > certify->place_count / 2;
}

/* What is final already makes room for what is not: if heights that are being
 * signed drove each other out, each would seem new whenever it is heard of, and
 * be passed on for ever. Then what only one has signed: a single node that
 * signs whatever it likes cannot drive out what others agree on. */
static int rank(const struct certify *certify, const struct place *place,
	bool many_settled)
{
	if (place->used_at == 0)
		return 0;
	if (is_settled(certify, place))
		return many_settled ? 1 : 3;
	return place->wanted || place->count > 1 ? 3 : 2;
}

static struct place *victim(const struct certify *certify)
{
	bool many = are_many_settled(certify);
	const struct place *best = &certify->places[0];
	for (size_t i = 1; i < certify->place_count; i++) {
		const struct place *place = &certify->places[i];
		int a = rank(certify, place, many);
		int b = rank(certify, best, many);
		if (a < b || (a == b && place->used_at < best->used_at))
			best = place;
	}
	return (struct place *)best;
}

static struct place *make_place(struct certify *certify, uint64_t height)
{
	struct place *place = find_place(certify, height);
	if (place == NULL) {
		place = victim(certify);
		place->height = height;
		place->given = place->wanted = false;
		place->count = 0;
	}
	place->used_at = ++certify->now;
	return place;
}

void certify_open(struct certify *certify, uint64_t height)
{
	make_place(certify, height)->wanted = true;
}

bool certify_is_open(const struct certify *certify, uint64_t height)
{
	return find_place(certify, height) != NULL;
}

static struct convict *find_convict(
	const struct certify *certify, const struct key *key)
{
	for (size_t i = 0; i < CERTIFY_SIGNERS_MAX; i++) {
		const struct convict *convict = &certify->convicts[i];
		if (convict->count == 0 || key_equal(&convict->key, key))
			return (struct convict *)convict;
	}
	return NULL;
}

/* More cases of one key prove no more. */
static bool is_proved(const struct certify *certify, const struct key *key)
{
	const struct convict *convict = find_convict(certify, key);
	return convict == NULL || convict->count >= CERTIFY_CASES_MAX;
}

static enum certify_word look(const struct certify *certify,
	const struct place *place, const struct signed_checkpoint *checkpoint)
{
	const struct entry *entry = find_entry(place, &checkpoint->signer);
	if (entry == NULL)
		return place != NULL && place->count == CERTIFY_SIGNERS_MAX
			       ? CERTIFY_FULL
			       : CERTIFY_NEW;
	if (entry->convicted ||
		statement_equal(
			&entry->said.statement, &checkpoint->statement) ||
		is_proved(certify, &checkpoint->signer))
		return CERTIFY_KNOWN;
	return CERTIFY_TWICE;
}

enum certify_word certify_look(const struct certify *certify,
	const struct signed_checkpoint *checkpoint)
{
	return look(certify, find_place(certify, checkpoint->statement.height),
		checkpoint);
}

enum certify_word certify_add(struct certify *certify,
	const struct signed_checkpoint *checkpoint,
	struct signed_checkpoint *before)
{
	struct place *place = make_place(certify, checkpoint->statement.height);
	enum certify_word word = look(certify, place, checkpoint);
	switch (word) {
	case CERTIFY_NEW:
		place->entries[place->count++] =
			(struct entry){.said = *checkpoint};
		break;
	case CERTIFY_TWICE: {
		struct entry *entry = find_entry(place, &checkpoint->signer);
		struct convict *convict =
			find_convict(certify, &checkpoint->signer);
		entry->convicted = true;
		convict->key = checkpoint->signer;
		convict->count++;
		*before = entry->said;
		break;
	}
	case CERTIFY_KNOWN:
	case CERTIFY_FULL:
		break;
	}
	return word;
}

/* In ascending order of key, as a certificate wants them. */
static void insert(
	struct certificate *certificate, const struct signed_checkpoint *said)
{
	size_t at = certificate->endorsements_count++;
	struct endorsement *list = certificate->endorsements;
	while (at > 0 && memcmp(list[at - 1].signer.bytes, said->signer.bytes,
				 KEY_SIZE) > 0) {
		list[at] = list[at - 1];
		at--;
	}
	list[at].signer = said->signer;
	list[at].signature = said->signature;
}

size_t certify_take(struct certify *certify,
	const struct checkpoint_statement *statement,
	const struct signers *signers, const struct signers *also,
	uint8_t out[CERTIFICATE_BYTES_MAX])
{
	struct place *place = find_place(certify, statement->height);
	struct certificate certificate = {.endorsements_count = 0};
	uint8_t bytes[CHECKPOINT_STATEMENT_BYTES_MAX];
	size_t others = 0;
	if (place == NULL || place->given)
		return 0;
	for (size_t i = 0; i < place->count; i++) {
		const struct signed_checkpoint *said = &place->entries[i].said;
		if (!statement_equal(&said->statement, statement) ||
			!signers_have(signers, &said->signer))
			continue;
		insert(&certificate, said);
		others += also != NULL && signers_have(also, &said->signer);
	}
	if (certificate.endorsements_count == 0 ||
		certificate.endorsements_count < signers->needed ||
		(also != NULL && others < also->needed))
		return 0;
	size_t size =
		checkpoint_statement_encode(bytes, sizeof(bytes), statement);
	CHECK(size > 0);
	certificate.statement = view_of(bytes, size);
	size = certificate_encode(out, CERTIFICATE_BYTES_MAX, &certificate);
	CHECK(size > 0);
	place->given = true;
	return size;
}

void certify_again(struct certify *certify, uint64_t height)
{
	struct place *place = find_place(certify, height);
	if (place != NULL)
		place->given = false;
}

bool certify_next(const struct certify *certify, uint64_t height,
	size_t *cursor, struct signed_checkpoint *out)
{
	const struct place *place = find_place(certify, height);
	if (place == NULL || *cursor >= place->count)
		return false;
	*out = place->entries[(*cursor)++].said;
	return true;
}

bool certify_find(const struct certify *certify, uint64_t height,
	const struct key *signer, struct signed_checkpoint *out)
{
	const struct entry *entry =
		find_entry(find_place(certify, height), signer);
	if (entry == NULL)
		return false;
	*out = entry->said;
	return true;
}
