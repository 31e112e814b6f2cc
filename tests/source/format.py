#!/usr/bin/env python3
"""tests/source/format.py -- clang-format 14 decides how C is laid out."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import repo  # noqa: E402

BATCH = 24


def formatter():
    """Its name, or None when it is missing or another version decides."""
    for name in ("clang-format-14", "clang-format"):
        try:
            said = subprocess.run([name, "--version"], check=False,
                                  capture_output=True, text=True).stdout
        except FileNotFoundError:
            continue
        if " version 14." in said:
            return name
    return None


def check(root, only=None):
    name = formatter()
    paths = only or list(repo.files(root, ".c", ".h"))
    batches = [paths[i:i + BATCH] for i in range(0, len(paths), BATCH)]
    runs = []
    for batch in batches:
        runs.append(subprocess.Popen(
            [name, "--dry-run", "-Werror", *batch], cwd=root, text=True,
            stderr=subprocess.PIPE))
        if len(runs) > 1:
            yield from told(runs.pop(0))
    for run in runs:
        yield from told(run)


def told(run):
    seen = set()
    for row in run.communicate()[1].splitlines():
        match = re.match(r"(.*?):(\d+):\d+: error: ", row)
        if match and match.group(1) not in seen:
            seen.add(match.group(1))
            yield (match.group(1), int(match.group(2)),
                   "not as .clang-format has it; run clang-format -i on it")
    if run.returncode and not seen:
        yield (".clang-format", 1, "clang-format failed; try it by hand")


if __name__ == "__main__":
    if not formatter():
        print("skipped: clang-format 14 is not installed; run run/setup.sh")
        sys.exit(77)
    repo.main(check, "format")
