"""A kept connection may be dead, or die the moment it is used; the user does not see it where the
request may be repeated.

Backends close idle connections whenever they like, and their close can cross the next request on the
wire. A request that may be repeated (GET, HEAD, PUT, DELETE, OPTIONS) is sent once more on a
fresh connection. One that may not (POST, PATCH) is never sent twice: it gets a 502, and is kept off
connections that have been idle for long.
"""

import threading

import pytest

from lib.client import chunked
from lib.wait import DEADLINE, wait_for

pytestmark = pytest.mark.rfc("9112 9.3.1")

IDEMPOTENT = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]
ONCE = ["POST", "PATCH", "LOCK"]


def closing(end, when=lambda r: r.index > 0, before=b""):
    """A handler that ends the connection instead of answering where `when` holds."""
    def handler(c, r):
        if when(r):
            c.send(before)
            getattr(c, end)()
            return None
        return b"fine " + r.body

    return handler


@pytest.mark.parametrize("end", ["close", "reset"])
def test_closed_while_idle(tinylb, origin, end):
    """A close that has arrived is seen before the next request is sent."""
    def handler(c, r):
        c.respond(200, b"fine")
        getattr(c, end)()

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for i in range(20):
        assert c.request("POST" if i % 2 else "GET", "/", body=b"x" if i % 2 else None).body == b"fine"
        o.wait_no_connection()
    # no request was made on a connection that had been used
    assert all(r.index == 0 for r in o.requests)


@pytest.mark.parametrize("method", IDEMPOTENT)
@pytest.mark.parametrize("end", ["close", "reset"])
def test_closed_at_the_worst_moment(tinylb, origin, method, end):
    """The backend reads the second request on a connection and hangs up: exactly what a close that
    crossed it on the wire looks like."""
    o = origin(closing(end))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(10):
        assert c.request(method, "/").status == 200
    assert len(o.connections) == 10


@pytest.mark.parametrize("method", ONCE)
@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("body", [b"x", b"", None], ids=["body", "empty", "none"])
@pytest.mark.rfc("9110 9.2.2")
def test_not_repeated(tinylb, origin, method, end, body):
    o = origin(closing(end))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    r = c.request(method, "/once", body=body)
    assert r.status == 502
    assert [x.target for x in o.requests].count("/once") == 1
    assert lb.access(2)[1].reason == "backend-closed"
    assert lb.get("/").status == 200


def test_post_avoids_old_connections(tinylb, origin):
    """A connection that was idle for more than a second is no risk for a GET, which can be repeated,
    but one for a POST."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.get("/")
    idle = threading.Event()
    threading.Timer(1.2, idle.set).start()
    assert idle.wait(DEADLINE)
    assert c.request("POST", "/", body=b"x").status == 200
    assert o.last.index == 0 and len(o.connections) == 2


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [0, 10, 10000])
def test_body_is_repeated_too(tinylb, origin, size, framing):
    data = b"b" * size
    o = origin(closing("close"))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    if framing == "length":
        r = c.request("PUT", "/", body=data)
    else:
        r = c.request("PUT", "/", [("Transfer-Encoding", "chunked")],
                      chunked([data[:3], data[3:]] if size > 3 else [], [("X-T", "1")]))
    assert r.status == 200 and r.body == b"fine " + data
    if framing == "chunked":
        assert o.last.trailers == [("X-T", "1")]


def test_body_that_still_comes_is_repeated(tinylb, origin):
    """The connection proves dead when half of the body is sent; the rest follows on the fresh one."""
    def handler(c, r):
        if r.index == 1:
            c.reader.exactly(5)
            c.close()
            return None
        c.read_body()
        return b"got " + r.body

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    c.send("PUT / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n12345")
    o.wait_requests(3)
    c.send("67890")
    assert c.response().body == b"got 1234567890"


def test_large_body_is_not_repeated(tinylb, origin):
    """Bodies are not collected: what is gone cannot be sent again, and then even a PUT fails."""
    def handler(c, r):
        if r.index == 1:
            c.reader.exactly(200000)
            c.reset()
            return None
        c.read_body()
        return b"fine"

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    c.send("PUT / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n" + "x" * 300000)
    r = c.response()
    assert r.status == 502 and not r.keeps_alive
    assert o.count == 2


def test_answer_begun_is_never_repeated(tinylb, origin):
    """A byte of an answer, and the request counts as served."""
    o = origin(closing("close", before=b"HTTP/1.1 2"))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    r = c.get("/second")
    assert r.status == 502
    assert [x.target for x in o.requests].count("/second") == 1


def test_fresh_connections_that_die_end_somewhere(tinylb, origin):
    """A backend that hangs up on everything is not asked for ever."""
    o = origin(closing("close", when=lambda r: True))
    lb = tinylb(backends=[o.url])
    r = lb.get("/")
    assert r.status == 502
    assert o.count <= 3
    assert lb.access()[0].reason == "backend-closed"


def test_another_backend_helps(tinylb, origin):
    """One that hangs up on everything, beside one that works: a GET finds the latter."""
    bad = origin(closing("close", when=lambda r: True))
    good = origin(name="good")
    lb = tinylb(backends=[bad.url, good.url])
    c = lb.client()
    for _ in range(20):
        assert c.get("/").text == "good"
    assert bad.count > 0


def test_many_stale_at_once(tinylb, origin):
    """All kept connections die together, as when a backend restarts."""
    gate = threading.Event()
    o = origin(lambda c, r: (gate.wait(DEADLINE), b"fine")[1])
    lb = tinylb(backends=[o.url])
    clients = [lb.client() for _ in range(20)]
    for c in clients:
        c.send_request("GET", "/")
    o.wait_requests(20)
    gate.set()
    for c in clients:
        assert c.response().status == 200
    o.stop()
    o.start()
    for c in clients:
        assert c.get("/").status == 200
        assert c.request("POST", "/", body=b"x").status == 200


def test_pipelined_over_stale(tinylb, origin):
    """Every second request hits a dead connection; the order of answers stays."""
    o = origin(lambda c, r: c.close() if r.index > 0 else r.target.encode())
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: t\r\n\r\n" % i for i in range(30)))
    assert [c.response().text for _ in range(30)] == [f"/{i}" for i in range(30)]
    wait_for(lambda: len(lb.access_lines()) == 30)
    assert all(x.reason == "done" for x in lb.access_lines())
