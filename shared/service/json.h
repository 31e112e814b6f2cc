/* service/json.h -- one JSON object a line, written into the caller's buffer.
 *
 * What --json says must be JSON whatever a stranger put into a name, and must
 * not grow without a limit: text is escaped, and a line that does not fit fails
 * as a whole.
 *
 *	struct json json = json_of(buffer, sizeof(buffer));
 *	json_object(&json, NULL);
 *	json_text(&json, "status", "final");
 *	json_array(&json, "receipts");
 *	json_number(&json, NULL, 0);
 *	json_end(&json);
 *	json_end(&json);
 *	err = json_print(&json, stdout);
 */
#ifndef PERCH_SERVICE_JSON_H
#define PERCH_SERVICE_JSON_H

#include <stdio.h>

#include "base/err.h"
#include "base/view.h"

enum { JSON_DEPTH_MAX = 16 };

struct json {
	char *text;
	size_t size;
	size_t used;
	bool failed; /* did not fit */
	size_t depth;
	bool in_array[JSON_DEPTH_MAX];
	bool has_member[JSON_DEPTH_MAX];
};

struct json json_of(char *buffer, size_t size);

/* name: of a member of an object (plain ASCII, our own); NULL in an array and
 * for the outermost. Each object and array is closed by json_end. */
void json_object(struct json *json, const char *name);
void json_array(struct json *json, const char *name);
void json_end(struct json *json);

/* Control characters are escaped; in a text that is not UTF-8 each byte above
 * 127 is shown as U+FFFD. */
void json_text(struct json *json, const char *name, const char *text);
void json_view(struct json *json, const char *name, struct view text);
void json_hex(struct json *json, const char *name, struct view bytes);
void json_number(struct json *json, const char *name, int64_t number);
/* With two decimals, for what was measured. */
void json_decimal(struct json *json, const char *name, double number);
void json_bool(struct json *json, const char *name, bool value);
void json_null(struct json *json, const char *name);

/* The line without its newline, NUL-terminated, or NULL when it did not fit.
 * CHECKs that everything is closed. */
const char *json_line(struct json *json);
/* Print and flush the line; ERR_FULL: it did not fit; ERR_IO. */
MUST_CHECK enum err json_print(struct json *json, FILE *file);

#endif
