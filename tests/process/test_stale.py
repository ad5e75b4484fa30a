"""A kept connection may be dead, or die the moment it is used; the user does not see it where the
request may be repeated.

Backends close idle connections whenever they like, and their close can cross the next request on the
wire. A request that may be repeated (GET, HEAD, PUT, DELETE, OPTIONS) is sent once more on a
fresh connection. One that may not (POST, PATCH) is never sent twice: it gets a 502, and is kept off
connections that have been idle for long.
"""

import os
import signal
import subprocess
import sys
import threading

import pytest

from lib import idling, process
from lib.client import chunked
from lib.origin import KEPT
from lib.ports import reserve_port
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
        c.respond(200, b"fine " + r.body, KEPT)
        return None

    return handler


def idle(seconds):
    passed = threading.Event()
    threading.Timer(seconds, passed.set).start()
    assert passed.wait(DEADLINE)


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
    idle(1.2)
    assert c.request("POST", "/", body=b"x").status == 200
    assert o.last.index == 0 and len(o.connections) == 2


@pytest.mark.parametrize("body", ["POST", "large", "chunked"])
def test_post_waits_to_be_shown(tinylb, origin, body):
    """Nobody knows yet for how long this backend keeps a connection. The one that is not used shows it."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    send = {"POST": lambda: c.request("POST", "/", body=b"x"),
            "large": lambda: c.request("PUT", "/", body=b"x" * 17000),
            "chunked": lambda: c.request("PUT", "/", [("Transfer-Encoding", "chunked")], chunked([b"x"]))}[body]
    c.get("/")
    idle(0.3)
    assert send().status == 200
    assert o.last.index == 0 and len(o.connections) == 2
    assert send().status == 200
    assert o.last.index == 1 and len(o.connections) == 2


def test_what_the_backend_says_is_enough(tinylb, origin):
    o = origin(lambda c, r: c.respond(200, b"", KEPT))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.get("/")
    idle(0.3)
    assert c.request("POST", "/", body=b"x").status == 200
    assert o.last.index == 1 and len(o.connections) == 1


@pytest.mark.parametrize("end", ["close", "reset"])
def test_limit_is_learned(tinylb, origin, end):
    """From when a backend closes idle connections, or answers with that to a request."""
    o = origin(closing(end, when=lambda r: r.target == "/stale"))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.get("/")
    with lb.log_contains(r"closes connections that are idle for \d+ ms"):
        o.connections[0].half_close() if end == "close" else o.connections[0].reset()
    o = origin(closing(end, when=lambda r: r.index > 0))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.get("/")
    with lb.log_contains(r"closes connections that are idle for \d+ ms"):
        assert c.get("/").status == 200


def stop(pid):
    """Returns when it stands still: until then it may yet wait for events and be told of the next one."""
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: process.state(pid) == "T")


def test_post_beside_the_end(tinylb, origin):
    """The request and the connection's end are there in the same moment, the request first."""
    o = origin(lambda c, r: c.respond(200, b"", KEPT))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.get("/")
    idle(0.01)
    stop(lb.worker)
    c.send_request("POST", "/", body=b"x")
    o.connections[0].half_close()
    os.kill(lb.worker, signal.SIGCONT)
    assert c.response().status == 200
    assert o.count == 2


UNASKED = "HTTP/1.1 200 Fine\r\nContent-Length: 7\r\n\r\nunasked"


@pytest.mark.parametrize("kept, asking", [(1, 1), (50, 1), (50, 5), (50, 40)])
@pytest.mark.parametrize("first", ["request", "unasked"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unasked_answer_beside_a_request(tinylb, origin, method, first, kept, asking):
    """An answer that nobody asked for lies in idle connections, and requests of others arrive in the same
    moment. None of them gets it, also where the kernel tells of so much in more than one batch."""
    gate = threading.Event()
    o = origin(lambda c, r: (gate.wait(DEADLINE), c.respond(200, r.target.encode(), KEPT))[1])
    lb = tinylb(backends=[o.url])
    clients = [lb.client() for _ in range(kept)]
    for c in clients:
        c.send_request("GET", "/")
    o.wait_requests(kept)
    gate.set()
    for c in clients:
        assert c.response().text == "/"
    used = list(o.connections)
    assert len(used) == kept

    def ask():
        for i in range(asking):
            clients[i].send_request(method, f"/{i}", body=b"x" if method == "POST" else None)

    stop(lb.worker)
    if first == "request":
        ask()
    for c in used:
        c.send(UNASKED)
    if first == "unasked":
        ask()
    os.kill(lb.worker, signal.SIGCONT)
    assert [clients[i].response().text for i in range(asking)] == [f"/{i}" for i in range(asking)]
    assert all(r.connection >= kept for r in o.requests[kept:])
    lb.wait_log("connection closed: bytes came while it was idle")


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
        c.respond(200, b"fine", KEPT)
        return None

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


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_asked_as_the_backend_closes(tinylb, method):
    """It closes what is idle for 150 ms and does not say so; requests come just then, from the first on."""
    port = reserve_port()
    server = subprocess.Popen([sys.executable, idling.__file__, str(port), "0.15", "0.02"])
    try:
        wait_for(lambda: process.listening(port))
        lb = tinylb(backends=[f"http://127.0.0.1:{port}"])
        clients = [lb.client() for _ in range(40)]
        for pause in (0.142, 0.145, 0.147, 0.149, 0.151):
            for c in clients:
                c.send_request(method, "/", body=b"x" if method == "POST" else None)
            assert [c.response().status for c in clients] == [200] * 40
            idle(pause)
    finally:
        server.kill()
        server.wait()
