/* service/output.h -- a program that could not say what it found does not end
 * as if it had.
 */
#ifndef PERCH_SERVICE_OUTPUT_H
#define PERCH_SERVICE_OUTPUT_H

#include <stdbool.h>

/*
 * At the end of a program: everything printed was taken, or nobody wants it any
 * more (a reader that has gone, as `head` does). False: it was not, which is
 * said on standard error.
 */
bool output_ends(const char *program);

#endif
