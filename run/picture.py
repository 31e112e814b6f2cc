#!/usr/bin/env python3
"""run/picture.py -- the pictures in README.md: what the demonstration shows.

    run/picture.py [SECONDS]    run it in tmux for so long and write picture.svg
    run/picture.py fork         cut miners apart and heal them: fork.svg

The terminal is a real one and so is the cluster; this only turns characters and
colours into SVG.
"""
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
COLUMNS, ROWS = 100, 27
WIDTH, HEIGHT, MARGIN = 8.4, 18, 14  # of a character, in pixels
FRONT = {30: "#101418", 31: "#f2777a", 32: "#99cc99", 33: "#ffcc66",
         34: "#6699cc", 35: "#cc99cc", 36: "#66cccc", 37: "#e6e6e6"}
BACK = {40 + code - 30: colour for code, colour in FRONT.items()}


def tmux(*words):
    return subprocess.run(["tmux", "-L", "perch-picture", *words],
                          check=True, capture_output=True, text=True).stdout


def capture(seconds):
    """The screen, with escape sequences, after so many seconds of view."""
    tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS),
         os.path.join(HERE, "cluster.sh"), "--traffic", "3")
    try:
        end = time.monotonic() + 300
        while "(Node: green_planet)" not in tmux("capture-pane", "-p"):
            if time.monotonic() > end:
                sys.exit("run/picture.py: the demonstration does not start")
            time.sleep(0.2)
        time.sleep(seconds)  # so that there is something to see
        return tmux("capture-pane", "-p", "-e")
    finally:
        tmux("send-keys", "C-c")


def cluster(*words):
    subprocess.run([os.path.join(HERE, "cluster.sh"), *words], check=True)


def wait_for(*words):
    end = time.monotonic() + 120
    while not all(word in tmux("capture-pane", "-p") for word in words):
        if time.monotonic() > end:
            sys.exit("run/picture.py: %s is never shown" % (words,))
        time.sleep(0.1)


def capture_fork():
    """Two pairs of miners that do not hear each other; and once they do."""
    binaries = os.environ.get("PERCH_BIN") or os.path.join(
        HERE, "..", "build", "release", "bin")
    base = tempfile.mkdtemp(prefix="perch-picture-")
    cluster("up", "--engine", "pow", "--nodes", "4", "--cuttable", "--dir",
            base)
    try:
        tmux("new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS),
             os.path.join(binaries, "perch-observer"), "--config",
             base + "/conf/observer.conf", "--chains")
        wait_for("height 3")
        for one in ("the_leader_node", "the_blue_sky"):
            for other in ("white_noise", "yellow_submarine"):
                cluster("cut", one, other, "--dir", base)
        wait_for("-<{", "}--<")
        parted = tmux("capture-pane", "-p", "-e")
        cluster("heal", "--dir", base)
        wait_for("left ", "\\-x")
        time.sleep(1)  # so that both of the pair have left it
        return parted.rstrip() + "\n\n" + tmux("capture-pane", "-p", "-e")
    finally:
        subprocess.run(["tmux", "-L", "perch-picture", "send-keys", "q"],
                       check=False)
        cluster("down", "--dir", base)
        shutil.rmtree(base)


def runs(line):
    """(column, text, bold, dim, colour, background) of a line."""
    column, bold, dim, front, back = 0, False, False, None, None
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            for code in map(int, part[2:-1].split(";") if part[2:-1] else [0]):
                if code == 0:
                    bold = dim = False
                    front = back = None
                bold, dim = bold or code == 1, dim or code == 2
                front = FRONT.get(code, None if code == 39 else front)
                back = BACK.get(code, None if code == 49 else back)
        elif part:
            yield column, part, bold, dim, front, back
            column += len(part)


def svg(screen):
    rows = screen.rstrip("\n").split("\n")
    width = COLUMNS * WIDTH + 2 * MARGIN
    height = len(rows) * HEIGHT + 2 * MARGIN
    out = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" '
           'font-size="14">' % (width, height),
           '<rect width="100%%" height="100%%" rx="8" fill="%s"/>' % FRONT[30]]
    for number, row in enumerate(rows):
        top = MARGIN + number * HEIGHT
        for column, text, bold, dim, front, back in runs(row):
            left, size = MARGIN + column * WIDTH, len(text) * WIDTH
            if back:
                out.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" '
                           'fill="%s"/>' % (left, top, size, HEIGHT, back))
            if text.strip():
                out.append(
                    '<text x="%.1f" y="%d" textLength="%.1f" '
                    'xml:space="preserve" fill="%s"%s%s>%s</text>' % (
                        left, top + 14, size, front or FRONT[37],
                        ' font-weight="bold"' if bold else "",
                        ' opacity="0.6"' if dim and not back else "",
                        html.escape(text)))
    return "\n".join(out + ["</svg>", ""])


def main():
    words = sys.argv[1:] or ["20"]
    if words in (["--help"], ["-h"]):
        sys.exit(print(__doc__))
    if words == ["fork"]:
        name, screen = "fork.svg", capture_fork()
    elif len(words) == 1 and words[0].isdigit():
        name, screen = "picture.svg", capture(int(words[0]))
    else:
        print("usage: run/picture.py [SECONDS | fork]", file=sys.stderr)
        sys.exit(2)
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        file.write(svg(screen))


if __name__ == "__main__":
    main()
