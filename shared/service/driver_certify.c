/* service/driver_certify.c -- certificates: asked for, gathered, kept.
 *
 * Where what is final is only signed for whoever wants a proof, a certificate
 * costs one question to every member and nothing before. That this node signed
 * is durable before its signature leaves: it never signs another block there,
 * whatever happens to it. Now and then one is gathered unasked, so that
 * the chain below it stays proved when signers go.
 */
#include "service/driver_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "clock/clock.h"
#include "service/log.h"

enum {
	CERTIFY_MS = 1500,     /* then it cannot be had now */
	CERTIFY_AGAIN_MS = 50, /* whoever was behind is asked again */
	SEAL_MS = 10000,       /* between two that nobody asked for */
	CATCH_UP_MS = 2000,
	CATCH_UP_HEIGHTS = 3,
};

/* What there is to sign at a height that is final here. */
static enum err statement_at(struct driver *driver, uint64_t height,
	struct checkpoint_statement *out)
{
	struct block_ref block;
	size_t size;
	if (height > replica_final(driver->replica))
		return ERR_BEHIND;
	if (height == 0)
		return ERR_NOT_FOUND;
	uint8_t *bytes = malloc(BLOCK_BYTES_MAX);
	CHECK(bytes != NULL);
	enum err err = driver_block(driver, height, bytes, &size);
	if (err == ERR_OK)
		err = block_open(&block, view_of(bytes, size),
			&driver->config.genesis->network);
	if (err == ERR_OK)
		*out = checkpoint_of(&block);
	free(bytes);
	return err;
}

/* ---- this node's own signature ---- */

static bool is_signer(const struct driver *driver)
{
	struct signers signers;
	replica_signers(driver->replica, &signers);
	return signers_have(&signers, &driver->config.self->key);
}

/* To the peer that asked, or into this node's own collection. */
static void deliver(
	struct driver *driver, struct view message, const struct key *asker)
{
	struct signed_checkpoint said;
	struct tick tick = driver_tick();
	if (!key_equal(asker, &driver->config.self->key)) {
		links_send(driver->links, asker, MESSAGE_CHECKPOINT, message);
		return;
	}
	enum err err = checkpoint_open(&said, message);
	CHECK(err == ERR_OK);
	replica_signed(driver->replica, &tick, &said, &driver->outputs);
	driver_carry_out(driver);
}

static void sign(struct driver *driver,
	const struct checkpoint_statement *statement, const struct key *asker)
{
	struct signed_checkpoint said;
	uint8_t bytes[CHECKPOINT_BYTES_MAX];
	uint64_t height = statement->height;
	size_t size;
	if (index_find_signed(
		    driver->index, height, bytes, &size, sizeof(bytes)) &&
		checkpoint_open(&said, view_of(bytes, size)) == ERR_OK) {
		if (statement_equal(&said.statement, statement))
			deliver(driver, view_of(bytes, size), asker);
		else
			log_error("checkpoint",
				"height %llu: another block was signed here "
				"before; nothing is signed again. Compare "
				"this node's chain with the others'",
				(unsigned long long)height);
		return;
	}
	if (driver->config.engine->mines || !is_signer(driver) ||
		worker_load(driver->indexing) > WORKER_JOBS_MAX / 2)
		return;
	checkpoint_sign(&said, statement, driver->config.self,
		&driver->config.genesis->network);
	size = checkpoint_seal(bytes, &said);
	struct index_job *job =
		index_job_new(INDEX_SIGNED, height, view_of(bytes, size));
	job->key = *asker;
	worker_give(driver->indexing, job);
}

void driver_signed(struct driver *driver, const struct index_job *job)
{
	static const struct key nobody = {{0}};
	struct signed_checkpoint said;
	struct tick tick = driver_tick();
	struct view message = view_of(job->bytes, job->size);
	if (!key_equal(&job->key, &nobody)) {
		deliver(driver, message, &job->key);
		return;
	}
	enum err err = checkpoint_open(&said, message);
	CHECK(err == ERR_OK);
	replica_signed_kept(driver->replica, &tick, &said, &driver->outputs);
	driver_carry_out(driver);
}

/* What was signed before is signed once more, which gives the same bytes. */
static void sign_again(struct driver *driver, uint64_t height)
{
	struct signed_checkpoint said;
	uint8_t bytes[CHECKPOINT_BYTES_MAX];
	size_t size;
	if (index_find_signed(
		    driver->index, height, bytes, &size, sizeof(bytes)) &&
		checkpoint_open(&said, view_of(bytes, size)) == ERR_OK)
		driver->signs[driver->sign_count++] = said.statement;
}

/* After a restart: the final block's certificate, for whoever missed it. */
void driver_certify_start(struct driver *driver)
{
	uint8_t bytes[CERTIFICATE_BYTES_MAX];
	size_t size;
	uint64_t height = replica_final(driver->replica);
	struct tick tick = driver_tick();
	if (!driver->config.engine->mines ||
		!index_find_certificate(
			driver->index, height, bytes, &size, sizeof(bytes)))
		return;
	enum err err = replica_certificate(
		driver->replica, &tick, view_of(bytes, size), &driver->outputs);
	if (err != ERR_OK)
		log_warn("checkpoint", "the certificate of height %llu: %s",
			(unsigned long long)height, err_text(err));
	driver_carry_out(driver);
}

/* The engine remembers, durably, that it asked: it asks once a height. */
void driver_sign(struct driver *driver, const struct output *output)
{
	static const struct hash nothing = {{0}};
	if (driver->sign_count == SIGNS_MAX || !is_signer(driver))
		return;
	if (hash_equal(&output->hash, &nothing)) {
		sign_again(driver, output->height);
		return;
	}
	driver->signs[driver->sign_count++] = (struct checkpoint_statement){
		.chain = driver->config.engine->chain,
		.height = output->height,
		.hash = output->hash,
		.state_root = output->state_root,
	};
}

/* It goes out at once, and is kept for whoever asks later. */
static void sign_wanted(struct driver *driver)
{
	while (driver->sign_count > 0 && !driver->halted) {
		struct signed_checkpoint said;
		struct tick tick = driver_tick();
		uint8_t message[CHECKPOINT_BYTES_MAX];
		struct checkpoint_statement *next = driver->signs;
		checkpoint_sign(&said, next, driver->config.self,
			&driver->config.genesis->network);
		memmove(next, next + 1, --driver->sign_count * sizeof(*next));
		size_t size = checkpoint_seal(message, &said);
		worker_give(driver->indexing,
			index_job_new(INDEX_SIGNED, said.statement.height,
				view_of(message, size)));
		replica_signed(driver->replica, &tick, &said, &driver->outputs);
		driver_carry_out(driver);
	}
}

/* ---- what peers say ---- */

void driver_checkpoint(
	struct driver *driver, struct peer *peer, struct view body)
{
	struct tick tick = driver_tick();
	enum err err = replica_checkpoint(
		driver->replica, &tick, &peer->key, body, &driver->outputs);
	if (err == ERR_OK)
		driver_carry_out(driver);
	else
		log_warn("checkpoint", "refused one of %s: %s", peer->name,
			err_text(err));
}

/* Where signatures make a block final, all that are known: whoever was cut off
 * when they went round has none. */
static void tell_gathered(
	struct driver *driver, const struct peer *peer, uint64_t height)
{
	struct signed_checkpoint said;
	uint8_t message[CHECKPOINT_BYTES_MAX];
	size_t cursor = 0, size;
	while (replica_checkpoint_next(
		driver->replica, height, &cursor, &said)) {
		size = checkpoint_seal(message, &said);
		links_send(driver->links, &peer->key, MESSAGE_CHECKPOINT,
			view_of(message, size));
	}
	/* After a restart only the own one is known. */
	if (cursor == 0 && index_find_signed(driver->index, height, message,
				   &size, sizeof(message)))
		links_send(driver->links, &peer->key, MESSAGE_CHECKPOINT,
			view_of(message, size));
}

/* Who is behind says nothing, and is asked again. */
void driver_checkpoint_query(
	struct driver *driver, const struct peer *peer, uint64_t height)
{
	struct checkpoint_statement statement;
	if (driver->config.engine->mines)
		tell_gathered(driver, peer, height);
	else if (statement_at(driver, height, &statement) == ERR_OK)
		sign(driver, &statement, &peer->key);
}

/* ---- what is wanted ---- */

static struct certify_want *find_want(struct driver *driver, uint64_t height)
{
	for (size_t i = 0; i < CERTIFY_WANTS_MAX; i++) {
		if (driver->wants[i].statement.height == height)
			return &driver->wants[i];
	}
	return NULL;
}

static void forget(struct driver *driver, struct certify_want *want)
{
	memset(want, 0, sizeof(*want));
	driver->want_count--;
}

static void ask_peers(struct driver *driver, uint64_t height)
{
	struct checkpoint_query query = {
		.chain = driver->config.engine->chain,
		.height = height,
	};
	uint8_t body[CHECKPOINT_QUERY_BYTES_MAX];
	size_t size = checkpoint_query_encode(body, sizeof(body), &query);
	struct signers signers;
	CHECK(size > 0);
	replica_signers(driver->replica, &signers);
	for (size_t i = 0; i < signers.count; i++) {
		if (!key_equal(&signers.keys[i], &driver->config.self->key))
			links_send(driver->links, &signers.keys[i],
				MESSAGE_CHECKPOINT_QUERY, view_of(body, size));
	}
}

static void ask_again(struct driver *driver, struct certify_want *want)
{
	ask_peers(driver, want->statement.height);
	want->again_at = clock_monotonic() + CERTIFY_AGAIN_MS;
}

static void certify(
	struct driver *driver, const struct certify_want *want, bool strict)
{
	struct checkpoint_statement statement = want->statement;
	struct tick tick = driver_tick();
	replica_certify(
		driver->replica, &tick, &statement, strict, &driver->outputs);
	driver_carry_out(driver);
}

enum err driver_certify(struct driver *driver, uint64_t height)
{
	struct checkpoint_statement statement;
	if (driver->halted)
		return ERR_BEHIND;
	enum err err = statement_at(driver, height, &statement);
	if (err != ERR_OK)
		return err;
	if (find_want(driver, height) != NULL)
		return ERR_OK;
	struct certify_want *want = find_want(driver, 0);
	if (want == NULL)
		return ERR_BUSY;
	driver->want_count++;
	*want = (struct certify_want){
		.statement = statement,
		.until = clock_monotonic() + CERTIFY_MS,
	};
	certify(driver, want, true);
	if (want->statement.height != height)
		return ERR_OK; /* they were all here */
	ask_again(driver, want);
	sign(driver, &statement, &driver->config.self->key);
	return ERR_OK;
}

bool driver_certificate(struct driver *driver, uint64_t height,
	uint8_t out[CERTIFICATE_BYTES_MAX], size_t *size)
{
	return index_find_certificate(
		driver->index, height, out, size, CERTIFICATE_BYTES_MAX);
}

void driver_certified(struct driver *driver, const struct output *output)
{
	struct certify_want *want = find_want(driver, output->height);
	worker_give(driver->indexing, index_job_new(INDEX_CERTIFICATE,
					      output->height, output->bytes));
	if (output->height > driver->certified)
		driver->certified = output->height;
	if (want != NULL)
		forget(driver, want);
}

void driver_evidence(struct driver *driver, const struct output *output)
{
	const struct peer *peer = links_find(driver->links, &output->to);
	struct index_job *job =
		index_job_new(INDEX_EVIDENCE, output->height, output->bytes);
	job->key = output->to;
	worker_give(driver->indexing, job);
	log_error("checkpoint",
		"%s signed two blocks at height %llu; the evidence is kept. "
		"Its key must be taken out of the network",
		peer == NULL ? "a node" : peer->name,
		(unsigned long long)output->height);
}

/* Nobody gave enough signatures in time: those who wait are told. */
static void give_up(struct driver *driver, struct certify_want *want)
{
	struct output output = {
		.type = OUTPUT_CERTIFIED,
		.height = want->statement.height,
	};
	forget(driver, want);
	driver->config.on_output(driver->config.context, &output);
}

static void seal(struct driver *driver, time_ms now)
{
	uint64_t final = replica_final(driver->replica);
	if (driver->config.engine->mines || now < driver->seal_at ||
		final <= driver->certified)
		return;
	driver->seal_at = now + SEAL_MS;
	enum err err = driver_certify(driver, final);
	if (err != ERR_OK)
		log_debug("checkpoint", "not gathered: %s", err_name(err));
}

/* Signatures that were missed while this node was cut off: of the newest height
 * that nodes sign, and of some below, for they do not see the same tip. */
static void catch_up(struct driver *driver, time_ms now)
{
	uint64_t depth = driver->config.genesis->pow.depth;
	uint64_t tip = chain_tip(replica_chain(driver->replica)).height;
	uint64_t final = replica_final(driver->replica);
	if (!driver->config.engine->mines || now < driver->seal_at ||
		depth == 0 || tip <= final + depth)
		return;
	driver->seal_at = now + CATCH_UP_MS;
	for (uint64_t back = 0; back < CATCH_UP_HEIGHTS; back++) {
		if (tip - depth > final + back)
			ask_peers(driver, tip - depth - back);
	}
}

void driver_certify_work(struct driver *driver)
{
	time_ms now = clock_monotonic();
	sign_wanted(driver);
	for (size_t i = 0; i < CERTIFY_WANTS_MAX && driver->want_count > 0;
		i++) {
		struct certify_want *want = &driver->wants[i];
		uint64_t height = want->statement.height;
		if (height == 0 || now < want->again_at)
			continue;
		if (now < want->until) {
			ask_again(driver, want);
			continue;
		}
		certify(driver, want, false);
		if (want->statement.height == height)
			give_up(driver, want);
	}
	seal(driver, now);
	catch_up(driver, now);
}

time_ms driver_certify_at(const struct driver *driver)
{
	time_ms at = INT64_MAX;
	for (size_t i = 0; i < CERTIFY_WANTS_MAX && driver->want_count > 0;
		i++) {
		const struct certify_want *want = &driver->wants[i];
		if (want->statement.height != 0 && want->again_at < at)
			at = want->again_at;
	}
	return at;
}
