"""tests/support/repo.py -- what the checks of tests/source share: which files
there are, C without its comments and strings, and how a finding is told.

A check is a module with check(root), a generator of findings; each finding is
(path, line, text) and its text says what is wrong and the cure.
"""
import os
import re
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", ".."))
HIDDEN = {"build", "node_modules", "__pycache__"}
PURE = ["base", "wire", "crypto", "ledger", "contract", "consensus"]


def files(root, *endings, under=""):
    """Paths below root, sorted; what git ignores or hides is left out."""
    for folder, folders, names in os.walk(os.path.join(root, under)):
        folders[:] = sorted(f for f in folders
                            if f not in HIDDEN and not f.startswith("."))
        for name in sorted(names):
            if name.endswith(endings or "") and not name.startswith("."):
                yield os.path.relpath(os.path.join(folder, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def code(text):
    """C with comments, strings and characters blanked, line for line."""
    def blank(match):
        word = match.group(0)
        lines = "\n" * word.count("\n")
        return '""' + lines if word[0] in "\"'" else " " + lines
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"'
                  r"|'(?:\\.|[^'\\\n])+'", blank, text, flags=re.S)


def lines(text):
    return enumerate(text.split("\n"), 1)


def main(check, said):
    """Print the findings; exit code 1 when there are any."""
    count = 0
    for path, line, text in check(ROOT):
        print("%s:%d: %s" % (path, line, text))
        count += 1
    print("%s: %s" % (said, "%d to cure" % count if count else "good"))
    sys.exit(1 if count else 0)
