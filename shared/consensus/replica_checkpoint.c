/* consensus/replica_checkpoint.c -- what nodes sign of blocks, gathered.
 *
 * Where an engine asks for signatures (EFFECT_SIGN) they make a block final, so
 * each is passed on when it is first seen. Where a block is final anyway they
 * only prove it to others: nobody sends one before it is asked for, and then
 * only two of one signer, or one that contradicts this chain, are passed on.
 */
#include "consensus/replica_state.h"

#include "base/check.h"

void replica_signers(const struct replica *replica, struct signers *out)
{
	out->count = 0;
	for (size_t i = 0; i < state_node_count(replica->state); i++) {
		struct record_node node;
		state_node_at(replica->state, i, &node);
		if (node.role == 2 && out->count < SIGNERS_MAX)
			out->keys[out->count++] = node.key;
	}
	out->needed =
		signers_needed(replica->config.genesis->signers, out->count);
}

/* Those of the genesis who still sign: what somebody can check who knows the
 * genesis only. Too few are left: such a certificate cannot be had. */
static bool of_genesis(const struct replica *replica, struct signers *out)
{
	const struct genesis *genesis = replica->config.genesis;
	size_t voters = 0;
	out->count = 0;
	for (size_t i = 0; i < genesis->node_count; i++) {
		struct record_node node;
		const struct key *key = &genesis->nodes[i].key;
		voters += genesis->nodes[i].role == 2;
		if (genesis->nodes[i].role == 2 &&
			state_node(replica->state, key, &node) &&
			node.role == 2)
			out->keys[out->count++] = *key;
	}
	out->needed = signers_needed(genesis->signers, voters);
	return out->count >= out->needed;
}

static void certify(struct replica *replica,
	const struct checkpoint_statement *statement, bool strict,
	struct outputs *out)
{
	struct signers now, genesis;
	uint8_t bytes[CERTIFICATE_BYTES_MAX];
	replica_signers(replica, &now);
	strict = strict && of_genesis(replica, &genesis);
	size_t size = certify_take(replica->certify, statement, &now,
		strict ? &genesis : NULL, bytes);
	if (size == 0)
		return;
	struct output *output = outputs_add(out, OUTPUT_CERTIFIED);
	output->height = statement->height;
	output->bytes = replica_keep(replica, view_of(bytes, size));
	output->block.hash = statement->hash;
	if (!replica->config.engine->mines)
		return;
	struct event event = {.type = EVENT_CERTIFIED};
	event.certified.height = statement->height;
	event.certified.hash = statement->hash;
	replica_step(replica, &event, out);
}

/* The engine hears of each signature that was verified. */
static void vouch(struct replica *replica,
	const struct signed_checkpoint *checkpoint, struct outputs *out)
{
	struct event event = {.type = EVENT_VOUCHED};
	event.vouched.key = checkpoint->signer;
	event.vouched.height = checkpoint->statement.height;
	event.vouched.hash = checkpoint->statement.hash;
	replica_step(replica, &event, out);
}

static void pass_on(struct replica *replica, const struct key *from,
	const struct signed_checkpoint *checkpoint, struct outputs *out)
{
	uint8_t bytes[CHECKPOINT_BYTES_MAX];
	size_t size = checkpoint_seal(bytes, checkpoint);
	struct view message = replica_keep(replica, view_of(bytes, size));
	const struct engine_status *status = &replica->status;
	for (size_t i = 0; i < status->member_count; i++) {
		const struct key *to = &status->members[i].key;
		if (key_equal(to, &replica->config.self->key) ||
			(from != NULL && key_equal(to, from)))
			continue;
		struct output *output = outputs_add(out, OUTPUT_CHECKPOINT);
		output->to = *to;
		output->bytes = message;
		output->height = checkpoint->statement.height;
	}
}

/* What was signed before is said again: those who missed it need it. */
void replica_sign(struct replica *replica, const struct effect *effect,
	struct outputs *out)
{
	struct signed_checkpoint said;
	uint64_t height = effect->sign.height;
	if (certify_find(replica->certify, height, &replica->config.self->key,
		    &said) &&
		hash_equal(&said.statement.hash, &effect->sign.hash)) {
		pass_on(replica, NULL, &said, out);
		return;
	}
	struct output *output = outputs_add(out, OUTPUT_SIGN);
	output->height = height;
	output->hash = effect->sign.hash;
	output->state_root = effect->sign.state_root;
}

void replica_prove(
	struct replica *replica, const struct key *to, struct outputs *out)
{
	struct signed_checkpoint said;
	uint64_t height = replica->final;
	size_t cursor = 0;
	while (certify_next(replica->certify, height, &cursor, &said)) {
		uint8_t bytes[CHECKPOINT_BYTES_MAX];
		size_t size = checkpoint_seal(bytes, &said);
		struct output *output = outputs_add(out, OUTPUT_CHECKPOINT);
		output->to = *to;
		output->bytes = replica_keep(replica, view_of(bytes, size));
		output->height = height;
	}
}

/* The answer to an answer is no answer: once a second for one height. */
static bool is_time(
	struct replica *replica, const struct key *to, uint64_t height)
{
	struct answered *last =
		&replica->answered[(height + to->bytes[0]) % ANSWERED_MAX];
	if (last->height == height && key_equal(&last->to, to) &&
		replica->tick.now < last->again_at)
		return false;
	*last = (struct answered){
		.height = height,
		.to = *to,
		.again_at = replica->tick.now + ANSWER_AGAIN_MS,
	};
	return true;
}

/* Somebody holds on to a block for as long as it could be certified. That this
 * node signed another one there, long ago perhaps, may set it free. */
static void contradict(struct replica *replica, const struct key *to,
	const struct signed_checkpoint *theirs, struct outputs *out)
{
	const struct key *self = &replica->config.self->key;
	uint64_t height = theirs->statement.height;
	struct signed_checkpoint own;
	if (!replica->config.engine->mines || !key_equal(&theirs->signer, to) ||
		!is_time(replica, to, height))
		return;
	if (!certify_find(replica->certify, height, self, &own)) {
		outputs_add(out, OUTPUT_SIGN)->height = height;
		return;
	}
	if (hash_equal(&own.statement.hash, &theirs->statement.hash))
		return;
	uint8_t bytes[CHECKPOINT_BYTES_MAX];
	size_t size = checkpoint_seal(bytes, &own);
	struct output *output = outputs_add(out, OUTPUT_CHECKPOINT);
	output->to = *to;
	output->bytes = replica_keep(replica, view_of(bytes, size));
	output->height = height;
}

static void tell_evidence(struct replica *replica,
	const struct signed_checkpoint *first,
	const struct signed_checkpoint *second, struct outputs *out)
{
	uint8_t a[CHECKPOINT_STATEMENT_BYTES_MAX], b[sizeof(a)];
	uint8_t bytes[DOUBLE_SIGNING_BYTES_MAX];
	struct double_signing evidence = {
		.signer = first->signer,
		.first = view_of(a, checkpoint_statement_encode(
					    a, sizeof(a), &first->statement)),
		.first_signature = first->signature,
		.second = view_of(b, checkpoint_statement_encode(
					     b, sizeof(b), &second->statement)),
		.second_signature = second->signature,
	};
	size_t size = double_signing_encode(bytes, sizeof(bytes), &evidence);
	CHECK(size > 0);
	struct output *output = outputs_add(out, OUTPUT_EVIDENCE);
	output->height = first->statement.height;
	output->to = first->signer;
	output->bytes = replica_keep(replica, view_of(bytes, size));
}

/* Another block is final here at that height. */
static bool contradicts(const struct replica *replica,
	const struct signed_checkpoint *checkpoint)
{
	struct block_ref block;
	struct view bytes;
	uint64_t height = checkpoint->statement.height;
	return height <= replica->final &&
	       replica_block(replica, height, &bytes) &&
	       block_open(&block, bytes, &replica->config.genesis->network) ==
		       ERR_OK &&
	       !hash_equal(&block.hash, &checkpoint->statement.hash);
}

static void take(struct replica *replica, const struct key *from,
	const struct signed_checkpoint *checkpoint, struct outputs *out)
{
	const struct key *self = &replica->config.self->key;
	struct signed_checkpoint before;
	bool mines = replica->config.engine->mines;
	switch (certify_add(replica->certify, checkpoint, &before)) {
	case CERTIFY_NEW:
		if (mines || contradicts(replica, checkpoint))
			pass_on(replica, from, checkpoint, out);
		/* Of its own it hears when that is durable. */
		if (mines && !key_equal(&checkpoint->signer, self))
			vouch(replica, checkpoint, out);
		certify(replica, &checkpoint->statement, !mines, out);
		return;
	case CERTIFY_TWICE:
		/* Whoever has neither learns of both. */
		pass_on(replica, NULL, &before, out);
		pass_on(replica, from, checkpoint, out);
		tell_evidence(replica, &before, checkpoint, out);
		return;
	case CERTIFY_KNOWN:
	case CERTIFY_FULL:
		return;
	}
}

/* From a little below the last final height, for the evidence, to a little
 * above the tip; other heights only when they are asked for. Where signatures
 * make a block final, any above counts: who is behind learns by them which
 * branch to follow. */
static bool is_near(const struct replica *replica, uint64_t height)
{
	uint64_t near = replica->config.limits.certify_heights / 4;
	uint64_t tip = chain_tip(replica->chain).height;
	if (height == 0)
		return false; /* the genesis has no block */
	return certify_is_open(replica->certify, height) ||
	       (height + near > replica->final &&
		       (replica->config.engine->mines || height < tip + near));
}

enum err replica_checkpoint(struct replica *replica, const struct tick *tick,
	const struct key *from, struct view message, struct outputs *out)
{
	struct signed_checkpoint checkpoint;
	struct record_node node;
	replica_begin(replica, tick, out);
	enum err err = checkpoint_open(&checkpoint, message);
	if (err != ERR_OK)
		return err;
	if (checkpoint.statement.chain != replica->config.engine->chain)
		return ERR_NETWORK;
	contradict(replica, from, &checkpoint, out);
	if (!is_near(replica, checkpoint.statement.height) ||
		certify_look(replica->certify, &checkpoint) == CERTIFY_KNOWN)
		return ERR_OK;
	/* One who joined by blocks that are not here yet is no fault. */
	if (!state_node(replica->state, &checkpoint.signer, &node) ||
		node.role != 2)
		return ERR_OK;
	err = checkpoint_verify(&checkpoint, &replica->config.genesis->network);
	if (err != ERR_OK)
		return err;
	take(replica, from, &checkpoint, out);
	return ERR_OK;
}

void replica_signed(struct replica *replica, const struct tick *tick,
	const struct signed_checkpoint *own, struct outputs *out)
{
	replica_begin(replica, tick, out);
	CHECK(key_equal(&own->signer, &replica->config.self->key));
	take(replica, NULL, own, out);
}

void replica_signed_kept(struct replica *replica, const struct tick *tick,
	const struct signed_checkpoint *own, struct outputs *out)
{
	replica_begin(replica, tick, out);
	CHECK(key_equal(&own->signer, &replica->config.self->key));
	if (replica->config.engine->mines)
		vouch(replica, own, out);
}

enum err replica_certificate(struct replica *replica, const struct tick *tick,
	struct view bytes, struct outputs *out)
{
	const struct hash *network = &replica->config.genesis->network;
	struct certificate certificate;
	struct signed_checkpoint said;
	replica_begin(replica, tick, out);
	enum err err = certificate_decode(&certificate, bytes);
	if (err == ERR_OK)
		err = checkpoint_statement_decode(
			&said.statement, certificate.statement);
	if (err == ERR_OK &&
		said.statement.chain != replica->config.engine->chain)
		err = ERR_NETWORK;
	for (size_t i = 0; err == ERR_OK && i < certificate.endorsements_count;
		i++) {
		said.signer = certificate.endorsements[i].signer;
		said.signature = certificate.endorsements[i].signature;
		err = checkpoint_verify(&said, network);
		if (err == ERR_OK)
			take(replica, &said.signer, &said, out);
	}
	return err;
}

bool replica_checkpoint_next(const struct replica *replica, uint64_t height,
	size_t *cursor, struct signed_checkpoint *out)
{
	return certify_next(replica->certify, height, cursor, out);
}

void replica_certify(struct replica *replica, const struct tick *tick,
	const struct checkpoint_statement *statement, bool strict,
	struct outputs *out)
{
	replica_begin(replica, tick, out);
	certify_open(replica->certify, statement->height);
	certify_again(replica->certify, statement->height);
	certify(replica, statement, strict, out);
}
