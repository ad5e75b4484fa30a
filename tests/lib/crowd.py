"""Threads that do the same for as long as a block goes on.

    with Askers(lb) as askers:
        ...
    assert set(askers.results) == {"x"}

lib/load.py has others, for tests in which many connections in a short time matter.
"""

import threading
import time

from .client import Closed


class Crowd:
    def __init__(self, count):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(count)]

    def run(self):
        """What each of them does, until `over` is set."""
        raise NotImplementedError

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()


# A kept connection may be ended once it was idle for so long, and a request be on its way to it then.
IDLE = 1


class Askers(Crowd):
    """Threads that ask and keep what came: over one connection each, or a new one for each request."""

    def __init__(self, lb, keep_alive=False, threads=2):
        super().__init__(threads)
        self.lb, self.keep_alive, self.results = lb, keep_alive, []

    def run(self):
        client, answered, asked = None, 0, 0
        while not self.over.is_set():
            try:
                if client is None:
                    client, answered = self.lb.client(), time.monotonic()
                try:
                    client.send_request("GET", "/")
                finally:
                    asked = time.monotonic()
                answer = client.response()
                answered = time.monotonic()
                self.results.append(answer.text)
                if not self.keep_alive or not answer.keeps_alive:
                    client.close()
                    client = None
            except (OSError, Closed) as e:
                # On a busy machine it may be the thread that had to wait.
                if client is None or asked - answered < IDLE:
                    self.results.append(repr(e))
                client = None
