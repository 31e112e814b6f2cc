"""run/compare_page.py -- numbers and events as one page without anything else:
no script, no font, no picture from elsewhere; for light and dark, in English
and Japanese.
"""
import html
import math
import os
import re

import compare_numbers as numbers

DASHES = ["", "6 3", "", "6 3"]  # colours are told apart without these, too
W, H, LEFT, RIGHT, TOP, BOTTOM = 760, 230, 54, 12, 14, 34

STYLE = """
:root { color-scheme: light dark; --ink: #1c1f23; --paper: #ffffff;
  --rule: #c9ced6; --soft: #5b6470; --mark: #b3261e;
  --run0: #0072b2; --run1: #3f8fc4; --run2: #c25000; --run3: #b87a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed;
  --paper: #14171a; --rule: #434a54; --soft: #a2abb8; --mark: #ff8a80;
  --run0: #4aa3df; --run1: #8fd0f5; --run2: #ff8a3d; --run3: #f2b93b; } }
body { background: var(--paper); color: var(--ink); margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; line-height: 1.5;
  font-family: system-ui, "Noto Sans", "Noto Sans CJK JP", "Noto Sans JP",
  "Hiragino Sans", "Yu Gothic", Meiryo, "IPAexGothic", sans-serif; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--rule); padding: .25rem .5rem;
  text-align: left; }
td[data-key], th.run { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
td small, p small { color: var(--soft); }
svg { width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 11px; font-family: inherit; }
svg .axis { stroke: var(--rule); stroke-width: 1; fill: none; }
svg .mark { stroke: var(--mark); stroke-width: 1; stroke-dasharray: 3 3; }
svg .marked { fill: var(--mark); }
.run0 { stroke: var(--run0); } .run1 { stroke: var(--run1); }
.run2 { stroke: var(--run2); } .run3 { stroke: var(--run3); }
.lines { fill: none; stroke-width: 2; } .dot { stroke-width: 6;
  stroke-linecap: round; } .bar { stroke-width: 16; }
h2 { font-size: 1.05rem; margin: 2rem 0 0; }
figure { margin: .5rem 0 1.5rem; } figcaption { color: var(--soft); }
"""


def esc(value):
    return html.escape(str(value))


# ---- plots ----

class Plot:
    """An axis below, one at the left, and lines."""

    def __init__(self, x_from, x_to, y_to, x_log=False):
        self.x_from, self.x_to, self.x_log = x_from, x_to, x_log
        self.y_to = y_to or 1
        self.parts = []

    def x(self, value):
        if self.x_log:
            low, high = math.log10(self.x_from), math.log10(self.x_to)
            share = (math.log10(max(value, self.x_from)) - low) / (high - low)
        else:
            share = (value - self.x_from) / (self.x_to - self.x_from)
        return LEFT + share * (W - LEFT - RIGHT)

    def y(self, value):
        return H - BOTTOM - value / self.y_to * (H - TOP - BOTTOM)

    def text(self, x, y, words, anchor="middle", style=""):
        self.parts.append('<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s'
                          "</text>" % (x, y, anchor, style, esc(words)))

    def ticks_x(self, values, label):
        self.parts.append('<path class="axis" d="M%d %dH%d"/>' % (
            LEFT, H - BOTTOM, W - RIGHT))
        for value in values:
            last = self.x(value) > W - RIGHT - 20
            self.text(self.x(value), H - BOTTOM + 14, label(value),
                      "end" if last else "middle")

    def ticks_y(self, values, label):
        for value in values:
            self.parts.append('<path class="axis" d="M%d %.1fH%d"/>' % (
                LEFT, self.y(value), W - RIGHT))
            self.text(LEFT - 6, self.y(value) + 4, label(value), "end")

    def line(self, points, index):
        if points:
            self.parts.append(
                '<polyline class="lines run%d" stroke-dasharray="%s" '
                'points="%s"/>' % (
                    index % 4, DASHES[index % 4], " ".join(
                        "%.1f,%.1f" % (self.x(x), self.y(y))
                        for x, y in points)))

    def dot(self, x, y, index):
        self.parts.append('<path class="dot run%d" d="M%.1f %.1fh0"/>' % (
            index % 4, self.x(x), self.y(y)))

    def mark(self, x, words, row):
        self.parts.append('<path class="mark" d="M%.1f %dV%d"/>' % (
            self.x(x), TOP, H - BOTTOM))
        self.text(self.x(x) + 3, TOP + 10 + 11 * row, words, "start",
                  ' class="marked"')

    def svg(self, title):
        return ('<svg viewBox="0 0 %d %d" role="img" aria-label="%s">%s'
                "</svg>" % (W, H, esc(title), "".join(self.parts)))


def figure(title, japanese, svg, names):
    legend = " &nbsp; ".join(
        '<svg viewBox="0 0 26 8" style="width:26px"><path d="M0 4H26" '
        'class="lines run%d" stroke-dasharray="%s"/></svg> %s' % (
            i % 4, DASHES[i % 4], esc(name))
        for i, name in enumerate(names))
    return ("<h2>%s / %s</h2><figure>%s<figcaption>%s</figcaption></figure>" %
            (esc(title), esc(japanese), svg, legend))


def ms_label(value):
    return "%g ms" % value if value < 1000 else "%g s" % (value / 1000)


def plot_latency(runs, step, japanese):
    found = [numbers.latencies(rows)[step] for rows in runs.values()]
    values = [v for some in found for v in some]
    if not values:
        return ""
    low = 10 ** math.floor(math.log10(max(min(values), 0.01)))
    high = 10 ** math.ceil(math.log10(max(max(values), low * 10)))
    plot = Plot(low, high, 100, x_log=True)
    plot.ticks_y((0, 50, 100), lambda v: "%d %%" % v)
    count = round(math.log10(high / low))
    plot.ticks_x([low * 10 ** i for i in range(count + 1)], ms_label)
    for index, some in enumerate(found):
        plot.line([(v, 100 * (i + 1) / len(some))
                   for i, v in enumerate(some)], index)
    title = "Share told %s within so long" % step
    return figure(title, japanese, plot.svg(title), runs)


def plot_finals(runs, name, index):
    """Finals told in each second of a run, and what was done to it."""
    rows = runs[name]
    at = numbers.marks(rows)
    begin, seconds = at["begin"], int((at["end"] - at["begin"]) / 1e6) + 1
    told = [0] * (seconds + 1)
    for time in numbers.final_times(rows).values():
        if time >= begin:
            told[min(seconds, int((time - begin) / 1e6))] += 1
    moved = [r for r in numbers.of(rows, "reorganisation")
             if r["time_us"] >= begin]
    top = max(*told, 1)
    plot = Plot(0, seconds, top)
    plot.ticks_y((0, top), str)
    plot.ticks_x(range(0, seconds + 1, 10), lambda v: "%d s" % v)
    plot.line(list(enumerate(told)), index)
    for row in moved:
        plot.dot((row["time_us"] - begin) / 1e6, 0, index)
    for i, what in enumerate(("killed", "restarted", "cut", "healed")):
        plot.mark((at[what] - begin) / 1e6, what, i % 2)
    title = "%s: finals a second; dots: reorganisations" % name
    return figure(title, "毎秒の確定数。点は再編成", plot.svg(title), [])


def plot_bars(found, key):
    """One number of every run, as bars that begin at 0."""
    _, unit, english, japanese = next(k for k in numbers.KEYS if k[0] == key)
    top = max((values[key] or 0 for values in found.values()), default=0) or 1
    parts = []
    for i, (name, values) in enumerate(found.items()):
        y = 14 + 24 * i
        size = (values[key] or 0) / top * (W - 260)
        parts.append('<text x="110" y="%d" text-anchor="end">%s</text>'
                     '<path class="bar run%d" d="M118 %dh%.1f"/>'
                     '<text x="%.1f" y="%d">%s %s</text>' % (
                         y + 4, esc(name), i % 4, y, size, 124 + size, y + 4,
                         numbers.text(values[key]), esc(unit)))
    svg = '<svg viewBox="0 0 %d %d" role="img" aria-label="%s">%s</svg>' % (
        W, 4 + 24 * len(found), esc(english), "".join(parts))
    return figure(english, japanese, svg, [])


# ---- the page ----

def table(found):
    head = "".join('<th class="run">%s</th>' % esc(name) for name in found)
    body = []
    for key, unit, english, japanese in numbers.KEYS:
        cells = "".join(
            '<td data-run="%s" data-key="%s">%s</td>' % (
                esc(name), key, numbers.text(values[key]))
            for name, values in found.items())
        body.append("<tr><td>%s<br><small>%s</small></td><td><small>%s"
                    "</small></td>%s</tr>" % (
                        esc(english), esc(japanese), esc(unit), cells))
    return ("<table><thead><tr><th></th><th></th>%s</tr></thead><tbody>%s"
            "</tbody></table>" % (head, "".join(body)))


INTRO = """<p>The same recorded transactions were sent to each engine, in both
topologies, with real processes on one machine: some seconds of peace, then a
node is killed with kill -9 and comes back (the leader; of miners the first
one), then it is cut off with as many others as are a minority, and
healed. Each number follows
from <code>events.csv</code> alone; <code>run/compare.sh --check DIR</code>
derives them again. Latencies are of transactions sent in peace, from the
wallet's call to its answer; what waits for a step first is counted for that
step.</p><p lang="ja">%s<code>events.csv</code> から再計算できます。</p>""" % (
    "同じ記録済みの取引を、二つの合意方式と二つの接続形態に、"
    "実際のプロセスで送りました。平常、ノードの強制停止と復帰、"
    "少数派の分断と復旧の順です。数値はすべて ")


def make(directory):
    runs = numbers.read(directory)
    found = {name: numbers.derive(rows) for name, rows in runs.items()}
    plots = [plot_latency(runs, step, japanese) for step, japanese in (
        ("received", "受領までの時間の分布"),
        ("ordered", "ブロックに入るまでの時間の分布"),
        ("final", "確定までの時間の分布"))]
    plots += [plot_bars(found, key) for key in (
        "messages", "bytes", "hashes", "deepest", "undone", "death_silence",
        "split_silence")]
    plots += [plot_finals(runs, name, i) for i, name in enumerate(runs)]
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            "<title>Perch: two engines compared</title><style>%s</style>"
            "</head><body><h1>Two engines compared / 合意方式の比較</h1>%s%s%s"
            "</body></html>\n" % (STYLE, INTRO, table(found), "".join(plots)))


def write(directory):
    with open(os.path.join(directory, "report.html"), "w") as file:
        file.write(make(directory))


def check(directory):
    """Derive every number again from the events. 0: the page says the same."""
    with open(os.path.join(directory, "report.html")) as file:
        page = file.read()
    said = {(run, key): value for run, key, value in re.findall(
        r'data-run="([^"]*)" data-key="([^"]*)">([^<]*)<', page)}
    bad = 0
    for name, rows in numbers.read(directory).items():
        for key, value in numbers.derive(rows).items():
            known = said.pop((name, key), None)
            if known != numbers.text(value):
                print("%s %s: the page says %s, the events %s" % (
                    name, key, known, numbers.text(value)))
                bad += 1
    for name, key in said:
        print("%s %s: is on the page and in no event" % (name, key))
        bad += 1
    if page != make(directory):
        print("the plots are not those of the events")
        bad += 1
    print("run/compare.sh: %s" % (
        "every number follows from the events" if bad == 0 else
        "%d to explain" % bad))
    return 1 if bad else 0
