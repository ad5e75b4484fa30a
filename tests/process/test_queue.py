"""Where every backend has all that it may have, requests wait: the oldest goes first, whichever worker
has it; not for ever, and not too many of them; and none is in the way of others."""

import os
import signal
import time

import pytest

from lib.held import Held
from lib.ports import reserve_port
from lib.wait import wait_for, wait_still


@pytest.fixture
def busy(tinylb, origin):
    """A program whose only backend may have one request and has it: busy(queue=2)."""

    class Busy:
        def __init__(self, workers=1, pool=None, **more):
            self.held = Held()
            self.held.hold()
            self.origin = origin(self.held)
            self.lb = tinylb(backends=[{"url": self.origin.url, "max_requests": 1}], workers=workers,
                             pool=pool, **more)
            self.waits = 0
            self.first = self.lb.client()
            self.first.send_request("GET", "/first")
            self.held.wait_count(1)

        def wait(self, target="/", method="GET", **more):
            """One more that waits."""
            c = self.lb.client()
            c.send_request(method, target, **more)
            self.expect_waiting()
            return c

        def expect_waiting(self):
            self.waits += 1
            self.lb.wait_log("a request waits", self.waits)

    return Busy


def let_a_tick_pass():
    """What began to wait within 5 ms counts as equally old."""
    end = time.monotonic() + 0.02
    wait_for(lambda: time.monotonic() > end)


@pytest.mark.parametrize("workers", [1, 4])
def test_the_oldest_goes_first(busy, workers):
    b = busy(workers)
    clients = []
    for i in range(10):
        clients.append(b.wait(f"/{i}"))
        let_a_tick_pass()
    for i, c in enumerate([b.first, *clients]):
        b.held.wait_count(i + 1)
        b.held.release()
        assert c.response().status == 200
    assert [r.target for r in b.origin.requests] == ["/first"] + [f"/{i}" for i in range(10)]
    assert b.held.most == 1
    line = b.lb.access(11)[-1]
    # the time in the queue is part of what it took to connect
    assert line.reason == "done" and int(line.connect) >= 10 and int(line.total) >= int(line.connect)


@pytest.mark.parametrize("workers", [1, 4])
def test_a_full_queue(busy, workers):
    b = busy(workers, {"queue": 3})
    clients = [b.wait() for _ in range(3)]
    for _ in range(4):
        r = b.lb.get("/")
        assert r.status == 503 and r.headers.one("retry-after") == "1"
    assert [x.reason for x in b.lb.access(4)] == ["queue-full"] * 4
    b.held.let_go()
    assert [c.response().status for c in (b.first, *clients)] == [200] * 4
    assert b.held.count == 4


def test_not_for_ever(busy):
    b = busy(timeouts={"queue": "200ms"})
    c = b.wait()
    r = c.response()
    assert r.status == 503 and r.headers.one("retry-after") == "1"
    line = b.lb.access()[0]
    assert line.reason == "queue-timeout" and line.connect == "-" and int(line.total) >= 200
    b.held.let_go()
    assert c.get("/").status == 200 and b.held.count == 2


def test_who_leaves_makes_room(busy):
    b = busy(pool={"queue": 1})
    b.wait().close()
    line = b.lb.access()[0]
    assert line.reason == "client-closed" and line.status == 499
    c = b.wait("/second")
    b.held.let_go()
    assert c.response().status == 200
    assert [r.target for r in b.origin.requests] == ["/first", "/second"]


def test_bodies_wait(busy):
    """Small ones, those that come in pieces, and one that is never read as a whole before it goes on."""
    b = busy()
    small = b.wait(method="POST", body=b"x" * 1000)
    half = b.lb.client()
    half.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 6\r\n\r\nabc")
    b.expect_waiting()
    half.send("def")
    large = b.lb.client(sndbuf=65536)
    large.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 16000000\r\n\r\n")
    b.expect_waiting()
    large.sock.settimeout(0)
    body, sent = memoryview(b"y" * 16000000), 0

    def push():
        nonlocal sent
        try:
            while sent < len(body):
                sent += large.sock.send(body[sent : sent + 65536])
        except BlockingIOError:
            pass
        return sent

    assert wait_still(push) < 15000000
    b.held.let_go()
    wait_for(lambda: push() == len(body), "the whole body is taken")
    large.sock.settimeout(10)
    assert [c.response().status for c in (b.first, small, half, large)] == [200] * 4
    assert sorted(len(r.body) for r in b.origin.requests) == [0, 6, 1000, 16000000]


def test_half_closed(busy):
    b = busy(top={"half_close": True})
    c = b.lb.client()
    c.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello")
    b.expect_waiting()
    c.half_close()
    let_a_tick_pass()
    b.held.let_go()
    assert c.response().status == 200 and b.origin.last.body == b"hello"


def test_a_repetition_waits_too(tinylb, origin):
    """It finds one backend gone and the other one full."""
    held = Held()
    held.hold()
    o = origin(held)
    lb = tinylb(backends=[{"url": f"http://127.0.0.1:{reserve_port()}", "priority": 0},
                          {"url": o.url, "priority": 1, "max_requests": 1}])
    first, second = lb.client(), lb.client()
    first.send_request("GET", "/")
    held.wait_count(1)
    second.send_request("POST", "/", body=b"once")
    lb.wait_log("a request waits")
    held.let_go()
    assert first.response().status == 200 and second.response().status == 200
    assert o.last.body == b"once" and held.most == 1


def test_who_waits_is_served_before_the_end(busy):
    b = busy(workers=2, timeouts={"drain": "20s"})
    clients = [b.wait() for _ in range(4)]
    b.lb.term()
    b.lb.wait_log("stopping|draining|in flight")
    b.held.let_go()
    for c in (b.first, *clients):
        assert c.response().status == 200
        c.close()
    b.lb.wait_exit()


def test_who_hangs_is_not_waited_for(busy):
    """The one that waits longest is with a worker that stands still."""
    b = busy(workers=4)
    others = [b.wait("/x") for _ in range(12)]
    busy_one, *holders = b.lb.workers_of([b.first, *others])
    i = next(i for i, h in enumerate(holders) if h != busy_one)
    os.kill(holders[i], signal.SIGSTOP)
    try:
        b.held.let_go()
        assert b.first.response().status == 200
        for c, h in zip(others, holders):
            if h != holders[i]:
                assert c.response().status == 200
    finally:
        os.kill(holders[i], signal.SIGCONT)
    for c, h in zip(others, holders):
        if h == holders[i]:
            assert c.response().status == 200


@pytest.fixture
def sessions(tinylb, origin):
    """A session's backend may have one request and has it; there is another one: sessions(queue=2)."""

    made = []

    class Sessions:
        def __init__(self, workers=1, timeouts=None, **pool):
            made.append(self)
            self.held = Held(b"own")
            self.own, self.other = origin(self.held), origin(name="other")
            self.lb = tinylb(backends=[{"url": self.own.url, "max_requests": 1}, {"url": self.other.url}],
                             pool={"balance": "sticky", **pool}, workers=workers, timeouts=timeouts)
            self.cookie = wait_for(self.open_session, "a session with the first backend")
            self.held.hold()
            count = self.held.count
            self.first = self.ask()
            self.held.wait_count(count + 1)
            self.waits = len(self.lb.log_lines("a request waits"))  # the first may have, for the one before

        def open_session(self):
            r = self.lb.get("/")
            return r.headers.one("set-cookie").split(";")[0] if r.body == b"own" else None

        def ask(self):
            c = self.lb.client()
            c.send_request("GET", "/", [("Cookie", self.cookie)])
            return c

    yield Sessions
    for s in made:
        s.held.let_go()


@pytest.mark.parametrize("workers", [1, 4])
def test_a_session_waits_for_its_backend(sessions, workers):
    """It is in nobody's way, and stays where it is."""
    s = sessions(workers)
    waiting = [s.ask() for _ in range(3)]
    s.lb.wait_log("a request waits", s.waits + 3)
    for _ in range(20):
        assert s.lb.get("/").body == b"other"
    assert len(s.lb.log_lines("a request waits")) == s.waits + 3
    s.held.let_go()
    for c in [s.first, *waiting]:
        r = c.response()
        assert r.body == b"own" and not r.headers.all("set-cookie")
    assert s.held.most == 1


def test_a_session_whose_backend_goes_does_not_wait(sessions):
    s = sessions()
    c = s.ask()
    s.lb.wait_log("a request waits", s.waits + 1)
    s.own.refuse()
    s.own.close_connections()
    r = c.response()
    assert r.body == b"other" and r.headers.one("set-cookie")


def test_a_session_moves_where_no_more_may_wait(sessions):
    s = sessions(queue=1)
    waits = s.ask()
    s.lb.wait_log("a request waits", s.waits + 1)
    r = s.ask().response()
    assert r.body == b"other" and r.headers.one("set-cookie")
    s.held.let_go()
    assert waits.response().body == b"own"


def test_who_may_not_be_repeated_does_not_wait(tinylb, origin):
    """Where the retry budget is spent a request that failed is over: it waits for nothing, and holds up nobody."""
    good = origin(name="good")
    dead = f"http://127.0.0.1:{reserve_port()}"
    lb = tinylb(backends=[{"url": dead, "weight": 256}, {"url": good.url, "max_requests": 100}],
                pool={"retry": {"budget": 0, "budget_rate": 0}})
    assert lb.get("/").status == 502
    line, = lb.access()
    assert line.reason == "connect-failed"
    assert lb.log_lines("the retry budget is spent")
