"""The tools of these tests, tried on each other: a client that is lenient, or an origin that loses a
byte, would let the program get away with anything. No program is started here."""

import socket
import threading

import pytest

from lib.client import Closed, ProtocolError, chunked
from lib.message import Reader, parse_head
from lib.ports import reserve_port
from lib.process import listening
from lib.wait import Timeout, wait_for


def test_request_and_response_arrive_as_sent(origin, connect):
    o = origin(lambda c, r: r.body[::-1])
    c = connect(o.address)
    for split in (None, 1, 7):
        r = c.request("POST", "/a?b=%41", [("X-One", "1"), ("X-One", "2")], b"hello", split=split)
        assert (r.status, r.body, r.framing) == (200, b"olleh", "length")
    assert [r.index for r in o.requests] == [0, 1, 2]
    assert o.last.target == "/a?b=%41" and o.last.headers.all("x-one") == ["1", "2"]
    assert o.last.head.startswith(b"POST /a?b=%41 HTTP/1.1\r\nHost: test\r\n")


def test_chunked_both_ways(origin, connect):
    def handler(c, r):
        assert r.chunks == [1, 3, 16]
        c.respond_chunked([r.body, b"!"], trailers=[("X-T", "end")], extension=b";a=b", split=3)

    o = origin(handler)
    c = connect(o.address)
    body = chunked([b"a", b"bcd", b"e" * 16], [("X-S", "1")], upper=True)
    r = c.request("PUT", "/", [("Transfer-Encoding", "chunked")], body, split=2)
    assert r.body == b"abcd" + b"e" * 16 + b"!" and r.trailers == [("X-T", "end")]
    assert o.last.trailers == [("X-S", "1")]
    assert not o.faults


def test_interim_head_and_close(origin, connect):
    def handler(c, r):
        c.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        if r.method == "HEAD":
            c.respond(200, b"12345")
        else:
            c.send("HTTP/1.1 200 OK\r\n\r\nuntil the end")
            c.close()

    c = connect(origin(handler).address)
    r = c.request("HEAD", "/")
    assert r.interim[0].status == 103 and r.body == b"" and r.headers.one("content-length") == "5"
    r = c.request("GET", "/")
    assert r.body == b"until the end" and r.framing == "close" and not r.keeps_alive
    assert c.at_end()


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno field\r\n\r\n",
        b"HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_client_refuses(origin, connect, raw):
    c = connect(origin(lambda c, _: (c.send(raw), c.close())[0]).address)
    with pytest.raises(ProtocolError):
        c.get("/")


def test_client_sees_how_it_ended(origin, connect):
    def short(c, _):
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        c.close()

    def reset(c, _):
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        go.wait(10)
        c.reset()

    go = threading.Event()
    with pytest.raises(Closed) as e:
        connect(origin(short).address).get("/")
    assert not e.value.reset and e.value.data == b"abc"
    c = connect(origin(reset).address)
    c.send_request("GET", "/")
    c.head()
    c.read(3)
    go.set()
    with pytest.raises(Closed) as e:
        c.read(6)
    assert e.value.reset


def test_origin_keeps_faults(origin, connect):
    o = origin()
    c = connect(o.address)
    c.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert c.at_end()
    wait_for(lambda: o.faults)
    assert "Host stands 2 times" in str(o.faults.pop())


def test_origin_refuses_and_comes_back(origin, connect):
    o = origin(name="a")
    assert connect(o.address).get("/").body == b"a"
    o.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(o.address)
    o.start()
    assert connect(o.address).get("/").body == b"a"


def test_early_bytes_stay_for_the_next_message():
    a, b = socket.socketpair()
    with a, b:
        a.sendall(b"GET / HTTP/1.1\r\nA: 1\r\n\r\nrest")
        reader = Reader(b)
        assert parse_head(reader.head()) == ("GET / HTTP/1.1", [("A", "1")])
        assert bytes(reader.buffer) == b"rest"


def test_reserved_port_refuses_and_is_free_to_take():
    port = reserve_port()
    with socket.socket() as s, pytest.raises(ConnectionRefusedError):
        s.connect(("127.0.0.1", port))
    assert listening(port) == 0
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", port))
        s.listen()
        assert listening(port) == 1


def test_waiting_in_vain_says_for_what():
    with pytest.raises(Timeout, match="the moon"):
        wait_for(lambda: False, "the moon", deadline=0.01)
