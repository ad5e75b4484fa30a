"""Processor time of a request, for each kind of traffic; and the time that clients wait."""

import contextlib
import statistics

from . import meter
from .bench import Row

# By its name: the line's title, what load does, the targets.
LOADS = {
    "small": ("128 B, 64 clients", {"mode": "get", "size": 128, "connections": 64}, {"floor": 1.15, "peer": 0.75}),
    "crowd": ("128 B, 512 clients", {"mode": "get", "size": 128, "connections": 512}, {"floor": 1.2, "peer": 0.75}),
    "medium": ("16 KiB answers", {"mode": "get", "size": 16384, "connections": 64}, {"floor": 1.25, "peer": 0.75}),
    "large": ("1 MiB answers", {"mode": "get", "size": 1 << 20, "connections": 16}, {"floor": 1.0, "peer": 0.6}),
    "upload": ("1 MiB uploads", {"mode": "upload", "size": 1 << 20, "connections": 16}, {"floor": 1.0, "peer": 0.6}),
    "connect": ("connection per request", {"mode": "connect", "size": 128, "connections": 64}, {"peer": 0.7}),
    "pressed": ("the same, always busy", {"mode": "connect", "size": 128, "connections": 256}, {"peer": 0.7}),
    "post": ("POST 1 KiB, chunked", {"mode": "post", "size": 1024, "connections": 64}, {"peer": 0.75}),
    "socket": ("WebSocket, 128 B", {"mode": "socket", "size": 128, "connections": 64}, {"floor": 1.05, "peer": 0.8}),
}


# Origin and load cannot keep all proxies busy with these: who is fast sleeps and wakes more often, and looks dearer than
# it is. So each has half of its processor.
PRESSED = ("pressed",)


def processor_time(bench, name):
    title, words, targets = LOADS[name]
    row = Row(title, "µs", **targets)
    with bench.pressing() if name in PRESSED else contextlib.nullcontext():
        take_turns(bench, row, words)
    return [row]


def take_turns(bench, row, words):
    for i, proxy in bench.turns(row, bench.kinds):
        bench.warm(row, proxy, words)
        pids = proxy.pids()
        before = meter.settled_cpu_ns(pids)
        said = bench.tools.load(proxy.port, seconds=bench.options.seconds, warmup=0, **words)
        spent = meter.settled_cpu_ns(pids) - before
        row.keep(proxy.name, {**said, "busy": spent / 1e9 / bench.options.seconds})
        if row.check(proxy.name, said):
            row.add(proxy.name, spent / 1000 / said["total"])
            bench.say(f"{row.title}, round {i + 1}, {proxy.name}: {row.values[proxy.name][-1]:.2f} µs, "
                      f"{said['rate']:.0f}/s")


def saturation(bench, row, kind, small):
    """Requests a second that a peer serves, of small answers. small: what load said of each proxy, where these were
    measured."""
    if small.get(kind.name):
        return statistics.median(said["rate"] for said in small[kind.name])
    with bench.running(kind) as proxy:
        said = bench.tools.load(proxy.port, seconds=bench.options.seconds, **LOADS["small"][1])
        row.check(proxy.name, said)
        return said["rate"]


def latency(bench, small):
    """p99 of a peer and of tinylb under half of what saturates the peer."""
    words = LOADS["small"][1]
    rows = []
    for kind in bench.peers:
        row = Row(f"p99, half of {kind.name}", "µs", peer=1.0)
        rows.append(row)
        with row.failing(kind.name):
            rate = int(saturation(bench, row, kind, small) / 2)
            row.title = f"p99, half of {kind.name}: {rate}/s"
        for i, proxy in bench.turns(row, [k for k in bench.kinds if k is kind or k.name == "tinylb"]):
            bench.warm(row, proxy, words)
            said = bench.tools.load(proxy.port, seconds=bench.options.seconds, warmup=0.3, rate=rate, **words)
            row.keep(proxy.name, said)
            if row.check(proxy.name, said):
                row.add(proxy.name, said["latency_us"]["p99"])
                bench.say(f"{row.title}, round {i + 1}, {proxy.name}: {row.values[proxy.name][-1]:.0f} µs")
    return rows
