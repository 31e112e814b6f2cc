#!/usr/bin/env python3
"""tests/source/layers.py -- an include only ever points down a layer.

The layers and what each may use are read from the layer() lines of
CMakeLists.txt, so that the linker and this check cannot disagree; ORDER is
what those lines themselves must keep to.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
import repo  # noqa: E402

ORDER = repo.PURE + ["clock", "store", "bus", "client", "service"]
# Libraries, and the only folders, beside the tests, that include their headers.
OUTSIDE = {
    "sodium.h": ("shared/crypto", "shared/bus", "shared/store"),
    "openssl/": ("shared/crypto", "shared/consensus"),
    "lmdb.h": ("shared/store", "services/contract"),
    "zmq.h": ("shared/bus", "tests"),
    "czmq.h": ("shared/store", "shared/service"),
    "msgpack.h": ("shared/wire",),
    "qrencode.h": ("services/wallet",),
    "time.h": ("shared/clock", "shared/store", "shared/service", "services"),
    "sys/time.h": ("shared/clock",),
    "sys/random.h": ("shared/clock",),
    "pthread.h": ("shared/service", "shared/store"),
}
# What a pure layer may include of the C library.
PURE_SYSTEM = {"stdint.h", "stddef.h", "stdbool.h", "string.h", "stdio.h",
               "stdlib.h", "inttypes.h", "limits.h", "stdarg.h"}
PRIVATE = re.compile(r"(^|/)(inside|internal|\w+_state)\.h$")


def uses(root):
    """What each layer may include, by the layer() lines; and findings."""
    graph, findings = {}, []
    for line, text in repo.lines(repo.read(root, "CMakeLists.txt")):
        match = re.match(r"layer\((\w+)(.*)\)", text)
        if not match:
            continue
        name, below = match.group(1), re.findall(
            r"perch_(\w+)", match.group(2))
        graph[name] = {name}.union(*(graph.get(b, {b}) for b in below))
        for other in below:
            if name not in ORDER or other not in ORDER or ORDER.index(
                    other) >= ORDER.index(name):
                findings.append(("CMakeLists.txt", line, "%s is not above %s; "
                                 "the order of layers is %s" % (
                                     name, other, " < ".join(ORDER))))
    return graph, findings


def check(root):
    graph, findings = uses(root)
    yield from findings
    for path in repo.files(root, ".c", ".h"):
        text = repo.read(root, path)
        found = [(line, *match.groups()) for line, row in repo.lines(text)
                 for match in [re.match(r'#\s*include ([<"])(.*?)[>"]', row)]
                 if match]
        for line, mark, name in found:
            wrong = (system(path, name) if mark == "<" else
                     own(root, graph, path, name))
            if wrong:
                yield path, line, wrong
        header = path[:-2] + ".h"
        if path.endswith(".c") and os.path.exists(
                os.path.join(root, header)) and found:
            name, stem = found[0][2], os.path.basename(path)[:-2]
            if not PRIVATE.search(name) and not os.path.basename(
                    name).startswith(stem):
                yield (path, found[0][0],
                       "its own header comes first, so that it stands alone")


def layer_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "shared" else None


def system(path, name):
    layer = layer_of(path)
    for library, folders in OUTSIDE.items():
        if name.startswith(library) and not path.startswith(
                folders + ("tests/",)):
            return "<%s> is for %s only; ask that layer" % (
                name, " and ".join(folders))
    if layer in repo.PURE and name not in PURE_SYSTEM and not any(
            name.startswith(library) for library in OUTSIDE):
        return "<%s> in a pure layer; it opens the door to the world" % name
    if layer and name.startswith("perch/") and layer != "client":
        return "<%s> is above %s" % (name, layer)
    return None


def own(root, graph, path, name):
    """What is wrong with an include of our own header, or None."""
    if ".." in name.split("/"):
        return "no ../ in an include; name the layer"
    folder = os.path.dirname(path)
    if os.path.exists(os.path.join(root, folder, name)):
        return None
    first = name.split("/")[0]
    if first == "gen":
        first = "wire"
    if first not in graph:
        if folder.startswith("tests") and any(os.path.exists(
                os.path.join(root, top, name)) for top in (
                    "tests", "services")):
            return None
        return "%s is neither in this folder nor a layer below" % name
    layer = layer_of(path)
    if layer and first not in graph.get(layer, ()):
        return "%s may not use %s; an arrow points down a layer only" % (
            layer, first)
    if folder.startswith("tests/sim") and first not in repo.PURE:
        return "the simulator stands on the pure layers only, not on " + first
    if PRIVATE.search(name) and layer != first and not folder.startswith(
            "tests/unit"):
        return "%s is the inside of %s; use its public header" % (name, first)
    return None


if __name__ == "__main__":
    repo.main(check, "layers")
