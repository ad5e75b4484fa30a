"""Requests that wait for a backend which hangs go to another one as soon as it is known to be gone."""

import threading

import pytest

from lib.wait import DEADLINE, wait_for

CHECK = {"type": "http", "path": "/health", "interval": "20ms", "fast_interval": "20ms"}


class Hanging:
    """A backend that can be told to hang: it takes requests and answers none. Its checks fail at once."""

    def __init__(self):
        self.hangs = threading.Event()
        self.goes_on = threading.Event()

    def __call__(self, conn, request):
        if request.target == "/health":
            conn.respond(503 if self.hangs.is_set() else 200)
            return
        if self.hangs.is_set():
            self.goes_on.wait(DEADLINE)
        conn.respond(200, b"late" if self.hangs.is_set() else b"in time")


@pytest.fixture
def hanging():
    h = Hanging()
    yield h
    h.goes_on.set()


@pytest.fixture
def pair(tinylb, origin, hanging):
    """All requests go to one of two, until that hangs."""
    first, second = origin(hanging), origin(name="second")
    pool = {"check": CHECK, "retry": {"attempts": 2}}
    lb = tinylb(backends=[{"url": first.url}, {"url": second.url, "backup": True}], pool=pool, workers=1)
    first.wait_requests(3)
    return first, second, lb


def ask(lb, method, **more):
    """Sends a request and does not wait for the answer."""
    c = lb.client()
    c.send_request(method, "/asked", **more)
    return c


def asked(origin):
    return [r for r in origin.requests if r.target == "/asked"]


def test_waiting_requests_go_elsewhere(pair, hanging):
    """What may be repeated is answered by another backend; what may not waits on, and gets its answer."""
    first, second, lb = pair
    hanging.hangs.set()
    get, put, post = ask(lb, "GET"), ask(lb, "PUT", body=b"held"), ask(lb, "POST", body=b"once")
    wait_for(lambda: len(asked(first)) == 3, "all three are at the first backend")
    assert get.response().body == put.response().body == b"second"
    lb.wait_log(f"{first.url} is down")
    assert sorted(r.method for r in asked(second)) == ["GET", "PUT"]
    assert {r.body for r in asked(second)} == {b"", b"held"}
    hanging.goes_on.set()
    assert post.response().body == b"late"
    lines = {line.request.split()[0]: line for line in lb.access(3)}
    assert [lines[m].tries for m in ("GET", "PUT", "POST")] == [2, 2, 1]
    assert [lines[m].backend for m in ("GET", "PUT", "POST")] == [second.url, second.url, first.url]


def test_nobody_else(tinylb, origin, hanging):
    """Where all are down each waits where it is: its backend may go on."""
    o = origin(hanging)
    lb = tinylb(backends=[o.url], pool={"check": CHECK}, workers=1)
    o.wait_requests(3)
    hanging.hangs.set()
    c = ask(lb, "GET")
    lb.wait_log(f"{o.url} is down")
    hanging.goes_on.set()
    assert c.response().body == b"late"
    assert len(asked(o)) == 1


def test_budget(tinylb, origin, hanging):
    """The retry budget holds: more than that do not go."""
    first, second = origin(hanging), origin(name="second")
    pool = {"check": CHECK, "retry": {"budget": 0, "budget_rate": 0}}
    lb = tinylb(backends=[{"url": first.url}, {"url": second.url, "backup": True}], pool=pool, workers=1)
    first.wait_requests(3)
    hanging.hangs.set()
    c = ask(lb, "GET")
    lb.wait_log(f"{first.url} is down")
    assert lb.get("/asked").body == b"second"
    hanging.goes_on.set()
    assert c.response().body == b"late"
    assert [r.method for r in asked(second)] == ["GET"]
