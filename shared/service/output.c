/* service/output.c -- see output.h. Which write failed is not kept by stdio, so
 * only a reader that has gone is told apart, by what poll says of the pipe.
 */
#include "service/output.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "service/words.h"

bool output_ends(const char *program)
{
	struct pollfd reader = {.fd = STDOUT_FILENO};
	bool failed = fflush(stdout) != 0;

	if (!failed && !ferror(stdout))
		return true;
	if (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0)
		return true;
	fprintf(stderr, "%s: %s\n", program,
		words_japanese() ? "標準出力に書き込めません。"
				   "ディスクの空きを確かめてください"
				 : "not everything could be written to "
				   "standard output; is the disk full?");
	return false;
}
