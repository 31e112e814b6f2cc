#!/usr/bin/env python3
"""schemas/gen.py -- the messages of schemas/*.cddl as C, and as documentation.

    gen.py --out DIR common.cddl ledger.cddl ...   DIR/common.h, DIR/common.c,
                                                   ..., DIR/table.h, DIR/table.c
    gen.py --doc common.cddl ledger.cddl ...       markdown on standard output

The subset of CDDL (RFC 8610) that is read:

    alias = bytes .size 32            or (0..64)     uint .le 7     text .size
    rule = [ member: type, ... ]      an array of exactly these members
    member: [0*3 type]                a list of 0 to 3

A type is a scalar, an alias, or a rule that was defined before; so nothing is
recursive, and everything has a size at most. Annotations stand before a rule:

    ;@ message 12 [signed]     the number in the envelope
    ;@ op 1                    the number in op.kind
    ;@ limit 60000             bytes at most, below what the members add up to
"""
import os
import re
import sys

BASE_TYPES = {"hash": 32, "key": 32, "signature": 64, "id": 16}
# Declared by hand in shared/ledger/block.h, where a transaction or block is
# more than its rule.
TAKEN = {"BLOCK_BYTES_MAX", "BLOCK_TXS_MAX", "TX_BYTES_MAX"}
C_WORDS = set("""auto break case char const continue default do double else enum
extern float for goto if inline int long register restrict return short signed
sizeof static struct switch typedef union unsigned void volatile while""".split())


class SchemaError(Exception):
    def __init__(self, place, text):
        super().__init__("%s:%d: %s" % (place[0], place[1], text))


class Scalar:
    """bytes or text of min..max bytes, or a uint up to max."""

    def __init__(self, kind, low, high, alias=None):
        self.kind, self.min, self.max, self.alias = kind, low, high, alias

    @property
    def fixed(self):  # a struct of base/view.h, of exactly this size
        return (self.kind == "bytes" and self.min == self.max
                and BASE_TYPES.get(self.alias) == self.max)

    @property
    def bytes_max(self):
        if self.kind == "uint":
            return 1 if self.max < 128 else 1 + next(
                n for n in (1, 2, 4, 8) if self.max < 256 ** n)
        short = self.kind == "text" and self.max < 32
        return self.max + (1 if short else 2 if self.max < 256
                           else 3 if self.max < 65536 else 5)

    @property
    def text(self):
        if self.kind == "uint":
            return "uint .le %d" % self.max
        size = "%d" % self.max if self.min == self.max else "(%d..%d)" % (
            self.min, self.max)
        return "%s .size %s" % (self.kind, size)


class Member:
    """One member of a rule; item is a Scalar or a Rule, many a (min, max)."""

    def __init__(self, name, item, many):
        self.name, self.item, self.many, self.comment = name, item, many, ""

    @property
    def bytes_max(self):
        if not self.many:
            return self.item.bytes_max
        return list_head(self.many[1]) + self.many[1] * self.item.bytes_max

    @property
    def type_name(self):
        return self.item.name if isinstance(self.item, Rule) else (
            self.item.alias or self.item.text)

    @property
    def text(self):
        return "[%d*%d %s]" % (*self.many, self.type_name) if self.many else (
            self.type_name)


class Rule:
    def __init__(self, name, schema, place, comment):
        self.name, self.schema, self.place = name, schema, place
        self.comment, self.members = comment, []
        self.message = self.op = self.limit = 0
        self.signed = False

    @property
    def bytes_max(self):
        sum_max = list_head(len(self.members)) + sum(
            m.bytes_max for m in self.members)
        return min(sum_max, self.limit) if self.limit else sum_max


def list_head(count):
    return 1 if count < 16 else 3 if count < 65536 else 5


# ---- reading ----

TOKEN = re.compile(r"\s*(;.*|[A-Za-z_]\w*|\.\.|\.\w+|\d+|[\[\]()=:,*]|\S)")


class Parser:
    """Reads files one after another into aliases and rules, in order."""

    def __init__(self):
        self.aliases, self.rules, self.constants = {}, {}, {}

    def read(self, path):
        self.schema = os.path.splitext(os.path.basename(path))[0]
        self.tokens = []  # (text, line); a comment is one token
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                line = line.rstrip()
                if not line:
                    self.tokens.append(("", (path, number)))
                for match in TOKEN.finditer(line):
                    self.tokens.append((match.group(1), (path, number)))
        self.at, self.comments, self.notes = 0, [], []
        while self.at < len(self.tokens):
            self.read_definition()
        if self.notes:
            raise SchemaError(self.notes[0][1], "annotation without a rule")

    # Tokens. peek and take pass over comments, which doc() gathers.
    def peek(self):
        while self.at < len(self.tokens):
            text, place = self.tokens[self.at]
            if text and text[0] != ";":
                return text
            self.at += 1
        return ""

    def take(self, expected=None):
        text = self.peek()
        place = self.place()
        if not text or (expected and text != expected):
            raise SchemaError(place, "expected %s, found %s" % (
                expected or "more", "'%s'" % text if text else "the end"))
        self.at += 1
        return text

    def place(self):
        return self.tokens[min(self.at, len(self.tokens) - 1)][1]

    def take_name(self):
        place, name = (self.peek(), self.place())[1], self.take()
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise SchemaError(place, "'%s' is not a name" % name)
        return name

    def take_number(self):
        place, text = (self.peek(), self.place())[1], self.take()
        if not text.isdigit():
            raise SchemaError(place, "'%s' is not a number" % text)
        return int(text)

    def comment_on(self, place):
        """The comment at the end of the line that was just read."""
        if self.at < len(self.tokens):
            text, where = self.tokens[self.at]
            if text[:1] == ";" and where == place:
                self.at += 1
                return text[1:].strip()
        return ""

    # Definitions.
    def read_definition(self):
        text, place = self.tokens[self.at]
        if text[:2] == ";@":
            self.notes.append((text[2:].split(), place))
            self.at += 1
        elif text[:1] == ";":
            self.comments.append(text[1:].strip())
            self.at += 1
        elif not text:
            self.comments = []
            self.at += 1
        else:
            self.read_rule(self.take_name(), place)
            self.comments = []

    def read_rule(self, name, place):
        if name in self.aliases or name in self.rules:
            raise SchemaError(place, "'%s' is defined twice" % name)
        self.take("=")
        if self.peek() != "[":
            scalar = self.read_scalar(name)
            if self.notes:
                raise SchemaError(place, "only arrays can be annotated")
            scalar.comment = self.comment_on(self.tokens[self.at - 1][1])
            self.aliases[name] = scalar
            return
        if name in BASE_TYPES or name in C_WORDS:
            raise SchemaError(place, "'%s' is taken in C" % name)
        rule = Rule(name, self.schema, place, self.comments)
        self.take("[")
        while self.peek() != "]":
            rule.members.append(self.read_member(rule))
        self.take("]")
        if not rule.members:
            raise SchemaError(place, "'%s' has no members" % name)
        self.annotate(rule)
        self.declare_constants(rule)
        self.rules[name] = rule

    def read_member(self, rule):
        place, name = (self.peek(), self.place())[1], self.take_name()
        if name in C_WORDS or name in (m.name for m in rule.members):
            raise SchemaError(place, "'%s' is taken" % name)
        self.take(":")
        many = None
        if self.peek() == "[":
            self.take("[")
            low = self.take_number()
            self.take("*")
            many = (low, self.take_number())
            if many[0] > many[1] or many[1] == 0:
                raise SchemaError(place, "a list needs 0 <= min <= max")
        member = Member(name, self.read_type(), many)
        if many:
            self.take("]")
        if self.peek() != "]":
            self.take(",")
        member.comment = self.comment_on(place)
        return member

    def read_type(self):
        if self.peek() in ("bytes", "text", "uint"):
            return self.read_scalar(None)
        place, name = self.place(), self.take_name()
        item = self.aliases.get(name) or self.rules.get(name)
        if not item:
            raise SchemaError(place, "'%s' is not defined before this" % name)
        return item

    def read_scalar(self, alias):
        place, kind = (self.peek(), self.place())[1], self.take()
        if kind == "uint":
            self.take(".le")
            high = self.take_number()
            if high >= 2 ** 63:
                raise SchemaError(place, "a uint is below 2^63 here")
            return Scalar("uint", 0, high, alias)
        if kind not in ("bytes", "text"):
            raise SchemaError(place, "'%s' is not a scalar" % kind)
        self.take(".size")
        if self.peek() != "(":
            low = high = self.take_number()
        else:
            self.take("(")
            low = self.take_number()
            self.take("..")
            high = self.take_number()
            self.take(")")
        if low > high or high >= 2 ** 31:
            raise SchemaError(place, "sizes need 0 <= min <= max")
        return Scalar(kind, low, high, alias)

    def annotate(self, rule):
        for words, place in self.notes:
            word, rest = words[0] if words else "", words[1:]
            if word == "message" and rest[1:] in ([], ["signed"]):
                rule.message = self.number(rest, place, 255)
                rule.signed = rest[1:] == ["signed"]
                # A message is the body of an envelope.
                body = self.rules["envelope"].members[3].item.max
                rule.limit = min(rule.limit or body, body)
            elif word == "op" and len(rest) == 1:
                rule.op = self.number(rest, place, 255)
            elif word == "limit" and len(rest) == 1:
                rule.limit = self.number(rest, place, 2 ** 31 - 1)
            else:
                raise SchemaError(place, "unknown annotation")
            for other in self.rules.values():
                if word != "limit" and getattr(rule, word) == getattr(
                        other, word):
                    raise SchemaError(place, "%s %s is '%s' already" % (
                        word, rest[0], other.name))
        self.notes = []

    @staticmethod
    def number(words, place, high):
        if not words or not words[0].isdigit() or not (
                0 < int(words[0]) <= high):
            raise SchemaError(place, "expected a number from 1 to %d" % high)
        return int(words[0])

    def declare_constants(self, rule):
        upper = rule.name.upper()
        rule.constants = [(upper + "_BYTES_MAX", rule.bytes_max)]
        for m in rule.members:
            if m.many:
                rule.constants.append(
                    ("%s_%s_MAX" % (upper, m.name.upper()), m.many[1]))
            elif isinstance(m.item, Scalar) and (
                    m.item.kind != "uint" and not m.item.fixed):
                rule.constants.append(
                    ("%s_%s_BYTES_MAX" % (upper, m.name.upper()), m.item.max))
        rule.constants = [c for c in rule.constants if c[0] not in TAKEN]
        for name, _ in rule.constants:
            if name in self.constants:
                raise SchemaError(rule.place, "%s is a limit of '%s' too" % (
                    name, self.constants[name]))
            self.constants[name] = rule.name


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
            "max": rule.bytes_max, "read": "\n".join(read),
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
	enum err err = bytes.size > %(max)d ? ERR_LENGTH : ERR_OK;

	if (err == ERR_OK) {
		%(name)s_read(&reader, out);
		err = wire_read_end(&reader);
	}
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


def parse(paths):
    parser = Parser()
    for path in paths:
        parser.read(path)
    return parser


def main(arguments):
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
