"""What has arrived goes on at once: events, long polls, uploads, and both ways at the same time.

Nothing here waits for a time: each side sends its next piece only when the other has the one before,
so that a program that holds anything back stands still.
"""

import threading

import pytest

from lib.client import Closed
from lib.wait import DEADLINE, wait_for


class Turns:
    """Lets an origin send its pieces one by one, each when the client has seen the last."""

    def __init__(self):
        self.semaphore = threading.Semaphore(0)

    def next(self):
        self.semaphore.release()

    def wait(self):
        assert self.semaphore.acquire(timeout=DEADLINE), "the other side never got the last piece"


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_events(tinylb, origin, framing):
    events = [b"data: %d\n\n" % i for i in range(20)]

    def handler(c, _):
        headers = [("Content-Type", "text/event-stream")]
        if framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        elif framing == "length":
            headers.append(("Content-Length", str(sum(map(len, events)))))
        c.head(200, headers)
        for e in events:
            turns.wait()
            c.send(b"%x\r\n%s\r\n" % (len(e), e) if framing == "chunked" else e)
        turns.wait()
        if framing == "chunked":
            c.send("0\r\n\r\n")
        if framing == "close":
            c.close()

    turns = Turns()
    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    c.send_request("GET", "/events")
    r = c.head()
    assert r.headers.one("content-type") == "text/event-stream"
    for e in events:
        turns.next()
        if framing == "length":
            assert c.read(len(e)) == e
        else:
            assert c.reader.chunk()[0] == e
    turns.next()
    if framing != "length":
        assert c.reader.chunk()[0] == b""
        c.reader.trailers()


def test_events_byte_by_byte(tinylb, origin):
    """Even where a chunk is not whole yet, the part that is here goes on."""
    def handler(c, _):
        c.head(200, [("Transfer-Encoding", "chunked")])
        for i, b in enumerate(b"3e8\r\n" + b"hello" + b"x" * 995 + b"\r\n0\r\n\r\n"):
            c.send(bytes([b]))
            if 5 <= i < 10:
                turns.wait()

    turns = Turns()
    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    c.send_request("GET", "/")
    c.head()
    seen = b""
    for i in range(5):
        seen += c.reader.chunk()[0]
        assert seen == b"hello"[: i + 1]
        turns.next()
    while True:
        data = c.reader.chunk()[0]
        if not data:
            break
        seen += data
    assert seen == b"hello" + b"x" * 995


def test_head_goes_before_body(tinylb, origin):
    """Long polls: the head says what kind of answer will come."""
    def handler(c, _):
        c.head(200, [("Content-Length", "5")])
        assert go.wait(DEADLINE)
        c.send("later")

    go = threading.Event()
    c = tinylb(backends=[origin(handler).url]).client()
    c.send_request("GET", "/")
    assert c.head().status == 200
    go.set()
    assert c.read(5) == b"later"


@pytest.mark.parametrize("framing", ["chunked", "length"])
def test_upload(tinylb, origin, framing):
    """The backend sees the request's head, and each piece of its body, as they come."""
    parts = [b"piece %d;" % i for i in range(20)]
    seen = []

    def handler(c, r):
        got.set()
        for p in parts:
            data = c.reader.chunk()[0] if framing == "chunked" else c.reader.exactly(len(p))
            seen.append(data)
        if framing == "chunked":
            assert c.reader.chunk()[0] == b""
            c.reader.trailers()
        return b"done"

    got = threading.Event()
    lb = tinylb(backends=[origin(handler, read_body=False).url])
    c = lb.client()
    if framing == "chunked":
        c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    else:
        c.send(f"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: {sum(map(len, parts))}\r\n\r\n")
    assert got.wait(DEADLINE)
    for i, p in enumerate(parts):
        c.send(b"%x\r\n%s\r\n" % (len(p), p) if framing == "chunked" else p)
        wait_for(lambda: len(seen) == i + 1, f"piece {i} at the backend")
    if framing == "chunked":
        c.send("0\r\n\r\n")
    assert c.response().body == b"done"
    assert seen == parts


def test_both_ways_at_once(tinylb, origin):
    """The backend answers each piece of the request before the next is sent."""
    def handler(c, r):
        c.head(200, [("Transfer-Encoding", "chunked")])
        while True:
            data, raw, _ = c.reader.chunk()
            if not data:
                c.reader.trailers()
                c.send("0\r\n\r\n")
                return
            c.send(raw)

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert c.head().status == 200
    for i in range(30):
        piece = b"ping %d" % i * (i + 1)
        c.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        echoed = b""
        while len(echoed) < len(piece):
            echoed += c.reader.chunk()[0]
        assert echoed == piece
    c.send("0\r\n\r\n")
    assert c.reader.chunk()[0] == b""


def test_large_both_ways_at_once(tinylb, origin):
    """Neither direction may wait for the other: the backend sends back what it gets while it gets it,
    more than all buffers on the way hold together."""
    size = 32 << 20
    block = bytes(range(256)) * 256

    def handler(c, r):
        c.head(200, [("Content-Length", str(size))])
        left = size
        while left:
            if not c.reader.buffer:
                c.reader.fill()
            data = c.reader.take(len(c.reader.buffer))
            left -= len(data)
            c.send(data)

    lb = tinylb(backends=[origin(handler, read_body=False).url])
    c = lb.client()
    c.send(f"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: {size}\r\n\r\n")

    def feed():
        for _ in range(size // len(block)):
            c.send(block)

    t = threading.Thread(target=feed, daemon=True)
    t.start()
    assert c.head().status == 200
    for _ in range(size // len(block)):
        assert c.read(len(block)) == block
    t.join(DEADLINE)


def test_answer_after_half_an_upload(tinylb, origin):
    """A response that is complete ends the exchange, though the request is not; the client is told
    that its connection ends."""
    def handler(c, r):
        c.reader.exactly(5)
        c.respond(200, b"enough")

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nhello")
    r = c.response()
    assert r.body == b"enough" and not r.keeps_alive
    c.half_close()
    assert c.at_end()
    o.wait_no_connection()


def test_event_stream_ends_with_the_backend(tinylb, origin):
    """An endless stream that breaks is seen to break."""
    def handler(c, _):
        c.head(200, [("Transfer-Encoding", "chunked")])
        c.send("5\r\nhello\r\n")
        turns.wait()
        c.close()

    turns = Turns()
    c = tinylb(backends=[origin(handler).url]).client()
    c.send_request("GET", "/")
    c.head()
    assert c.reader.chunk()[0] == b"hello"
    turns.next()
    with pytest.raises(Closed):
        c.read(1)
