#!/usr/bin/env python3
"""run/picture.py -- the picture in README.md: what the demonstration shows.

    run/picture.py [SECONDS]    run it in tmux for so long and write picture.svg

The terminal is a real one and so is the cluster; this only turns characters and
colours into SVG.
"""
import html
import os
import re
import subprocess
import sys
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


if __name__ == "__main__":
    SCREEN = capture(float(sys.argv[1]) if len(sys.argv) > 1 else 20)
    with open(os.path.join(HERE, "picture.svg"), "w",
              encoding="utf-8") as file:
        file.write(svg(SCREEN))
