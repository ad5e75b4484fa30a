"""What is counted and not timed: memory, system calls, instructions; and what 10,000 backends are to tinylb."""

import os
import signal
import time

from lib import process
from lib.wait import wait_for, wait_still

from . import counted, meter, proxies
from .bench import Row
from .tools import Origin
from .traffic import LOADS

IDLE_FIRST, IDLE_MORE = 1000, 5000
MANY = 10000


def resting(sample, what):
    """A figure of memory, when it has come to rest."""
    return wait_still(sample, 0.3, what, 10)


def idle(bench):
    """Memory that each further client takes that got an answer and says nothing."""
    row = Row("idle client, memory", "B", most=400)
    for kind in bench.kinds:
        with row.failing(kind.name), bench.running(kind, clients=IDLE_FIRST + IDLE_MORE + 100, plain=True) as proxy:
            pids = proxy.pids()
            with bench.tools.held(proxy.port, IDLE_FIRST):
                before = resting(lambda p=pids: meter.private_bytes(p), "memory of idle clients")
                with bench.tools.held(proxy.port, IDLE_MORE):
                    after = resting(lambda p=pids: meter.private_bytes(p), "memory of idle clients")
                    there = process.established(proxy.port)[0]
            assert there == IDLE_FIRST + IDLE_MORE, f"{there} of the clients were left"
            row.add(kind.name, (after - before) / IDLE_MORE)
            bench.say(f"{row.title}, {kind.name}: {row.values[kind.name][-1]:.0f} B")
    return [row]


def pss(bench):
    """Memory of the master and two workers that never had a client."""
    row = Row("master, two idle workers", "MB", most=3.0)
    for kind in bench.kinds:
        # the floor has neither
        if kind is proxies.Floor:
            continue
        with row.failing(kind.name), bench.running(kind, workers=2, plain=True) as proxy:
            size = resting(lambda p=proxy: meter.pss_bytes(p.pids()), "memory of idle workers")
            row.add(kind.name, size / 1e6)
    return [row]


def ask(bench, row, proxy, words, requests):
    said = bench.tools.load(proxy.port, requests=requests, **words)
    assert row.check(proxy.name, said), "wrong answers"


def system_calls(bench):
    row = Row("system calls, 64 clients", "", most=4.2)
    words = LOADS["small"][1]
    for kind in bench.kinds:
        with row.failing(kind.name), bench.running(kind) as proxy:
            bench.warm(row, proxy, words)
            names = counted.syscalls_per_request(
                proxy.busy_pids(), lambda n, p=proxy: ask(bench, row, p, words, n), bench.options.requests)
            row.add(kind.name, sum(names.values()))
            row.keep(kind.name, {name: round(count, 3) for name, count in names.items()})
            bench.say(f"{row.title}, {kind.name}: {row.values[kind.name][-1]:.2f}")
    return [row]


def instructions(bench):
    row = Row("instructions, 64 clients", "")
    words = LOADS["small"][1]
    for kind in bench.kinds:
        # of the peers, some do not run under valgrind, or otherwise than without it
        if kind.name not in proxies.BESIDE:
            continue
        running = []

        def begin(prefix, kind=kind, running=running):
            running.append(bench.make(kind, prefix).start())
            return running[-1]

        with row.failing(kind.name):
            row.add(kind.name, counted.instructions_per_request(
                begin, lambda n, running=running: ask(bench, row, running[-1], words, n),
                os.path.join(bench.directory, f"callgrind-{kind.name}"), bench.options.requests // 2))
            bench.say(f"{row.title}, {kind.name}: {row.values[kind.name][-1]:.0f}")
    return [row]


# Ten thousand backends.


def addresses(port, count):
    """That many of the loopback device."""
    return [f"127.{1 + i // 65536}.{i // 256 % 256}.{i % 256}:{port}" for i in range(1, count + 1)]


def reload(proxy):
    """Has tinylb read its settings again, and returns how many milliseconds that took."""
    path = os.path.join(proxy.directory, "stderr")
    start = time.monotonic()
    os.kill(proxy.popen.pid, signal.SIGHUP)
    wait_for(lambda: b"reloaded in" in process.read(path), "it is reloaded", 60)
    return (time.monotonic() - start) * 1000


def many(bench):
    """What 10,000 backends are to tinylb: until it serves, until it is reloaded, memory, and the processor time
    of a request with so many and with three, all connections having been made before."""
    rows = [Row("10,000 backends: start", "ms", most=1000), Row("10,000 backends: reload", "ms", most=1000),
            Row("a backend, in a worker", "B", most=1024),
            Row("128 B, 3 backends", "µs"), Row("128 B, 10,000 backends", "µs")]
    origin = Origin(bench.tools, "0.0.0.0", 1)
    try:
        with rows[0].failing("tinylb"):
            for i in range(max(1, bench.options.rounds // 2)):
                few = _many(bench, rows[3], addresses(origin.ports[0], 3), rows)
                size = _many(bench, rows[4], addresses(origin.ports[0], MANY), rows)
                rows[2].add("tinylb", (size - few) / (MANY - 3))
                bench.say(f"10,000 backends, round {i + 1}: " + ", ".join(
                    f"{row.values['tinylb'][-1]:.3g} {row.unit}" for row in rows))
    finally:
        origin.stop()
    return rows


def _many(bench, row, backends, rows):
    """One of them; returns the memory of its worker, which has had to do with each backend."""
    words = LOADS["small"][1]
    proxy = bench.make(proxies.Tinylb, backends=backends)
    start = time.monotonic()
    proxy.start()
    took = (time.monotonic() - start) * 1000
    try:
        # until each backend has been chosen: a random choice leaves out none of 10,000 in 130,000
        ask(bench, row, proxy, words, 2000 + 13 * len(backends))
        size = resting(lambda: meter.private_bytes(proxy.busy_pids()), "memory of a worker")
        pids = proxy.pids()
        before = meter.settled_cpu_ns(pids)
        said = bench.tools.load(proxy.port, seconds=bench.options.seconds, warmup=0, **words)
        spent = meter.settled_cpu_ns(pids) - before
        assert row.check("tinylb", said), "wrong answers"
        row.add("tinylb", spent / 1000 / said["total"])
        if len(backends) == MANY:
            rows[0].add("tinylb", took)
            rows[1].add("tinylb", reload(proxy))
    finally:
        proxy.stop()
        proxy.forget_log()
    return size
