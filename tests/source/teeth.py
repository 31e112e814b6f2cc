#!/usr/bin/env python3
"""tests/source/teeth.py -- the checks bite: each rule, given a copy of the
repository with one thing wrong, says so at that place."""
import functools
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import format as layout  # noqa: E402
import layers  # noqa: E402
import purity  # noqa: E402
import repo  # noqa: E402
import sizes  # noqa: E402
import texts  # noqa: E402
import words  # noqa: E402

TOP = "/* base/planted.%s -- planted. */\n"
C = "shared/base/planted.c"
H = "shared/base/planted.h"
LONG = "int planted(int x)\n{\n" + "\tx++;\n" * 69 + "}\n"


def c(text):
    return TOP % "c" + text


# (check, file, its whole text, a part of what must be said of it)
PLANTED = [
    (layers, C, c('#include "wire/wire.h"\n'), "base may not use wire"),
    (layers, C, c('#include "gen/table.h"\n'), "base may not use wire"),
    (layers, C, c('#include "../wire/wire.h"\n'), "no ../"),
    (layers, C, c('#include "nowhere/x.h"\n'), "neither in this folder"),
    (layers, C, c("#include <unistd.h>\n"), "opens the door"),
    (layers, C, c("#include <sodium.h>\n"), "for shared/crypto"),
    (layers, C, c("#include <zmq.h>\n"), "for shared/bus"),
    (layers, "shared/bus/planted.c", c("#include <time.h>\n"),
     "for shared/clock"),
    (layers, "shared/consensus/planted.c", c('#include "store/store.h"\n'),
     "consensus may not use store"),
    (layers, "shared/ledger/planted.c",
     c('#include "consensus/replica_state.h"\n'), "may not use consensus"),
    (layers, "services/planted/main.c",
     c('#include "consensus/replica_state.h"\n'), "is the inside of"),
    (layers, "services/planted/main.c", c('#include "node/node.h"\n'),
     "neither in this folder"),
    (layers, "tests/sim/planted.c", c('#include "clock/clock.h"\n'),
     "pure layers only"),
    (layers, "shared/base/table.c", c('#include "base/view.h"\n'),
     "own header comes first"),
    (sizes, C, c("\n" * 700), "701 lines, 700 at most"),
    (sizes, H, c("\n" * 250), "251 lines, 250 at most"),
    (sizes, C, c(LONG), "planted is 71 lines"),
    (sizes, "run/planted.py", "def f():\n" + "    pass\n" * 70, "f is 71"),
    (words, C, c("int x = strcpy(a, b);\n"), "strcpy(): no bound"),
    (words, C, c("\tsprintf(a, b);\n"), "sprintf()"),
    (words, C, c("\tgets(a);\n"), "gets()"),
    (words, C, c("\tif (!system (a))\n"), "system()"),
    (words, C, c("\tusleep(1);\n"), "wait for the condition"),
    (words, C, c("\tx = atoi(a);\n"), "atoi()"),
    (words, C, c("\tx = time(NULL);\n"), "only caller of the clock"),
    (words, C, c("\tx = rand();\n"), "rand()"),
    (words, C, c("\tzmsg_decode(x);\n"), "zmsg_decode()"),
    (words, C, c("\tassert(x);\n"), "never compiled out"),
    (words, C, c("/* TO" "DO */\n"), "TO" "DO: finish it"),
    (words, "run/planted.sh", "# FIX" "ME\n", "FIX" "ME: finish it"),
    (texts, C, "int x;\n", "what this file is for"),
    (texts, C, "/* base/other.c -- planted. */\n", "its own path"),
    (texts, C, "/* base/planted.c: planted. */\n", "its own path"),
    (texts, "run/planted.sh", "#!/bin/sh\necho\n", "what this file is for"),
    (texts, "run/planted.sh", "#!/bin/sh\n# x\nif\n", "planted.sh: 4"),
    (texts, "planted/README.md", "x\n", "stand at the top"),
    (texts, "run/planted/x.conf", "x\n", "is missing: what is this folder"),
    (texts, "run/README.md", "[x](nowhere.md)\n", "nowhere.md is not there"),
    (texts, C, c("/*~ A stop. */\n"), "README.md does not list"),
    (texts, "shared/wire/wire.c", "/* wire/wire.c -- planted. */\n",
     "no stop of the tour any more"),
    (layout, C, c("int  x ;\n"), "not as .clang-format"),
]
QUIET = [  # what must not be found
    (words, C, c('/* strcpy(a) */ "gets(a)" "time(x)";\n')),
    (words, C, c("\tbase->time(x); runtime(x); run_time(x);\n")),
    (words, C, c('"/tmp/perch-XX' 'XXXX";\n')),
    (sizes, C, c(LONG.replace("\tx++;\n", "", 1))),
    (sizes, C, "\n" * 700),
    (layers, "tests/unit/planted.c",
     c('#include "consensus/replica_state.h"\n')),
]
# C below the pure line, and what the linker's view must say of it.
IMPURE = [
    ("void *malloc(unsigned long); void *f(void) { return malloc(9); }",
     "asks for malloc"),
    ("long time(long *); long f(void) { return time(0); }", "asks for time"),
    ("int zmq_send(void); int f(void) { return zmq_send(); }",
     "asks for zmq_send"),
    ("int pthread_self(void); int f(void) { return pthread_self(); }",
     "asks for pthread_self"),
    ("int getpid(void); int f(void) { return getpid(); }", "asks for getpid"),
    ("int g; int f(void) { return g++; }", "g can be written to"),
    ("static int g = 3; int f(void) { return g++; }", "g can be written to"),
    ("int f(void) { static int g; return g++; }", "can be written to"),
    ("_Thread_local int g; int f(void) { return g++; }",
     "g can be written to"),
]
CLEAN = ("extern const char *const g[]; const char *const g[] = {\"a\"};"
         "const char *f(int i) { return g[i]; }")


def findings(check, root, path=None):
    if check is layout:
        return list(layout.check(root, [path])) if path else []
    if check is texts:  # shellcheck has teeth of its own, and takes its time
        return list(texts.check(root, lint=False))
    return list(check.check(root))


@functools.lru_cache(None)
def known(root, check):
    """What is found before anything is planted; not the subject here."""
    return {str(f) for f in findings(check, root)}


def plant(root, check, path, text):
    """The findings that the copy has only with this text at path."""
    whole = os.path.join(root, path)
    before = known(root, check)
    old = None
    if os.path.exists(whole):
        with open(whole, encoding="utf-8") as file:
            old = file.read()
    made = not os.path.exists(os.path.dirname(whole))
    os.makedirs(os.path.dirname(whole), exist_ok=True)
    with open(whole, "w", encoding="utf-8") as file:
        file.write(text)
    found = [f for f in findings(check, root, path) if str(f) not in before]
    if made:
        shutil.rmtree(os.path.dirname(whole))
    elif old is None:
        os.unlink(whole)
    else:
        with open(whole, "w", encoding="utf-8") as file:
            file.write(old)
    return found


def archives(folder, source):
    """Pure libraries that hold nothing but source, in each layer."""
    for layer in repo.PURE:
        text = source if layer == "ledger" else "extern int nothing;"
        name = os.path.join(folder, "libperch_%s.a" % layer)
        if os.path.exists(name):
            os.unlink(name)
        subprocess.run(["cc", "-x", "c", "-w", "-fPIC", "-fcf-protection",
                        "-fno-builtin", "-c", "-o", folder + "/x.o", "-"],
                       input=text, text=True, check=True)
        subprocess.run(["ar", "rc", name, folder + "/x.o"], check=True)


def test_purity(folder):
    for source, expected in IMPURE:
        archives(folder, source)
        said = [f[2] for f in purity.check(folder)]
        if not any(expected in s for s in said):
            yield "purity: %r not said of %r, but %s" % (
                expected, source, said)
    archives(folder, CLEAN)
    for found in purity.check(folder):
        yield "purity: said of nothing impure: %s" % (found,)
    os.unlink(os.path.join(folder, "libperch_wire.a"))
    if not any("is not built" in f[2] for f in purity.check(folder)):
        yield "purity: a missing library was not missed"


def test_planted(root):
    for check, path, text, expected in PLANTED:
        found = plant(root, check, path, text)
        if not any(expected in "%s: %s" % (f[0], f[2]) for f in found):
            yield "%s: %r not said of %s, but %s" % (
                check.__name__, expected, path, found)
    for check, path, text in QUIET:
        for found in plant(root, check, path, text):
            yield "%s: said of nothing wrong: %s" % (check.__name__, found)
    lines = repo.read(root, "CMakeLists.txt")
    found = plant(root, layers, "CMakeLists.txt",
                  lines + "layer(base perch_wire)\n")
    if not any("base is not above wire" in f[2] for f in found):
        yield "layers: a layer() line upwards was not seen"


def main():
    with tempfile.TemporaryDirectory(prefix="perch-teeth-") as folder:
        copy = os.path.join(folder, "copy")
        shutil.copytree(repo.ROOT, copy, ignore=shutil.ignore_patterns(
            "build", ".git", "node_modules", "__pycache__", "unit"))
        os.mkdir(os.path.join(folder, "libraries"))
        problems = list(test_planted(copy))
        problems += test_purity(os.path.join(folder, "libraries"))
    for problem in problems:
        print(problem)
    print("teeth: %d rules planted, %s" % (
        len(PLANTED) + len(QUIET) + len(IMPURE) + 3,
        "%d without teeth" % len(problems) if problems else "all found"))
    return 1 if problems else 0


if __name__ == "__main__":
    if not layout.formatter():
        print("skipped: clang-format 14 is not installed; run run/setup.sh")
        sys.exit(77)
    sys.exit(main())
