"""WebSocket through tinylb: an Upgrade becomes a tunnel after the backend's 101, and only then."""

import asyncio
import os
import shutil
import signal
import threading

import pytest
import websockets

from lib import process
from lib import tinylb as program
from lib.client import Closed
from lib.ports import reserve_port
from lib.wait import DEADLINE, wait_for, wait_still

UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
SWITCH = ("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


@pytest.fixture
def echo_server():
    """A server of the websockets library that sends back what it gets."""
    loop = asyncio.new_event_loop()
    port = reserve_port()
    stop = loop.create_future()
    ready = threading.Event()

    async def echo(socket):
        async for message in socket:
            await socket.send(message)

    async def serve():
        async with websockets.serve(echo, "127.0.0.1", port, max_size=None):
            ready.set()
            await stop

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(DEADLINE)
    yield f"http://127.0.0.1:{port}"
    loop.call_soon_threadsafe(stop.set_result, None)
    thread.join(DEADLINE)
    loop.close()


def test_real_library_both_ends(tinylb, echo_server):
    lb = tinylb(backends=[echo_server])

    async def talk():
        url = f"ws://127.0.0.1:{lb.port}/chat?x=1"
        async with websockets.connect(url, max_size=None, open_timeout=DEADLINE) as socket:
            for message in ("hello", "", "Grüße", b"\0\xff" * 10, b"x" * 1_000_000):
                await socket.send(message)
                assert await asyncio.wait_for(socket.recv(), DEADLINE) == message
            await asyncio.wait_for(await socket.ping(), DEADLINE)
            for i in range(50):
                await socket.send(str(i))
            assert [await socket.recv() for _ in range(50)] == [str(i) for i in range(50)]
        assert socket.close_code == 1000

    asyncio.run(asyncio.wait_for(talk(), 5 * DEADLINE))
    line = lb.access()[0]
    assert line.status == 101 and line.reason == "upgraded"


def test_many_at_once(tinylb, echo_server):
    lb = tinylb(backends=[echo_server], workers=2)

    async def one(i):
        async with websockets.connect(f"ws://127.0.0.1:{lb.port}/", open_timeout=DEADLINE) as socket:
            for j in range(5):
                await socket.send(f"{i}/{j}")
                assert await asyncio.wait_for(socket.recv(), DEADLINE) == f"{i}/{j}"

    async def talk():
        await asyncio.gather(*(one(i) for i in range(20)))

    asyncio.run(asyncio.wait_for(talk(), 5 * DEADLINE))


def tunnel_origin(origin, after=b""):
    """Switches, says `after` in the same breath, then echoes bytes until the client's end."""
    def handler(c, r):
        c.send(SWITCH.encode() + after)
        while c.reader.buffer or c.reader.fill():
            c.send(c.reader.take(len(c.reader.buffer)))
        c.send("bye")
        c.close()

    return origin(handler, read_body=False)


@pytest.mark.rfc("9110 7.8")
def test_fields_of_the_handshake(tinylb, origin):
    o = tunnel_origin(origin)
    c = tinylb(backends=[o.url]).client()
    c.send_request("GET", "/", UPGRADE)
    r = c.response()
    assert r.status == 101 and r.headers.tokens("connection") == ["upgrade"]
    assert r.headers.one("upgrade") == "websocket"
    assert r.headers.one("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert o.last.headers.tokens("connection") == ["upgrade"]
    assert o.last.headers.one("upgrade").lower() == "websocket"
    assert o.last.headers.one("sec-websocket-key") == UPGRADE[3][1]


def test_bytes_with_the_101(tinylb, origin):
    """The backend may speak first, in the packet of its 101."""
    o = tunnel_origin(origin, b"welcome")
    c = tinylb(backends=[o.url]).client()
    c.send_request("GET", "/", UPGRADE)
    assert c.response().status == 101
    assert c.read(7) == b"welcome"


@pytest.mark.parametrize("early", [b"", b"hasty"])
def test_end_before_the_101(tinylb, origin, early):
    """A client may have ended its sending side before the tunnel begins: the backend hears of it behind what
    the client sent, and the tunnel is over when the backend ends, too."""
    go, heard = threading.Event(), []

    def handler(c, r):
        if r.target == "/other":
            return b"other"
        assert go.wait(DEADLINE)
        c.send(SWITCH)
        while c.reader.buffer or c.reader.fill():
            heard.append(c.reader.take(len(c.reader.buffer)))
        c.send("bye")
        c.close()
        return None

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url], top={"half_close": True})
    c = lb.client()
    c.send_request("GET", "/", UPGRADE)
    o.wait_requests(1)
    if early:
        c.send(early)
    c.half_close()
    wait_for(lambda: any(f":{lb.port:04X} " in line and f":{c.name[1]:04X} 08 " in line for line in
                         process.read("/proc/net/tcp").decode("latin-1").splitlines()))
    # The worker has read that end, too, when it has served another request.
    assert lb.get("/other").body == b"other"
    go.set()
    assert c.response().status == 101
    assert c.read(3) == b"bye" and c.at_end()
    assert b"".join(heard) == early
    assert [line.reason for line in lb.access(2)] == ["done", "upgraded"]


def test_bytes_before_the_101(tinylb, origin):
    """What a hasty client sends with its request belongs to the tunnel; it is held until there is
    one, and reaches the backend not before it switched."""
    switched = threading.Event()
    early = []

    def handler(c, r):
        early.append(bytes(c.reader.buffer))
        c.sock.settimeout(0.3)
        try:
            c.reader.fill()
        except AssertionError:
            pass
        early.append(bytes(c.reader.buffer))
        c.sock.settimeout(DEADLINE)
        switched.set()
        c.send(SWITCH)
        c.send(c.reader.exactly(5))
        c.wait_end()

    o = origin(handler, read_body=False)
    c = tinylb(backends=[o.url]).client()
    c.send_request("GET", "/", UPGRADE)
    c.send("early")
    assert c.response().status == 101 and switched.is_set()
    assert c.read(5) == b"early"
    assert early == [b"", b""]


def test_refused_upgrade_is_ordinary_http(tinylb, origin):
    """Any other status is a response like any other, and the connection stays one of HTTP: what the
    client sent early is its next request, and nothing tunnels to the backend."""
    o = origin(lambda c, r: c.respond(403 if "upgrade" in r.headers else 200, r.target.encode()))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("GET", "/one", UPGRADE)
    c.send_request("GET", "/two")
    r = c.response()
    assert r.status == 403 and r.body == b"/one" and "upgrade" not in r.headers.tokens("connection")
    r = c.response()
    assert r.status == 200 and r.body == b"/two"
    assert [r.target for r in o.requests] == ["/one", "/two"]


@pytest.mark.rfc("9110 15.2.2")
def test_unasked_101(tinylb, origin):
    """A 101 that nobody asked for is a broken backend, not a tunnel."""
    def handler(c, r):
        c.send(SWITCH)
        c.send("evil")
        c.wait_end()

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    r = c.get("/")
    assert r.status == 502 and "101" not in r.text
    assert lb.access()[0].reason == "bad-response"
    o.wait_no_connection()


@pytest.mark.parametrize("headers", [
    [("Upgrade", "websocket")],  # not named by Connection
    [("Connection", "Upgrade")],
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")],
])
def test_what_is_not_an_upgrade(tinylb, origin, headers):
    """Only websocket, and only when Connection names Upgrade; h2c in particular never gets through."""
    o = origin()
    c = tinylb(backends=[o.url]).client()
    assert c.get("/", headers).status == 200
    for name in ("upgrade", "http2-settings"):
        assert name not in o.last.headers
    assert "upgrade" not in o.last.headers.tokens("connection")


def test_old_client_cannot_upgrade(tinylb, origin):
    o = origin()
    assert tinylb(backends=[o.url]).get("/", UPGRADE, minor=0).status == 200
    assert "upgrade" not in o.last.headers


def test_upgrade_with_101_to_another_protocol(tinylb, origin):
    """A backend must not switch to what was not offered; whatever tinylb makes of it, it is no success
    that smuggles."""
    def handler(c, r):
        c.send("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nevil")
        c.wait_end()

    r = tinylb(backends=[origin(handler).url]).get("/", UPGRADE)
    assert r.status in (101, 502)


def test_half_closed_tunnel(tinylb, origin):
    """Each direction of a tunnel ends for itself."""
    o = tunnel_origin(origin)
    c = tinylb(backends=[o.url]).client()
    c.send_request("GET", "/", UPGRADE)
    assert c.response().status == 101
    c.send("ping")
    assert c.read(4) == b"ping"
    c.half_close()
    assert c.read_to_end() == b"bye"
    o.wait_no_connection()


def test_reset_tunnel(tinylb, origin):
    """A broken end breaks the other."""
    o = tunnel_origin(origin)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("GET", "/", UPGRADE)
    assert c.response().status == 101
    c.abort()
    o.wait_no_connection()


def test_reset_tunnel_of_the_backend(tinylb, origin):
    """The client must not take a broken tunnel for one that ended."""
    def handler(c, r):
        c.send(SWITCH)
        assert go.wait(DEADLINE)
        c.reset()

    go = threading.Event()
    o = origin(handler, read_body=False)
    c = tinylb(backends=[o.url]).client()
    c.send_request("GET", "/", UPGRADE)
    assert c.response().status == 101
    go.set()
    with pytest.raises(Closed) as e:
        c.read(1)
    assert e.value.reset


def test_tunnel_is_held_back(tinylb, origin):
    """A tunnel whose one end does not read stops the other, and both go on when it reads again."""
    total = 64 << 20

    def handler(c, r):
        c.send(SWITCH)
        for _ in range(total >> 20):
            c.send(b"t" * (1 << 20))
        c.close()

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client(rcvbuf=65536)
    c.send_request("GET", "/", UPGRADE)
    assert c.response().status == 101
    assert wait_still(lambda: o.connections[0].sent) < total
    received = len(c.reader.take(len(c.reader.buffer)))
    while c.reader.fill(1 << 20):
        received += len(c.reader.take(len(c.reader.buffer)))
    assert received == total


def test_tunnel_ends_with_the_program(tinylb, origin):
    """TERM lets a tunnel go on for the drain time and then ends it."""
    o = tunnel_origin(origin)
    lb = tinylb(backends=[o.url], timeouts={"drain": "500ms"})
    c = lb.client()
    c.send_request("GET", "/", UPGRADE)
    assert c.response().status == 101
    lb.term()
    assert lb.wait_exit() == 0
    assert c.at_end()
    wait_for(lambda: not o.open_connections)


@pytest.mark.bare("strace has to see what the program does")
def test_small_messages_are_not_put_off(tinylb, origin, directory):
    """Small pieces of bodies let others go first; small messages are what a tunnel is for. Where many of them are
    there at a time, each turn of the loop carries all that epoll told of."""
    if not shutil.which("strace") or program.has_address_sanitizer():
        pytest.skip("needs strace, and a program without AddressSanitizer")
    count = 200
    came = threading.Semaphore(0)

    def handler(c, r):
        c.send(SWITCH)
        assert c.reader.exactly(1) == b"M"
        came.release()
        c.wait_end()

    o = origin(handler, read_body=False)
    trace = os.path.join(directory, "calls")
    lb = tinylb(backends=[o.url], prefix=["strace", "-D", "-ff", "-q", "-e", "signal=none", "-o", trace])
    clients = [lb.client() for _ in range(count)]
    for c in clients:
        c.send_request("GET", "/", UPGRADE)
        assert c.response().status == 101
    worker = lb.worker
    os.kill(worker, signal.SIGSTOP)
    for c in clients:
        c.send("M")
    os.kill(worker, signal.SIGCONT)
    for _ in clients:
        assert came.acquire(timeout=DEADLINE)
    lb.close_clients()
    lb.stop()
    lines = process.read(f"{trace}.{worker}").decode("latin-1").splitlines()
    read = [i for i, line in enumerate(lines) if line.startswith("recvfrom(") and ', "M", ' in line]
    turns = [i for i in range(read[0], read[-1]) if lines[i].startswith("epoll_")]
    assert len(read) == count and len(turns) <= 5, f"{len(turns)} turns: libevent asks for 32, 64, 128 at a time"
