#!/usr/bin/env python3
"""tests/source/words.py -- calls that are not made here, and words that say
that something is not finished."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import repo  # noqa: E402

# Calls, where they are allowed all the same, and the cure.
CALLS = [
    ("strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strncpy|strncat", (),
     "no bound; use snprintf or memcpy with the size checked"),
    ("atoi|atol|atoll|atof|scanf|fscanf", (),
     "says nothing about bad input; use strtoull with its end checked"),
    ("strtok|asctime|ctime|gmtime|localtime|setjmp|longjmp|alloca", (),
     "hidden state or an unbounded stack; use the _r form or a buffer"),
    ("system|popen|fork|vfork", ("tests",),
     "no shell and no fork beside sockets"),
    ("sleep|usleep|nanosleep|clock_nanosleep", (),
     "wait for the condition itself, with a deadline"),
    ("time|clock_gettime|gettimeofday|clock", ("shared/clock", "tests"),
     "clock/clock.h is the only caller of the clock"),
    ("rand|srand|random|srandom|drand48|getrandom", ("shared/clock",),
     "clock_random for keys, base/random.h for simulation"),
    ("signal", ("tests",), "use sigaction or signalfd"),
    ("tmpnam|tempnam|mktemp", (), "a race; use mkdtemp or mkstemp"),
    ("assert", ("tests",), "CHECK is never compiled out"),
    ("zmsg_decode|msgpack_unpack\\w*|msgpack_unpacker_\\w+", ("tests",),
     "asserts or allocates on a stranger's bytes; use wire/wire.h"),
    ("zmq_disconnect|zmq_unbind", (),
     "unsafe on a live socket in libzmq 4.3.4; close the whole socket"),
    ("zloop_\\w+|zauth_\\w+", (), "see bus/bus.h: our own loop and ZAP"),
]
WORDS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|not "
                   r"implemented)\b")
PYTHON_EXACT = re.compile(r"\bos\.system\(|shell=True|\bpickle\b")
TEXTS = (".c", ".h", ".py", ".sh", ".cmake", ".cddl", ".js", ".md", ".txt",
         ".html", "run")


def check(root):
    call = r"(?<![\w.>])(%s)\s*\((?!\w+, SIG_IGN\))"
    calls = [(re.compile(call % names), allowed, cure)
             for names, allowed, cure in CALLS]
    for path in repo.files(root, *TEXTS):
        text = repo.read(root, path)
        for line, row in repo.lines(text):
            if WORDS.search(row):
                yield (path, line, "%s: finish it, or say the limit plainly"
                       % WORDS.search(row).group(1))
            if path.endswith(".py") and PYTHON_EXACT.search(
                    row) and "PYTHON_EXACT" not in row:
                yield path, line, "pass a list to subprocess, not a shell"
        if path.endswith((".c", ".h")):
            for line, row in repo.lines(repo.code(text)):
                for pattern, allowed, cure in calls:
                    match = pattern.search(row)
                    if match and not path.startswith(allowed or ("\0",)):
                        yield path, line, "%s(): %s" % (match.group(1), cure)


if __name__ == "__main__":
    repo.main(check, "words")
