"""max_requests and max_connections: whatever the number of workers, and whatever becomes of them, a
backend never has more than that, and everybody is served nevertheless. And a backend that has just
come back is not run over by connections."""

import os
import select
import signal

import pytest

from lib.held import Held
from lib.load import Load
from lib.wait import wait_for, wait_still


def ask(lb, n, target="/"):
    """So many clients that have asked and not read."""
    clients = [lb.client() for _ in range(n)]
    for c in clients:
        c.send_request("GET", target)
    return clients


def answered(clients):
    return [c.response().status for c in clients]


@pytest.mark.parametrize("kept", [False, True])
def test_requests_under_load(tinylb, origin, kept):
    held = [Held(work=0.002), Held(work=0.002)]
    lb = tinylb(backends=[{"url": origin(h).url, "max_requests": 3} for h in held], workers=4,
                log_level="info", pool={"queue": 1000})
    with Load(("127.0.0.1", lb.port), b"fine", kept=kept, threads=16) as load:
        load.wait_served(400)
    assert not load.lost
    assert [h.most for h in held] == [3, 3]


def test_requests_that_stay(tinylb, origin):
    held = Held()
    held.hold()
    lb = tinylb(backends=[{"url": origin(held).url, "max_requests": 3}], workers=4)
    clients = ask(lb, 12)
    lb.wait_log("a request waits", 9)
    assert wait_still(lambda: held.count) == 3
    held.release()
    held.wait_count(4)
    assert held.now == 3
    held.let_go()
    assert answered(clients) == [200] * 12 and held.most == 3


def is_open(conn):
    """Whether nobody has ended it, as far as the kernel knows."""
    poll = select.poll()
    try:
        poll.register(conn.sock, select.POLLRDHUP)
        return not poll.poll(0)
    except ValueError:  # it is closed here
        return False


class Counted(Held):
    """Counts connections that are open, too. The end of one that was closed before another was opened may
    come a moment later."""

    def __init__(self, limit, **more):
        super().__init__(**more)
        self.limit = limit
        self.connections = 0

    def __call__(self, conn, request):
        if request.index == 0:
            n = self.count_open(conn.origin)
            if n > self.limit:
                try:
                    wait_for(lambda: self.count_open(conn.origin) <= self.limit, deadline=0.1)
                    n = self.limit
                except AssertionError:
                    pass
            self.connections = max(self.connections, n)
        return super().__call__(conn, request)

    @staticmethod
    def count_open(origin):
        with origin.lock:
            return sum(map(is_open, origin.connections))


@pytest.mark.parametrize("limit", [3, 9])
def test_connections_under_load(tinylb, origin, limit):
    """Of 3 no worker keeps one, of 9 each keeps two."""
    counted = Counted(limit, work=0.001)
    lb = tinylb(backends=[{"url": origin(counted).url, "max_connections": limit}], workers=4,
                log_level="info", pool={"queue": 1000})
    with Load(("127.0.0.1", lb.port), b"fine", kept=True, threads=12) as load:
        load.wait_served(300)
    assert not load.lost
    assert counted.connections == limit and counted.most <= limit


def test_connections_that_stay(tinylb, origin):
    held = Held()
    held.hold()
    o = origin(held)
    lb = tinylb(backends=[{"url": o.url, "max_connections": 2}], workers=4)
    clients = ask(lb, 8)
    lb.wait_log("a request waits", 6)
    assert wait_still(lambda: held.count) == 2 and len(o.open_connections) == 2
    held.let_go()
    assert answered(clients) == [200] * 8 and held.most == 2


def test_what_is_idle_gives_way(tinylb, origin):
    """A POST does not go onto a connection that was idle for long; there is none beside it."""
    o = origin()
    lb = tinylb(backends=[{"url": o.url, "max_connections": 1}])
    c = lb.client()
    assert c.get("/").status == 200
    wait_for(lambda: wait_still(lambda: o.count, 1.1) == 1)
    assert c.request("POST", "/", body=b"x").status == 200
    wait_for(lambda: len(o.open_connections) == 1, "the end of the first connection")
    assert len(o.connections) == 2


def test_the_other_backend_gets_the_rest(tinylb, origin):
    held, other = Held(), Held()
    held.hold()
    lb = tinylb(backends=[{"url": origin(held).url, "weight": 200, "max_requests": 1}, origin(other).url])
    first = ask(lb, 1)
    held.wait_count(1)
    assert answered(ask(lb, 20)) == [200] * 20
    assert held.count == 1 and other.count == 20
    held.let_go()
    assert answered(first) == [200]


def test_a_worker_is_killed(tinylb, origin):
    """What it had is free for others, and what waited there waits no more."""
    held = Held()
    held.hold()
    lb = tinylb(backends=[{"url": origin(held).url, "max_requests": 2}], workers=4)
    lb.deaths_expected = True
    first = ask(lb, 2)
    held.wait_count(2)
    rest = ask(lb, 16)
    lb.wait_log("a request waits", 16)
    holders = lb.workers_of(first + rest)
    assert len(set(holders)) > 1
    mine = held.count
    gone = sum(h == holders[0] for h in holders[:2])
    os.kill(holders[0], signal.SIGKILL)
    held.wait_count(mine + gone)  # as many others as it had
    assert wait_still(lambda: held.count) == mine + gone
    held.let_go()
    left = [c for c, h in zip(first + rest, holders) if h != holders[0]]
    assert answered(left) == [200] * len(left)
    # nothing is left behind: as many go on as before, and no more
    held.hold()
    before = held.count
    clients = ask(lb, 6)
    held.wait_count(before + 2)
    assert wait_still(lambda: held.count) == before + 2
    held.let_go()
    assert answered(clients) == [200] * 6


def test_over_a_reload(tinylb, origin):
    """Two generations count together; who waits in the old one is served there."""
    held = Held()
    held.hold()
    lb = tinylb(backends=[{"url": origin(held).url, "max_requests": 2}], workers=2, timeouts={"drain": "20s"})
    old = ask(lb, 6)
    lb.wait_log("a request waits", 4)
    lb.hup()
    lb.wait_log("reloaded")
    new = ask(lb, 4)
    lb.wait_log("a request waits", 8)
    assert wait_still(lambda: held.count) == 2
    held.let_go()
    assert answered(old + new) == [200] * 10 and held.most == 2
