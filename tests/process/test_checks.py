"""Checks: one process asks the backends, and each change of a backend's state is in the log with its reason."""

import threading

import pytest

from lib import process
from lib.wait import DEADLINE, wait_for

FAST = {"interval": "100ms", "fast_interval": "20ms", "timeout": "1s"}


def check(**more):
    return {"check": {"type": "http", **FAST, **more}}


def test_down_and_back(tinylb, origin):
    ok = threading.Event()
    ok.set()

    def handler(conn, request):
        conn.respond(200 if ok.is_set() else 503, b"x")

    o = origin(handler)
    lb = tinylb(backends=[o.url], pool=check())
    wait_for(lambda: len(o.requests) >= 2, "checks")
    with lb.log_contains(rf"warn: {o.url} is down: 3 checks failed: status 503"):
        ok.clear()
    with lb.log_contains(rf"notice: {o.url} is back: 2 checks passed"):
        ok.set()
    assert lb.get("/").status == 200


def test_request(tinylb, origin):
    """Its path is behind that of the URL; it is one request a connection."""
    o = origin(name="x")
    lb = tinylb(backends=[o.url + "/app/"], pool=check(path="/health?a=1", method="HEAD", host="www.test"))
    request = wait_for(lambda: o.requests, "a check")[0]
    assert (request.method, request.target) == ("HEAD", "/app/health?a=1")
    assert request.headers.all("host") == ["www.test"]
    assert request.headers.all("connection") == ["close"]
    assert request.headers.all("user-agent") == ["tinylb"]
    assert not lb.log_lines("is down")


@pytest.mark.parametrize("chunked", [False, True])
def test_body(tinylb, origin, chunked):
    """The text may be parted by whatever carries it."""
    good = threading.Event()

    def handler(conn, request):
        body = b"all is well" if good.is_set() else b"all is ill"
        if chunked:
            conn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for n in range(0, len(body), 3):
                conn.send(b"%x\r\n%s\r\n" % (len(body[n:n + 3]), body[n:n + 3]))
            conn.send(b"0\r\n\r\n")
        else:
            conn.respond(200, body)

    o = origin(handler)
    lb = tinylb(backends=[o.url], pool=check(body="is well"))
    lb.wait_log(f"{o.url} is down: its first check failed: the body does not have the text")
    with lb.log_contains(f"{o.url} is back"):
        good.set()


def test_nobody_answers(tinylb, origin):
    """A connection that is taken, and nothing else, passes as TCP only."""
    hold = threading.Event()

    def handler(conn, request):
        hold.wait(DEADLINE)

    o = origin(handler)
    lb = tinylb(pools={
        "tcp": ([o.url], {"check": {"type": "tcp", **FAST}}),
        "http": ([o.url + "/h"], {"check": {"type": "http", **FAST, "timeout": "50ms"}})})
    lb.wait_log(f"{o.url}/h is down: .* failed: no answer in time")
    hold.set()
    assert not lb.log_lines(f"{o.url} is down")


def test_refused(tinylb, origin):
    o = origin(name="x")
    lb = tinylb(backends=[o.url], pool={"check": {"type": "tcp", **FAST}})
    with lb.log_contains(f"{o.url} is down: .*Connection refused"):
        o.stop()
    with lb.log_contains(f"{o.url} is back"):
        o.start()


def test_number_does_not_depend_on_workers(tinylb, origin):
    """There is one process that asks."""
    few, many = origin(name="x"), origin(name="x")
    check_often = check(interval="40ms")
    tinylb(backends=[few.url], workers=1, pool=check_often)
    lb = tinylb(backends=[many.url], workers=4, pool=check_often)
    assert len(process.children(lb.pid)) == 4 + 1
    many.wait_requests(3)
    counts = few.count, many.count
    few.wait_requests(counts[0] + 20)
    assert 12 <= many.count - counts[1] <= 33


def test_changed_check(tinylb, origin):
    """A reload with another check: the state stays, and the new one is asked."""
    o = origin(lambda conn, request: conn.respond(200 if request.target == "/new" else 404, b"x"))
    lb = tinylb(backends=[o.url], pool=check(path="/old"))
    lb.wait_log(f"{o.url} is down: its first check failed: status 404")
    lb.write(lb.settings.replace("/old", "/new"))
    with lb.log_contains(f"{o.url} is back"):
        lb.hup()
