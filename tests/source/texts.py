#!/usr/bin/env python3
"""tests/source/texts.py -- what a reader relies on: every folder says what it
is (README.md), every file begins with what it is for, only agreed names stand
at the top, links between documents lead somewhere, shell scripts parse."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import repo  # noqa: E402

TOP = {"CMakeLists.txt", "README.md", "LICENSE", "services", "shared",
       "schemas", "tests", "run"}
# How the first line (after #!) of a file begins, by its ending.
FIRST = {".c": "/* ", ".h": "/* ", ".py": '"""', ".sh": "# ", ".cddl": "; ",
         ".cmake": "# ", "CMakeLists.txt": "# ", ".js": "// "}


def check(root, lint=True):
    for name in sorted(os.listdir(root)):
        if name not in TOP and name not in repo.HIDDEN and name[0] != ".":
            yield name, 1, "only %s stand at the top" % " ".join(sorted(TOP))
    yield from readmes(root)
    for path in repo.files(root):
        for ending, begin in FIRST.items():
            if path.endswith(ending):
                yield from first(root, path, begin)
        if path.endswith(".md"):
            yield from links(root, path)
    yield from tour(root)
    yield from scripts(root, lint)


def tour(root):
    """The stops are the files with a /*~ comment, all in README.md."""
    listed = set(re.findall(r"^\d+\. \[[^]]*\]\(([^)]+)\)", repo.read(
        root, "README.md"), re.M))
    stops = {}
    for path in repo.files(root, ".c", ".h"):
        for line, row in repo.lines(repo.read(root, path)):
            if row.lstrip().startswith("/*~"):
                stops.setdefault(path, line)
    for path in sorted(set(stops) - listed):
        yield (path, stops[path], "a stop of the tour that README.md does not "
               "list")
    for path in sorted(listed - set(stops)):
        yield "README.md", 1, "%s is no stop of the tour any more" % path


def readmes(root):
    folders = {os.path.dirname(path) for path in repo.files(root)}
    folders |= {os.path.dirname(folder) for folder in folders}
    for folder in sorted(folders):
        if "include" in folder.split("/"):
            continue
        if not os.path.exists(os.path.join(root, folder, "README.md")):
            yield (os.path.join(folder, "README.md"), 1,
                   "is missing: what is this folder, what to read first, "
                   "which rules hold here?")


def first(root, path, begin):
    rows = repo.read(root, path).split("\n")
    line = 2 if rows[0].startswith("#!") else 1
    row = rows[line - 1] if len(rows) >= line else ""
    if not row.startswith(begin):
        yield path, line, "begin with %r and what this file is for" % begin
    elif path.endswith((".c", ".h", ".py")):
        name = row[len(begin):].split(" -- ")[0].strip()
        if " -- " not in row or not ("/" + path).endswith("/" + name):
            yield (path, line, "begin with its own path: %sfolder/name -- "
                   "what it is for" % begin)


def links(root, path):
    for line, row in repo.lines(repo.read(root, path)):
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", row):
            if "://" in target or target.startswith("mailto:"):
                continue
            there = os.path.join(root, os.path.dirname(path), target)
            if not os.path.exists(there):
                yield path, line, "%s is not there" % target


def scripts(root, lint):
    found = [p for p in repo.files(root, ".sh")]
    if os.path.exists(os.path.join(root, ".ci", "run")):
        found.append(".ci/run")
    shellcheck = shutil.which("shellcheck")
    for path in found:
        shell = "bash" if "bash" in repo.read(root, path).split(
            "\n")[0] else "sh"
        said = subprocess.run([shell, "-n", path], cwd=root, check=False,
                              capture_output=True, text=True)
        if said.returncode:
            yield path, 1, said.stderr.strip().split("\n")[0]
        if not os.access(os.path.join(root, path), os.X_OK):
            yield path, 1, "is not executable; chmod +x"
    if shellcheck and lint and found:
        said = subprocess.run([shellcheck, "-S", "warning", "-f", "gcc", "-x",
                               *found],
                              cwd=root, check=False, capture_output=True,
                              text=True)
        for row in said.stdout.splitlines():
            match = re.match(r"(.*?):(\d+):\d+: (.*)", row)
            if match:
                yield match.group(1), int(match.group(2)), match.group(3)


if __name__ == "__main__":
    repo.main(check, "texts")
