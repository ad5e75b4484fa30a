"""A client that goes away takes its request back from the backend, as with Go's proxy and nginx.

With half_close = true a client that only ended its sending side gets its answer nevertheless.
"""

import threading

import pytest

from lib import process
from lib.client import Closed, make_request
from lib.wait import DEADLINE, wait_for


class Slow:
    """A handler that has not answered yet, and sees its connection end."""

    def __init__(self, begin=None):
        self.begin = begin
        self.go = threading.Event()
        self.arrived = threading.Event()
        self.ended = threading.Event()

    def __call__(self, c, r):
        if r.target == "/ok":
            return b"ok"
        if self.begin:
            c.send(self.begin)
        self.arrived.set()
        c.wait_end()
        self.ended.set()
        c.close()
        return None


@pytest.mark.parametrize("how", ["close", "abort"])
@pytest.mark.parametrize("begin", [None, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
                                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"],
                         ids=["before-head", "in-length", "in-chunked"])
def test_client_goes_away(tinylb, origin, how, begin):
    slow = Slow(begin)
    o = origin(slow)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("GET", "/")
    assert slow.arrived.wait(DEADLINE)
    if begin:
        c.head()
        c.read(3)
    getattr(c, how)()
    assert slow.ended.wait(DEADLINE), "the backend was not told"
    line = lb.access()[0]
    assert line.reason == "client-closed" and line.status == (200 if begin else 499)
    assert lb.get("/ok").body == b"ok"


def test_half_close_cancels(tinylb, origin):
    slow = Slow()
    lb = tinylb(backends=[origin(slow).url])
    c = lb.client()
    c.send_request("GET", "/")
    assert slow.arrived.wait(DEADLINE)
    c.half_close()
    assert slow.ended.wait(DEADLINE), "the backend was not told"
    try:
        assert c.at_end()
    except Closed:
        pass
    assert lb.access()[0].reason == "client-closed"


def answering(go):
    def handler(c, r):
        if r.target == "/slow":
            assert go.wait(DEADLINE)
        return b"answer to " + r.target.encode() + r.body

    return handler


def test_half_close_finishes_where_configured(tinylb, origin):
    """`printf request | nc -N` works."""
    go = threading.Event()
    o = origin(answering(go))
    lb = tinylb(backends=[o.url], top={"half_close": True})
    c = lb.client()
    c.send_request("GET", "/slow")
    o.wait_requests(1)
    c.half_close()
    # the end must have been seen before the backend answers
    wait_for(lambda: _close_wait(lb.port, c.name[1]) or c.is_quiet())
    go.set()
    assert c.response().body == b"answer to /slow"
    assert c.at_end()
    assert lb.access()[0].reason == "done"


def _close_wait(near, far):
    """True when the worker's end of the connection has seen our end."""
    for line in process.read("/proc/net/tcp").decode("latin-1").splitlines()[1:]:
        fields = line.split()
        ports = int(fields[1].rpartition(":")[2], 16), int(fields[2].rpartition(":")[2], 16)
        if ports == (near, far) and fields[3] == "08":
            return True
    return False


def test_half_close_with_everything_in_one_packet(tinylb, origin):
    """Pipelined requests with bodies, and the end right behind them."""
    go = threading.Event()
    go.set()
    lb = tinylb(backends=[origin(answering(go)).url], top={"half_close": True})
    c = lb.client()
    c.send("GET /1 HTTP/1.1\r\nHost: t\r\n\r\nPOST /2 HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc"
           "GET /3 HTTP/1.1\r\nHost: t\r\n\r\n")
    c.half_close()
    assert c.response().body == b"answer to /1"
    assert c.response().body == b"answer to /2abc"
    assert c.response().body == b"answer to /3"
    assert c.at_end()


def test_half_close_of_an_unfinished_request(tinylb, origin):
    """half_close finishes answers, not requests: a body that breaks off is broken off."""
    o = origin(answering(threading.Event()))
    lb = tinylb(backends=[o.url], top={"half_close": True})
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc")
    o.wait_requests(1)
    c.half_close()
    o.wait_no_connection()
    assert o.requests[0].aborted


def test_half_close_and_a_dead_client(tinylb, origin):
    """With half_close a client that is wholly gone is noticed when it resets."""
    slow = Slow("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    o = origin(slow)
    lb = tinylb(backends=[o.url], top={"half_close": True})
    c = lb.client()
    c.send_request("GET", "/")
    assert slow.arrived.wait(DEADLINE)
    c.head()
    c.abort()
    assert slow.ended.wait(DEADLINE), "the backend was not told"


def test_upload_broken_off(tinylb, origin):
    """The backend sees that the body is not whole."""
    o = origin()
    lb = tinylb(backends=[o.url])
    for how in ("close", "abort"):
        c = lb.client()
        n = o.count
        c.send("PUT / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        o.wait_requests(n + 1)
        getattr(c, how)()
        o.wait_no_connection()
        assert o.last.aborted
    assert [x.reason for x in lb.access(2)] == ["client-closed"] * 2


def test_nothing_is_left_behind(tinylb, origin):
    """A hundred cancelled requests leave no socket in the worker."""
    slow = Slow("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
    o = origin(slow)
    lb = tinylb(backends=[o.url])
    lb.get("/ok")

    def sockets():
        return sum(x.startswith("socket:") for x in process.descriptors(lb.worker).values())

    before = sockets()
    for _ in range(4):
        clients = [lb.client() for _ in range(25)]
        for c in clients:
            c.send_request("GET", "/")
        for c in clients:
            c.head()
            c.abort()
    wait_for(lambda: sockets() <= before, "the worker closes its sockets")
    lines = lb.access(101)
    assert sum(x.reason == "client-closed" for x in lines) == 100


@pytest.mark.parametrize("last", [("OPTIONS", [("Max-Forwards", "0")]), ("TRACE", [])], ids=["OPTIONS", "TRACE"])
def test_half_close_ends_behind_an_answer_of_our_own(tinylb, origin, last):
    """The last request of one that ended its sending side is answered without a backend: then the
    connection ends, and does not stay for as long as an idle one."""
    o = origin()
    lb = tinylb(backends=[o.url], top={"half_close": True})
    c = lb.client()
    c.send(make_request("GET", "/") + make_request(last[0], "/", last[1]))
    c.half_close()
    assert c.response().status == 200
    assert c.response().status in (200, 501)
    assert c.at_end()
