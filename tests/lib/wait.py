"""Waiting without sleeping: a condition is polled until it holds or a deadline passes.

TINYLB_TEST_SLOW=10 makes every deadline ten times as long, for sanitizers and valgrind. A deadline is
how long a broken program may take to be called broken; a working one never comes near it.
"""

import os
import select
import time

SLOW = float(os.environ.get("TINYLB_TEST_SLOW") or 1)

# How long anything that ought to happen at once may take.
DEADLINE = 10 * SLOW


class Timeout(AssertionError):
    """Something did not happen in time."""


def wait_for(predicate, what="", deadline=None):
    """Polls predicate() until it is true and returns what it returned."""
    limit = time.monotonic() + (DEADLINE if deadline is None else deadline)
    pause = 0.001
    while True:
        result = predicate()
        if result:
            return result
        if time.monotonic() > limit:
            name = what or getattr(predicate, "__name__", "the condition")
            raise Timeout(f"waited in vain for: {name}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def wait_end(pid, deadline):
    """Waits until a child has ended, and notices it at once; false where it has not. Somebody who traces
    it may have to hear of it before its parent does."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:  # it is buried already
        return True
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    ended = bool(poll.poll(1000 * deadline))
    os.close(fd)
    return ended


def wait_still(sample, quiet=0.3, what="", deadline=None):
    """Waits until sample() has returned the same value for `quiet` seconds and returns it: how a test
    sees that a stream has stopped because of back-pressure."""
    limit = time.monotonic() + (DEADLINE if deadline is None else deadline)
    last, since = sample(), time.monotonic()
    while time.monotonic() - since < quiet * min(SLOW, 5):
        if time.monotonic() > limit:
            raise Timeout(f"never came to rest: {what or 'the sample'}")
        time.sleep(0.01)
        now = sample()
        if now != last:
            last, since = now, time.monotonic()
    return last
