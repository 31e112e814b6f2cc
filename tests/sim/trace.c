/* sim/trace.c -- the running hash, and the lines. */
#include "trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

struct note_text {
	const char *word;
	const char *names[3];
};

static const struct note_text note_texts[] = {
#define X(name, word, a, b, c) {word, {a, b, c}},
	NOTE_LIST(X)
#undef X
};

static void mix(struct trace *trace, uint64_t value)
{
	uint64_t z = (trace->hash ^ value) * 0x9e3779b97f4a7c15u;
	trace->hash = (z ^ z >> 29) * 0xbf58476d1ce4e5b9u;
}

void trace_clear(struct trace *trace)
{
	trace->hash = 0;
	trace->count = 0;
}

void trace_note(struct trace *trace, int64_t now_us, char who, uint32_t number,
	enum note note, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t values[3] = {a, b, c};
	mix(trace, (uint64_t)now_us);
	mix(trace, (uint64_t)number << 16 | (uint64_t)note);
	for (int i = 0; i < 3; i++)
		mix(trace, values[i]);
	trace->count++;
	if (!trace->out)
		return;
	const struct note_text *text = &note_texts[note];
	fprintf(trace->out, "%12.6f  ", (double)now_us / 1e6);
	if (who == '-')
		fprintf(trace->out, "%-4s", "--");
	else
		fprintf(trace->out, "%c%-3" PRIu32, who, number);
	fprintf(trace->out, "%s", text->word);
	for (int i = 0; i < 3; i++) {
		if (text->names[i][0])
			fprintf(trace->out, "  %s %" PRIu64, text->names[i],
				values[i]);
	}
	fputc('\n', trace->out);
}

void trace_remark(struct trace *trace, const char *format, ...)
{
	if (!trace->out)
		return;
	va_list arguments;
	va_start(arguments, format);
	fprintf(trace->out, "%18s", "");
	vfprintf(trace->out, format, arguments);
	fputc('\n', trace->out);
	va_end(arguments);
}

void trace_bytes(struct trace *trace, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	for (; size >= 8; at += 8, size -= 8) {
		uint64_t word;
		memcpy(&word, at, sizeof(word));
		mix(trace, word);
	}
	for (; size > 0; at++, size--)
		mix(trace, *at);
}
