"""Upgrade to anything: what docker exec and attach (tcp), kubectl exec (SPDY/3.1) and others ask for becomes a
tunnel after a 101 that names it, as WebSocket does; with a body, behind that. No other version of HTTP, and no
TLS, gets through: a tunnel of these would hide requests."""

import shutil
import subprocess
import threading

import pytest

from lib import process
from lib.origin import KEPT
from lib.message import chunked
from lib.ports import reserve_port
from lib.wait import DEADLINE, wait_for

JSON = b'{"Detach":false,"Tty":true}'


def ask(protocol, *more):
    return [("Connection", "Upgrade"), ("Upgrade", protocol), *more]


def switch(protocol, after=b""):
    return f"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n\r\n".encode() + after


def echo(c):
    """Sends back what comes until the other side ends, then ends."""
    while c.reader.buffer or c.reader.fill():
        c.send(c.reader.take(len(c.reader.buffer)))
    c.close()


def switching(protocol=None, after=b""):
    """A handler that switches to what was asked for, or to `protocol`, when the request is whole, and echoes. What
    is no Upgrade gets a 200."""
    def handler(c, r):
        if "upgrade" not in r.headers:
            return b"no upgrade"
        c.send(switch(protocol or r.headers.one("upgrade"), after))
        echo(c)
        return None

    return handler


def check_tunnel(c, *messages):
    for message in messages or (b"ping", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\xff" * 10, b"x" * 300_000):
        c.send(message)
        assert c.read(len(message)) == message
    c.half_close()
    assert c.at_end()


# What asks for a tunnel today: method, protocol, body, other fields.
PEERS = {
    "docker exec": ("POST", "tcp", JSON, [("Content-Type", "application/json")]),
    "docker attach": ("POST", "tcp", None, [("Content-Length", "0")]),
    "kubectl exec": ("POST", "SPDY/3.1", None, [("X-Stream-Protocol-Version", "v4.channel.k8s.io")]),
    "kubectl cp": ("GET", "SPDY/3.1", None, []),
    "connect-udp": ("GET", "connect-udp", None, [("Capsule-Protocol", "?1")]),
    "put": ("PUT", "Any.Name/9", b"x" * 300_000, []),
    "options": ("OPTIONS", "foo", b"x", []),
    "chunked": ("POST", "tcp", chunked([b"one", b"two"]), [("Transfer-Encoding", "chunked")]),
}


@pytest.mark.rfc("9110 7.8")
@pytest.mark.parametrize("peer", PEERS)
def test_tunnel(shared, peer):
    """What the backend has is the request with its whole body, and behind it the client's bytes as they are."""
    method, protocol, body, headers = PEERS[peer]
    lb, o = shared
    o.handler = switching(after=b"welcome")
    before = len(lb.access_lines())
    c = lb.client()
    c.send_request(method, "/exec/1/start", ask(protocol, *headers), body)
    r = c.response()
    assert r.status == 101 and r.headers.tokens("connection") == ["upgrade"]
    assert r.headers.one("upgrade") == protocol
    assert c.read(7) == b"welcome"
    check_tunnel(c)
    assert o.last.method == method and o.last.headers.one("upgrade") == protocol
    assert o.last.headers.tokens("connection") == ["upgrade"]
    assert o.last.body == (b"onetwo" if peer == "chunked" else body or b"")
    for name, value in headers:
        assert o.last.headers.one(name) == value
    line = lb.access(before + 1)[-1]
    assert line.status == 101 and line.reason == "upgraded" and line.bytes > 300_000


def test_bytes_in_the_same_packet(shared):
    """What a hasty client sends behind its body belongs to the tunnel, in whatever pieces all of it comes."""
    lb, o = shared
    o.handler = switching()
    for split in (None, 1, 7):
        c = lb.client()
        c.send(b"POST / HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}GET / early",
               split)
        assert c.response().status == 101
        assert c.read(11) == b"GET / early"
        check_tunnel(c)
        assert o.last.body == b"{}"


@pytest.mark.rfc("9110 7.8")
@pytest.mark.parametrize("framing", ["Transfer-Encoding: chunked", "Content-Length: 5"])
def test_switch_before_the_body_is_whole(tinylb, origin, framing):
    """A backend that does not wait for the body (node's does not) may switch: the client sends the rest of the
    body first, and the backend gets it framed as it was."""
    def handler(c, r):
        c.send(switch("tcp", b"hello"))
        c.read_body()
        bodies.append(r.body)
        echo(c)

    bodies = []
    o = origin(handler, read_body=False)
    c = tinylb(backends=[o.url]).client()
    c.send(f"POST / HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n{framing}\r\n\r\n")
    assert c.response().status == 101
    assert c.read(5) == b"hello"
    for piece in ("5\r\nab", "cde\r\n0\r\n\r", "\n3\r\nraw") if "chunked" in framing else ("ab", "cde3\r\nraw"):
        c.send(piece)
    assert c.read(6) == b"3\r\nraw"
    assert bodies == [b"abcde"]
    check_tunnel(c)


@pytest.mark.parametrize("how", ["end", "reset", "malformed"])
def test_body_that_is_cut_behind_the_switch(tinylb, origin, how):
    """The backend must not take a part of a body for all of it, nor what follows for the tunnel's."""
    def handler(c, _):
        c.send(switch("tcp"))
        try:
            c.read_body()
        except Exception as e:
            ends.append(e)
        c.close()

    ends = []
    lb = tinylb(backends=[origin(handler, read_body=False).url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert c.response().status == 101
    c.send("5\r\nab")
    if how == "end":
        c.half_close()
    elif how == "reset":
        c.abort()
    else:
        c.send("cdeX")
    wait_for(lambda: ends)
    assert lb.access()[0].reason == ("bad-request" if how == "malformed" else "upgraded")


@pytest.mark.rfc("9110 7.8")
def test_continue_comes_first(tinylb, origin):
    """A 101 in place of the 100 that a client waits for would lose its body; behind the 100 it is fine."""
    def handler(c, r):
        if r.target == "/good":
            c.send("HTTP/1.1 100 Continue\r\n\r\n")
            c.read_body()
        c.send(switch("tcp"))
        echo(c)

    o = origin(handler, read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send_request("POST", "/bad", ask("tcp", ("Expect", "100-continue"), ("Content-Length", "2")))
    assert c.response().status == 502
    c = lb.client()
    c.send_request("POST", "/good", ask("tcp", ("Expect", "100-continue"), ("Content-Length", "2")))
    assert c.head().status == 100
    c.send("{}")
    assert c.response().status == 101
    check_tunnel(c)
    assert o.last.body == b"{}"


# What a client says, and what the backend hears of it.
OFFERS = {
    "several": ([("Upgrade", "a/1, b ,, c")], "a/1, b, c"),
    "two fields": ([("Upgrade", "a"), ("X", "y"), ("upgrade", "b/2")], "a, b/2"),
    "h2c": ([("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")], None),
    "h2c of old": ([("Upgrade", "h2c-14")], None),
    "HTTP/2.0": ([("Upgrade", "HTTP/2.0")], None),
    "TLS": ([("Upgrade", "TLS/1.2, HTTP/1.1")], None),
    "h2c in front": ([("Upgrade", "h2c, tcp"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")], "tcp"),
    "h2c behind": ([("Upgrade", "tcp"), ("Upgrade", "H2C")], "tcp"),
    "empty": ([("Upgrade", "")], None),
    "two words": ([("Upgrade", "tcp udp")], None),
    "one of them malformed": ([("Upgrade", 'tcp, "udp"')], None),
    "many": ([("Upgrade", ",".join(f"p{i}" for i in range(17)))], None),
}


@pytest.mark.rfc("9110 7.8")
def test_offers(shared):
    """Several protocols are one offer, in their order; those that hide requests are left out of it, and the backend
    may switch to any that is left, only to one, and to no other."""
    answer = []

    def handler(c, r):
        if "upgrade" not in r.headers:
            return b"no upgrade"
        c.send(switch(answer[0] or r.headers.one("upgrade").split(", ")[-1], b"hello"))
        echo(c)
        return None

    lb, o = shared
    o.handler = handler
    for name, (fields, heard) in OFFERS.items():
        for answer[:] in ([None], ["h2c"], ["other"], ["a/1, b"]):
            c = lb.client()
            c.send_request("GET", "/", [("Connection", "Upgrade, HTTP2-Settings"), *fields])
            r = c.response()
            assert o.last.headers.one("upgrade") == heard, name
            assert "http2-settings" not in o.last.headers
            if heard is None:
                assert r.status == 200 and r.body == b"no upgrade", name
            elif answer[0] is None:
                assert r.status == 101 and r.headers.one("upgrade") == heard.split(", ")[-1], name
                assert c.read(5) == b"hello"
            else:
                assert r.status == 502 and b"hello" not in r.body, (name, answer)
            c.close()


def test_name_in_another_case(shared):
    lb, o = shared
    o.handler = switching("TCP")
    c = lb.client()
    c.send_request("POST", "/", ask("tcp"), JSON)
    assert c.response().status == 101
    check_tunnel(c)


@pytest.mark.parametrize("status", [200, 400, 404, 426])
@pytest.mark.parametrize("body", [None, JSON])
def test_refusal_is_ordinary_http(shared, status, body):
    """Any other status is no tunnel, whatever its fields say: what the client sends next is a request, and its bytes
    do not reach the backend as they are. A server that took the body for bytes of the other protocol would take
    what follows for a request of its own, so that connection is not used again."""
    def handler(c, r):
        if r.target == "/one":
            c.respond(status, b"no", ask("tcp", *KEPT))
        else:
            c.respond(200, b"two", KEPT)

    lb, o = shared
    o.handler = handler
    before = len(o.requests)
    c = lb.client()
    c.send_request("POST", "/one", ask("tcp"), body)
    c.send_request("GET", "/two")
    assert c.response().status == status
    r = c.response()
    assert r.status == 200 and r.body == b"two"
    one, two = o.requests[before:]
    assert one.target == "/one" and two.target == "/two"
    assert (one.connection == two.connection) == (body is None)


def test_raw_stream_of_old_daemons(shared):
    """A daemon that does not switch but answers 200 and streams until it closes: an ordinary answer."""
    def handler(c, _):
        c.send("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n")
        c.send(b"\1\0\0\0\0\0\0\5hello")
        assert go.wait(DEADLINE)
        heard.append(bytes(c.reader.buffer))
        c.close()

    go, heard = threading.Event(), []
    lb, o = shared
    o.handler = handler
    c = lb.client()
    c.send_request("POST", "/containers/1/attach", ask("tcp"), JSON)
    c.send("input")
    go.set()
    r = c.response()
    assert r.status == 200 and r.headers.one("content-type") == "application/vnd.docker.raw-stream"
    assert r.body == b"\1\0\0\0\0\0\0\5hello"
    assert heard == [b""]


@pytest.mark.rfc("9110 7.8")
def test_old_client(shared):
    """The Upgrade of an HTTP/1.0 client is ignored."""
    lb, o = shared
    o.handler = switching()
    r = lb.client().request("POST", "/", ask("tcp"), JSON, minor=0)
    assert r.status == 200 and r.body == b"no upgrade" and o.last.body == JSON


def test_setting(tinylb, origin):
    """A pool may allow some only, by name or with their version. What is not allowed is not offered, and the request
    goes on without it."""
    o = origin(switching())
    some = tinylb(backends=[o.url], pool={"upgrade": ["WebSocket", "SPDY/3.1", "a"]})
    none = tinylb(backends=[o.url], pool={"upgrade": []})
    for protocol, heard in (("websocket", "websocket"), ("spdy/3.1", "spdy/3.1"), ("SPDY/3", None), ("SPDY", None),
                            ("a/5", "a/5"), ("tcp", None), ("tcp, A/1, h2c, spdy/3.1", "A/1, spdy/3.1")):
        for lb, wanted in ((some, heard), (none, None)):
            c = lb.client()
            c.send_request("POST", "/", ask(protocol), JSON)
            if wanted and "," in wanted:
                assert c.response().status == 502  # the backend named both
            else:
                assert c.response().status == (101 if wanted else 200), (protocol, wanted)
            assert o.last.headers.one("upgrade") == wanted
            assert o.last.body == JSON
            c.close()


def test_what_is_sent_twice(tinylb, origin):
    """A request for a tunnel is sent again as any other of its method: GET is, POST is not."""
    def handler(c, r):
        if r.target == "/":
            return b"kept"
        if r.connection == 0 and r.index == 1:
            c.close()
            return None
        c.send(switch(r.headers.one("upgrade")))
        echo(c)
        return None

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    assert lb.get("/").body == b"kept"
    c = lb.client()
    c.send_request("GET", "/tunnel", ask("tcp"))
    assert c.response().status == 101
    check_tunnel(c)
    assert [r.target for r in o.requests] == ["/", "/tunnel", "/tunnel"]
    p = origin(handler)
    lb = tinylb(backends=[p.url])
    assert lb.get("/").body == b"kept"
    c = lb.client()
    c.send_request("POST", "/tunnel", ask("tcp"))
    assert c.response().status == (502 if p.last.index == 1 else 101)
    assert [r.target for r in p.requests] == ["/", "/tunnel"]


NODE = """
const server = require('http').createServer((request, response) => response.end('no upgrade'));
server.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy());
  socket.write('HTTP/1.1 101 UPGRADED\\r\\nConnection: Upgrade\\r\\nUpgrade: ' + request.headers.upgrade + '\\r\\n\\r\\n');
  socket.write(request.method + ' ' + request.url + '\\n');
  socket.write(head);
  socket.on('data', (data) => socket.write(data));
  socket.on('end', () => socket.end());
});
server.listen(Number(process.argv[1]), '127.0.0.1');
"""

NODE_CLIENT = """
const request = require('http').request({ port: Number(process.argv[1]), method: 'POST', path: '/exec',
  headers: { Connection: 'Upgrade', Upgrade: 'tcp', 'Content-Length': 0 } });
request.on('upgrade', (response, socket, head) => {
  let all = head.toString();
  socket.on('data', (data) => {
    all += data;
    if (all.endsWith('ping')) { console.log(response.statusCode + ' ' + response.headers.upgrade + ' ' + all); socket.end(); }
  });
  socket.write('ping');
});
request.end();
"""


@pytest.mark.bare("it is about node")
@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_node(tinylb):
    """A real server and a real client that know nothing of the protocol."""
    port = reserve_port()
    server = subprocess.Popen(["node", "-e", NODE, str(port)])
    try:
        wait_for(lambda: process.listening(port))
        lb = tinylb(backends=[f"http://127.0.0.1:{port}"])
        for protocol in ("tcp", "SPDY/3.1", "foo"):
            c = lb.client()
            c.send_request("POST", "/a", ask(protocol))
            assert c.response().status == 101
            assert c.read(8) == b"POST /a\n"
            check_tunnel(c)
        assert lb.get("/").body == b"no upgrade"
        said = subprocess.run(["node", "-e", NODE_CLIENT, str(lb.port)], capture_output=True, timeout=DEADLINE,
                              check=True).stdout
        assert said == b"101 tcp POST /exec\nping\n"
    finally:
        server.kill()
        server.wait()
