"""The plot: for each kind of traffic what a request costs each of them, as how many times the floor. Bars with
their figures as text; a line across those of tinylb shows what it may cost at most."""

from xml.sax.saxutils import escape

from .report import beside, best_peer, medians

WIDTH, LEFT, RIGHT = 960, 270, 70
BAR, GAP, GROUP, TOP = 13, 3, 16, 64

# Readable on white and on black; texts take the reader's colour.
COLOURS = {"tinylb": "#1f8fe0", "haproxy": "#9a9a9a", "nginx": "#3f9f5f", "h2o": "#b98a2f", "nghttpx": "#a46fc0"}

STYLE = """
text { font: 12px sans-serif; fill: #222; }
.title { font-size: 15px; font-weight: bold; }
.group { font-weight: bold; }
.line { stroke: #888; stroke-width: 1; }
.target { stroke: #d03030; stroke-width: 2; }
@media (prefers-color-scheme: dark) { text { fill: #ddd; } .back { fill: #181818; } }
"""


def limit(row):
    """What tinylb may cost at most, in floors: the least of its targets."""
    limits = [row["targets"]["floor"]] if "floor" in row["targets"] else []
    if "peer" in row["targets"] and best_peer(row):
        limits.append(row["targets"]["peer"] * beside(row, best_peer(row), "floor"))
    return min(limits, default=None)


def text(x, y, words, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x, top, bottom, kind):
    return f'<line x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}" class="{kind}"/>'


def group(row, names, y, scale):
    """The bars of a row from y on; returns what is drawn and where it ends."""
    found = medians(row)
    parts = [text(LEFT - 78, y + BAR - 2, row["title"], "group", "end")]
    for name in names:
        if name not in found:
            continue
        times = beside(row, name, "floor")
        end = times * scale
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{end:.1f}" height="{BAR}" '
                     f'fill="{COLOURS.get(name, "#888")}"/>')
        parts.append(text(LEFT - 6, y + BAR - 2, name, "", "end"))
        if name == "tinylb" and limit(row):
            mark = limit(row) * scale
            parts.append(line(LEFT + mark, y - 3, y + BAR + 3, "target"))
            if 0 <= mark - end < 40:  # it would cross the figure
                end = mark
        parts.append(text(LEFT + end + 5, y + BAR - 2, f"{times:.2f}"))
        y += BAR + GAP
    return parts, y + GROUP


def plot(raw):
    """The SVG, or None where nothing was measured beside the floor."""
    rows = [row for row in raw["rows"] if row["unit"] == "µs" and medians(row).get("floor")]
    names = [n for n in raw["proxies"] if n != "floor"]
    if not rows or not names:
        return None
    most = max(beside(row, name, "floor") for row in rows for name in medians(row))
    scale = (WIDTH - LEFT - RIGHT) / most
    parts, y = [], TOP + 10
    for row in rows:
        drawn, y = group(row, names, y, scale)
        parts += drawn
    axis = [line(LEFT + scale, TOP, y - GROUP, "line"), text(LEFT + scale, TOP - 4, "the floor: 1", "", "middle")]
    top = [text(16, 24, "Processor time of a request, in floors: less is better", "title"),
           text(16, 42, f"{raw['machine']}; red: what tinylb is to stay below")]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}">\n'
            f'<style>{STYLE}</style>\n<rect class="back" width="{WIDTH}" height="{y}" fill="#fff"/>\n'
            + "\n".join(top + axis + parts) + "\n</svg>\n")
