"""Nobody can make tinylb wait for ever: each way to stand still has its limit, and its reason in the
access log. Limits here are short; how long it took is only held against them with a wide margin."""

import socket
import threading
import time

import pytest

from lib.client import Closed
from lib.ports import reserve_port
from lib.wait import DEADLINE, SLOW, wait_for

SHORT = f"{int(300 * SLOW)}ms"
SECONDS = 0.3 * SLOW


class Clock:
    def __enter__(self):
        self.start = time.monotonic()
        return self

    def __exit__(self, *_):
        self.took = time.monotonic() - self.start

    def check(self, least=SECONDS):
        """Not before the limit (less what clocks that tick 10 times a second may miss), and not much
        after it."""
        assert least * 0.8 - 0.15 <= self.took < least + DEADLINE / 2, f"took {self.took:.2f} s"


def silent(c, _):
    c.wait_end()
    c.close()


def test_response_never_comes(tinylb, origin):
    lb = tinylb(backends=[origin(silent).url], timeouts={"response": SHORT})
    with Clock() as clock:
        c = lb.client()
        r = c.get("/")
    clock.check()
    assert r.status == 504 and lb.access()[0].reason == "backend-timeout"


def test_response_stops_in_the_middle(tinylb, origin):
    def handler(c, r):
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        silent(c, r)

    o = origin(handler)
    lb = tinylb(backends=[o.url], timeouts={"response": SHORT})
    with Clock() as clock, pytest.raises(Closed):
        lb.client().get("/")
    clock.check()
    assert lb.access()[0].reason in ("truncated", "backend-timeout")
    o.wait_no_connection()


def test_slow_but_steady_response_is_fine(tinylb, origin):
    """The limit is between bytes, not on the whole."""
    step = threading.Event()

    def handler(c, _):
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for b in b"12345678":
            step.wait(SECONDS / 3)
            c.send(bytes([b]))

    lb = tinylb(backends=[origin(handler).url], timeouts={"response": SHORT})
    with Clock() as clock:
        assert lb.get("/").body == b"12345678"
    assert clock.took > SECONDS * 2


def test_request_body_stops_in_the_middle(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], timeouts={"response": SHORT})
    with Clock() as clock:
        c = lb.client()
        c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n12345")
        r = c.response()
    clock.check()
    assert r.status == 408 and not r.keeps_alive
    assert lb.access()[0].reason == "client-timeout"
    o.wait_no_connection()
    assert o.last.aborted


def test_client_takes_nothing(tinylb, origin):
    """A client that reads nothing more does not hold its backend for ever."""
    def handler(c, _):
        c.head(200, [("Content-Length", str(1 << 30))])
        while True:
            c.send(b"x" * 65536)

    o = origin(handler)
    lb = tinylb(backends=[o.url], timeouts={"response": SHORT})
    c = lb.client(rcvbuf=16384)
    c.send_request("GET", "/")
    c.head()
    o.wait_no_connection()
    assert lb.access()[0].reason == "client-timeout"


def test_request_head_drips(tinylb, origin):
    """The limit runs from the first byte and is not put off by more of them (slowloris)."""
    o = origin()
    lb = tinylb(backends=[o.url], timeouts={"request_header": SHORT})
    step = threading.Event()
    with Clock() as clock:
        c = lb.client()
        c.send("GET / HTTP/1.1\r\nHost: t\r\n")
        try:
            while c.is_quiet():
                c.send("A: b\r\n")
                step.wait(SECONDS / 20)
        except OSError:
            pass
        r = c.response()
    clock.check()
    assert r.status == 408 and o.count == 0
    assert lb.access()[0].reason == "head-timeout"


def test_second_head_drips(tinylb, origin):
    """The same on a connection that has been used."""
    lb = tinylb(backends=[origin().url], timeouts={"request_header": SHORT})
    c = lb.client()
    assert c.get("/").status == 200
    with Clock() as clock:
        c.send("GET /")
        r = c.response()
    clock.check()
    assert r.status == 408


def test_idle_client(tinylb, origin):
    """An idle connection is closed without a word: no request, no answer."""
    lb = tinylb(backends=[origin().url], timeouts={"idle_client": SHORT})
    fresh, used = lb.client(), lb.client()
    with Clock() as clock:
        assert used.get("/").status == 200
        assert used.read_to_end() == b""
    clock.check()
    assert fresh.read_to_end() == b""
    assert len(lb.access()) == 1


def test_idle_backend(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], timeouts={"idle_backend": SHORT})
    c = lb.client()
    with Clock() as clock:
        assert c.get("/").status == 200
        assert len(o.open_connections) == 1
        o.wait_no_connection()
    clock.check()
    assert c.get("/").status == 200 and len(o.connections) == 2


def test_tunnel(tinylb, origin):
    """Both ends of a silent tunnel are closed; one in use goes on."""
    def handler(c, r):
        c.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        while c.reader.fill():
            c.send(c.reader.take(len(c.reader.buffer)))
        c.close()

    o = origin(handler)
    lb = tinylb(backends=[o.url], timeouts={"tunnel": SHORT, "response": "10ms" if SLOW == 1 else SHORT})
    c = lb.client()
    c.send_request("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "websocket")])
    assert c.response().status == 101
    step = threading.Event()
    for _ in range(6):
        step.wait(SECONDS / 3)
        c.send("ping")
        assert c.read(4) == b"ping"
    with Clock() as clock:
        assert c.at_end()
    clock.check()
    o.wait_no_connection()
    assert lb.access()[0].reason == "tunnel-timeout"


@pytest.fixture
def hole():
    """A port that neither accepts nor refuses: its queue is full, and the kernel drops what comes."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", reserve_port()))
        s.listen(0)
        waiting = []
        for _ in range(4):
            w = socket.socket()
            w.setblocking(False)
            w.connect_ex(s.getsockname())
            waiting.append(w)
        yield f"http://127.0.0.1:{s.getsockname()[1]}"
        for w in waiting:
            w.close()


def test_connect(tinylb, hole):
    lb = tinylb(backends=[hole], timeouts={"connect": SHORT})
    with Clock() as clock:
        r = lb.client().get("/")
    clock.check()
    assert r.status == 504 and lb.access()[0].reason == "connect-timeout"


def test_connect_goes_elsewhere(tinylb, origin, hole):
    o = origin(lambda c, r: b"got " + r.body)
    lb = tinylb(backends=[(hole, 256), o.url], timeouts={"connect": "50ms"})
    c = lb.client()
    for _ in range(5):
        assert c.request("POST", "/", body=b"x").body == b"got x"


def test_waiting_for_a_100_in_vain(tinylb, origin):
    """Not every backend sends one. The client has to send its content then (RFC 9110 10.1.1), and is late if not."""
    lb = tinylb(backends=[origin(silent, read_body=False).url], timeouts={"response": SHORT})
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert c.response().status == 408
    assert lb.access()[0].reason == "client-timeout"


def test_nothing_times_out_while_in_use(tinylb, origin):
    """A connection used again and again outlives each limit many times over."""
    limits = {k: SHORT for k in ("request_header", "response", "idle_client", "idle_backend")}
    o = origin()
    lb = tinylb(backends=[o.url], timeouts=limits)
    c = lb.client()
    step = threading.Event()
    for _ in range(8):
        step.wait(SECONDS / 3)
        assert c.get("/").status == 200
    assert len(o.connections) == 1
    wait_for(lambda: len(lb.access_lines()) == 8)


def drip(seconds, c, *others):
    """Sends a byte of each one's body now and then until the first one has an answer or an end; for how
    long."""
    began = time.monotonic()
    while c.is_quiet() and time.monotonic() - began < seconds:
        for client in (c, *others):
            client.send("x")
        time.sleep(0.25)
    return time.monotonic() - began


def test_body_byte_by_byte(tinylb, origin):
    """A body that comes, but far below limits.body_rate, does not hold a backend for ever; unless it may, or the
    backend has begun its answer: then both sides may want to talk slowly. Behind the end of an early one they talk no
    more."""
    def handler(c, r):
        if r.target == "/duplex":
            c.send("HTTP/1.1 200 Fine\r\n\r\n")
        if r.target == "/early":
            c.respond(202)
        c.read_body()
        if r.target != "/duplex":
            return b"fine"
        c.send("over")
        c.close()
        return None

    o = origin(handler, read_body=False)
    lb, patient = (tinylb(backends=[o.url], limits={"body_rate": rate}) for rate in (100, 0))
    c, slow, duplex, early = lb.client(), patient.client(), lb.client(), lb.client()
    for client, target in ((slow, "/"), (c, "/"), (duplex, "/duplex"), (early, "/early")):
        client.send(f"POST {target} HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n")
    assert duplex.head().status == 200 and early.response().status == 202
    assert 9 < drip(30, c, slow, duplex, early) < 15
    assert c.response().status == 408
    # Its window began a little later, and it is looked at when something comes.
    wait_for(lambda: early.send("x") or len(lb.access()) == 2, "the end of the early one")
    assert {(line.status, line.reason) for line in lb.access()} == {(408, "client-timeout"), (202, "client-timeout")}
    drip(1.5, slow, duplex)
    assert slow.is_quiet() and duplex.is_quiet()
    duplex.send("x" * 1000)
    assert b"over" in duplex.read_to_end()
    slow.send("x" * 1000)
    assert slow.response().status == 200
