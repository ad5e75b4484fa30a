"""Large bodies go from socket to socket through a pipe and never pass through the worker's memory.
All that is promised of the others holds for them: not a byte more or less, whatever ends in the middle.

That a worker has a pipe shows that bytes went through it: it is made when the first are to. One that can
have none copies them; nobody notices.
"""

import os
import threading

import pytest

from lib import process
from lib.client import Closed, chunked
from lib.message import reset
from lib.origin import KEPT
from lib.wait import DEADLINE, SLOW, wait_for
from test_descriptors import limit_descriptors
from test_first_request import stopped
from test_websocket import SWITCH, UPGRADE

LINES = b"".join(b"%015d\n" % i for i in range(65536))  # 1 MiB in which no two lines are alike
BODY = LINES * (3 if SLOW < 5 else 1) + b"the end"
PART = len(BODY) // 2


def has_pipe(lb):
    """Besides that of libevent, for signals, and valgrind's. Pipes of which it has one end are the messages'."""
    names = list(process.descriptors(lb.worker).values())
    others = 2 if "valgrind" in os.environ.get("TINYLB_WRAPPER", "") else 1
    return sum(name.startswith("pipe:") and names.count(name) == 2 for name in names) > 2 * others


def answer(c, r):
    """As the target says."""
    length = [("Content-Length", str(len(BODY)))]
    if r.target == "/length":
        c.head(200, length)
        c.send(BODY)
    elif r.target == "/chunked":
        c.head(200, [("Transfer-Encoding", "chunked")])
        c.send(chunked([BODY[:PART], BODY[PART:-7], BODY[-7:]], trailers=[("x-sum", "1")]))
    elif r.target == "/close":
        c.head(200, [("Connection", "close")])
        c.send(BODY)
        c.close()
    elif r.target.startswith("/part"):
        kinds = {"/part-chunked": [("Transfer-Encoding", "chunked")], "/part-open-reset": [("Connection", "close")]}
        c.head(200, kinds.get(r.target, length))
        if r.target == "/part-chunked":
            c.send(b"%x\r\n" % len(BODY))
        c.send(BODY[:PART])
        c.sock.settimeout(10 * DEADLINE)
        c.origin.half.wait(DEADLINE)
        c.reset() if r.target.endswith("reset") else c.close()
    else:
        assert r.body in (b"", BODY)
        c.respond(200, b"%d" % len(r.body), KEPT)
    return None


@pytest.fixture
def large(origin):
    o = origin(answer)
    o.half = threading.Event()
    return o


@pytest.fixture
def place(tinylb, large):
    """A balancer, and a client on it with a connection to the backend behind."""
    lb = tinylb(backends=[large.url])
    c = lb.client()
    assert c.get("/").text == "0"
    assert not has_pipe(lb)
    return lb, c


DOWNLOADS = [("/length", 1), ("/chunked", 1), ("/chunked", 0), ("/close", 1), ("/close", 0)]


def download(place, target, minor):
    _, c = place
    keeps = [("Connection", "keep-alive")] if minor == 0 else []
    assert c.get(target, keeps, minor=minor).body == BODY


def upload(place, framing):
    _, c = place
    for method in ("POST", "PUT"):
        if framing == "length":
            c.send_request(method, "/", body=BODY)
        else:
            c.send_request(method, "/", [("Transfer-Encoding", "chunked")])
            c.send(chunked([BODY[:PART], BODY[PART:]]))
        assert c.response().text == str(len(BODY))
        # and the next request begins where this one ended
        assert c.get("/").text == "0"


@pytest.mark.parametrize("target, minor", DOWNLOADS)
def test_download(place, large, target, minor):
    lb, c = place
    download(place, target, minor)
    assert has_pipe(lb)
    assert lb.access(2)[1].bytes == len(BODY)
    if target == "/length":
        assert c.get(target).body == BODY
        assert c.get("/").text == "0"
        assert len(large.connections) == 1


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_upload(place, large, framing):
    upload(place, framing)
    assert has_pipe(place[0])
    assert len(large.connections) == 1


@pytest.mark.bare("it counts descriptors")
def test_without_descriptors_for_a_pipe(place, large):
    lb, _ = place
    used = process.descriptors(lb.worker)
    limit_descriptors(lb.worker, next(n for n in range(1024) if n not in used))
    upload(place, "length")
    upload(place, "chunked")
    download(place, "/length", 1)
    download(place, "/chunked", 0)
    assert not has_pipe(lb)
    assert len(large.connections) == 1
    # with descriptors it has one again
    limit_descriptors(lb.worker, 1024)
    assert lb.get("/close").body == BODY
    assert has_pipe(lb)


def test_what_flowed_is_not_sent_again(tinylb, origin):
    """What is not held cannot be repeated; a part of it must not pass for a request."""
    begun = threading.Event()

    def handler(c, r):
        if r.target == "/":
            return b"warm"
        c.reader.exactly(10_000)
        begun.set()
        c.reader.exactly(PART)
        c.reset()
        return None

    o = origin(handler, read_body=False)
    c = tinylb(backends=[o.url]).client()
    assert c.get("/").text == "warm"
    c.send(f"PUT /put HTTP/1.1\r\nHost: h\r\nContent-Length: {len(BODY)}\r\n\r\n".encode() + BODY[:10_000])
    assert begun.wait(DEADLINE)
    c.send(BODY[10_000 : 20_000 + PART])
    assert c.response().status == 502
    assert [r.target for r in o.requests] == ["/", "/put"]


def test_both_ways_and_pipelined(tinylb, origin):
    """What comes behind a body that flows is the next request."""
    o = origin(lambda c, r: r.body)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    requests = b"".join(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % len(b) + b for b in (BODY, b"short", BODY))
    t = threading.Thread(target=c.send, args=(requests,), daemon=True)
    t.start()
    assert [c.response().body for _ in range(3)] == [BODY, b"short", BODY]
    t.join(DEADLINE)
    assert has_pipe(lb)


def test_on_unix_sockets(tinylb, origin, connect, directory):
    o = origin(lambda c, r: r.body, path=f"{directory}/back.sock")
    lb = tinylb(backends=[o.url], listen=("unix:@DIR@/front.sock",))
    c = connect(f"{directory}/front.sock")
    assert c.request("POST", "/", body=BODY).body == BODY
    assert has_pipe(lb)


def test_surplus(tinylb, origin, directory):
    """What comes behind a body that flowed is no answer to the request that waits."""
    go = threading.Event()

    def handler(c, r):
        if r.target == "/":
            return b"honest"
        c.head(200, [("Content-Length", "100000")])
        assert go.wait(DEADLINE)
        c.send(LINES[:100_000] + b"HTTP/1.1 200 Evil\r\nContent-Length: 0\r\n\r\n", split=1 << 20)
        c.sent = True
        return None

    o = origin(handler, path=f"{directory}/back.sock")
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("GET /surplus HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert c.head().status == 200
    with stopped(lb.worker):  # it finds all of it in one piece
        go.set()
        wait_for(lambda: hasattr(o.connections[0], "sent"), "the answer and more")
    assert c.reader.exactly(100_000) == LINES[:100_000]
    assert c.response().text == "honest"
    assert len(o.connections) == 2
    assert has_pipe(lb)


@pytest.mark.parametrize("target", ["/part-close", "/part-reset", "/part-chunked", "/part-open-reset"])
def test_cut_by_the_backend(tinylb, large, target):
    """It must not look whole; the part that came may, and what lay in the pipe is nobody else's."""
    lb = tinylb(backends=[large.url])
    c = lb.client()
    c.send_request("GET", target)
    c.head()
    # a reset is the only thing that tells a part of a body without length from the whole
    step = (lambda: c.reader.chunk()[0]) if target in ("/part-chunked", "/part-open-reset") else (lambda: c.reader.exactly(4096))
    got = b""
    with pytest.raises(Closed):
        while True:
            got += step()
            if len(got) >= PART // 2:
                large.half.set()
    assert BODY.startswith(got)
    assert lb.access()[0].reason == "truncated"
    assert lb.get("/length").body == BODY
    assert has_pipe(lb)


def test_cut_by_the_client(tinylb, large):
    lb = tinylb(backends=[large.url])
    for cut in (lambda c: c.close(), lambda c: reset(c.sock)):
        c = lb.client(rcvbuf=65536)
        c.send_request("GET", "/part-close")
        c.head()
        c.reader.exactly(PART // 2)
        cut(c)
    assert [line.reason for line in lb.access(2)] == ["client-closed"] * 2
    large.half.set()
    large.wait_no_connection()
    assert lb.get("/length").body == BODY
    assert has_pipe(lb)


def test_reload_in_the_middle(tinylb, large):
    lb = tinylb(backends=[large.url], timeouts={"drain": "20s"})
    c = lb.client(rcvbuf=65536)
    c.send_request("GET", "/length")
    assert c.head().status == 200
    got = c.reader.exactly(PART)
    assert has_pipe(lb)
    lb.hup()
    wait_for(lambda: len(lb.worker_pids()) == 2, "the new worker beside the old one")
    assert got + c.reader.exactly(len(BODY) - PART) == BODY


def test_tunnel(tinylb, origin):
    """In bulk both ways at once, with an end of one side first."""
    def handler(c, r):
        c.send(SWITCH)
        t = threading.Thread(target=lambda: (c.send(BODY), c.half_close()), daemon=True)
        t.start()
        c.got = c.reader.to_end()
        t.join(DEADLINE)
        c.done.set()

    class Handler:
        def __call__(self, c, r):
            c.done = threading.Event()
            handler(c, r)

    o = origin(Handler(), read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("GET", "/", UPGRADE)
    assert c.response().status == 101
    t = threading.Thread(target=lambda: (c.send(BODY), c.half_close()), daemon=True)
    t.start()
    assert c.read_to_end() == BODY
    t.join(DEADLINE)
    back = o.connections[-1]
    assert back.done.wait(DEADLINE) and back.got == BODY
    assert lb.access()[0].bytes == len(BODY)
    assert has_pipe(lb)


def test_messages_stay_out_of_it(tinylb, origin):
    """What is small is copied: that costs less."""
    def handler(c, r):
        c.send(SWITCH)
        while c.reader.buffer or c.reader.fill():
            c.send(c.reader.take(len(c.reader.buffer)))

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("GET", "/", UPGRADE)
    assert c.response().status == 101
    for message in (b"x" * 128, os.urandom(40_000)):
        c.send(message)
        assert c.read(len(message)) == message
    assert not has_pipe(lb)
