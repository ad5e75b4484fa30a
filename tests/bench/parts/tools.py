"""The programs around those who are measured: origin and load, on processors of their own."""

import contextlib
import json
import os
import select
import subprocess
import time


def read_line(popen, what, seconds=30):
    """The next line of a program's standard output; it writes nothing else before it."""
    limit = time.monotonic() + seconds
    line = b""
    while not line.endswith(b"\n"):
        left = limit - time.monotonic()
        if left <= 0 or not select.select([popen.stdout], [], [], left)[0]:
            raise AssertionError(f"waited in vain for: {what}")
        byte = os.read(popen.stdout.fileno(), 1)
        if not byte:
            raise AssertionError(f"it ended: {what}")
        line += byte
    return line.decode()


class Tools:
    def __init__(self, folder, processors):
        """processors: where they run, for example "0,2-3"; next to each other, and in long turns, for the
        scheduler is not what is measured."""
        self.folder = folder
        self.prefix = ["chrt", "-b", "0", "taskset", "-c", processors]

    def words(self, name, *words):
        return [*self.prefix, os.path.join(self.folder, name), *words]

    def load_words(self, port, mode, connections, **more):
        """more: options of load, for example seconds=2"""
        words = ["--mode", mode, "--connections", str(connections)]
        for key, value in more.items():
            words += [f"--{key}", str(value)]
        return self.words("load", *words, f"127.0.0.1:{port}")

    def load(self, port, mode, connections, **more):
        """What load says at its end."""
        limit = 60 + more.get("seconds", 0) + more.get("warmup", 0)
        done = subprocess.run(self.load_words(port, mode, connections, **more), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, timeout=limit, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"load ended with {done.returncode} and said {done.stdout!r}") from None

    @contextlib.contextmanager
    def held(self, port, connections):
        """While the block runs, so many clients are there that got one answer each."""
        words = [*self.load_words(port, "get", connections, size=128)[:-1], "--hold", f"127.0.0.1:{port}"]
        popen = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            line = read_line(popen, f"{connections} clients are connected")
            assert line == f"held {connections}\n", line
            yield
        finally:
            popen.stdin.close()
            try:
                popen.wait(10)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
            popen.stdout.close()


class Origin:
    def __init__(self, tools, host="127.0.0.1", ports=3):
        self.popen = subprocess.Popen(tools.words("origin", *[f"{host}:0"] * ports), stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE)
        try:
            ready = read_line(self.popen, "the origin listens").split()
            assert ready[0] == "ready" and len(ready) == 1 + ports, ready
            self.ports = [int(p) for p in ready[1:]]
        except BaseException:
            self.stop()
            raise

    @property
    def addresses(self):
        return [f"127.0.0.1:{p}" for p in self.ports]

    def stop(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdout.close()
