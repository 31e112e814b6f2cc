/* tests/support/vectors.h -- schemas/vectors.txt, read entry by entry. */
#ifndef PERCH_TESTS_SUPPORT_VECTORS_H
#define PERCH_TESTS_SUPPORT_VECTORS_H

#include <stdio.h>

#include "base/view.h"

enum { VECTOR_BYTES_MAX = 16384 };

struct vector {
	char name[64];  /* of a rule, or "" when it is a value */
	char label[64]; /* of the vector, or the value's name */
	size_t size;
	uint8_t bytes[VECTOR_BYTES_MAX];
};

/* The file; CHECKs that it is there. Closed with fclose. */
FILE *vectors_open(void);
/* False at the end of the file; CHECKs its form. */
bool vectors_next(FILE *file, struct vector *out);
/* The one of this name ("" for a value) and label; CHECKs that there is one. */
void vectors_find(struct vector *out, const char *name, const char *label);

#endif
