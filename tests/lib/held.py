"""A handler for origins that keeps requests as long as the test wants, and counts how many there are at
a time, at one origin or at several.

    held = Held()
    o = origin(held)
    held.hold()
    ...
    held.release(1)      # one of those that are held is answered, the first that came
    held.let_go()        # all, and those that come later at once
"""

import collections
import threading

from .wait import wait_for


class Held:
    def __init__(self, answer=b"fine", work=0):
        """work  seconds that each request takes when nothing is held"""
        self.answer, self.work = answer, work
        self.lock = threading.Lock()
        self.waiting = collections.deque()
        self.holding = False
        self.now = self.most = self.count = 0

    def hold(self):
        self.holding = True

    def release(self, n=1):
        for _ in range(n):
            self.waiting.popleft().set()

    def let_go(self):
        with self.lock:
            self.holding = False
            while self.waiting:
                self.waiting.popleft().set()

    def wait_count(self, n):
        wait_for(lambda: self.count >= n, f"{n} requests, not {self.count}, at the backend")

    def __call__(self, conn, request):
        go = threading.Event()
        with self.lock:
            self.now += 1
            self.count += 1
            self.most = max(self.most, self.now)
            if self.holding:
                self.waiting.append(go)
            elif not self.work:
                go.set()
        go.wait(self.work if not self.holding else 60)
        with self.lock:
            self.now -= 1
        return self.answer
