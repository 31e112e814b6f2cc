/* perch/client.h -- libperch: the wallet side of a Perch network, in C.
 *
 *	cc example.c $(pkg-config --cflags --libs perch)
 *
 * One client is one identity. It keeps links to some nodes of a network and,
 * if given, to an evaluator; it sends questions, many at a time, and hands out
 * what comes back as events. You pull; nothing ever calls you. A client has no
 * thread, and is used by one thread at a time. All its tables are of fixed
 * size, chosen when it is opened; a full one is an error with a name.
 *
 *	perch_genesis_read("genesis.zpl", &network, why);
 *	config.network = network.id;
 *	config.nodes = network.nodes;
 *	config.node_count = network.node_count;
 *	perch_open(&client, &config, why);
 *	perch_tx_start(&tx, PERCH_ALL);
 *	perch_tx_reserve(&tx, &landing);
 *	perch_submit(client, &tx, PERCH_FINAL, &request);
 *	while (perch_next(client, &event, 1000))
 *		if (event.type == PERCH_EVENT_FATE && ...)
 *
 * A node that does not answer in time is left for the next one, and the same
 * signed transaction is sent again: its id makes that safe. When no node has
 * answered before the time-out, the outcome is PERCH_UNKNOWN: not refused, not
 * granted; ask again with perch_ask_tx and the same id.
 *
 * Functions return PERCH_OK or an error, and write outputs on success only.
 */
#ifndef PERCH_CLIENT_H
#define PERCH_CLIENT_H

#include <perch/control.h>
#include <perch/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- files: a network's genesis, a wallet's key ---- */

struct perch_network {
	struct perch_hash id; /* hash of the genesis */
	char name[PERCH_NAME_MAX + 1];
	bool observers_anyone; /* reading needs no enrolment */
	size_t node_count;
	struct perch_node nodes[PERCH_NODES_MAX];
	size_t signers_needed; /* for a certificate (perch/pass.h) ... */
	size_t signer_count;   /* ... of these, the genesis' voters */
	struct perch_key signers[PERCH_NODES_MAX];
};

/* why: PERCH_WHY_MAX bytes for cause and cure, written on an error. */
enum perch_err perch_genesis_read(
	const char *path, struct perch_network *out, char *why);
/* passphrase: NULL if the file is not encrypted (else PERCH_ERR_PASSPHRASE).
 * PERCH_ERR_MODE when others may read the file. */
enum perch_err perch_key_read(
	const char *path, const char *passphrase, uint8_t seed[32], char *why);
/* A new key in a new file of mode 0600. PERCH_ERR_EXISTS: it is never
 * overwritten. passphrase NULL: not encrypted. */
enum perch_err perch_key_new(const char *path, const char *passphrase,
	struct perch_key *out, char *why);
/* The public key of a seed. */
struct perch_key perch_key_of(const uint8_t seed[32]);

/* ---- a client ---- */

struct perch_config {
	struct perch_hash network;
	const struct perch_node *nodes;     /* in order of preference */
	size_t node_count;                  /* 0: only the evaluator is asked */
	const struct perch_node *evaluator; /* NULL: none; publish is unused */
	const uint8_t *seed; /* 32 bytes; NULL: a key for this client's life */
	unsigned chain;      /* 0 ordered, 1 pow */
	unsigned requests_max; /* in flight at most; 0: 1024, limit 32768 */
	unsigned links_max;    /* nodes connected at a time; 0: 3 */
	int64_t timeout_ms;    /* of every question; 0: 10000 */
	int64_t patience_ms;   /* then the next node is asked; 0: 2000 */
	bool prove; /* a final fate is believed once its block was seen */
};

struct perch; /* a client */

/* Starts to connect and returns at once; nodes are copied. PERCH_ERR_CONFIG,
 * PERCH_ERR_KEY, PERCH_ERR_IO. why: as above. */
enum perch_err perch_open(
	struct perch **out, const struct perch_config *config, char *why);
/* Waits for nothing. *client becomes NULL. */
void perch_close(struct perch **client);

/* Who this client is. */
struct perch_key perch_self(const struct perch *client);

/* The next event; waits for at most timeout_ms (0: not at all, below 0: for
 * ever). False, and PERCH_EVENT_NONE, when there is none. */
bool perch_next(
	struct perch *client, struct perch_event *event, int64_t timeout_ms);

/* A file descriptor (signalfd, eventfd ...) that ends a wait: PERCH_EVENT_WAKE
 * as long as it is readable. -1: none. */
void perch_wake_on(struct perch *client, int fd);

/* Wait for the answer to this question alone; other events on the way, except
 * answers, are dropped. PERCH_ERR_IN_USE when other questions are in flight,
 * PERCH_ERR_TIMEOUT when woken by perch_wake_on: the question is still in
 * flight then. */
enum perch_err perch_wait(
	struct perch *client, uint64_t request, struct perch_event *event);

/* ---- nodes ---- */

enum perch_link { PERCH_IDLE, PERCH_CONNECTING, PERCH_UP, PERCH_DOWN };

struct perch_node_info {
	struct perch_node node;
	enum perch_link link;
	enum perch_err err; /* why it is down: NETWORK, VERSION, KEY, ... */
	char why[PERCH_WHY_MAX];
	char release[PERCH_NAME_MAX + 1];
	unsigned in_flight;
	enum perch_err hint_err; /* of its last published message that was no
				    good: wrong signature, key, encoding */
};

size_t perch_node_count(const struct perch *client);
/* index PERCH_EVALUATOR: the evaluator. False when there is none. */
enum { PERCH_EVALUATOR = -1 };
bool perch_node_at(
	const struct perch *client, int index, struct perch_node_info *out);
/* Ask this one first from now on. */
void perch_prefer(struct perch *client, size_t index);

/* ---- questions ----
 * Each is answered by exactly one event with its request number, at the latest
 * when its time is up. PERCH_ERR_FULL: requests_max are in flight. */

/* How long the questions after this one may take; above 0. */
void perch_set_timeout(struct perch *client, int64_t timeout_ms);

/* Sign and send; the answer comes when the transaction is as far as wait says.
 * tx->valid_until is set if it was 0. What is answered with PERCH_ORDERED is
 * held until it is final: if it is undone, PERCH_EVENT_UNDONE says so, and then
 * another PERCH_EVENT_FATE what became of it (PERCH_ERR_FULL: 1024 are held).
 */
enum perch_err perch_submit(struct perch *client, struct perch_tx *tx,
	enum perch_status wait, uint64_t *request);
/* Sign only: at most 40000 bytes to keep, to be sent now or later, by this or
 * any client, as often as needed. */
enum { PERCH_TX_BYTES_MAX = 40000 };
enum perch_err perch_sign(
	struct perch *client, struct perch_tx *tx, uint8_t *out, size_t *size);
enum perch_err perch_submit_signed(struct perch *client, const uint8_t *bytes,
	size_t size, enum perch_status wait, uint64_t *request);

/* The fate of an id, at any time. wallet NULL: this client's. */
enum perch_err perch_ask_tx(struct perch *client,
	const struct perch_key *wallet, const struct perch_id *id,
	uint64_t *request);
/* fresh: answered only once a majority confirms that it is not old. */
enum perch_err perch_ask_head(
	struct perch *client, bool fresh, uint64_t *request);
enum perch_err perch_ask_blocks(struct perch *client, uint64_t from,
	unsigned blocks_max, uint64_t *request);
enum perch_err perch_ask_peers(struct perch *client, uint64_t *request);
/* Of one node: no other is asked instead. */
enum perch_err perch_ask_status(
	struct perch *client, size_t node, uint64_t *request);
/* height 0: the newest snapshot. */
enum perch_err perch_ask_state(struct perch *client, uint64_t height,
	uint64_t offset, uint64_t *request);

/* The certificate of a final block; it is gathered if need be. Hold it against
 * perch_certificate_check. A node that cannot gather it is left for the next.
 */
enum perch_err perch_ask_certificate(
	struct perch *client, uint64_t height, uint64_t *request);
/* Who signed twice, as one node knows: so many are skipped. */
enum perch_err perch_ask_evidence(
	struct perch *client, size_t node, unsigned skip, uint64_t *request);

/* To the evaluator; PERCH_ERR_CONFIG when there is none. pad NULL: any. */
enum perch_err perch_inquire(struct perch *client, const char *port,
	const char *pad, int64_t start, int64_t end, uint64_t *request);
enum perch_err perch_timetable(struct perch *client, const char *port,
	int64_t from, uint64_t *request);
/* Of a reservation, a wallet or a port: give one, the others NULL. after: the
 * last sequence seen, or 0. */
enum perch_err perch_history(struct perch *client,
	const struct perch_id *reservation, const struct perch_key *wallet,
	const char *port, uint64_t after, uint64_t *request);
/* What would become of it now. Nothing is promised. */
enum perch_err perch_simulate(
	struct perch *client, struct perch_tx *tx, uint64_t *request);
enum perch_err perch_prove_port(
	struct perch *client, const char *port, uint64_t *request);
enum perch_err perch_ports(struct perch *client, uint64_t *request);

/* ---- streams ---- */

/* Every final block from a height on (0: from now on), in order, without gaps,
 * verified: PERCH_EVENT_BLOCK. Published blocks are hints; what is missed is
 * asked for. parent: hash of the block before from, when you have it, so that
 * the stream joins on to yours; NULL: the first block is believed by its
 * signature. One stream at a time: calling again starts over. */
enum perch_err perch_follow(
	struct perch *client, uint64_t from, const struct perch_hash *parent);
void perch_unfollow(struct perch *client);

/* What a node publishes, as hints: any of these or-ed. A gap in the sequence
 * is told (event.lost), not filled. */
enum {
	PERCH_TOPIC_STATUS = 1,
	PERCH_TOPIC_TX = 2,
	PERCH_TOPIC_SLOT = 4,
	PERCH_TOPIC_CHAIN = 8,
};
enum perch_err perch_subscribe(
	struct perch *client, size_t node, unsigned topics);

#ifdef __cplusplus
}
#endif

#endif
