#!/usr/bin/env python3
"""tests/system/report.py -- run/compare.sh: every engine is sent the same, the
page stands alone, its numbers follow from the events, and a number that does not
is found.
"""
import html.parser
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "support"))
sys.path.insert(0, os.path.join(os.path.dirname(
    os.path.abspath(__file__)), "..", "..", "run"))
from cluster import ROOT, expect, main, processes  # noqa: E402
from cluster import run, until  # noqa: E402
import compare_numbers  # noqa: E402

SCRIPT = os.path.join(ROOT, "run", "compare.sh")


def compare(*words, seconds=250):
    return run(SCRIPT, *words, seconds=seconds)


class Page(html.parser.HTMLParser):
    """What a page would load, and which tags stay open."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.loads += [value for name, value in attributes
                       if name in ("src", "href") and value]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        expect(self.open and self.open.pop() == tag, "</%s>" % tag)


def check_page(text):
    page = Page(text)
    expect(page.open == [], page.open)
    expect(page.loads == [] and "url(" not in text and "@import" not in text,
           page.loads)
    for word in ("prefers-color-scheme: dark", "Noto Sans CJK JP", "<svg"):
        expect(word in text, word)


def check_numbers(directory):
    """Told, lost and twice by another way than the report's."""
    for name, rows in compare_numbers.read(directory).items():
        found = compare_numbers.derive(rows)
        with open(os.path.join(directory, "workload.txt")) as file:
            expect(found["sent"] == len(file.readlines()), name)
        ids = [r["subject"] for r in rows if r["event"] == "entry"]
        expect(found["twice"] == len(ids) - len(set(ids)) == 0, name)
        expect(found["lost"] == 0 and found["alarms"] == 0, found)
        expect(found["granted"] + found["conflicts"] == len(ids), found)
        expect(0 < found["conflicts"] < found["granted"], found)
        expect(found["final_p50"] <= found["final_p99"], found)
        expect(found["messages"] > 0 and found["bytes"] > 0, found)
        expect((found["hashes"] or 0) > 0 or "ordered" in name, found)


def spoil(directory, name, pattern, by):
    path = os.path.join(directory, name)
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(re.sub(pattern, by, text, count=1))
    return text


def restore(directory, name, text):
    with open(os.path.join(directory, name), "w") as file:
        file.write(text)


def check_teeth(directory):
    for name, pattern, by in (
            ("report.html", r'data-key="granted">\d', 'data-key="granted">9'),
            ("report.html", r"<polyline", "<polygon"),
            ("events.csv", r",entry,([0-9a-f]+),,,granted",
             r",entry,\1,,,slot_taken"),
            ("events.csv", r"\n[^\n]*,sent,[^\n]*", "")):
        before = spoil(directory, name, pattern, by)
        code, out, _ = compare("--check", directory)
        expect(code == 1, "%s of %s is not found: %s" % (pattern, name, out))
        restore(directory, name, before)


def report():
    base = tempfile.mkdtemp(prefix="perch-test-")
    try:
        code, out, err = compare(
            "--seconds", 4, "--nodes", 3, "--rate", 10, "--topologies",
            "star", "--interval", "500ms", "--bits", "1f010000", "--out",
            base)
        expect(code == 0, out + err)
        code, out, err = compare("--check", base)
        expect(code == 0, out + err)
        with open(os.path.join(base, "report.html")) as file:
            check_page(file.read())
        check_numbers(base)
        check_teeth(base)
    finally:
        shutil.rmtree(base)


def wrong_usage():
    for words in (["--engines", "coin"], ["--nodes", 2], ["--what"],
                  ["--topologies", "ring"]):
        code, _, err = compare(*words)
        expect(code == 2 and "compare" in err, "%s: %d %s" % (
            words, code, err))
    for words in (["--check"], ["--page"]):
        code, _, err = compare(*words, "/nowhere")
        expect(code == 2 and "No such file" in err, err)
    code, out, _ = compare("--help")
    expect(code == 0 and "--check" in out, out)


def interrupted():
    """Ctrl-C stops the cluster, too, and leaves nothing but what was asked:
    also of a node that is just becoming one, which takes a moment here."""
    base = tempfile.mkdtemp(prefix="perch-test-")
    slow = tempfile.mkdtemp(prefix="perch-test-")
    try:
        with open(os.path.join(slow, "setsid"), "w") as file:
            file.write("#!/bin/sh\n>%s/begun\nsleep 0.5\n"
                       'exec /usr/bin/setsid "$@"\n' % slow)
        os.chmod(file.name, 0o700)
        with subprocess.Popen(
                [SCRIPT, "--out", os.path.join(base, "out")], text=True,
                env={**os.environ, "TMPDIR": base,
                     "PATH": slow + ":" + os.environ["PATH"]},
                start_new_session=True, stderr=subprocess.PIPE) as begun:
            until(lambda: os.path.exists(slow + "/begun"), 60, "a node")
            os.killpg(begun.pid, signal.SIGINT)
            said = begun.stderr.read()
        expect(begun.returncode == 130 and "interrupted" in said and
               "Traceback" not in said, said)
        expect(os.listdir(base) == ["out"], os.listdir(base))
        expect(not processes(base), "something was left running")
    finally:
        shutil.rmtree(base)
        shutil.rmtree(slow)


if __name__ == "__main__":
    main(report, wrong_usage, interrupted)
