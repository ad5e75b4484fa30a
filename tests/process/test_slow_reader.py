"""Whoever takes an answer slowly gets all of it. The exchange is over when the last byte has come from
the backend, long before it has gone to the client: no deadline of an idle client, no lingering, no drain
and nobody who needs the place may end the connection before that. Only who takes nothing at all is cut
off, and visibly."""

import threading
import time

import pytest

from lib.wait import wait_for

SIZE = 6_000_000
BODY = bytes(range(256)) * (SIZE // 256 + 1)
BODY = BODY[:SIZE]


def slow_reader(lb, headers=()):
    """A client that has read so much of a large answer that its exchange is over, and then stops."""
    c = lb.client(rcvbuf=4096)
    c.send_request("GET", "/", headers)
    got = bytearray()
    while not lb.access_lines():
        got += c.sock.recv(65536)
        time.sleep(0.001)
    assert len(got) < SIZE
    return c, got


def read_on(c, got):
    while chunk := c.sock.recv(65536):
        got += chunk
        if got.endswith(BODY[-1000:]) and len(got) >= SIZE:
            break
    return bytes(got)


@pytest.fixture
def large(origin):
    return origin(lambda conn, request: BODY)


def test_gets_all(tinylb, large):
    readers = []
    for headers in (), [("Connection", "close")]:
        lb = tinylb(backends=[large.url], timeouts={"idle_client": "500ms", "response": "30s"})
        readers.append(slow_reader(lb, headers))
    time.sleep(6.5)  # longer than the idle client's time, and than a lingering one's
    for c, got in readers:
        assert read_on(c, got).endswith(BODY)


def test_gets_all_through_a_reload(tinylb, large):
    lb = tinylb(backends=[large.url], timeouts={"drain": "20s"})
    c, got = slow_reader(lb)
    lb.hup()
    wait_for(lambda: len(lb.worker_pids()) == 2, "the new worker beside the old one")
    time.sleep(3)  # idle clients are sent away meanwhile
    assert read_on(c, got).endswith(BODY)


def test_keeps_its_place(tinylb, large):
    """A worker that is full does not make room at the cost of an answer under way."""
    lb = tinylb(backends=[large.url], limits={"connections": 1})
    c, got = slow_reader(lb)
    other = lb.client()
    other.send_request("GET", "/", [("Connection", "close")])
    time.sleep(1.5)
    assert read_on(c, got).endswith(BODY)
    c.close()
    assert other.response().body == BODY


def test_steady_but_slow(tinylb, large):
    """A few kilobytes a second are enough: while anything moves, nobody is cut off."""
    lb = tinylb(backends=[large.url], timeouts={"response": "1s"})
    c = lb.client(rcvbuf=4096)
    c.send_request("GET", "/")
    got = bytearray()
    end = time.monotonic() + 5
    while time.monotonic() < end:
        got += c.sock.recv(20_000)
        time.sleep(0.1)
    assert read_on(c, got).endswith(BODY)
    assert lb.access()[0].reason == "done"


def test_takes_nothing(tinylb, large):
    lb = tinylb(backends=[large.url], timeouts={"response": "500ms"})
    c = lb.client(rcvbuf=4096)
    c.send_request("GET", "/")
    line = lb.access()[0]
    assert line.reason == "client-timeout"
    with pytest.raises(ConnectionResetError):
        read_on(c, bytearray())


def test_tunnel_delivers_what_was_sent_before_its_end(tinylb, origin):
    """The backend ends its side first; what the client sends after that still arrives, all of it."""
    got = bytearray()
    go_on = threading.Event()
    done = threading.Event()

    def upgrade(conn, request):
        conn.send(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        conn.half_close()
        go_on.wait(20)
        while chunk := conn.sock.recv(65536):
            got.extend(chunk)
        done.set()

    o = origin(upgrade)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "websocket")])
    assert c.response().status == 101
    assert c.at_end()
    sender = threading.Thread(target=lambda: (c.send(BODY), c.half_close()))
    sender.start()
    time.sleep(0.5)
    go_on.set()
    assert done.wait(20)
    sender.join()
    assert bytes(got) == BODY


def test_tunnel_ends_when_nobody_listens(tinylb, origin):
    """The client closed, the backend does not care and goes on sending: it is told."""
    ended = threading.Event()

    def push(conn, request):
        conn.send(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        try:
            while True:
                conn.sock.sendall(b"x" * 1000)
                time.sleep(0.01)
        except OSError:
            ended.set()

    o = origin(push)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "websocket")])
    assert c.response().status == 101
    c.close()
    assert ended.wait(10)
    assert lb.access()[0].reason == "upgraded"


def test_tunnel_full_both_ways_is_reset(tinylb, origin):
    """Nobody reads, both directions are full and paused, and the client resets: that is seen."""
    ended = threading.Event()

    def push(conn, request):
        conn.send(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        conn.sock.settimeout(20)
        try:
            conn.sock.sendall(b"x" * 50_000_000)
        except ConnectionError:
            ended.set()
        conn.close()

    o = origin(push)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("GET", "/", [("Connection", "Upgrade"), ("Upgrade", "websocket")])
    assert c.response().status == 101
    c.sock.settimeout(1)
    with pytest.raises(TimeoutError):
        c.send(b"y" * 50_000_000)
    c.abort()
    assert ended.wait(10)
    assert lb.access()[0].reason == "upgraded"
