/* tests/support/vectors.c -- see vectors.h. */
#include "support/vectors.h"

#include <string.h>

#include "base/check.h"
#include "base/hex.h"

FILE *vectors_open(void)
{
	FILE *file = fopen(PERCH_SOURCE "/schemas/vectors.txt", "r");

	CHECK(file != NULL);
	return file;
}

bool vectors_next(FILE *file, struct vector *out)
{
	char line[2 * VECTOR_BYTES_MAX + 16];

	out->label[0] = '\0';
	while (fgets(line, sizeof(line), file) != NULL) {
		size_t end = strcspn(line, "\n");

		CHECK(line[end] == '\n');
		line[end] = '\0';
		if (sscanf(line, "rule %63s %63s", out->name, out->label) == 2)
			continue;
		if (sscanf(line, "value %63s", out->label) == 1)
			out->name[0] = '\0';
		if (strncmp(line, "hex ", 4) != 0)
			continue;
		out->size = (end - 4) / 2;
		CHECK(out->label[0] != '\0');
		CHECK(hex_decode(out->bytes, out->size, line + 4) == ERR_OK);
		return true;
	}
	return false;
}

void vectors_find(struct vector *out, const char *name, const char *label)
{
	FILE *file = vectors_open();
	bool found = false;

	while (!found && vectors_next(file, out))
		found = strcmp(out->name, name) == 0 &&
			strcmp(out->label, label) == 0;
	fclose(file);
	CHECK(found);
}
