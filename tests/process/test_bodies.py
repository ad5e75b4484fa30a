"""Bodies arrive whole, framed as the receiver can take them, however the sender cut them up.

Every framing, both ways: Content-Length, chunked (with odd boundaries, extensions and trailers),
delimited by close, and none; for 1.1 and 1.0 clients; and what surrounds bodies: HEAD, 204, 304,
1xx, Expect: 100-continue.
"""

import itertools
import random
import threading
import time

import pytest

from lib.client import Closed, chunked, make_request
from lib.origin import KEPT
from lib.wait import DEADLINE

SIZES = [0, 1, 2, 100, 4095, 4096, 4097, 16384, 65535, 65536, 1_000_003]


def content(size):
    """Bytes in which a lost, doubled or swapped piece shows."""
    return b"".join(b"%08x" % i for i in range(size // 8 + 1))[:size]


def pieces(data, seed=1, largest=9000):
    """The same bytes cut at random."""
    r = random.Random(seed)
    out = []
    while data:
        n = r.choice((1, 2, 3, 15, 16, 17, 255, 256, 4096, r.randrange(1, largest)))
        out.append(data[:n])
        data = data[n:]
    return out


# --- requests ---


@pytest.mark.rfc("9112 6.2")
def test_request_with_length(tinylb, origin):
    o = origin(lambda c, r: c.respond(200, b"", KEPT))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for size in SIZES:
        assert c.request("POST", "/", body=content(size)).status == 200
        assert o.last.framing == "length" if size else o.last.headers.one("content-length") == "0"
        assert o.last.body == content(size)
    assert len(o.connections) == 1


@pytest.mark.rfc("9112 7.1")
def test_request_chunked(tinylb, origin):
    o = origin(lambda c, r: c.respond(200, b"", KEPT))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for size in SIZES:
        # extensions are bounded: a few will do
        extension = b";name=value" if size < 10000 else b""
        body = chunked(pieces(content(size)), extension=extension, upper=size % 2 == 1)
        assert c.request("PUT", "/", [("Transfer-Encoding", "chunked")], body).status == 200
        assert o.last.framing == "chunked" and o.last.body == content(size)
        assert not o.last.extensions and "content-length" not in o.last.headers
    assert len(o.connections) == 1


@pytest.mark.parametrize("split", [1, 2, 3, 7])
def test_request_in_small_pieces(tinylb, origin, split):
    """Every boundary of packets falls somewhere: in the request line, in a field, in a chunk's size,
    between CR and LF."""
    o = origin(lambda c, r: r.body)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    data = content(400)
    r = c.request("POST", "/x?y=z", [("A", "b")], data, split=split)
    assert r.body == data
    body = chunked(pieces(data, largest=40), [("X-T", "1")], b';q="a b"')
    r = c.request("POST", "/", [("Transfer-Encoding", "chunked")], body, split=split)
    assert r.body == data and o.last.trailers == [("X-T", "1")]


def test_request_cut_in_two_anywhere(tinylb, origin):
    """Two packets, the cut at each byte in turn, with the next request behind."""
    o = origin(lambda c, r: c.respond(200, r.target.encode() + r.body, KEPT))
    lb = tinylb(backends=[o.url], log_level="notice")
    c = lb.client()
    raw = make_request("POST", "/one?a=b", [("Transfer-Encoding", "chunked"), ("X-A", "b")],
                       chunked([b"first", b"second"], [("X-T", "t")], b";e")) + make_request("GET", "/two")
    for i in range(1, len(raw)):
        c.send(raw[:i])
        c.send(raw[i:])
        assert c.response().body == b"/one?a=bfirstsecond", i
        assert c.response().body == b"/two", i
    assert len(o.connections) == 1


def test_response_cut_in_two_anywhere(tinylb, origin):
    raw = (b"HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"
           + chunked([b"first", b"second"], [("X-T", "t")], b";e"))

    def handler(c, r):
        i = int(r.target[1:])
        c.send(raw[:i])
        c.send(raw[i:])

    o = origin(handler)
    lb = tinylb(backends=[o.url], log_level="notice")
    c = lb.client()
    for i in range(1, len(raw)):
        r = c.get(f"/{i}")
        assert r.body == b"firstsecond" and r.trailers == [("X-T", "t")] and len(r.interim) == 1, i
    assert len(o.connections) == 1


@pytest.mark.parametrize("size_line", [b"5", b"05", b"0005", b"5 ", b"5;a", b"5;a=b;c", b'5;a="b c"', b"5 ;a"])
@pytest.mark.rfc("9112 7.1.1")
def test_ways_to_write_a_chunk(tinylb, origin, size_line):
    """Leading zeros and extensions are legal and mean nothing; they are not handed on. Space after the
    size is BWS, legal before an extension only, and may be refused."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(make_request("POST", "/", [("Transfer-Encoding", "chunked")]) + size_line
           + b"\r\nhello\r\n0\r\n\r\n")
    r = c.response()
    if r.status == 400 and b" " in size_line.partition(b'"')[0]:
        return
    assert r.status == 200 and o.last.body == b"hello" and not o.last.extensions


@pytest.mark.parametrize("line", [b"", b"x", b"0x5", b"-5", b"+5", b"5,", b" 5", b"5;", b"5\t", b"5\x00", b"5;a\x01", b"5;a\rb",
                                  b"10000000000000005", b"ffffffffffffffff", b"5;a=" + b"b" * 5000])
@pytest.mark.rfc("9112 7.1")
def test_ways_not_to_write_a_chunk(tinylb, origin, line):
    """Whoever is lenient here reads another message than the next one on the way."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(make_request("POST", "/", [("Transfer-Encoding", "chunked")]) + line
           + b"\r\nhello\r\n0\r\n\r\n")
    r = c.response()
    assert r.status == 400 and not r.keeps_alive
    c.half_close()
    assert c.at_end()
    o.wait_no_connection()
    assert all(x.aborted for x in o.requests)


@pytest.mark.parametrize("body", [b"5\nhello\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n",
                                  b"4\r\nhello\r\n0\r\n\r\n", b"5\r\nhello\r0\r\n\r\n", b"5\r\nhello\r\n0\n\n",
                                  b"5\r\nhello\r\n0\r\n\n", b"5\r\r\nhello\r\n0\r\n\r\n"])
@pytest.mark.rfc("9112 7.1")
def test_lines_of_chunks_end_in_crlf(tinylb, origin, body):
    o = origin()
    lb = tinylb(backends=[o.url])
    for split in (None, 1):
        c = lb.client()
        c.send(make_request("POST", "/", [("Transfer-Encoding", "chunked")]) + body, split)
        r = c.response()
        assert r.status == 400 and not r.keeps_alive
    o.wait_no_connection()
    assert all(x.aborted for x in o.requests)


@pytest.mark.rfc("9112 6.3")
def test_request_without_body_gets_none(tinylb, origin):
    """No framing is invented: neither Content-Length: 0 nor an empty chunked body."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for method in ("GET", "HEAD", "DELETE", "OPTIONS", "POST"):
        c.request(method, "/")
        assert "content-length" not in o.last.headers or method == "POST"
        assert "transfer-encoding" not in o.last.headers


@pytest.mark.rfc("9110 9.3")
@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PATCH", "PROPFIND"])
def test_body_with_any_method(tinylb, origin, method):
    """Framing does not depend on the method."""
    o = origin(lambda c, r: r.body)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.request(method, "/", body=b"some").body == b"some"
    body = chunked([b"more"])
    assert c.request(method, "/", [("Transfer-Encoding", "chunked")], body).body == b"more"
    assert c.get("/").body == b""


def test_old_client_sends_a_body(tinylb, origin):
    o = origin(lambda c, r: r.body)
    lb = tinylb(backends=[o.url])
    assert lb.client().request("POST", "/", body=b"old", minor=0).body == b"old"


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_request_cut_off(tinylb, origin, framing):
    """A body that breaks off is never made to look whole."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    if framing == "length":
        c.send(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n12345")
    else:
        c.send(b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
    o.wait_requests(1)
    c.half_close()
    o.wait_no_connection()
    assert o.requests[0].aborted
    assert lb.get("/").status == 200


# --- responses ---


def answer(framing, data, split=None):
    def handler(c, r):
        if framing == "length":
            c.respond(200, data, split=split)
        elif framing == "chunked":
            c.respond_chunked(pieces(data), extension=b";x=y" if len(data) < 10000 else b"", split=split)
        elif framing == "close":
            c.head(200)
            c.send(data, split)
            c.close()
        else:
            c.head(200, minor=0)
            c.send(data, split)
            c.close()

    return handler


@pytest.mark.rfc("9112 6.3")
@pytest.mark.parametrize("minor", [1, 0])
@pytest.mark.parametrize("framing", ["length", "chunked", "close", "old"])
def test_response(tinylb, origin, framing, minor):
    o = origin(lambda c, r: answer(framing, content(int(r.target[1:])))(c, r))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for size in SIZES:
        if minor == 0:
            c = lb.client()
        r = c.get(f"/{size}", minor=minor)
        assert r.status == 200 and r.body == content(size) and not r.extensions
        if framing == "length":
            assert r.framing == "length"
        else:
            assert r.framing == ("chunked" if minor else "close")
        assert r.keeps_alive == bool(minor)


@pytest.mark.parametrize("split", [1, 2, 3, 7])
@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_response_in_small_pieces(tinylb, origin, framing, split):
    o = origin(answer(framing, content(400), split))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(2):
        r = c.get("/")
        assert r.body == content(400)


def test_both_bodies_every_framing(tinylb, origin):
    """Each framing of the request with each of the response, on one client connection."""
    data = content(30000)
    o = origin(lambda c, r: answer(r.target[1:], r.body)(c, r))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for way, back in itertools.product(("length", "chunked"), ("length", "chunked", "close", "old")):
        if way == "length":
            r = c.request("POST", f"/{back}", body=data)
        else:
            r = c.request("POST", f"/{back}", [("Transfer-Encoding", "chunked")], chunked(pieces(data)))
        assert r.body == data, (way, back)


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_response_cut_off(tinylb, origin, framing, how):
    """A response that breaks off is cut off for the client too: no last chunk, no orderly end that
    could be taken for the whole."""
    def handler(c, _):
        if framing == "length":
            c.head(200, [("Content-Length", "100")])
            c.send("12345")
        else:
            c.head(200, [("Transfer-Encoding", "chunked")])
            c.send("5\r\n12345\r\n")
        go.wait(DEADLINE)
        getattr(c, how)()

    go = threading.Event()
    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    c.send_request("GET", "/")
    r = c.head()
    if framing == "length":
        assert c.read(5) == b"12345"
    else:
        assert "chunked" in r.headers.tokens("transfer-encoding")
        assert c.reader.chunk()[0] == b"12345"
    go.set()
    with pytest.raises(Closed):
        c.read(1)
    assert lb.access()[0].reason == "truncated"


def test_close_delimited_response_reset(tinylb, origin):
    """What ends with a reset did not end: the client must not get a last chunk."""
    def handler(c, _):
        c.head(200)
        c.send("12345")
        go.wait(DEADLINE)
        c.reset()

    go = threading.Event()
    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    c.send_request("GET", "/")
    c.head()
    assert c.reader.chunk()[0] == b"12345"
    go.set()
    with pytest.raises(Closed):
        c.read(1)


# --- trailers ---


@pytest.mark.rfc("9110 6.5")
def test_trailers_both_ways(tinylb, origin):
    """Trailers go on as trailers, never merged into the head; those that steer framing, routing or
    authentication are dropped (RFC 9110 6.5.1)."""
    sent = [("X-Sum", "1"), ("X-Sum", "2"), ("Content-Length", "5"), ("Transfer-Encoding", "chunked"),
            ("Host", "evil"), ("Authorization", "evil"), ("Connection", "x-sum"), ("X-End", "3")]
    kept = [("X-Sum", "1"), ("X-Sum", "2"), ("X-End", "3")]
    o = origin(lambda c, r: c.respond_chunked([b"ab"], trailers=sent))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for split in (None, 1):
        r = c.request("POST", "/", [("Transfer-Encoding", "chunked"), ("TE", "trailers")],
                      chunked([b"xyz"], sent), split=split)
        assert r.body == b"ab" and r.trailers == kept
        assert o.last.body == b"xyz" and o.last.trailers == kept
        assert "x-sum" not in r.headers and "x-sum" not in o.last.headers


def test_trailers_for_an_old_client(tinylb, origin):
    """Where there is no chunked coding there are no trailers, and they do not end up in the body."""
    o = origin(lambda c, r: c.respond_chunked([b"ab"], trailers=[("X-Sum", "1")]))
    r = tinylb(backends=[o.url]).get("/", minor=0)
    assert r.body == b"ab" and r.framing == "close" and "x-sum" not in r.headers


@pytest.mark.parametrize("trailer", [b"no colon", b"A : b", b" A: b", b"A: b\x00", b"A: b\rc"])
def test_bad_trailers_of_a_request(tinylb, origin, trailer):
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send(make_request("POST", "/", [("Transfer-Encoding", "chunked")]) + b"1\r\nx\r\n0\r\n" + trailer
           + b"\r\n\r\n")
    r = c.response()
    assert r.status == 400 and not r.keeps_alive and c.at_end()
    assert not o.requests or o.requests[0].aborted or not o.requests[0].body


def test_bad_trailers_of_a_response(tinylb, origin):
    def handler(c, _):
        c.head(200, [("Transfer-Encoding", "chunked")])
        c.send("2\r\nab\r\n0\r\nno colon\r\n\r\n")

    lb = tinylb(backends=[origin(handler).url])
    with pytest.raises(Closed):
        lb.get("/")


# --- no body ---


@pytest.mark.rfc("9110 9.3.2")
def test_head(tinylb, origin):
    """A response to HEAD has no body, whatever its fields announce, and the fields stay."""
    def handler(c, r):
        if r.target == "/length":
            c.respond(200, b"x" * 1000)
        elif r.target == "/chunked":
            c.head(200, [("Transfer-Encoding", "chunked")])
        elif r.target == "/neither":
            c.head(200, [("X-A", "b")])
        else:
            return b"get"

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.request("HEAD", "/length").headers.one("content-length") == "1000"
    assert c.get("/").body == b"get"
    assert c.request("HEAD", "/chunked").status == 200
    assert c.get("/").body == b"get"
    assert c.request("HEAD", "/neither").headers.one("x-a") == "b"
    assert c.get("/").body == b"get"
    assert len(o.connections) == 1
    assert lb.client().request("HEAD", "/length", minor=0).headers.one("content-length") == "1000"


@pytest.mark.rfc("9112 6.3")
def test_204_and_304(tinylb, origin):
    """They have no body, even where a backend announces one; a 204 loses that announcement
    (RFC 9110 8.6), a 304 keeps it."""
    def handler(c, r):
        if r.target == "/204":
            c.head(204, [("Content-Length", "0")])
        elif r.target == "/304":
            c.head(304, [("Content-Length", "100"), ("ETag", '"a"')])
        elif r.target == "/bare":
            c.head(304)
        else:
            return b"get"

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for target, status in (("/204", 204), ("/304", 304), ("/bare", 304)):
        r = c.get(target)
        assert r.status == status and r.body == b"" and r.keeps_alive
        if target == "/304":
            assert r.headers.one("etag") == '"a"' and r.headers.one("content-length") == "100"
        assert c.get("/").body == b"get"


def test_empty_responses(tinylb, origin):
    def handler(c, r):
        if r.target == "/length":
            c.respond(200, b"")
        elif r.target == "/chunked":
            c.respond_chunked([])
        else:
            c.head(200)
            c.close()

    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    for target in ("/length", "/chunked", "/close") * 2:
        r = c.get(target)
        assert r.status == 200 and r.body == b"" and r.keeps_alive


# --- interim responses ---


@pytest.mark.rfc("9110 15.2")
def test_interim_responses(tinylb, origin):
    """They go on, in order, each with its fields; an old client, which knows none, gets none."""
    def handler(c, r):
        c.send("HTTP/1.1 102 Processing\r\n\r\n")
        c.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nLink: </b.css>\r\n\r\n")
        c.send("HTTP/1.1 103 Early Hints\r\nLink: </c.css>\r\n\r\n")
        return b"final"

    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    for _ in range(2):
        r = c.get("/")
        assert [i.status for i in r.interim] == [102, 103, 103] and r.body == b"final"
        assert r.interim[1].headers.all("link") == ["</a.css>", "</b.css>"]
    r = lb.get("/", minor=0)
    assert r.interim == [] and r.body == b"final"


def test_interim_response_arrives_at_once(tinylb, origin):
    """A hint that waits for the answer is none."""
    def handler(c, r):
        c.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        assert go.wait(DEADLINE)
        return b"final"

    go = threading.Event()
    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    c.send_request("GET", "/")
    assert c.head().status == 103
    go.set()
    assert c.response().body == b"final"


def test_interim_responses_for_long(tinylb, origin):
    """A backend may say for long that it is still at it, and each time it is waited for anew; but not without end as
    fast as it can."""
    def handler(c, r):
        for _ in range(40 if r.target == "/slow" else 5000):
            c.send("HTTP/1.1 102 Processing\r\n\r\n")
            if r.target == "/slow":
                time.sleep(0.05)
        return b"final"

    lb = tinylb(backends=[origin(handler).url], timeouts={"response": "1s"})
    r = lb.get("/slow")
    assert len(r.interim) == 40 and r.body == b"final"
    r = lb.get("/fast")
    assert r.status == 502 and 100 < len(r.interim) < 5000
    assert [line.reason for line in lb.access(2)] == ["done", "bad-response"]


# --- Expect: 100-continue ---


@pytest.mark.rfc("9110 10.1.1")
def test_expect_continue(tinylb, origin):
    """The backend is asked; its 100 goes to the client, and then the body to it."""
    o = origin(lambda c, r: r.body)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(2):
        c.send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert c.head().status == 100
        c.send("hello")
        assert c.response().body == b"hello"
    assert o.last.headers.tokens("expect") == ["100-continue"]


def test_expect_without_waiting(tinylb, origin):
    """A client may send the body before the 100."""
    o = origin(lambda c, r: r.body)
    c = tinylb(backends=[o.url]).client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
    r = c.response()
    assert r.body == b"hello" and [i.status for i in r.interim] in ([], [100])


def test_expect_refused(tinylb, origin):
    """A backend that does not want the body says so instead of 100; the body is not waited for, and
    both connections end, because nobody can know whether it still comes."""
    o = origin(lambda c, r: c.respond(403, b"no"), read_body=False)
    lb = tinylb(backends=[o.url])
    c = lb.client()
    c.send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    r = c.response()
    assert r.status == 403 and r.body == b"no" and not r.keeps_alive
    c.half_close()
    assert c.at_end()
    o.wait_no_connection()


def test_expect_of_an_old_client_is_ignored(tinylb, origin):
    o = origin(lambda c, r: r.body)
    c = tinylb(backends=[o.url]).client()
    c.send("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
    r = c.response()
    assert r.body == b"hello" and r.interim == [] and "expect" not in o.last.headers


@pytest.mark.rfc("9110 10.1.1")
def test_expectations_are_a_list(tinylb, origin):
    """417 is for a member that is not 100-continue. Empty members say nothing (RFC 9110 5.6.1)."""
    o = origin(lambda c, r: r.body)
    lb = tinylb(backends=[o.url])
    for value, expected in (("", []), (",", []), ("100-continue,", ["100-continue"]),
                            ("100-continue, 100-continue", ["100-continue"])):
        r = lb.client().request("POST", "/", [("Expect", value)], b"hello")
        assert (r.status, r.body) == (200, b"hello"), value
        assert o.last.headers.tokens("expect") == expected, value
    count = o.count
    for value in ("a-miracle", "100-continue, a-miracle"):
        assert lb.client().get("/", [("Expect", value)]).status == 417
    assert o.count == count
