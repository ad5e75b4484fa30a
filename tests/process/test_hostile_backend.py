"""Backends are trusted by half: whatever one of them says or does costs the request that it was given,
and no other.

For each way to misbehave: what the client gets; the reason in the access log, and the message where
there is more to say; that nobody is sent onto the connection on which it happened, and that tinylb ends
it; and that the next request, waiting right behind on the client's connection or coming on another,
gets its own answer."""

import contextlib
import itertools
import re
import threading

import pytest

from lib.client import Closed, make_request
from lib.message import framing_of, read_body
from lib.origin import make_response
from lib.wait import DEADLINE, wait_for

GOOD = make_request("GET", "/good")
EVIL = make_response(200, b"evil")
HEAD = b"HTTP/1.1 200 Fine\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
CUT = "cut"  # the answer breaks off

# What one connection may take of what never ends before that is called taking it all.
MUCH = 64 << 20

BAD = {
    # (RFC, what the client gets, reason, message, bytes or an iterator of what never ends)
    "surplus byte": ("9112 9.2", 200, "done", "connection closed: bytes came behind a response",
                     make_response(200, b"fine") + b"x"),
    "surplus response": ("9112 9.2", 200, "done", "connection closed: bytes came behind a response",
                         make_response(200, b"fine") + EVIL),
    "more than its length": ("9112 6.3", 200, "done", "connection closed: bytes came behind a response",
                             HEAD + b"Content-Length: 4\r\n\r\nfine, or not"),
    "surplus behind chunks": ("9112 9.2", 200, "done", "connection closed: bytes came behind a response",
                              CHUNKED + b"4\r\nfine\r\n0\r\n\r\n" + EVIL),
    "body behind 204": ("9112 6.3", 204, "done", "connection closed: bytes came behind a response",
                        b"HTTP/1.1 204 None\r\n\r\n" + EVIL),
    "two lengths": ("9112 6.3", 502, "bad-response", "bad response: several Content-Length fields",
                    HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nevil!"),
    "length and chunks": ("9112 6.3", 502, "bad-response", "bad response: both",
                          CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Length: 4\r\n\r\n") + b"0\r\n\r\n"),
    "length of less than nothing": ("9112 6.3", 502, "bad-response", "bad response: bad Content-Length",
                                    HEAD + b"Content-Length: -4\r\n\r\nevil"),
    "bad chunk size": ("9112 7.1", CUT, "bad-response", "bad response: bad chunk size",
                       CHUNKED + b"4\r\nfine\r\n-1\r\n" + EVIL),
    "chunk longer than its size": ("9112 7.1", CUT, "bad-response", "bad response: chunk line does not end",
                                   CHUNKED + b"4\r\nfine, or not\r\n0\r\n\r\n"),
    "bad trailer": ("9112 7.1.2", CUT, "bad-response", "bad response: bad field name",
                    CHUNKED + b"4\r\nfine\r\n0\r\n: x\r\n\r\n"),
    "no HTTP": ("9112 4", 502, "bad-response", "bad response: bad status line", b"220 mail.example ESMTP\r\n"),
    "101 unasked": ("9110 15.2.2", 502, "bad-response", "bad response: 101 that does not name one",
                    b"HTTP/1.1 101 Switching\r\n\r\n" + EVIL),
    "101 to websocket unasked": ("9110 7.8", 502, "bad-response", "bad response: a 101 that was not asked for",
                                 b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" + EVIL),
    "interim responses without end": ("9110 15.2", 502, "bad-response", "bad response: too many interim",
                                      itertools.repeat(b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n" * 100)),
    "fields without end": ("9110 5.4", 502, "bad-response", "bad response: too many fields",
                           itertools.chain([HEAD], itertools.repeat(b"A: b\r\n" * 1000))),
    "a value without end": ("9110 5.4", 502, "bad-response", "bad response: head is too long",
                            itertools.chain([HEAD + b"A: "], itertools.repeat(b"b" * 10000))),
    "a reason without end": ("9112 4", 502, "bad-response", "bad response: head is too long",
                             itertools.chain([b"HTTP/1.1 200 "], itertools.repeat(b"b" * 10000))),
    "a status line without end": ("9112 4", 502, "bad-response", "bad response: bad status line",
                                  itertools.repeat(b"0" * 10000)),
    "extensions without end": ("9112 7.1.1", CUT, "bad-response", "bad response: too many chunk extensions",
                               itertools.chain([CHUNKED + b"4"], itertools.repeat(b";a=b" * 1000))),
    "sizes longer than chunks": ("9112 7.1", CUT, "bad-response", "bad response: chunks are too small",
                                    itertools.chain([CHUNKED], itertools.repeat(b"0000000000000001\r\nx\r\n" * 30))),
    "trailers without end": ("9110 5.4", CUT, "bad-response", "bad response: t",
                             itertools.chain([CHUNKED + b"4\r\nfine\r\n0\r\n"], itertools.repeat(b"A: b\r\n" * 500))),
}


def say(conn, what):
    """Sends bytes, or what never ends until nobody takes it any more."""
    for piece in [what] if isinstance(what, bytes) else what:
        assert conn.sent < MUCH, "all of it was taken"
        with contextlib.suppress(TimeoutError):
            conn.send(piece)


def trap(origin, work, **more):
    """A backend that does `work` where /trap is asked for, and else what is right."""
    def handler(conn, request):
        if request.path == "/trap":
            return work(conn)
        return b"good"

    return origin(handler, **more)


def spring(client, status, request=None):
    """Asks for what goes wrong, with the next request right behind, and takes what comes of the first.
    It happens on a connection that has been in use."""
    assert client.get("/good").body == b"good"
    client.send(request or make_request("POST", "/trap", body=b"body") + GOOD)
    if status == CUT:
        with pytest.raises(Closed):
            client.response()
        return False
    r = client.response()
    assert r.status == status
    assert b"evil" not in r.body
    return r.keeps_alive


def check_rest(lb, o, client, kept, reason, message=None):
    """Those who come next, the connection on which it happened, and the logs."""
    if kept:
        assert client.response().body == b"good"
    else:
        assert client.at_end()
    assert lb.client().get("/good").body == b"good"
    bad = [r for r in o.requests if r.path == "/trap"]
    # on the connection of the request before, or, where that was idle for long on a busy machine, on a fresh one
    assert len(bad) == 1
    assert not any(r.connection == bad[0].connection and r.index > bad[0].index for r in o.requests)
    wait_for(o.connections[bad[0].connection].ended.is_set, "the end of the bad connection")
    line = lb.access(3)[1]
    assert "/trap" in line.request and line.backend == o.url and line.reason == reason
    if message:
        lb.wait_log(re.escape(f"{o.url}: {message}"))


def parameters(table):
    return [pytest.param(*row[1:], id=name, marks=pytest.mark.rfc(row[0])) for name, row in table.items()]


@pytest.mark.parametrize("status, reason, message, what", parameters(BAD))
def test_what_it_says(tinylb, origin, status, reason, message, what):
    o = trap(origin, lambda conn: say(conn, what))
    lb = tinylb(backends=[o.url])
    client = lb.client()
    kept = spring(client, status)
    check_rest(lb, o, client, kept, reason, message)


# Where it ends in the middle of something: what it has said, what the client gets, and the reason.
STATES = {
    "before it answers": ("9112 9.3.1", 502, "backend-closed", b""),
    "in a status line": ("9112 8", 502, "backend-closed", b"HTTP/1.1 20"),
    "in a head": ("9112 8", 502, "backend-closed", HEAD + b"Content-Le"),
    "behind an interim response": ("9110 15.2", 502, "backend-closed", b"HTTP/1.1 103 Hints\r\n\r\n"),
    "behind a head": ("9112 8", CUT, "truncated", HEAD + b"Content-Length: 4\r\n\r\n"),
    "in a body": ("9112 8", CUT, "truncated", HEAD + b"Content-Length: 4\r\n\r\nfin"),
    "in a chunk": ("9112 8", CUT, "truncated", CHUNKED + b"4\r\nfin"),
    "before the last chunk": ("9112 8", CUT, "truncated", CHUNKED + b"4\r\nfine\r\n"),
    "in trailers": ("9112 8", CUT, "truncated", CHUNKED + b"4\r\nfine\r\n0\r\nA: "),
    "behind its answer": ("9112 9.3", 200, "done", make_response(200, b"fine")),
}


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("status, reason, what", parameters(STATES))
def test_where_it_ends(tinylb, origin, status, reason, what, end):
    def work(conn):
        conn.send(what)
        # a reset destroys what has not been taken yet: it comes when the client has what is to come
        if not (end == "reset" and went_on) or arrived.wait(DEADLINE):
            getattr(conn, end)()

    went_on = status in (CUT, 200)
    arrived = threading.Event()
    o = trap(origin, work)
    lb = tinylb(backends=[o.url])
    client = lb.client()
    assert client.get("/good").body == b"good"
    client.send(make_request("POST", "/trap", body=b"body") + (b"" if status == 200 else GOOD))
    if went_on:
        head = client.head()
        arrived.set()
    if status == CUT:
        assert head.status == 200
        with pytest.raises(Closed):
            read_body(client.reader, head, *framing_of(head, False, True))
        kept = False
    elif status == 200:
        assert client.read(4) == b"fine"
        wait_for(o.connections[0].ended.is_set, "the backend's end")
        client.send(GOOD)
        kept = True
    else:
        kept = client.response().keeps_alive
    check_rest(lb, o, client, kept, reason)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_ends_while_the_request_comes(tinylb, origin, end):
    """Half of the body is sent, and there is no answer: a 502, and the client's connection ends, for
    the rest of the body would be its next request."""
    o = trap(origin, lambda conn: getattr(conn, end)(), read_body=False)
    lb = tinylb(backends=[o.url])
    client = lb.client()
    request = b"POST /trap HTTP/1.1\r\nHost: t\r\nContent-Length: %d\r\n\r\n" % (len(GOOD) + 1)
    kept = spring(client, 502, request)
    assert not kept
    check_rest(lb, o, client, kept, "backend-closed")


def test_refuses_connections(tinylb, origin):
    """Nothing listens where there was a backend, and then it does again."""
    o = origin(lambda conn, request: b"good")
    lb = tinylb(backends=[o.url])
    client = lb.client()
    assert client.get("/good").body == b"good"
    o.refuse()
    o.close_connections()
    o.wait_no_connection()
    r = client.request("POST", "/trap", body=b"body")
    assert r.status == 502 and r.keeps_alive
    o.start()
    assert client.get("/good").body == b"good"
    assert lb.access(2)[1].reason == "connect-failed"
    lb.wait_log(re.escape(f"{o.url}: cannot connect: Connection refused"))


@pytest.mark.rfc("9112 9.5")
@pytest.mark.parametrize("framing", ["Content-Length: 99", "Transfer-Encoding: chunked"])
def test_answers_before_the_request_is_whole(tinylb, origin, framing):
    """The answer goes on at once, the connections end with the client's: the rest of the body must be nobody's
    request, neither there nor here."""
    o = trap(origin, lambda conn: conn.respond(200, b"early"), read_body=False)
    lb = tinylb(backends=[o.url])
    client = lb.client()
    kept = spring(client, 200, f"POST /trap HTTP/1.1\r\nHost: t\r\n{framing}\r\n\r\n")
    assert not kept
    client.half_close()
    check_rest(lb, o, client, kept, "request-cut")


@pytest.mark.rfc("9112 9.2")
@pytest.mark.parametrize("what", [EVIL, b"x", b"\r\n", b"HTTP/1.1 408 Timeout\r\nConnection: close\r\n\r\n"])
def test_speaks_unasked(tinylb, origin, what):
    """On a connection that is kept and idle: it ends, and what was said is said to nobody."""
    idle = threading.Event()

    def work(conn):
        conn.respond(200, b"fine")
        assert idle.wait(DEADLINE)
        conn.send(what)

    o = trap(origin, work)
    lb = tinylb(backends=[o.url])
    client = lb.client()
    kept = spring(client, 200, make_request("POST", "/trap", body=b"body"))
    idle.set()
    wait_for(o.connections[0].ended.is_set, "the end of the bad connection")
    client.send(GOOD)
    check_rest(lb, o, client, kept, "done", "connection closed: bytes came while it was idle")
