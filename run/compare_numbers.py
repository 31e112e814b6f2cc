"""run/compare_numbers.py -- from events to numbers; nothing else knows how.

An event is a row of events.csv. A run begins with a mark and goes through
phases: peace (begin to killed), death (killed to cut) and split (cut to sent).
"""
import csv
import os

COLUMNS = ["run", "time_us", "source", "event", "subject", "step", "status",
           "code", "height", "hash", "value"]
STEPS = ("received", "ordered", "final")
# key, unit, English, Japanese
KEYS = [
    ("sent", "tx", "sent", "送信"),
    ("granted", "tx", "granted", "承認"),
    ("conflicts", "tx", "refused: the slot was taken", "拒否(枠が使用中)"),
    ("lost", "tx", "told ordered or final, and not in the ledger",
     "通知後に台帳から失われた取引"),
    ("twice", "tx", "twice in the ledger", "台帳に2回"),
    ("unanswered", "tx", "without a final answer in time", "確定の回答なし"),
    ("never", "tx", "of these never in the ledger", "うち台帳にないもの"),
    ("received_p50", "ms", "received, median", "受領まで(中央値)"),
    ("received_p99", "ms", "received, 99 %", "受領まで(99 %)"),
    ("ordered_p50", "ms", "ordered, median", "ブロックまで(中央値)"),
    ("ordered_p99", "ms", "ordered, 99 %", "ブロックまで(99 %)"),
    ("final_p50", "ms", "final, median", "確定まで(中央値)"),
    ("final_p99", "ms", "final, 99 %", "確定まで(99 %)"),
    ("throughput", "tx/s", "final a second, of those sent in peace",
     "平常時に送信した取引の毎秒確定数"),
    ("peak", "tx", "final in the best second", "最良の1秒の確定数"),
    ("messages", "1/tx", "messages between nodes", "ノード間メッセージ"),
    ("bytes", "byte/tx", "bytes between nodes", "ノード間バイト数"),
    ("hashes", "1/tx", "hashes spent", "消費ハッシュ"),
    ("forks", "", "blocks beside another one", "分岐ブロック"),
    ("reorganisations", "", "reorganisations of a node", "再編成"),
    ("deepest", "blocks", "deepest reorganisation", "最も深い再編成"),
    ("undone", "tx", "told ordered, then undone", "取り消しの通知"),
    ("death_silence", "s", "leader dies: longest without a final",
     "リーダー停止時の最長無確定"),
    ("death_lost", "tx", "leader dies: sent then, not in the ledger",
     "リーダー停止時に送信し台帳にないもの"),
    ("split_silence", "s", "split: longest without a final",
     "分断時の最長無確定"),
    ("split_lost", "tx", "split: sent then, not in the ledger",
     "分断時に送信し台帳にないもの"),
    ("split_deepest", "blocks", "split: deepest reorganisation",
     "分断時の最も深い再編成"),
    ("alarms", "", "alarms of the observer", "監視の警報"),
]


def read(directory):
    """{run: [row, ...]} with whole numbers where there are numbers."""
    runs = {}
    with open(os.path.join(directory, "events.csv"), newline="") as file:
        for row in csv.DictReader(file):
            for name in ("time_us", "height", "value"):
                row[name] = int(row[name] or 0)
            runs.setdefault(row["run"], []).append(row)
    for rows in runs.values():
        rows.sort(key=lambda row: row["time_us"])
    return runs


def of(rows, *events):
    return [row for row in rows if row["event"] in events]


def marks(rows):
    return {row["subject"]: row["time_us"] for row in of(rows, "mark")}


def percentile(values, share):
    """Of a sorted list, by the nearest rank; None of nothing."""
    if not values:
        return None
    rank = -(-len(values) * share // 100)
    return values[max(0, int(rank) - 1)]


def sent_times(rows):
    return {row["subject"]: row["time_us"] for row in of(rows, "sent")}


def latencies(rows):
    """{step: sorted ms} of transactions sent in peace that first waited for
    just that step."""
    at, sent = marks(rows), sent_times(rows)
    seen, found = set(), {step: [] for step in STEPS}
    for row in of(rows, "told", "failed"):
        ident = row["subject"]
        if ident in seen:
            continue
        seen.add(ident)
        if row["event"] == "told" and at["begin"] <= sent[ident] < at[
                "killed"]:
            found[row["step"]].append((row["time_us"] - sent[ident]) / 1000)
    return {step: sorted(values) for step, values in found.items()}


def final_times(rows):
    """When each transaction was first told to be final."""
    found = {}
    for row in of(rows, "told"):
        if row["status"] == "final":
            found.setdefault(row["subject"], row["time_us"])
    return found


def silence(rows, begin, end):
    """Seconds: the longest time between two tellings of a final."""
    times = sorted(t for t in final_times(rows).values() if begin < t < end)
    times = [begin, *times, end]
    return max(b - a for a, b in zip(times, times[1:])) / 1e6


def spent(rows, name, begin, end):
    """How much a counter of all nodes has grown; it starts again at 0 with a
    node that was restarted."""
    before, total = {}, 0
    for row in of(rows, "counter"):
        if row["subject"] != name or not begin <= row["time_us"] <= end:
            continue
        node, value = row["source"], row["value"]
        if node in before:
            total += value - before[node] if value >= before[node] else value
        before[node] = value
    return total


def peak(rows):
    """Most finals told between two full seconds."""
    seconds = {}
    for time in final_times(rows).values():
        seconds[time // 1000000] = seconds.get(time // 1000000, 0) + 1
    return max(seconds.values(), default=0)


def ratio(a, b):
    return a / b if b else None


def derive_counts(rows, ledger):
    codes = {row["subject"]: row["code"] for row in ledger}
    sent, final = sent_times(rows), final_times(rows)
    known = {row["subject"] for row in of(rows, "told")
             if row["status"] in ("ordered", "final")}
    open_ = set(sent) - set(final)
    return {
        "sent": len(sent),
        "granted": sum(codes.get(i) == "granted" for i in sent),
        "conflicts": sum(codes.get(i) == "slot_taken" for i in sent),
        "lost": len(known - set(codes)),
        "twice": len(ledger) - len(codes),
        "unanswered": len(open_),
        "never": len(open_ - set(codes)),
    }


def derive_steps(rows):
    numbers = {}
    for step, values in latencies(rows).items():
        numbers[step + "_p50"] = percentile(values, 50)
        numbers[step + "_p99"] = percentile(values, 99)
    return numbers


def derive_cost(rows, ledger):
    at = marks(rows)
    peace = (at["begin"], at["killed"])
    sent, final = sent_times(rows), final_times(rows)
    calm = {ident for ident, t in sent.items() if peace[0] <= t < peace[1]}
    in_peace, told = len(calm), sorted(final[i] for i in calm & set(final))
    has_hashes = any(r["subject"] == "hashes" for r in of(rows, "counter"))
    mined = spent(rows, "hashes", at["begin"], at["end"])
    return {
        "throughput": ratio(len(told) * 1e6,
                            told[-1] - at["begin"] if told else 0),
        "peak": peak(rows),
        "messages": ratio(spent(rows, "sent", *peace), in_peace),
        "bytes": ratio(spent(rows, "sent_bytes", *peace), in_peace),
        "hashes": ratio(mined, len(ledger)) if has_hashes else None,
    }


def derive_chain(rows):
    at = marks(rows)
    moved = of(rows, "reorganisation")
    late = [r["value"] for r in moved if r["time_us"] >= at["cut"]]
    return {
        "forks": len(of(rows, "fork")),
        "reorganisations": len(moved),
        "deepest": max((r["value"] for r in moved), default=0),
        "undone": len(of(rows, "undone")),
        "split_deepest": max(late, default=0),
        "alarms": len(of(rows, "alarm")),
    }


def derive_faults(rows, ledger):
    at, known = marks(rows), {row["subject"] for row in ledger}
    numbers = {}
    for name, begin, end in (("death", "killed", "cut"),
                             ("split", "cut", "sent")):
        numbers[name + "_silence"] = silence(rows, at[begin], at[end])
        numbers[name + "_lost"] = sum(
            at[begin] <= time < at[end] and ident not in known
            for ident, time in sent_times(rows).items())
    return numbers


def derive(rows):
    """{key: number or None} of a run; every key of KEYS."""
    ledger = of(rows, "entry")
    numbers = {}
    numbers.update(derive_counts(rows, ledger))
    numbers.update(derive_steps(rows))
    numbers.update(derive_cost(rows, ledger))
    numbers.update(derive_chain(rows))
    numbers.update(derive_faults(rows, ledger))
    return {key: numbers[key] for key, *_ in KEYS}


def text(number):
    """As it stands on the page."""
    if number is None:
        return "–"
    if isinstance(number, int) or number >= 1000:
        return "{:,.0f}".format(number)
    return "%.3g" % number
