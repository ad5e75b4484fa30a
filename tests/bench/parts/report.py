"""The table: medians of all rounds, what they are beside the floor and the best peer, and whether that is what was
aimed at. Made of the raw figures, so that it can be made again from their file."""

import statistics

from .proxies import BESIDE

TITLE, COLUMN = 30, 8
FLOOR_COLUMN = 19


def medians(row):
    """{proxy: median} of those that gave right answers."""
    return {name: statistics.median(values) for name, values in row["values"].items()
            if values and name not in row["failed"]}


def beside(row, name, other):
    """What one takes in parts of what the other does, or None: the median of what that was in each round. A processor
    may be half as fast again in one round as in the next; within one it is hardly another."""
    found = medians(row)
    if name not in found or not found.get(other):
        return None
    return statistics.median(a / b for a, b in zip(row["values"][name], row["values"][other]) if b)


def best_peer(row):
    """The name of the peer that took least, or None. Who took nothing was not measured well."""
    found = {name: value for name, value in medians(row).items() if name not in BESIDE and value > 0}
    return min(found, key=lambda name: beside(row, name, "tinylb") or found[name], default=None)


def verdicts(row):
    """[(target, what tinylb has, the most it may have, whom it is compared with)] of those that can be told."""
    found = medians(row)
    mine = found.get("tinylb")
    if mine is None:
        return []
    result = []
    for target, limit in row["targets"].items():
        other = {"floor": "floor", "peer": best_peer(row), "most": ""}[target]
        if target == "most":
            result.append((target, mine, limit, other))
        elif found.get(other):
            result.append((target, beside(row, "tinylb", other), limit, other))
    return result


def met(verdict):
    _, value, limit, _ = verdict
    return value <= limit


def number(value):
    """Three digits, or all of a whole number."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 0.995 or value == 0 else f"{value:.2f}"


def ratio(verdict):
    target, value, limit, other = verdict
    text = number(value) if target == "most" else f"{value:.2f}"
    if (float(text) <= limit) != met(verdict):
        text = f"{value:.3f}"
    return f"{text} <= {limit:g} {'met' if met(verdict) else 'not'}"


def share(row):
    """{proxy: how much of the processor it used}, where that is known."""
    found = {}
    for name, values in row["values"].items():
        shares = [said["busy"] for said in row["more"].get(name, []) if "busy" in said]
        if values and shares:
            found[name] = f"{statistics.median(shares) * 100:.0f}%"
    return found


def cells(row, columns, texts):
    """A line: the title, then the text of each proxy."""
    title = row["title"] + (f", {row['unit']}" if row["unit"] not in ("", "µs") else "")
    line = f"{title:{TITLE}}"
    for name in columns:
        text = "FAILED" if name in row["failed"] else texts.get(name, "-")
        line += f"{text:>{COLUMN}}"
    return line


def each(row, text):
    """{proxy: what text() makes of its values}"""
    return {name: text(values) for name, values in row["values"].items() if values}


def judgement(row):
    """What stands right of the figures."""
    found = {v[0]: v for v in verdicts(row)}
    middle = medians(row)
    left = right = ""
    for target in ("most", "floor"):
        if target in found:
            left = ratio(found[target])
    if not left and middle.get("floor") and "tinylb" in middle:
        left = f"{beside(row, 'tinylb', 'floor'):.2f}"
    if "peer" in found:
        right = f"{ratio(found['peer'])}, {found['peer'][3]}"
    elif best_peer(row) and "tinylb" in middle:
        peer = best_peer(row)
        right = f"{beside(row, 'tinylb', peer):.2f}, {peer}"
    return f"  {left:{FLOOR_COLUMN}}{right}"


def spread(values):
    """How far the rounds lie apart."""
    middle = statistics.median(values)
    if len(values) < 2 or not middle:
        return "-"
    low, high = (f"{(v / middle - 1) * 100:+.0f}" for v in (min(values), max(values)))
    return f"{low}{high}%" if len(high) < 4 else f"{low}% x{max(values) / middle:.0f}"


def failures(raw):
    return [f"FAILED: {row['title']}, {name}: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
            for row in raw["rows"] for name, kinds in row["failed"].items()]


def head(raw):
    versions = ", ".join(f"{name} {v}" for name, v in raw["versions"].items())
    return [f"{versions}", f"{raw['machine']}",
            f"{raw['date']}; proxies on processor {raw['proxy_cpu']}, origin and load on {raw['load_cpus']}; "
            f"medians of {raw['rounds']} rounds of {raw['seconds']:g} s"]


def table(raw):
    """All of it, as text."""
    columns = raw["proxies"]
    names = " " * TITLE + "".join(f"{n:>{COLUMN}}" for n in columns)
    lines = head(raw) + raw["notes"] + ["", "Of a request where nothing else is named, µs of processor time:", "",
                                        f"{names}  {'/ floor, or itself':{FLOOR_COLUMN}}/ best peer"]
    for row in raw["rows"]:
        lines.append(cells(row, columns, each(row, lambda v: number(statistics.median(v)))) + judgement(row))
    repeated = [row for row in raw["rows"] if any(len(v) > 1 for v in row["values"].values())]
    if repeated:
        lines += ["", "The least and the most of all rounds, beside the median:", "", names]
        lines += [cells(row, columns, each(row, spread)) for row in repeated]
    busy = [row for row in raw["rows"] if share(row)]
    if busy:
        lines += ["", "How much of its processor each used; what is far below 100 % waited for origin and load:", "",
                  names]
        lines += [cells(row, columns, share(row)) for row in busy]
    all_verdicts = [v for row in raw["rows"] for v in verdicts(row)]
    lines += ["", f"{sum(map(met, all_verdicts))} of {len(all_verdicts)} targets met."] + failures(raw)
    return "\n".join(line.rstrip() for line in lines) + "\n"
