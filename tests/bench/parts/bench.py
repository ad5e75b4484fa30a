"""What all measurements share: the origin, those who are measured and where they run, rounds in which each has
its turn, and what a row of the table is made of."""

import contextlib
import os
import subprocess
import sys

from lib.wait import wait_for

from . import proxies
from .tools import Origin, Tools


class Row:
    """One line of the table."""

    def __init__(self, title, unit, **targets):
        """targets: floor= and peer=, the most times that of the floor, of the best peer; most=, the most"""
        self.title, self.unit, self.targets = title, unit, targets
        self.values = {}  # by name of the proxy, one of each round
        self.failed = {}  # by name of the proxy: what came instead of right answers, and how often
        self.more = {}  # what is only kept in the file of raw figures

    def add(self, name, value):
        self.values.setdefault(name, []).append(value)

    def check(self, name, said):
        """Takes note of answers that were none. Returns whether all were right."""
        kinds = {kind: count for kind, count in said["failed"].items() if count}
        if not said["answers"] and not kinds:
            kinds["no answers"] = 1
        for kind, count in kinds.items():
            known = self.failed.setdefault(name, {})
            known[kind] = known.get(kind, 0) + count
        return name not in self.failed

    @contextlib.contextmanager
    def failing(self, name):
        """An error in the block is one of this proxy and of nobody else."""
        try:
            yield
        except (AssertionError, OSError, subprocess.SubprocessError) as e:
            self.failed.setdefault(name, {})[" ".join(str(e).split())[:100] or type(e).__name__] = 1

    def keep(self, name, said):
        """Keeps what load said for the file of raw figures."""
        self.more.setdefault(name, []).append(said)

    def as_dict(self):
        return {"title": self.title, "unit": self.unit, "targets": self.targets, "values": self.values,
                "failed": self.failed, "more": self.more}


# Before all others.
FIRST = ("chrt", "-f", "1")

# Spins for half of the time.
HALF = """
import time
while True:
    end = time.monotonic() + 0.005
    while time.monotonic() < end:
        pass
    time.sleep(0.005)
"""


class Bench:
    def __init__(self, options, directory, tools_folder):
        self.options, self.directory = options, directory
        self.tools = Tools(tools_folder, options.load_cpus)
        proxies.Floor.tools = tools_folder
        self.kinds = [k for k in proxies.ALL if k.name in options.proxies]
        self.missing = [k for k in self.kinds if not k.path()]
        self.kinds = [k for k in self.kinds if k not in self.missing]
        self.origin = Origin(self.tools)
        self.made = 0

    @property
    def peers(self):
        return [k for k in self.kinds if k.name not in proxies.BESIDE]

    def say(self, text):
        if not self.options.silent:
            print(text, file=sys.stderr, flush=True)

    def make(self, kind, prefix=(), backends=None, **more):
        """One of a kind, in a folder of its own, not started."""
        self.made += 1
        return kind(os.path.join(self.directory, f"{self.made}-{kind.name}"), backends or self.origin.addresses,
                    prefix=["taskset", "-c", self.options.proxy_cpu, *prefix], **more)

    @contextlib.contextmanager
    def running(self, kind, **more):
        proxy = self.make(kind, **more).start()
        try:
            yield proxy
        finally:
            proxy.stop()
            proxy.forget_log()

    @staticmethod
    def may_press():
        return subprocess.run([*FIRST, "true"], capture_output=True, check=False).returncode == 0

    @contextlib.contextmanager
    def pressing(self):
        """Meanwhile half of the proxies' processor is taken away, a few milliseconds at a time: work waits for them."""
        words = ["taskset", "-c", self.options.proxy_cpu, "timeout", "600", sys.executable, "-c", HALF]
        with subprocess.Popen([*FIRST, *words]) as spinning:
            try:
                yield
            finally:
                spinning.terminate()

    def turns(self, row, kinds):
        """(round, running proxy) again and again: in each round all have a turn, another one first each time. For
        each turn it is started anew, as where memory lies makes a difference. Those that failed have no more turns."""
        for i in range(self.options.rounds):
            start = i % max(1, len(kinds))
            for kind in kinds[start:] + kinds[:start]:
                if kind.name in row.failed:
                    continue
                with row.failing(kind.name), self.running(kind) as proxy:
                    yield i, proxy

    def warm(self, row, proxy, words):
        """Has it serve that for a while, so that what is made once is made; and sees that it writes its log."""
        row.check(proxy.name, self.tools.load(proxy.port, seconds=0.3, warmup=0, **words))
        wait_for(proxy.has_logged, f"a line in the access log of {proxy.name}")

    def stop(self):
        self.origin.stop()
