/* store/zpl.c -- a ZPL file, read more strictly than czmq does.
 */
#include "store/zpl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/crypto.h"

enum { LINE_MAX_BYTES = 500, INDENT = 4, DEPTH_MAX = 8, PATH_BYTES = 120 };

#define NAME_BYTES                                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* The whole file and a NUL; NULL and errno when it cannot be read. */
static char *read_bytes(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return NULL;
	char *bytes = malloc(ZPL_BYTES_MAX);
	CHECK(bytes != NULL);
	errno = 0;
	*size = fread(bytes, 1, ZPL_BYTES_MAX, file);
	int error = ferror(file) == 0 ? 0 : errno;
	fclose(file);
	if (*size == ZPL_BYTES_MAX)
		error = EFBIG;
	if (error == 0) {
		bytes[*size] = '\0';
		return bytes;
	}
	free(bytes);
	errno = error;
	return NULL;
}

/* ---- lines ---- */

static const char *after_spaces(const char *text)
{
	return text + strspn(text, " ");
}

static bool is_end(const char *text)
{
	text = after_spaces(text);
	return *text == '\0' || *text == '#';
}

/* What is wrong with " = value", or NULL. */
static const char *judge_value(const char *text)
{
	if (is_end(text))
		return NULL;
	text = after_spaces(text);
	if (*text != '=')
		return "a name, then perhaps \"= value\", is expected";
	text = after_spaces(text + 1);
	if (*text != '"' && *text != '\'')
		return NULL;
	text = strchr(text + 1, *text);
	if (text == NULL)
		return "a quotation mark is not closed";
	return is_end(text + 1) ? NULL : "something follows the value";
}

/* What is wrong with a line below one of depth *depth, or NULL. */
static const char *judge_line(const char *line, size_t *depth)
{
	if (strlen(line) > LINE_MAX_BYTES)
		return "a line is at most 500 bytes";
	for (const char *at = line; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return "tabs and control characters are not allowed; "
			       "indent by 4 spaces";
	size_t indent = strspn(line, " ");
	if (indent % INDENT == 0 && is_end(line))
		return NULL;
	if (indent % INDENT != 0 || indent / INDENT > *depth)
		return "indent by 4 spaces, one level at a time";
	if (indent / INDENT >= DEPTH_MAX)
		return "too deep";
	size_t name = strspn(line + indent, NAME_BYTES);
	if (name == 0)
		return "a name is of a-z A-Z 0-9 _ -";
	*depth = indent / INDENT + 1;
	return judge_value(line + indent + name);
}

/* Cuts text into lines; what is wrong with the first bad one, or NULL. */
static const char *judge_lines(char *text, size_t *number)
{
	size_t depth = 0;
	*number = 0;
	while (*text != '\0') {
		char *end = strchr(text, '\n');
		if (end != NULL)
			*end = '\0';
		(*number)++;
		const char *wrong = judge_line(text, &depth);
		if (wrong != NULL)
			return wrong;
		if (end == NULL)
			break;
		text = end + 1;
	}
	return NULL;
}

/* ---- the tree ---- */

/* What is wrong with a setting below item, or NULL; path is where. */
static const char *judge_tree(zconfig_t *item, char path[PATH_BYTES])
{
	size_t length = strlen(path);
	size_t count = 0;
	for (zconfig_t *child = zconfig_child(item); child != NULL;
		child = zconfig_next(child)) {
		const char *value = zconfig_value(child);
		snprintf(path + length, PATH_BYTES - length, "%s%.33s",
			length == 0 ? "" : "/", zconfig_name(child));
		if (zconfig_child(child) != NULL && value != NULL &&
			*value != '\0')
			return "this has settings below it and takes no value";
		if (++count > ZPL_SIBLINGS_MAX)
			return "there are too many beside it";
		for (zconfig_t *other = zconfig_next(child); other != NULL;
			other = zconfig_next(other))
			if (streq(zconfig_name(child), zconfig_name(other)))
				return "this is here twice; remove one";
		const char *wrong = judge_tree(child, path);
		if (wrong != NULL)
			return wrong;
		path[length] = '\0';
	}
	return NULL;
}

static enum err parse(
	zconfig_t **out, const char *path, char *bytes, size_t size, char *why)
{
	size_t line;
	const char *wrong;
	zchunk_t *chunk = zchunk_new(bytes, size);
	CHECK(chunk != NULL);
	if (strlen(bytes) != size) {
		line = 0;
		wrong = "a byte 0 is in it; it is not text";
	} else {
		wrong = judge_lines(bytes, &line);
	}
	zconfig_t *root = wrong == NULL ? zconfig_chunk_load(chunk) : NULL;
	zchunk_destroy(&chunk);
	if (root == NULL) {
		snprintf(why, ZPL_WHY, "%.120s: line %zu: %s", path, line,
			wrong == NULL ? "not ZPL" : wrong);
		return ERR_CONFIG;
	}
	char at[PATH_BYTES] = "";
	wrong = judge_tree(root, at);
	if (wrong != NULL) {
		snprintf(why, ZPL_WHY, "%.90s: %s: %s", path, at, wrong);
		zconfig_destroy(&root);
		return ERR_CONFIG;
	}
	*out = root;
	return ERR_OK;
}

enum err zpl_load(
	zconfig_t **out, struct hash *hash, const char *path, char *why)
{
	size_t size;
	char *bytes = read_bytes(path, &size);
	if (bytes == NULL) {
		snprintf(why, ZPL_WHY, "%.120s: %s", path, strerror(errno));
		return ERR_IO;
	}
	struct hash found = hash_bytes(view_of(bytes, size));
	enum err err = parse(out, path, bytes, size, why);
	free(bytes);
	if (err == ERR_OK)
		*hash = found;
	return err;
}
