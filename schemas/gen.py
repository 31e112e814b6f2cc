#!/usr/bin/env python3
"""schemas/gen.py -- the messages of schemas/*.cddl as C, and as documentation.

    gen.py --out DIR common.cddl ledger.cddl ...   DIR/common.h, DIR/common.c,
                                                   ..., DIR/table.h, DIR/table.c
    gen.py --doc common.cddl ledger.cddl ...       markdown on standard output

What the schemas may say is in cddl.py.
"""
import os
import sys

sys.dont_write_bytecode = True
from cddl import Rule, SchemaError, parse  # noqa: E402

# ---- C ----

def c_type(item):
    if isinstance(item, Rule):
        return "struct %s" % item.name
    if item.kind == "uint":
        return "uint64_t"
    return "struct %s" % (item.alias if item.fixed else "view")


def c_comment(lines):
    if not lines:
        return []
    if len(lines) == 1:
        return ["/* %s */" % lines[0]]
    return ["/* " + lines[0]] + [" * " + line for line in lines[1:]] + [" */"]


def c_header_of(rule):
    lines = c_comment(rule.comment) + ["struct %s {" % rule.name]
    for m in rule.members:
        line = "\t%s %s;" % (c_type(m.item), m.name)
        if m.many:
            line = "\tsize_t %s_count;\n\t%s %s[%d];" % (
                m.name, c_type(m.item), m.name, m.many[1])
        lines.append(line + (" /* %s */" % m.comment if m.comment else ""))
    lines += ["};", "enum {"]
    lines += ["\t%s = %d," % constant for constant in rule.constants]
    lines += ["};"] if rule.constants else []
    if not rule.constants:
        lines.pop()
    fill = {"name": rule.name}
    lines += [line % fill for line in (
        "MUST_CHECK enum err %(name)s_decode(",
        "\tstruct %(name)s *out, struct view bytes);",
        "size_t %(name)s_encode(",
        "\tuint8_t *out, size_t size, const struct %(name)s *in);",
        "void %(name)s_read(struct wire_reader *reader, "
        "struct %(name)s *out);",
        "void %(name)s_write(",
        "\tstruct wire_writer *writer, const struct %(name)s *in);", "")]
    return lines


def c_read(item, to):
    if isinstance(item, Rule):
        return "%s_read(reader, &%s);" % (item.name, to)
    if item.kind == "uint":
        return "%s = wire_read_uint(reader, UINT64_C(%d));" % (to, item.max)
    if item.fixed:
        return "wire_read_fixed(reader, %s.bytes, %d);" % (to, item.max)
    return "%s = wire_read_%s(reader, %d, %d);" % (
        to, item.kind, item.min, item.max)


def c_write(item, what):
    if isinstance(item, Rule):
        return "%s_write(writer, &%s);" % (item.name, what)
    if item.kind == "uint":
        return "wire_write_uint(writer, %s, UINT64_C(%d));" % (what, item.max)
    view = "view_of(%s.bytes, %d)" % (what, item.max) if item.fixed else what
    return "wire_write_%s(\n\t\twriter, %s, %d, %d);" % (
        item.kind, view, item.min, item.max)


LIMIT_C = """	if (bytes.size > %d)
		wire_read_fail(&reader, ERR_LENGTH);
"""


def c_source_of(rule):
    read, write = [], []
    for m in rule.members:
        if not m.many:
            read.append("\t" + c_read(m.item, "out->" + m.name))
            write.append("\t" + c_write(m.item, "in->" + m.name))
            continue
        each, limits = m.name + "[i]", "%d, %d" % m.many
        loop = "\tfor (size_t i = 0; i < %s->" + m.name + "_count; i++)"
        read += ["\tout->%s_count = wire_read_list(reader, %s);" % (
            m.name, limits), loop % "out",
            "\t\t" + c_read(m.item, "out->" + each)]
        # A count above the limit fails here, and must not be walked.
        write += ["\twire_write_list(writer, in->%s_count, %s);" % (
            m.name, limits), "\tif (writer->failed)", "\t\treturn;",
            loop % "in", "\t\t" + c_write(m.item, "in->" + each)]
    fill = {"name": rule.name, "count": len(rule.members),
            "max": rule.bytes_max,
            "limit": LIMIT_C % rule.bytes_max if rule.is_limited else "",
            "read": "\n".join(read),
            "write": "\n".join(write)}
    return """
void %(name)s_read(struct wire_reader *reader, struct %(name)s *out)
{
	wire_read_array(reader, %(count)d);
%(read)s
}

enum err %(name)s_decode(struct %(name)s *out, struct view bytes)
{
	struct wire_reader reader = wire_reader_of(bytes);
	enum err err;

%(limit)s	%(name)s_read(&reader, out);
	err = wire_read_end(&reader);
	if (err != ERR_OK)
		memset(out, 0, sizeof(*out));
	return err;
}

void %(name)s_write(struct wire_writer *writer, const struct %(name)s *in)
{
	wire_write_array(writer, %(count)d);
%(write)s
}

size_t %(name)s_encode(uint8_t *out, size_t size, const struct %(name)s *in)
{
	struct wire_writer writer =
		wire_writer_of(out, size < %(max)d ? size : %(max)d);

	%(name)s_write(&writer, in);
	return wire_write_end(&writer);
}""" .lstrip("\n") % fill


def uses(rule):
    """The other schemas that a rule's members come from."""
    found = {m.item.schema for m in rule.members if isinstance(m.item, Rule)}
    return found - {rule.schema}


def c_files(schema, rules):
    rules = [rule for rule in rules if rule.schema == schema]
    guard = "PERCH_GEN_%s_H" % schema.upper()
    others = sorted(set().union(*(uses(rule) for rule in rules)))
    head = ["/* gen/%s.h -- made from schemas/%s.cddl by gen.py." % (
        schema, schema), " *",
        " * RULE_decode takes a whole, canonical encoding; ERR_ENCODING or",
        " * ERR_LENGTH otherwise, and out is zeroed. Views borrow from bytes.",
        " * RULE_encode returns the size, or 0 when it does not fit or a",
        " * limit is broken. RULE_read and RULE_write do so in the middle of",
        " * something longer.", " */",
        "#ifndef " + guard, "#define " + guard, "",
        '#include "base/err.h"', '#include "base/view.h"',
        '#include "wire/wire.h"']
    head += ['#include "gen/%s.h"' % other for other in others] + [""]
    for rule in rules:
        head += c_header_of(rule)
    head += ["#endif", ""]
    body = ["/* gen/%s.c -- made from schemas/%s.cddl by gen.py. */" % (
        schema, schema), '#include "gen/%s.h"' % schema, "",
        "#include <string.h>", ""]
    for rule in rules:
        body += [c_source_of(rule), ""]
    return {schema + ".h": "\n".join(head), schema + ".c": "\n".join(body)}


TABLE_H = """/* gen/table.h -- made from schemas/ by gen.py: every rule, by number and name.
 *
 * What a test, a fuzz target or a printer of messages needs to know of them.
 */
#ifndef PERCH_GEN_TABLE_H
#define PERCH_GEN_TABLE_H

#include "base/err.h"
#include "base/view.h"

/* envelope.type */
enum message_type {
%s
};

/* op.kind */
enum op_number {
%s
};

/* The name of a message type, as signatures use it; NULL when unknown. */
const char *message_name(uint8_t type);
/* Whether its envelope carries a signature. */
bool message_signed(uint8_t type);

enum schema_kind { SCHEMA_UINT, SCHEMA_BYTES, SCHEMA_TEXT, SCHEMA_RULE };

struct schema_member {
	const char *name;
	const char *type; /* alias or rule, or \"\" */
	enum schema_kind kind;
	uint64_t min, max; /* of a uint, or of the size */
	bool is_list;
	size_t count_min, count_max; /* of a list */
	const struct schema_rule *rule; /* of SCHEMA_RULE */
};

struct schema_rule {
	const char *name;
	const char *schema;
	uint8_t message, op; /* 0: is none */
	bool is_signed;
	size_t bytes_max;
	size_t member_count;
	const struct schema_member *members;
	/* Decode and encode again. ERR_FULL when that does not fit in out. */
	enum err (*check)(struct view bytes, uint8_t *out, size_t size_max,
		size_t *size);
};

enum { SCHEMA_RULES = %d };
extern const struct schema_rule schema_rules[SCHEMA_RULES];

/* The rule of this name, message type or operation; NULL when unknown. */
const struct schema_rule *schema_find(const char *name);
const struct schema_rule *schema_of_message(uint8_t type);
const struct schema_rule *schema_of_op(uint8_t number);

#endif
"""

TABLE_C = """
const struct schema_rule *schema_find(const char *name)
{
	for (size_t i = 0; i < SCHEMA_RULES; i++) {
		if (strcmp(schema_rules[i].name, name) == 0)
			return &schema_rules[i];
	}
	return NULL;
}

const struct schema_rule *schema_of_message(uint8_t type)
{
	for (size_t i = 0; i < SCHEMA_RULES; i++) {
		if (type != 0 && schema_rules[i].message == type)
			return &schema_rules[i];
	}
	return NULL;
}

const struct schema_rule *schema_of_op(uint8_t number)
{
	for (size_t i = 0; i < SCHEMA_RULES; i++) {
		if (number != 0 && schema_rules[i].op == number)
			return &schema_rules[i];
	}
	return NULL;
}

const char *message_name(uint8_t type)
{
	const struct schema_rule *rule = schema_of_message(type);

	return rule != NULL ? rule->name : NULL;
}

bool message_signed(uint8_t type)
{
	const struct schema_rule *rule = schema_of_message(type);

	return rule != NULL && rule->is_signed;
}
"""

CHECK_C = """static enum err %(name)s_check(
	struct view bytes, uint8_t *out, size_t size_max, size_t *size)
{
	struct %(name)s value;
	enum err err = %(name)s_decode(&value, bytes);

	if (err != ERR_OK)
		return err;
	*size = %(name)s_encode(out, size_max, &value);
	return *size > 0 ? ERR_OK : ERR_FULL;
}
"""


def c_table(rules, schemas):
    def numbers(kind, prefix):
        return "\n".join("\t%s%s = %d," % (
            prefix, rule.name.upper(), getattr(rule, kind)) for rule in sorted(
                rules, key=lambda r: getattr(r, kind)) if getattr(rule, kind))

    index = {rule.name: i for i, rule in enumerate(rules)}
    body = ["/* gen/table.c -- made from schemas/ by gen.py. */",
            '#include "gen/table.h"', "", "#include <string.h>", ""]
    body += ['#include "gen/%s.h"' % schema for schema in schemas] + [""]
    for rule in rules:
        body.append(CHECK_C % {"name": rule.name})
        body.append("static const struct schema_member %s_members[] = {"
                    % rule.name)
        for m in rule.members:
            nested = isinstance(m.item, Rule)
            fields = ['"%s"' % m.name, '"%s"' % (
                m.item.name if nested else m.item.alias or ""),
                "SCHEMA_RULE" if nested else "SCHEMA_" + m.item.kind.upper(),
                "0, 0" if nested else "%d, UINT64_C(%d)" % (
                    m.item.min, m.item.max),
                "true, %d, %d" % m.many if m.many else "false, 1, 1",
                "&schema_rules[%d]" % index[m.item.name] if nested else "NULL"]
            body.append("\t{%s}," % ", ".join(fields))
        body += ["};", ""]
    body.append("const struct schema_rule schema_rules[SCHEMA_RULES] = {")
    for r in rules:
        body.append('\t{"%s", "%s", %d, %d, %s, %d, %d, %s_members, %s_check},'
                    % (r.name, r.schema, r.message, r.op,
                       "true" if r.signed else "false", r.bytes_max,
                       len(r.members), r.name, r.name))
    body += ["};", TABLE_C]
    return {"table.h": TABLE_H % (numbers("message", "MESSAGE_"), numbers(
        "op", ""), len(rules)), "table.c": "\n".join(body)}


def write_if_changed(path, text):
    """An unchanged header does not make anything build again."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


# ---- documentation ----

def doc(aliases, rules):
    """Markdown: the numbers, the aliases, and every rule in its order."""
    def row(*cells):
        return "| " + " | ".join(str(c).replace("|", "\\|")
                                 for c in cells) + " |"

    lines = [row("number", "message", "signed", "in"), "|---|---|---|---|"]
    for r in sorted(rules, key=lambda r: r.message):
        if r.message:
            lines.append(row(r.message, "`%s`" % r.name,
                             "yes" if r.signed else "", r.schema + ".cddl"))
    lines += ["", row("op.kind", "operation"), "|---|---|"]
    lines += [row(r.op, "`%s`" % r.name)
              for r in sorted(rules, key=lambda r: r.op) if r.op]
    lines += ["", row("short name", "is", ""), "|---|---|---|"]
    lines += [row("`%s`" % name, "`%s`" % a.text, a.comment)
              for name, a in aliases.items()]
    schema = None
    for r in rules:
        if r.schema != schema:
            schema = r.schema
            lines += ["", "### %s.cddl" % schema]
        head = "**`%s`**" % r.name
        if r.message:
            head += " – message %d%s" % (
                r.message, ", signed" if r.signed else "")
        if r.op:
            head += " – operation %d" % r.op
        lines += ["", "%s, %d bytes at most. %s" % (
            head, r.bytes_max, " ".join(r.comment)), ""]
        lines += [row("", "member", "type", ""), "|---|---|---|---|"]
        lines += [row(i, "`%s`" % m.name, "`%s`" % m.text, m.comment)
                  for i, m in enumerate(r.members)]
    return "\n".join(lines)


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "--doc":
        parsed = parse(arguments[1:])
        print(doc(parsed.aliases, list(parsed.rules.values())))
        return 0
    if len(arguments) >= 3 and arguments[0] == "--out":
        folder, paths = arguments[1], arguments[2:]
        rules = list(parse(paths).rules.values())
        schemas = [os.path.splitext(os.path.basename(p))[0] for p in paths]
        os.makedirs(folder, exist_ok=True)
        files = c_table(rules, schemas)
        for schema in schemas:
            files.update(c_files(schema, rules))
        for name, text in files.items():
            write_if_changed(os.path.join(folder, name), text)
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SchemaError as error:
        sys.exit("gen.py: %s" % error)
