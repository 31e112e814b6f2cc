#!/usr/bin/env python3
"""tests/source/purity.py -- the pure line, as the linker sees it.

    purity.py [BUILD]    the folder of a release or dev build (PERCH_BUILD)

Everything that an object of a pure layer asks of others is in ALLOWED, or is
defined by a pure layer; and nothing in it can be written to. So an engine, the
contract and the ledger cannot open, send, wait, draw or remember anything that
is not in their arguments. Exit code 77 (skipped) in a sanitizer's build.
"""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import repo  # noqa: E402

STRING = {"mem(cpy|cmp|set|move|chr)", "str(len|nlen|cmp|ncmp|chr|rchr)",
          "__mem(cpy|set|move)_chk", "(__)?v?snprintf(_chk)?"}
COMPILER = {"__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_", "abort"}
ALLOWED = {layer: STRING | COMPILER for layer in repo.PURE}
# Functions of their arguments alone (sodium_init chooses the fastest code).
ALLOWED["crypto"] = ALLOWED["crypto"] | {
    "crypto_(generichash|core_ed25519|sign_ed25519)\\w*",
    "crypto_sign_(detached|verify_detached|seed_keypair)",
    "crypto_box_(easy|open_easy|seed_keypair)",
    "sodium_(init|add|memcmp|memzero|is_zero|increment)",
    "SHA256(_Init|_Update|_Final|_Transform)?", "EVP_\\w+",
    "crypto_secretbox\\w+", "crypto_pwhash\\w*"}
ALLOWED["wire"] = ALLOWED["wire"] | {"msgpack_pack\\w*"}
ALLOWED["consensus"] = ALLOWED["consensus"] | {
    "SHA256(_Init|_Update|_Final|_Transform)?"}
# CHECK says which promise was broken before it aborts.
OBJECT = {"check.c.o": {"(__)?fprintf(_chk)?", "stderr", "fflush"}}
CONSTANT = re.compile(r"\.(text|rodata|data\.rel\.ro|eh_frame|init|fini)")


def symbols(library):
    """(object, symbol, class, section) of everything in an archive."""
    said = subprocess.run(["nm", "-A", "-f", "sysv", library], check=True,
                          capture_output=True, text=True).stdout
    for row in said.splitlines():
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) == 7:
            place, name = cells[0].rsplit(":", 1) if ":" in cells[0] else (
                library, cells[0])
            yield place.split(":")[-1], name.strip(), cells[2], cells[6]


def check(build):
    tables = {}
    for layer in repo.PURE:
        library = os.path.join(build, "libperch_%s.a" % layer)
        if not os.path.exists(library):
            yield library, 1, "is not built; run run/build.sh release"
            return
        tables[layer] = list(symbols(library))
    ours = {name for table in tables.values()
            for _, name, kind, _ in table if kind not in "Uw"}
    for layer, table in tables.items():
        for place, name, kind, section in table:
            where = "libperch_%s.a(%s)" % (layer, place)
            if kind in "Uw":
                allowed = ALLOWED[layer] | OBJECT.get(place, set())
                if name not in ours and not any(
                        re.fullmatch(a, name) for a in allowed):
                    yield (where, 1, "asks for %s; below the pure line the "
                           "caller brings what is needed" % name)
            elif (kind in "bBdDsSgGC" and not CONSTANT.match(section)):
                yield (where, 1, "%s can be written to (%s); make it const or "
                       "part of the caller's state" % (name, section))


if __name__ == "__main__":
    BUILD = (sys.argv + [os.environ.get("PERCH_BUILD")])[1] or os.path.join(
        repo.ROOT, "build", "release")
    if os.environ.get("PERCH_BUILD_TYPE") in ("Asan", "Tsan"):
        print("skipped: a sanitizer adds symbols of its own")
        sys.exit(77)
    repo.main(lambda root: check(BUILD), "purity")
