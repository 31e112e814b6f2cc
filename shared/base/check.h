/* base/check.h -- assertions that are never compiled out.
 *
 * CHECK is for what the program itself must keep true; what the world may do
 * (bytes from a network, a file, a person) is answered with an enum err.
 */
#ifndef PERCH_BASE_CHECK_H
#define PERCH_BASE_CHECK_H

#define CHECK(condition)                                                       \
	((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

/* Print what did not hold, and abort. */
_Noreturn void check_failed(const char *what, const char *file, int line);

#endif
