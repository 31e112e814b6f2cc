#!/usr/bin/env python3
"""tests/source/sizes.py -- nothing is longer than a reader's patience: a file
700 lines, a header 250 (a test's may hold code), a function 70.

clang-format puts a C function's braces alone into the first column, so they
need no parser."""
import ast
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import repo  # noqa: E402

FILE_MAX, HEADER_MAX, FUNCTION_MAX = 700, 250, 70
ENDINGS = (".c", ".h", ".py", ".sh", ".cmake", ".cddl", ".js")


def check(root):
    for path in repo.files(root, *ENDINGS):
        text = repo.read(root, path)
        count = text.count("\n")
        header = path.endswith(".h") and not path.startswith("tests/")
        most = HEADER_MAX if header else FILE_MAX
        if count > most:
            yield (path, most, "%d lines, %d at most; it is two things: "
                   "find the seam" % (count, most))
        if path.endswith((".c", ".h")):
            found = c_functions(text)
        elif path.endswith(".py"):
            found = python_functions(text)
        else:
            found = []
        for name, line, length in found:
            if length > FUNCTION_MAX:
                yield (path, line, "%s is %d lines, %d at most; name its "
                       "steps" % (name, length, FUNCTION_MAX))


def c_functions(text):
    """(name, first line, lines) of each function body."""
    rows = text.split("\n")
    start = None
    for number, row in enumerate(rows, 1):
        if row == "{":
            start = number
        elif row == "}" and start:
            before = "\n".join(rows[max(0, start - 8):start - 1])
            names = re.findall(r"^(?:\w[\w\s*]*?[\s*])?(\w+)\(", before, re.M)
            yield (names[-1] if names else "?", start, number - start + 1)
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield (node.name, node.lineno,
                   node.end_lineno - node.lineno + 1)


if __name__ == "__main__":
    repo.main(check, "sizes")
