"""schemas/cddl.py -- reads the schemas: aliases and rules, in their order.

The subset of CDDL (RFC 8610) that is read:

    alias = bytes .size 32            or (0..64)     uint .le 7     text .size
    rule = [ member: type, ... ]      an array of exactly these members
    member: [0*3 type]                a list of 0 to 3

A type is a scalar, an alias, or a rule that was defined before; so nothing is
recursive, and everything has a size at most. Annotations stand before a rule:

    ;@ message 12 [signed]     the number in the envelope
    ;@ op 1                    the number in op.kind
    ;@ limit 60000             bytes at most, below what the members add up to

What is wrong is a SchemaError that names the file and the line.
"""
import os
import re

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

    def member(self, name):
        return next(m for m in self.members if m.name == name)

    @property
    def sum_max(self):
        return list_head(len(self.members)) + sum(
            m.bytes_max for m in self.members)

    @property
    def is_limited(self):  # to less than its members' limits say already
        return 0 < self.limit < self.sum_max

    @property
    def bytes_max(self):
        return self.limit if self.is_limited else self.sum_max


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

    # Tokens; a comment is one that peek and take pass over.
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
                if "envelope" not in self.rules:
                    raise SchemaError(place, "no envelope to be the body of")
                body = self.rules["envelope"].member("body").item.max
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


def parse(paths):
    parser = Parser()
    for path in paths:
        parser.read(path)
    return parser
