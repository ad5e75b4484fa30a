"""A request that is there when its connection is accepted is read at once, and its client is not watched
before the answer, or for a tenth of a second. Nothing of what is promised to others may depend on that.
"""

import contextlib
import os
import signal
import threading

import pytest

from lib import process
from lib.wait import DEADLINE, wait_for
from test_websocket import SWITCH, UPGRADE

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


@contextlib.contextmanager
def stopped(pid):
    """What is sent meanwhile has come when the worker accepts."""
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_for(lambda: process.state(pid) == "T", "the worker's stop")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def first(lb, data):
    with stopped(lb.worker):
        c = lb.client()
        c.send(data)
    return c


class Late:
    """Answers when it is told to."""

    def __init__(self):
        self.go = threading.Event()
        self.left = threading.Event()

    def __call__(self, c, r):
        if r.target == "/leave":
            c.wait_end()
            self.left.set()
            return None
        assert self.go.wait(DEADLINE)
        return r.body or b"late"


@pytest.fixture
def late():
    return Late()


@pytest.fixture
def place(tinylb, origin, late):
    o = origin(late)
    return tinylb(backends=[o.url]), o


@pytest.mark.parametrize("how", ["close", "abort"])
def test_who_leaves_is_seen(place, late, how):
    lb, o = place
    c = first(lb, GET.replace(b"/ ", b"/leave "))
    o.wait_requests(1)
    getattr(c, how)()
    assert late.left.wait(DEADLINE)
    assert lb.access()[0].reason == "client-closed"


def test_one_behind_the_other(place, late):
    """Together with it, and in a packet of its own, which nobody has looked for yet."""
    lb, o = place
    c = first(lb, GET * 2)
    o.wait_requests(1)
    c.send(GET)
    late.go.set()
    assert [c.response().text for _ in range(3)] == ["late"] * 3
    assert c.get("/").text == "late"


@pytest.mark.parametrize("body", [b"", b"par", b"parts"])
def test_with_a_part_of_its_body(place, late, body):
    lb, _ = place
    late.go.set()
    c = first(lb, b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n" + body)
    c.send(b"parts"[len(body) :])
    assert c.response().text == "parts"


def test_with_a_part_of_its_head(place, late):
    lb, _ = place
    late.go.set()
    before = len(process.descriptors(lb.worker))
    c = first(lb, GET[:9])
    wait_for(lambda: len(process.descriptors(lb.worker)) > before, "its being accepted")
    c.send(GET[9:])
    assert c.response().text == "late"


@pytest.mark.rfc("9112 9.6")
def test_bytes_behind_the_last(place, late):
    lb, o = place
    c = first(lb, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    o.wait_requests(1)
    c.send("\r\n")
    late.go.set()
    assert c.response().text == "late"
    assert c.read_to_end() == b""  # and no reset


def test_tunnel(tinylb, origin):
    def handler(c, _):
        c.send(SWITCH)
        c.send(c.reader.exactly(5))

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = first(lb, b"GET / HTTP/1.1\r\nHost: h\r\n" + b"".join(f"{n}: {v}\r\n".encode() for n, v in UPGRADE) + b"\r\n")
    assert c.response().status == 101
    c.send(b"hello")
    assert c.read(5) == b"hello"


def test_too_many(tinylb, origin):
    """Refused before anything is read, it gets its answer all the same."""
    lb = tinylb(backends=[origin(lambda c, r: b"x").url], limits={"connections_per_client": 1})
    kept = lb.client()
    assert kept.get("/").text == "x"
    c = first(lb, GET * 100)
    assert c.response().status == 429
    assert c.read_to_end() == b""
    assert kept.get("/").text == "x"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_drained(place, late, how):
    lb, o = place
    old = lb.worker
    c = first(lb, GET)
    o.wait_requests(1)
    lb.signal(how)
    lb.wait_log(r"ready -> draining")
    late.go.set()
    r = c.response()
    assert r.text == "late" and not r.keeps_alive
    assert c.at_end()
    c.close()
    wait_for(lambda: not process.exists(old), "the old worker's end")


def test_cut_at_the_deadline(tinylb, origin, late):
    """Sooner than it would be watched."""
    o = origin(late)
    lb = tinylb(backends=[o.url], timeouts={"drain": "20ms"})
    c = first(lb, GET)
    o.wait_requests(1)
    lb.term()
    assert c.at_end()
    assert lb.access()[0].reason == "stopped"
    late.go.set()
