/* service/json.c -- appending to a buffer, with a stack of what is open. */
#include "service/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/check.h"
#include "wire/wire.h"

struct json json_of(char *buffer, size_t size)
{
	CHECK(size > 0);
	buffer[0] = '\0';
	return (struct json){.text = buffer, .size = size};
}

static void append(struct json *json, const char *bytes, size_t count)
{
	if (json->failed || count >= json->size - json->used) {
		json->failed = true;
		return;
	}
	memcpy(json->text + json->used, bytes, count);
	json->used += count;
	json->text[json->used] = '\0';
}

static void append_text(struct json *json, const char *text)
{
	append(json, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void append_format(
	struct json *json, const char *format, ...)
{
	char text[64];
	va_list arguments;

	va_start(arguments, format);
	int size = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	CHECK(size >= 0 && (size_t)size < sizeof(text));
	append(json, text, (size_t)size);
}

static void append_quoted(struct json *json, struct view text)
{
	bool is_utf8 = text_is_utf8(text);

	append(json, "\"", 1);
	for (size_t i = 0; i < text.size && !json->failed; i++) {
		uint8_t byte = text.data[i];
		char plain = (char)byte;
		if (byte == '\n')
			append(json, "\\n", 2);
		else if (byte < 0x20 || byte == 0x7f)
			append_format(json, "\\u%04x", byte);
		else if (byte > 0x7f && !is_utf8)
			append_text(json, "\\ufffd");
		else if (byte == '"' || byte == '\\')
			append_format(json, "\\%c", plain);
		else
			append(json, &plain, 1);
	}
	append(json, "\"", 1);
}

/* What stands before a value: a comma, a name. */
static void begin(struct json *json, const char *name)
{
	if (json->depth == 0) {
		CHECK(name == NULL && json->used == 0);
		return;
	}
	size_t top = json->depth - 1;
	CHECK((name == NULL) == json->in_array[top]);
	if (json->has_member[top])
		append(json, ",", 1);
	json->has_member[top] = true;
	if (name != NULL) {
		append_quoted(json, view_text(name));
		append(json, ":", 1);
	}
}

static void open(struct json *json, const char *name, bool array)
{
	begin(json, name);
	append(json, array ? "[" : "{", 1);
	CHECK(json->depth < JSON_DEPTH_MAX);
	json->in_array[json->depth] = array;
	json->has_member[json->depth] = false;
	json->depth++;
}

void json_object(struct json *json, const char *name)
{
	open(json, name, false);
}

void json_array(struct json *json, const char *name)
{
	open(json, name, true);
}

void json_end(struct json *json)
{
	CHECK(json->depth > 0);
	json->depth--;
	append(json, json->in_array[json->depth] ? "]" : "}", 1);
}

void json_view(struct json *json, const char *name, struct view text)
{
	begin(json, name);
	append_quoted(json, text);
}

void json_text(struct json *json, const char *name, const char *text)
{
	json_view(json, name, view_text(text));
}

void json_hex(struct json *json, const char *name, struct view bytes)
{
	begin(json, name);
	append(json, "\"", 1);
	for (size_t i = 0; i < bytes.size && !json->failed; i++)
		append_format(json, "%02x", bytes.data[i]);
	append(json, "\"", 1);
}

void json_number(struct json *json, const char *name, int64_t number)
{
	begin(json, name);
	append_format(json, "%" PRId64, number);
}

void json_decimal(struct json *json, const char *name, double number)
{
	CHECK(number > -1e15 && number < 1e15); /* JSON has no infinity */
	begin(json, name);
	append_format(json, "%.2f", number);
}

void json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	append_text(json, value ? "true" : "false");
}

void json_null(struct json *json, const char *name)
{
	begin(json, name);
	append_text(json, "null");
}

const char *json_line(struct json *json)
{
	CHECK(json->depth == 0);
	return json->failed ? NULL : json->text;
}

enum err json_print(struct json *json, FILE *file)
{
	const char *line = json_line(json);

	if (line == NULL)
		return ERR_FULL;
	if (fprintf(file, "%s\n", line) < 0 || fflush(file) != 0)
		return ERR_IO;
	return ERR_OK;
}
