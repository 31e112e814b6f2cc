#!/usr/bin/env python3
"""tests/source/schemas.py -- what is generated from the schemas is current.

    schemas.py            say whether the tables of schemas/README.md are what
                          gen.py --doc and contract.h give; whether gen.py
                          refuses bad schemas with file and line; and whether
                          it leaves unchanged files alone
    schemas.py --write    write the tables
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
GEN = os.path.join(ROOT, "schemas", "gen.py")
README = os.path.join(ROOT, "schemas", "README.md")
VECTORS = os.path.join(ROOT, "schemas", "vectors.txt")
HEADERS = glob.glob(os.path.join(ROOT, "shared", "*", "*.h"))
CDDL = [os.path.join(ROOT, "schemas", name + ".cddl") for name in (
    "common", "ledger", "contract", "request", "topic", "peer", "checkpoint")]

ENVELOPE = "envelope = [\n  body: bytes .size (0..99),\n]\n"
# A schema, and what gen.py must say of it.
BAD = [
    ("a = bytes\n", "1: expected .size"),
    ("a = float .le 3\n", "1: 'float' is not a scalar"),
    ("a = uint .le x\n", "1: 'x' is not a number"),
    ("a = uint .le 9223372036854775808\n", "1: a uint is below 2^63 here"),
    ("a = text .size (9..3)\n", "1: sizes need 0 <= min <= max"),
    ("a = uint .le 3\na = uint .le 4\n", "2: 'a' is defined twice"),
    ("A = uint .le 3\n", "1: 'A' is not a name"),
    ("; x\n\nr = [\n  m: later,\n]\n", "4: 'later' is not defined before"),
    ("r = [\n  m: r,\n]\n", "2: 'r' is not defined before"),
    ("r = [\n  m: uint .le 1,\n  m: uint .le 1,\n]\n", "3: 'm' is taken"),
    ("r = [\n  int: uint .le 1,\n]\n", "2: 'int' is taken"),
    ("hash = [\n  m: uint .le 1,\n]\n", "1: 'hash' is taken in C"),
    ("r = [\n]\n", "1: 'r' has no members"),
    ("r = [\n  m: [3*2 uint .le 1],\n]\n", "2: a list needs"),
    ("r = [\n  m: [0*2 uint .le 1,\n]\n", "2: expected ], found ','"),
    ("r = [\n  m: uint .le 1\n", "2: expected ,, found the end"),
    (";@ message 1\nr = [\n  m: uint .le 1,\n]\n", "1: no envelope"),
    (ENVELOPE + ";@ message 0\nr = [\n  m: uint .le 1,\n]\n",
     "4: expected a number from 1 to 255"),
    (ENVELOPE + ";@ message 3 sealed\nr = [\n  m: uint .le 1,\n]\n",
     "4: unknown annotation"),
    (ENVELOPE + ";@ message 3\nr = [\n  m: uint .le 1,\n]\n"
     ";@ message 3\ns = [\n  m: uint .le 1,\n]\n",
     "8: message 3 is 'r' already"),
    (";@ op 1\na = uint .le 3\n", "2: only arrays can be annotated"),
    ("a = uint .le 3\n;@ op 1\n", "2: annotation without a rule"),
    ("r = [\n  bytes: text .size 9,\n]\nr_bytes = [\n  m: uint .le 1,\n]\n",
     "4: R_BYTES_BYTES_MAX is a limit of 'r' too"),
]


def generate(*arguments):
    return subprocess.run([sys.executable, GEN, *arguments],
                          capture_output=True, text=True, check=False)


def header_with(text):
    """The C header that says this."""
    for path in sorted(HEADERS):
        with open(path, encoding="utf-8") as file:
            content = file.read()
        if text in content:
            return content
    sys.exit("no header of shared/ says " + text)


def rows_of(macro, cells):
    """The X() rows of a table in a C header: a name, and what follows it."""
    define = "#define " + macro
    text = header_with(define)
    text = text[text.index(define):].split("\n\n")[0].replace("\\\n", " ")
    string = r'((?:"(?:[^"\\]|\\.)*"\s*)+)'
    kinds = {"word": r"(\w+)\s*", "text": string}
    rows = re.findall(r"X\(\s*" + r",\s*".join(kinds[c] for c in cells)
                      + r"\)", text)
    return [["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', cell)) or cell
             for cell in row] for row in rows]


def states():
    """The states of a reservation, numbered as C numbers them."""
    define = "enum reservation_state {"
    text = header_with(define)
    names = re.findall(r"RESERVATION_(\w+)",
                       text[text.index(define):].split("}")[0])
    return " · ".join("%d %s" % (number, name.lower())
                      for number, name in enumerate(names))


def example():
    """The worked example: the vectors before those of a proof."""
    lines = ["```"]
    with open(VECTORS, encoding="utf-8") as file:
        text = file.read()
    text = text[text.index("\nvalue "):text.index("# Proof of")]
    for entry in text.strip().split("\n\n"):
        head, *fields, data = entry.split("\n")
        lines += [head.replace("value ", "").replace("rule ", "")]
        lines += [line.replace("fields ", "  ") for line in fields]
        lines += ["  " + data.replace("hex ", "")]
    return "\n".join(lines + ["```"])


def tables():
    """What stands between the markers of the README, by their names."""
    refusals = ["| code | word | English | 日本語 |", "|---|---|---|---|"]
    refusals += ["| %s | `%s` | %s | %s |" % (number, *rest)
                 for _, number, *rest in rows_of(
                     "REFUSAL_LIST", ("word", "word", "text", "text", "text"))]
    errors = ["| `code` | cause, then cure |", "|---|---|"]
    errors += ["| `%s` | %s |" % (word, text) for _, word, text in rows_of(
        "ERR_LIST", ("word", "text", "text")) if word != "ok"]
    made = generate("--doc", *CDDL)
    if made.returncode:
        sys.exit(made.stderr)
    return {"schemas": made.stdout.rstrip("\n"), "example": example(),
            "states": states(),
            "refusals": "\n".join(refusals), "errors": "\n".join(errors)}


def check_readme(write):
    with open(README, encoding="utf-8") as file:
        old = text = file.read()
    for name, table in tables().items():
        begin, end = "<!-- begin %s -->\n" % name, "<!-- end %s -->" % name
        if begin not in text or end not in text:
            return ["schemas/README.md has no markers for " + name]
        head, rest = text.split(begin)
        text = head + begin + "\n" + table + "\n\n" + end + (
            rest.split(end)[1])
    if write:
        with open(README, "w", encoding="utf-8") as file:
            file.write(text)
    elif text != old:
        return ["the tables of schemas/README.md are old; run "
                "tests/source/schemas.py --write"]
    return []


def check_errors(folder):
    path = os.path.join(folder, "bad.cddl")
    problems = []
    for text, expected in BAD:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        made = generate("--out", os.path.join(folder, "out"), path)
        if made.returncode == 0 or "%s:%s" % (
                path, expected) not in made.stderr:
            problems.append("gen.py says %r, not %r" % (
                made.stderr[-200:], expected))
    return problems


def check_unchanged(folder):
    out = os.path.join(folder, "gen")
    for _ in range(2):
        made = generate("--out", out, *CDDL)
        if made.returncode:
            return [made.stderr]
        times = {f: os.stat(os.path.join(out, f)).st_mtime_ns
                 for f in os.listdir(out)}
        for name in times:
            os.utime(os.path.join(out, name), ns=(1, 1))
    return ["gen.py rewrote " + f for f, t in times.items() if t != 1]


def main(arguments):
    problems = check_readme(arguments == ["--write"])
    with tempfile.TemporaryDirectory() as folder:
        problems += check_errors(folder) + check_unchanged(folder)
    for problem in problems:
        print(problem)
    print("schemas: %s" % ("bad" if problems else "current"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
