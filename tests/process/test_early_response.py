"""A backend that answers before it has the whole request: the answer arrives, the rest of the request goes on as long as
the backend takes it, the connections are not used again, and what was cut is not told as a success."""

import http.client
import threading

import pytest

from lib.client import Client
from lib.wait import DEADLINE, wait_for

MIB = 1024 * 1024


def accepts_early(sizes, respond=None):
    """Answers, then reads on, and says how many bytes of the request came."""
    def handler(conn, request):
        if request.method == "GET":
            return b"fine"
        if respond:
            respond(conn)
        else:
            conn.respond(202, b"early")
        sizes.append(len(conn.reader.exactly(int(request.headers.one("Content-Length")))))
        return None

    return handler


@pytest.mark.rfc("9112 7.5")
def test_early_answer_reaches_a_client_that_still_sends(tinylb, origin):
    """A server that refuses a large upload answers at once and closes; the answer must not be lost in
    the reset that unread bytes cause (RFC 9112 9.6)."""
    def handler(c, r):
        c.respond(413, b"too much", [("Connection", "close")])
        c.half_close()
        go.wait(DEADLINE)

    go = threading.Event()
    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    for _ in range(5):
        c = lb.client()
        c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 400000\r\n\r\n")
        block = b"z" * 10000
        for _ in range(20):
            c.send(block)
        r = c.response()
        assert r.status == 413 and r.body == b"too much" and not r.keeps_alive
        for _ in range(20):
            c.send(block)
        c.half_close()
        assert c.at_end()
    go.set()


def test_early_answer_and_close(tinylb, origin):
    """The same from a backend that just closes with the request unread: its answer comes first."""
    def handler(c, r):
        c.respond(413, b"too much", [("Connection", "close")])
        assert go.wait(DEADLINE)
        c.close()

    go = threading.Event()
    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n" + "z" * 50000)
    r = c.response()
    go.set()
    assert r.status == 413 and r.body == b"too much"
    c.half_close()
    assert c.at_end()


def test_early_answer_to_a_small_request(tinylb, origin):
    """Where the whole body was sent all the same, the connections go on."""
    o = origin(lambda c, r: (c.respond(200, b"early"), c.reader.exactly(5))[0], read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(3):
        c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello")
        r = c.response()
        assert r.body == b"early" and r.keeps_alive
    assert [request.connection for request in o.requests] == [0, 0, 0]


@pytest.mark.parametrize("size", [24 * MIB, 60 * MIB])
def test_early_answer_to_a_client_that_reads_last(tinylb, origin, size):
    """Python's http.client, among others, reads nothing before it has sent all."""
    def handler(conn, request):
        conn.respond(413, b"too much", [("Connection", "close")])
        conn.half_close()
        go.wait(DEADLINE)
        conn.close()

    go = threading.Event()
    lb = tinylb(backends=[origin(handler, read_body=False).url])
    c = http.client.HTTPConnection("127.0.0.1", lb.port, timeout=DEADLINE)
    c.request("POST", "/", body=b"z" * size)
    r = c.getresponse()
    assert r.status == 413 and r.read() == b"too much"
    c.close()
    go.set()
    assert lb.access()[0].reason == "request-cut"


@pytest.mark.rfc("9112 9.5")
@pytest.mark.parametrize("size", [10, 3 * MIB])
def test_the_rest_of_an_upload_arrives(tinylb, origin, size):
    """An application that answers 202 and reads on gets all of it, from a client that has the answer already."""
    sizes = []
    o = origin(accepts_early(sizes), read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(f"POST /up HTTP/1.1\r\nHost: t\r\nContent-Length: {size}\r\n\r\n" + "a" * (size // 2))
    r = c.response()
    assert r.status == 202 and r.body == b"early" and not r.keeps_alive
    c.send("a" * (size - size // 2))
    wait_for(lambda: sizes == [size], "the whole upload")
    assert c.at_end()
    line = lb.access()[0]
    assert (line.status, line.reason) == (202, "done")
    # Whatever was sent, that connection is nobody's any more.
    wait_for(o.connections[0].ended.is_set, "the end of the connection")
    assert lb.get("/next").text == "fine"
    assert o.last.connection == 1


def test_the_end_of_an_answer_to_an_old_client(tinylb, origin):
    """It knows it by the end of the connection, and still sends."""
    sizes = []
    o = origin(accepts_early(sizes, lambda conn: conn.respond_chunked([b"ear", b"ly"])), read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.0\r\nContent-Length: 10\r\n\r\nhello")
    assert c.response().body == b"early"
    c.send("world")
    wait_for(lambda: sizes == [10], "the rest")
    wait_for(lambda: lb.access_lines(), "its line")
    assert lb.access()[0].reason == "done"


@pytest.mark.parametrize("close", ["closes", "resets"])
def test_a_cut_upload_is_no_success(tinylb, origin, close):
    """The client has its answer, the log says that the backend did not get all."""
    def handler(conn, request):
        conn.respond(200, b"early")
        assert go.wait(DEADLINE)
        getattr(conn, {"closes": "close", "resets": "reset"}[close])()

    go = threading.Event()
    lb = tinylb(backends=[origin(handler, read_body=False).url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n" + "z" * 50000)
    r = c.response()
    assert r.status == 200 and not lb.access_lines()
    go.set()
    assert c.at_end()
    line = lb.access()[0]
    assert (line.status, line.reason) == (200, "request-cut")


@pytest.mark.rfc("9112 9.2")
def test_a_second_answer_to_the_rest_of_a_request(tinylb, origin):
    """A backend that takes the rest of a body for a request of its own, and answers that: nobody gets it."""
    def handler(conn, request):
        conn.respond(200, b"early")
        conn.reader.exactly(5)
        conn.respond(200, b"evil")
        conn.wait_end()

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n")
    assert c.response().body == b"early"
    c.send("GET /")
    assert c.at_end()
    wait_for(o.connections[0].ended.is_set, "the end of the connection")
    assert lb.access()[0].reason == "request-cut"
    lb.wait_log("connection closed: bytes came behind a response")


def test_a_client_that_leaves_behind_the_answer(tinylb, origin):
    o = origin(lambda conn, request: conn.respond(413, b"too much") or conn.wait_end(), read_body=False)
    lb = tinylb(backends=[o.url])
    for leave in (Client.half_close, Client.abort):
        c = lb.client()
        c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhello")
        assert c.response().status == 413
        leave(c)
    assert [line.reason for line in lb.access(2)] == ["request-cut", "request-cut"]
    assert all(conn.ended.wait(DEADLINE) for conn in o.connections)


def test_an_answer_in_place_of_a_100(tinylb, origin):
    """The client does not send what it was not asked for: nothing was cut, and nobody waits."""
    o = origin(lambda conn, request: conn.respond(401, b"who?"), read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n")
    assert c.response().status == 401
    assert c.at_end()
    assert lb.access()[0].reason == "done"
    wait_for(o.connections[0].ended.is_set, "the end of the connection")
