"""Connections persist on both sides, each for itself.

A client's connection serves many requests whatever the backend does with its own; a backend's
connection serves the requests of many clients, but only when the last exchange on it ended clean: the
request wholly sent, the response wholly read, nothing left over, and nobody asked to close.
"""

import threading
import time

import pytest

from lib.wait import DEADLINE, wait_for, wait_still

pytestmark = pytest.mark.rfc("9112 9.3")


def test_one_connection_each_side(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(5):
        r = c.get("/")
        assert r.status == 200 and r.keeps_alive
    assert len(o.connections) == 1 and [r.index for r in o.requests] == [0, 1, 2, 3, 4]


def test_client_asks_to_close(tinylb, origin):
    """Close concerns the client's connection alone: the backend is not told, and its connection
    stays."""
    o = origin()
    lb = tinylb(backends=[o.url])
    for _ in range(3):
        c = lb.client()
        r = c.get("/", [("Connection", "close")])
        assert r.headers.tokens("connection") == ["close"]
        assert c.at_end()
    assert len(o.connections) == 1
    assert all("close" not in r.headers.tokens("connection") for r in o.requests)


def test_clients_share_a_backend_connection(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url])
    clients = [lb.client() for _ in range(4)]
    for c in clients * 2:
        assert c.get("/").status == 200
    assert len(o.connections) == 1 and o.count == 8


def test_concurrent_requests_have_connections_of_their_own(tinylb, origin):
    go = threading.Event()
    o = origin(lambda c, r: (go.wait(DEADLINE), b"done")[1])
    lb = tinylb(backends=[o.url])
    clients = [lb.client() for _ in range(3)]
    for c in clients:
        c.send_request("GET", "/")
    o.wait_requests(3)
    go.set()
    assert [c.response().text for c in clients] == ["done"] * 3
    assert len(o.connections) == 3
    # afterwards any of the three serves, and no fourth is made
    for c in clients:
        c.get("/")
    assert len(o.connections) == 3


def test_old_client_closes(tinylb, origin):
    """A 1.0 client that says nothing cannot keep its connection."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    r = c.get("/", minor=0)
    assert r.status == 200 and not r.keeps_alive
    assert c.at_end()
    assert o.last.minor == 1


def test_old_client_may_ask_to_stay(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(3):
        r = c.get("/", [("Connection", "Keep-Alive")], minor=0)
        assert "keep-alive" in r.headers.tokens("connection")
    assert len(o.connections) == 1


def test_backend_closes_after_each(tinylb, origin):
    def handler(c, _):
        c.respond(200, b"once", [("Connection", "close")])
        c.close()

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(3):
        r = c.get("/")
        assert r.text == "once" and r.keeps_alive and "connection" not in r.headers
    assert len(o.connections) == 3


def test_backend_says_close_and_does_not(tinylb, origin):
    """Said is done: that connection gets no other request, and is closed from this side."""
    o = origin(lambda c, _: c.respond(200, b"x", [("Connection", "close")]))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(3):
        assert c.get("/").status == 200
    assert [r.index for r in o.requests] == [0, 0, 0]
    o.wait_no_connection()


def test_old_backend(tinylb, origin):
    """A 1.0 response ends the backend's connection, not the client's."""
    o = origin(lambda c, _: c.respond(200, b"old", minor=0))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(3):
        r = c.get("/")
        assert r.text == "old" and r.keeps_alive and r.minor == 1
    assert [r.index for r in o.requests] == [0, 0, 0]


def test_close_delimited_answer_keeps_the_client(tinylb, origin):
    def handler(c, _):
        c.send("HTTP/1.1 200 OK\r\n\r\nto the end")
        c.close()

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(2):
        r = c.get("/")
        assert r.text == "to the end" and r.framing == "chunked" and r.keeps_alive


@pytest.mark.rfc("9112 9.2")
def test_surplus_is_never_an_answer(tinylb, origin):
    """Bytes after a response that nobody asked for end the connection; delivered to the next client
    they would poison it."""
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

    def handler(c, r):
        if r.target == "/trap":
            c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + evil)
        else:
            c.respond(200, b"good")

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    for _ in range(5):
        c = lb.client()
        assert c.get("/trap").text == "ok"
        assert c.get("/next").text == "good"
        assert lb.get("/other").text == "good"
    assert all(r.index == 0 for r in o.requests if r.target == "/next")


def test_late_surplus_is_never_an_answer(tinylb, origin):
    """The same, arriving when the connection is idle already."""
    sent = threading.Event()

    def handler(c, r):
        c.respond(200, b"good")
        if r.target == "/trap":
            go.wait(DEADLINE)
            c.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
            sent.set()

    go = threading.Event()
    o = origin(handler)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/trap").text == "good"
    go.set()
    assert sent.wait(DEADLINE)
    wait_for(lambda: o.connections[0].ended.is_set(), "the end of the poisoned connection")
    assert c.get("/").text == "good"
    assert o.last.index == 0


def test_request_cut_short_is_not_reused(tinylb, origin):
    """A backend that answered before it had the whole request does not get another on that connection:
    it would take it for the rest of the body."""
    o = origin(lambda c, r: c.respond(200, b"early") if r.target == "/" else b"next", read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n0123456789")
    assert c.response().text == "early"
    c.close()
    for _ in range(3):
        assert lb.get("/next").text == "next"
    assert [(r.target, r.index) for r in o.requests][1] == ("/next", 0)
    assert not any(r.connection == 0 for r in o.requests[1:])


def test_paused_in_its_last_bytes(tinylb, origin, connect, directory):
    """A client that reads nothing pauses the backend. Where that happens in the middle of a read with which
    the response ends, the connection is read again for the next request. How much the client's socket takes
    is the kernel's choice, so many lengths are tried."""
    chunk = b"12c\r\n" + b"x" * 300 + b"\r\n"

    def answer(c, r):
        if r.target == "/small":
            return b"small"
        c.head(headers=[("Transfer-Encoding", "chunked")])
        c.send(chunk * int(r.target[1:]) + b"0\r\n\r\n", split=1 << 20)
        return None

    o = origin(answer)
    tinylb(backends=[o.url], listen=("unix:@DIR@/front.sock",), timeouts={"response": "30s"})
    other = connect(f"{directory}/front.sock")
    for count in range(600, 1200, 10):
        c = connect(f"{directory}/front.sock")
        c.send_request("GET", f"/{count}")
        time.sleep(0.05)
        start = time.monotonic()
        assert other.get("/small").text == "small"
        assert time.monotonic() - start < 5, f"stuck behind {count} chunks"
        c.close()


def use_at_once(lb, o, go, n):
    """Makes n requests that are all in flight at once, and lets them end in their order."""
    clients = [lb.client() for _ in range(n)]
    for i, c in enumerate(clients):
        c.send_request("GET", "/held")
        o.wait_requests(i + 1)
    for c in clients:
        go.release()
        assert c.response().status == 200
    return clients


def held(go):
    """A handler that answers /held when it may."""
    def handler(_, request):
        if request.path == "/held":
            assert go.acquire(timeout=DEADLINE)
        return b"x"

    return handler


def test_last_used_is_used_first(tinylb, origin):
    """So those that are not needed grow old, and go."""
    go = threading.Semaphore(0)
    o = origin(held(go))
    lb = tinylb(backends=[o.url])
    clients = use_at_once(lb, o, go, 4)
    assert len({r.connection for r in o.requests}) == 4
    for c in [*clients, *clients]:
        assert c.get("/").status == 200
    assert len({r.connection for r in o.requests[4:]}) == 1


def test_so_many_are_kept(tinylb, origin):
    """A burst leaves 512 idle connections to a backend at the most."""
    go = threading.Event()
    o = origin(lambda c, r: b"x" if go.wait(2 * DEADLINE) else None)
    lb = tinylb(backends=[o.url], log_level="notice")
    clients = [lb.client() for _ in range(520)]
    for c in clients:
        c.send_request("GET", "/")
    o.wait_requests(520)
    go.set()
    for c in clients:
        assert c.response().status == 200
    assert wait_still(lambda: len(o.open_connections)) == 512


def keeping(value):
    """A backend that says for how long it keeps a connection, and keeps it for longer."""
    return lambda c, r: c.respond(200, b"x", [("Keep-Alive", value)])


@pytest.mark.parametrize("value", ["timeout=20", "max=5, Timeout=20", "timeout=x", "timeout", "timeout=", "5", "max=0"])
def test_announced_limit_is_not_reached(tinylb, origin, value):
    o = origin(keeping(value))
    lb = tinylb(backends=[o.url])
    assert [lb.get("/").status for _ in range(5)] == [200] * 5
    assert len(o.connections) == 1


@pytest.mark.parametrize("value", ["timeout=1", "max=100, timeout=1", "TIMEOUT=1,max=100"])
def test_announced_limit_is_kept(tinylb, origin, value):
    """RFC 2068 19.7.1.1. A request that comes as the backend closes would be lost; so no such connection is
    used in the last second of its time, or, where it has only one, in the second half of that."""
    o = origin(keeping(value))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for n in range(1, 4):
        assert c.get("/").status == 200
        assert len(o.connections) == n
        time.sleep(0.6)


def test_limit_of_nothing(tinylb, origin):
    o = origin(keeping("timeout=0"))
    lb = tinylb(backends=[o.url])
    assert [lb.get("/").status for _ in range(3)] == [200] * 3
    assert len(o.connections) == 3


def test_connections_have_a_lifetime(tinylb, origin):
    """However busy, a connection to a backend ends some time: names and routes change."""
    o = origin()
    lb = tinylb(backends=[o.url], timeouts={"lifetime_backend": "300ms"})
    c = lb.client()
    wait_for(lambda: c.get("/").status == 200 and len(o.connections) > 2, "a third connection")
    assert o.count > 3
    wait_for(lambda: len(o.open_connections) <= 1, "the end of the old ones")
