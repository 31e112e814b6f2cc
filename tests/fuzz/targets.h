/* tests/fuzz/targets.h -- what is fuzzed, by name: the decoder of every rule of
 * the schemas, and the targets listed in targets.c.
 *
 * A target takes any bytes and CHECKs what must hold. libfuzzer.c drives one
 * of them with clang; replay.c drives all of them in every ordinary build.
 */
#ifndef PERCH_TESTS_FUZZ_TARGETS_H
#define PERCH_TESTS_FUZZ_TARGETS_H

#include "base/view.h"

struct fuzz_target {
	const char *name;
	void (*run)(struct view bytes);
};

/* The targets that are not a rule; the last one has no name. */
extern const struct fuzz_target fuzz_targets[];

/* name: of a rule or of a target; CHECKs that there is one. */
void fuzz_run(const char *name, struct view bytes);

/* differ.c: our strict reader and msgpack-c's unpacker agree. */
void fuzz_differ(struct view bytes);
/* execute.c: the contract stands any transaction, and forgets it again; and
 * only a true snapshot is loaded. */
void fuzz_execute(struct view bytes);
void fuzz_snapshot(struct view bytes);
/* connect.c: only the block that was built can be connected, and only a known
 * key is let in. */
void fuzz_connect(struct view bytes);
void fuzz_zap(struct view bytes);

#endif
