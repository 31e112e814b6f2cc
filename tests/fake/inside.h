/* tests/fake/inside.h -- between the files of the fake. */
#ifndef PERCH_TESTS_FAKE_INSIDE_H
#define PERCH_TESTS_FAKE_INSIDE_H

#include "fake/fake.h"
#include "gen/common.h"
#include "gen/table.h"

void fake_answer(struct fake *fake, const struct bus_message *to,
	enum message_type type, struct view body);
void fake_refuse(struct fake *fake, const struct bus_message *to,
	const char *code, const char *text);
void fake_answer_request(struct fake *fake, const struct bus_message *to,
	const struct envelope *envelope);
void fake_status(const struct fake *fake, struct status *out);

#endif
