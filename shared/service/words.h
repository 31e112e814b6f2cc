/* service/words.h -- what a program says about its settings, in the language of
 * the locale: English, or Japanese.
 */
#ifndef PERCH_SERVICE_WORDS_H
#define PERCH_SERVICE_WORDS_H

#include <stdbool.h>

/* By LC_ALL, LC_MESSAGES, LANG: the first that is set. */
bool words_japanese(void);

/* The sentence in that language; itself where it has no translation. */
const char *words_of(const char *english);

#endif
