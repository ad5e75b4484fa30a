"""Chunked requests to backends that want to be told the length: those of HTTP/1.0, and those that answer 411.

A body that fits in what is held (16 KiB) is sent with its length; a larger one goes on in chunks.
"""

import http.server
import threading

import pytest

from lib.client import chunked
from lib.wait import wait_for

pytestmark = pytest.mark.rfc("9110 15.5.12")

CHUNKED = [("Transfer-Encoding", "chunked")]
HELD = 16384


class Echo(http.server.BaseHTTPRequestHandler):
    """Says HTTP/1.0, as http.server does unless told otherwise, and reads what Content-Length says."""

    def do_POST(self):
        self.server.seen.append(self.headers)
        if "Content-Length" not in self.headers:
            self.send_error(411)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.command.encode() + b" " + body)

    do_PUT = do_POST

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def python():
    """Python's own server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.seen = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def lengths(headers):
    return [h["Content-Length"] for h in headers]


def needs_length(c, r):
    """A backend of HTTP/1.1 that answers as soon as it has the head."""
    if "content-length" not in r.headers:
        c.respond(411, b"how long?", [("Connection", "close")])
        c.close()
        return None
    c.read_body()
    return b"got " + r.body


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_server_of_1_0(tinylb, python, method):
    """The first request shows what the server is: by then it has answered 411."""
    lb = tinylb(backends=[python.url])
    c = lb.client()
    for i in range(5):
        body = bytes([65 + i]) * (1000 * i)
        r = c.request(method, "/", CHUNKED, chunked([body[:10], body[10:]] if body else []))
        assert (r.status, r.body) == (200, method.encode() + b" " + body)
    assert lengths(python.seen) == [None, "0", "1000", "2000", "3000", "4000"]
    assert [x.tries for x in lb.access(5)] == [2, 1, 1, 1, 1]
    assert all("Transfer-Encoding" not in h for h in python.seen[1:])


def test_largest_and_a_larger_one(tinylb, python):
    lb = tinylb(backends=[python.url])
    assert lb.get("/").status == 200
    r = lb.client().request("POST", "/", CHUNKED, chunked([b"x" * HELD]))
    assert (r.status, len(r.body)) == (200, 5 + HELD)
    r = lb.client().request("POST", "/", CHUNKED, chunked([b"x" * (HELD + 1)]))
    assert r.status == 411
    assert lengths(python.seen) == [str(HELD), None]


def test_slow_content_is_gathered(tinylb, python):
    lb = tinylb(backends=[python.url])
    assert lb.get("/").status == 200
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    for piece in (b"a" * 100, b"b" * 200):
        c.send(chunked([piece])[:-5])
        assert c.is_quiet() and not python.seen
    c.send("0\r\nX-Trailer: lost\r\n\r\n")
    assert c.response().body == b"POST " + b"a" * 100 + b"b" * 200
    assert lengths(python.seen) == ["300"]


@pytest.mark.rfc("9110 10.1.1")
def test_client_that_waits_for_a_100(tinylb, python):
    """Nobody else would say it: such a server does not know what is expected."""
    lb = tinylb(backends=[python.url])
    for _ in range(2):
        c = lb.client()
        c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
        assert c.head().status == 100
        c.send(chunked([b"hello"]))
        assert c.response().body == b"POST hello"
    assert lengths(python.seen) == [None, "5", "5"]
    assert "Expect" not in python.seen[1] and "Expect" not in python.seen[2]


def test_backend_of_1_1_that_answers_411(tinylb, origin):
    """It is asked again at once, however often; that is no failure, and costs nothing of the retry budget."""
    o = origin(needs_length, read_body=False)
    lb = tinylb(backends=[o.url], pool={"retry": {"budget": 0, "budget_rate": 0}, "eject": {"failures": 1}})
    c = lb.client()
    for _ in range(3):
        r = c.request("POST", "/", CHUNKED, chunked([b"a" * 5000, b"b"], [("X-T", "1")]))
        assert (r.status, r.body) == (200, b"got " + b"a" * 5000 + b"b")
    assert [r.headers.all("content-length") for r in o.requests] == [[], ["5001"]] * 3
    assert all((x.status, x.reason, x.tries) == (200, "done", 2) for x in lb.access(3))


def test_411_while_the_client_still_sends(tinylb, origin):
    o = origin(needs_length, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    wait_for(lambda: len(o.connections) == 2, "the second attempt")
    assert c.is_quiet() and o.count == 1
    c.send("6\r\n world\r\n0\r\n\r\n")
    assert c.response().body == b"got hello world"
    # What does not fit goes on in chunks, and the second 411 to the client.
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    wait_for(lambda: len(o.connections) == 3, "the second attempt")
    c.send(chunked([b"x" * HELD]))
    r = c.response()
    assert (r.status, r.body) == (411, b"how long?")


def test_411_in_spite_of_the_length(tinylb, origin):
    o = origin(lambda c, r: c.respond(411, b"never"))
    lb = tinylb(backends=[o.url])
    r = lb.client().request("POST", "/", CHUNKED, chunked([b"x"]))
    assert (r.status, r.body) == (411, b"never") and o.count == 2
    r = lb.client().request("POST", "/", body=b"x")
    assert r.status == 411 and o.count == 3


def test_chunks_for_those_that_take_them(tinylb, origin):
    """What a backend answered last counts; and one 411 does not make requests to other paths wait."""
    def handler(c, r):
        if r.target == "/411" and "content-length" not in r.headers:
            c.respond(411, b"")
        else:
            c.respond(200, b"", minor=int(r.target != "/10"))

    o = origin(handler)
    c = tinylb(backends=[o.url]).client()

    def gets_length(target):
        assert c.request("POST", target, CHUNKED, chunked([b"x"])).status == 200
        return "content-length" in o.last.headers

    assert gets_length("/411")
    assert not gets_length("/")
    assert not gets_length("/10")
    assert gets_length("/")
    assert not gets_length("/")
    assert gets_length("/411")


def test_connection_that_ends_meanwhile(tinylb, origin):
    """Nothing was sent on it yet: another one gets the request, whatever its method."""
    o = origin(lambda c, r: c.respond(200, r.body, [("Connection", "keep-alive")], minor=0))
    lb = tinylb(backends=[o.url], pool={"eject": {"failures": 1}})
    c = lb.client()
    assert c.get("/").status == 200
    c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    lb.wait_log("attempt none -> sent")
    assert c.is_quiet()
    o.close_connections()
    o.wait_connections(2)
    c.send("6\r\n world\r\n0\r\n\r\n")
    assert c.response().body == b"hello world" and o.last.headers.one("content-length") == "11"
    assert o.count == 2


def of_1_0(c, r):
    c.respond(200, r.body or b"fine", [("Connection", "keep-alive")], minor=0)


@pytest.mark.rfc("9112 9.2")
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_answer_on_a_kept_connection(tinylb, origin, method):
    """It was taken, and nothing was sent on it yet: what comes there is no answer to this request."""
    o = origin(of_1_0)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").body == b"fine"
    c.send(f"{method} / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    lb.wait_log("attempt none -> sent")
    o.connections[0].send(b"HTTP/1.1 200 Fine\r\nContent-Length: 4\r\n\r\nevil")
    assert c.is_quiet()
    c.send("0\r\n\r\n")
    assert c.response().body == b"hello"
    assert [r.headers.one("content-length") for r in o.requests] == [None, "5"]
    lb.wait_log("bytes came while it was idle")


def test_answer_that_comes_first(tinylb, origin):
    """A server that is tired of waiting says so on a fresh connection: the client gets that, though
    nothing was sent yet."""
    o = origin(of_1_0)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    o.close_connections()
    o.wait_no_connection()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    late = o.wait_connections(2)
    late.send(b"HTTP/1.0 408 Late\r\nContent-Length: 4\r\n\r\nlate")
    r = c.response()
    assert (r.status, r.body) == (408, b"late") and not r.keeps_alive
