/* base/err.h -- what the world may do wrong, each with a name.
 *
 * A function that returns an error has changed nothing. The same names are
 * used on the wire (a refusal's code), in logs and in tests.
 */
#ifndef PERCH_BASE_ERR_H
#define PERCH_BASE_ERR_H

#define MUST_CHECK __attribute__((warn_unused_result))

/* X(NAME, name on the wire and in logs, English sentence: cause, then cure) */
#define ERR_LIST(X)                                                            \
	X(OK, "ok", "done")                                                    \
	X(ENCODING, "encoding",                                                \
		"not the canonical encoding of this type; see "                \
		"schemas/README.md")                                           \
	X(LENGTH, "length",                                                    \
		"a length is outside the limits of the schema; see "           \
		"schemas/README.md")                                           \
	X(TYPE, "type",                                                        \
		"unknown or unexpected message type; see schemas/README.md")   \
	X(VERSION, "version",                                                  \
		"another protocol version; use the same release")              \
	X(NETWORK, "network",                                                  \
		"another network; use the genesis file of this one")           \
	X(KEY, "key",                                                          \
		"not a valid key, or not the key of the sender; use the one "  \
		"in the genesis")                                              \
	X(SIGNATURE, "signature",                                              \
		"the signature does not verify; sign the bytes that are "      \
		"sent, for this network and type")                             \
	X(ROLE, "role",                                                        \
		"this key is not enrolled, or its role does not permit this; " \
		"use another key, or ask the authority")                       \
	X(REPLAY, "replay",                                                    \
		"this id was used with other content; choose a new id")        \
	X(EXPIRED, "expired",                                                  \
		"valid-until is past, or more than 5 minutes ahead; compare "  \
		"this clock with the node's, then sign again")                 \
	X(BUSY, "busy", "the mempool is full; send again later")               \
	X(FULL, "full", "a table has reached its limit; try again later")      \
	X(NOT_FOUND, "not_found",                                              \
		"nothing here has this name; correct it, or ask another node") \
	X(EXISTS, "exists", "it exists already; use another name")             \
	X(PARENT, "parent",                                                    \
		"the block does not follow the tip; ask for what is between")  \
	X(ROOT, "root",                                                        \
		"a root differs from what the transactions give; do not "      \
		"trust its proposer")                                          \
	X(TIME, "time",                                                        \
		"block time is not later than its parent's, or too far from "  \
		"this clock; synchronise the clocks")                          \
	X(DAMAGED, "damaged",                                                  \
		"stored data does not match its checksum; repair from peers")  \
	X(IO, "io",                                                            \
		"the operating system refused an input or output; see the "    \
		"log")                                                         \
	X(CONFIG, "config",                                                    \
		"a setting is unknown, missing or malformed; see "             \
		"run/conf/README.md")                                          \
	X(PASSPHRASE, "passphrase",                                            \
		"the key file needs its passphrase; give --passphrase-file")   \
	X(MODE, "mode",                                                        \
		"the key file must not be readable by others; chmod 600")      \
	X(IN_USE, "in_use",                                                    \
		"the address or database is in use by another process; stop "  \
		"that one, or use another")                                    \
	X(TIMEOUT, "timeout", "no answer in time; ask again by id")            \
	X(UNREACHABLE, "unreachable",                                          \
		"no connection to the peer; see that it runs and can be "      \
		"reached")                                                     \
	X(BEHIND, "behind",                                                    \
		"this node is cut off or behind and vouches for nothing; ask " \
		"another node")                                                \
	X(SIGNERS, "signers",                                                  \
		"too few signatures of this network's signers; ask again "     \
		"when more nodes are up")                                      \
	X(RATE, "rate",                                                        \
		"this key asks more than its share of this node; send "        \
		"slower, or use another node")                                 \
	X(DISK, "disk_full",                                                   \
		"this node's disk is nearly full and it takes nothing new; "   \
		"make room there, or use another node")                        \
	X(CHAIN, "chain",                                                      \
		"this node has no such chain; choose the other one, or ask "   \
		"another node")

enum err {
#define X(name, word, text) ERR_##name,
	ERR_LIST(X)
#undef X
};

/* The stable word of an error: "signature". Never NULL. */
const char *err_name(enum err err);

/* One English sentence with cause and cure. Never NULL. */
const char *err_text(enum err err);

#endif
