"""Requests may come before earlier ones are answered; answers come in their order, one at a time."""

import threading

import pytest

from lib import process
from lib.client import Closed, chunked, make_request
from lib.wait import DEADLINE, SLOW, wait_still

pytestmark = pytest.mark.rfc("9112 9.3.2")


# What no client gets rid of that reads no answers.
LIMIT = 64 << 20


def echo(_, r):
    return f"{r.method} {r.target} ".encode() + r.body


def test_many_at_once(tinylb, origin):
    lb = tinylb(backends=[origin(echo).url, origin(echo).url])
    c = lb.client()
    c.send(b"".join(make_request("GET", f"/{i}") for i in range(100)))
    for i in range(100):
        assert c.response().text == f"GET /{i} "


@pytest.mark.parametrize("split", [1, 2, 3, 13])
def test_in_pieces(tinylb, origin, split):
    lb = tinylb(backends=[origin(echo).url])
    c = lb.client()
    c.send(b"".join(make_request("GET", f"/{i}") for i in range(10)), split=split)
    assert [c.response().text for i in range(10)] == [f"GET /{i} " for i in range(10)]


def test_mixed_bodies(tinylb, origin):
    """Where each body ends, the next request begins, at the very byte."""
    lb = tinylb(backends=[origin(echo).url])
    parts = [
        make_request("POST", "/1", body=b"GET /not HTTP/1.1\r\n\r\n"),
        make_request("GET", "/2"),
        make_request("PUT", "/3", [("Transfer-Encoding", "chunked")], chunked([b"ab", b"GET /no"])),
        make_request("POST", "/4", body=b""),
        make_request("POST", "/5", [("Transfer-Encoding", "chunked")], chunked([], [("X-T", "1")])),
        make_request("HEAD", "/6"),
        make_request("DELETE", "/7", body=b"q"),
    ]
    for split in (None, 1, 5):
        c = lb.client()
        c.send(b"".join(parts), split=split)
        assert c.response().text == "POST /1 GET /not HTTP/1.1\r\n\r\n"
        assert c.response().text == "GET /2 "
        assert c.response().text == "PUT /3 abGET /no"
        assert c.response().text == "POST /4 "
        assert c.response().text == "POST /5 "
        assert c.response(head=True).headers.one("content-length") == "8"
        assert c.response().text == "DELETE /7 q"


def test_one_at_a_time_and_in_order(tinylb, origin):
    """The second waits until the first is answered, even where another backend would be faster."""
    go = threading.Event()
    o = origin(lambda c, r: (r.target == "/1" and go.wait(DEADLINE), echo(c, r))[1])
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(make_request("GET", "/1") + make_request("GET", "/2"))
    o.wait_requests(1)
    assert wait_still(lambda: o.count) == 1 and c.is_quiet()
    go.set()
    assert [c.response().text, c.response().text] == ["GET /1 ", "GET /2 "]


def test_close_ends_the_line(tinylb, origin):
    o = origin(echo)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(make_request("GET", "/1") + make_request("GET", "/2", [("Connection", "close")])
           + make_request("GET", "/3"))
    assert c.response().text == "GET /1 "
    assert c.response().text == "GET /2 "
    assert c.at_end()
    assert [r.target for r in o.requests] == ["/1", "/2"]


def test_good_then_bad(tinylb, origin):
    """What came before a malformed request is answered; what comes after is never looked at."""
    o = origin(echo)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(make_request("GET", "/1") + b"NONSENSE\r\n\r\n" + make_request("GET", "/2"))
    assert c.response().text == "GET /1 "
    r = c.response()
    assert r.status == 400 and not r.keeps_alive
    assert c.at_end()
    assert [r.target for r in o.requests] == ["/1"]


@pytest.mark.parametrize("answers", ["the backend's", pytest.param("our own", marks=pytest.mark.plain(
    "it takes 28,000 short answers to fill a socket"))])
def test_flood_without_reading(tinylb, origin, answers):
    """A client that sends requests without end and reads no answer is made to wait; it costs the
    worker no memory."""
    o = origin(lambda c, r: b"x" * 20000)
    if answers == "our own":
        o.stop()
    lb = tinylb(backends=[o.url], log_level="error", access_log=False)
    lb.get("/")
    before = process.status(lb.worker, "VmRSS")
    c = lb.client(rcvbuf=16384)
    stop = threading.Event()
    sent = [0]

    def flood():
        data = make_request("GET", "/" + "y" * 900) * 64
        while not stop.is_set() and sent[0] < LIMIT:
            try:
                sent[0] += c.sock.send(data)
            except TimeoutError:
                pass
            except OSError:
                return

    t = threading.Thread(target=flood, daemon=True)
    c.sock.settimeout(0.2)
    t.start()
    assert wait_still(lambda: (sent[0], o.count), deadline=6 * DEADLINE)[0] < LIMIT
    # sanitizers keep what was freed
    assert process.status(lb.worker, "VmRSS") - before < (8 if SLOW == 1 else 300) * 1024
    stop.set()
    t.join(DEADLINE)
    c.abort()
    assert lb.get("/").status == (502 if answers == "our own" else 200)


def test_last_request_cut_off(tinylb, origin):
    """A request that breaks off is not answered as if it were whole."""
    o = origin(echo)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(make_request("GET", "/1"))
    assert c.response().text == "GET /1 "
    c.send("GET /2 HTTP/1.1\r\nHost: t\r\n")
    c.half_close()
    try:
        raw = c.read_to_end()
    except Closed as e:
        raw = e.data
    assert raw == b"" or raw.startswith(b"HTTP/1.1 400 ")
    assert o.count == 1
