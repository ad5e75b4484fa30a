"""Requests that wait for a backend which hangs go to another one as soon as it is known to be gone."""

import threading

import pytest

from lib.wait import DEADLINE, wait_for

CHECK = {"type": "http", "path": "/health", "interval": "20ms", "fast_interval": "20ms", "timeout": "1s",
         "fall": 1}


class Hanging:
    """A backend that can be told to hang: it takes requests and answers none, and checks neither when it is told so."""

    def __init__(self):
        self.hangs = threading.Event()
        self.fails = threading.Event()
        self.drains = threading.Event()
        self.goes_on = threading.Event()

    def __call__(self, conn, request):
        if request.target == "/health":
            if self.fails.is_set():
                self.goes_on.wait(DEADLINE)
            conn.respond(503 if self.drains.is_set() else 200)
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
    hanging.fails.set()
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
    wait_for(lambda: asked(o), "it is there")
    hanging.fails.set()
    lb.wait_log(f"{o.url} is down")
    hanging.goes_on.set()
    assert c.response().body == b"late"
    assert len(asked(o)) == 1


def test_who_drains_finishes(pair, hanging):
    """Checks are answered, and say that no more is to come: what is there is not asked for twice."""
    first, second, lb = pair
    hanging.hangs.set()
    c = ask(lb, "GET")
    wait_for(lambda: asked(first), "it is there")
    hanging.drains.set()
    lb.wait_log(f"{first.url} is down: .*status 503")
    assert lb.get("/asked").body == b"second"
    threading.Event().wait(1)
    hanging.goes_on.set()
    assert c.response().body == b"late"
    assert len(asked(second)) == 1


def test_budget(tinylb, origin, hanging):
    """The retry budget holds: more than that do not go."""
    first, second = origin(hanging), origin(name="second")
    pool = {"check": CHECK, "retry": {"budget": 0, "budget_rate": 0}}
    lb = tinylb(backends=[{"url": first.url}, {"url": second.url, "backup": True}], pool=pool, workers=1)
    first.wait_requests(3)
    hanging.hangs.set()
    c = ask(lb, "GET")
    wait_for(lambda: asked(first), "it is at the first backend")
    hanging.fails.set()
    lb.wait_log(f"{first.url} is down")
    assert lb.get("/asked").body == b"second"
    hanging.goes_on.set()
    assert c.response().body == b"late"
    assert [r.method for r in asked(second)] == ["GET"]


def test_who_cannot_go_is_in_nobodys_way(tinylb, origin, hanging):
    """One that has been everywhere waits on; the next one goes, and its time at the other backend begins with that."""
    first = origin(hanging)
    second = origin(lambda c, r: c.respond(503 if r.target == "/everywhere" else 200, b"second"))
    lb = tinylb(backends=[(first.url, 1), (second.url, 256)], workers=1,
                pool={"balance": "sticky", "check": CHECK, "retry": {"on_status": [503]}})
    r = lb.get("/everywhere")
    assert r.body == b"in time"
    hanging.hangs.set()
    everywhere, c = lb.client(), lb.client()
    everywhere.send_request("GET", "/everywhere")
    wait_for(lambda: [r.target for r in first.requests].count("/everywhere") == 2, "the first one is there")
    c.send_request("GET", "/asked", [("Cookie", r.headers.one("set-cookie").split(";")[0])])
    wait_for(lambda: asked(first), "both are at the first backend")
    threading.Event().wait(0.5)
    hanging.fails.set()
    assert c.response().body == b"second"
    line = lb.access(2)[-1]
    assert line.tries == 2 and int(line.total) >= 500 > int(line.connect)
    hanging.goes_on.set()
    assert everywhere.response().body == b"late"
