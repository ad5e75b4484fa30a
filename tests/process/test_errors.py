"""What tinylb refuses, and how it says so.

Every answer of its own has a status, a line of text for whoever looks at it, the right ending of the
connection, and a line in the access log with the reason. Nothing of a refused request reaches a
backend: whoever is lenient with framing lets one client speak in another's name.
"""

import pytest

from lib.client import Closed, make_request
from lib.ports import reserve_port


@pytest.fixture
def pair(tinylb, origin):
    """The program and its only backend."""
    o = origin()
    return tinylb(backends=[o.url]), o


def check_text(r):
    assert r.headers.one("content-type").startswith("text/plain")
    assert r.text.startswith(f"{r.status} {r.reason}") and r.text.endswith("\n") and len(r.text) < 300
    assert r.headers.one("date").endswith(" GMT")


def refused(lb, o, raw, status, split=None):
    """The client is told, the connection ends, the log knows, the backend does not."""
    c = lb.client()
    before = len(lb.access_lines()), o.count
    c.send(raw, split)
    r = c.response()
    assert r.status == status, (raw[:200], r)
    check_text(r)
    assert r.headers.tokens("connection") == ["close"]
    # a follow-up on the same connection must not be taken for a request
    try:
        c.send("GET /followup HTTP/1.1\r\nHost: t\r\n\r\n")
        c.half_close()
        assert c.read_to_end() == b""
    except (OSError, Closed):
        pass
    line = lb.access(before[0] + 1)[-1]
    assert (line.status, line.reason, line.backend) == (status, "bad-request", "-")
    assert o.count == before[1]
    return r


def req(*lines, body=b""):
    return b"\r\n".join(x if isinstance(x, bytes) else x.encode("latin-1") for x in lines) + b"\r\n\r\n" + body


GET = "GET / HTTP/1.1"
POST = "POST / HTTP/1.1"
HOST = "Host: t"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n"

REQUEST_LINES = {
    "nothing": b"\r\n\r\n\r\n",
    "one word": req("GET"),
    "no version": req("GET /", HOST),
    "three words more": req("GET / HTTP/1.1 x", HOST),
    "two spaces": req("GET  / HTTP/1.1", HOST),
    "two spaces before version": req("GET /  HTTP/1.1", HOST),
    "tab": req("GET\t/ HTTP/1.1", HOST),
    "leading space": req(" GET / HTTP/1.1", HOST),
    "trailing space": req("GET / HTTP/1.1 ", HOST),
    "bad method": req("G@T / HTTP/1.1", HOST),
    "method with colon": req("GET: / HTTP/1.1", HOST),
    "empty method": req(" / HTTP/1.1", HOST),
    "relative target": req("GET index.html HTTP/1.1", HOST),
    "fragment": req("GET /a#b HTTP/1.1", HOST),
    "control in target": req(b"GET /a\x01 HTTP/1.1", HOST),
    "nul in target": req(b"GET /a\x00b HTTP/1.1", HOST),
    "delete in target": req(b"GET /\x7f HTTP/1.1", HOST),
    "high byte in target": req(b"GET /\xe9 HTTP/1.1", HOST),
    "asterisk with GET": req("GET * HTTP/1.1", HOST),
    "lower-case version": req("GET / http/1.1", HOST),
    "version without minor": req("GET / HTTP/1", HOST),
    "version of two digits": req("GET / HTTP/1.10", HOST),
    "version with space": req("GET / HTTP/ 1.1", HOST),
    "version of letters": req("GET / HTTP/x.y", HOST),
    "other protocol": req("GET / ICY/1.1", HOST),
    "absolute without host": req("GET http:///a HTTP/1.1", HOST),
    "absolute with userinfo": req("GET http://u:p@h/ HTTP/1.1", HOST),
    "tls hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 40,
}

FIELDS = {
    "no host": req(GET),
    "two hosts": req(GET, HOST, HOST),
    "two different hosts": req(GET, HOST, "Host: u"),
    "host with comma": req(GET, "Host: a, b"),
    "host with userinfo": req(GET, "Host: u@h"),
    "host with slash": req(GET, "Host: h/x"),
    "host with space": req(GET, "Host: a b"),
    "host with bad port": req(GET, "Host: h:x"),
    "host with half a bracket": req(GET, "Host: [::1"),
    "space before colon": req(GET, HOST, "A : b"),
    "tab before colon": req(GET, HOST, "A\t: b"),
    "no colon": req(GET, HOST, "nonsense"),
    "empty name": req(GET, HOST, ": b"),
    "bad name": req(GET, HOST, "A(b): c"),
    "high byte in name": req(GET, HOST, b"A\xe9: c"),
    "folded": req(GET, HOST, "A: b", " c"),
    "folded by tab": req(GET, HOST, "A: b", "\tc"),
    "space before the first": req(GET, " A: b", HOST),
    "nul in value": req(GET, HOST, b"A: b\x00c"),
    "control in value": req(GET, HOST, b"A: b\x01c"),
    "delete in value": req(GET, HOST, b"A: b\x7fc"),
    "bare CR in value": req(GET, HOST, b"A: b\rc"),
    "bare CR before CRLF": req(GET, HOST, b"A: b\r"),
    "bare LF": b"GET / HTTP/1.1\nHost: t\n\n",
    "bare LF in the middle": b"GET / HTTP/1.1\r\nHost: t\nA: b\r\n\r\n",
    "bare LF at the end": b"GET / HTTP/1.1\r\nHost: t\r\n\n",
    "CR CR LF": b"GET / HTTP/1.1\r\nHost: t\r\r\n\r\n",
}

FRAMING = {
    "length and chunked": req(POST, HOST, "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "chunked and length": req(POST, HOST, "Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED),
    "two lengths": req(POST, HOST, "Content-Length: 5", "Content-Length: 6", body=b"hello"),
    "two equal lengths": req(POST, HOST, "Content-Length: 5", "Content-Length: 5", body=b"hello"),
    "list of lengths": req(POST, HOST, "Content-Length: 5, 5", body=b"hello"),
    "empty length": req(POST, HOST, "Content-Length:", body=b"hello"),
    "length with plus": req(POST, HOST, "Content-Length: +5", body=b"hello"),
    "negative length": req(POST, HOST, "Content-Length: -5", body=b"hello"),
    "length in hex": req(POST, HOST, "Content-Length: 0x5", body=b"hello"),
    "length with a point": req(POST, HOST, "Content-Length: 5.0", body=b"hello"),
    "length with a space": req(POST, HOST, "Content-Length: 1 0", body=b"hello"),
    "length with a letter": req(POST, HOST, "Content-Length: 5a", body=b"hello"),
    "length beyond 64 bits": req(POST, HOST, "Content-Length: 18446744073709551621", body=b"hello"),
    "length of ninety digits": req(POST, HOST, "Content-Length: " + "9" * 90, body=b"hello"),
    "chunked in 1.0": req("POST / HTTP/1.0", HOST, "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked twice": req(POST, HOST, "Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
    "chunked in two fields": req(POST, HOST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"),
    "chunked with parameter": req(POST, HOST, "Transfer-Encoding: chunked;a=b", body=b"0\r\n\r\n"),
    "empty coding": req(POST, HOST, "Transfer-Encoding:", body=b"0\r\n\r\n"),
    "chunked with vertical tab": req(POST, HOST, b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "quoted": req(POST, HOST, 'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "space before colon": req(POST, HOST, "Transfer-Encoding : chunked", body=b"0\r\n\r\n"),
}

# Refused, but whether as malformed or as unsupported is a matter of taste.
CODINGS = {
    "identity": "identity",
    "gzip": "gzip",
    "gzip, chunked": "gzip, chunked",
    "chunked, identity": "chunked, identity",
    "chunked, gzip": "chunked, gzip",
    "xchunked": "xchunked",
    "chunkedx": "chunkedx",
}


@pytest.mark.rfc("9112 3")
@pytest.mark.parametrize("name", REQUEST_LINES)
def test_request_line(shared, name):
    refused(*shared, REQUEST_LINES[name], 400)


@pytest.mark.rfc("9112 5")
@pytest.mark.parametrize("name", FIELDS)
def test_fields(shared, name):
    for split in (None, 1):
        refused(*shared, FIELDS[name], 400, split)


@pytest.mark.rfc("9112 6")
@pytest.mark.parametrize("name", FRAMING)
def test_framing(shared, name):
    refused(*shared, FRAMING[name], 400)


@pytest.mark.rfc("9112 6.1")
@pytest.mark.parametrize("name", CODINGS)
def test_codings(pair, name):
    lb, o = pair
    raw = req(POST, HOST, f"Transfer-Encoding: {CODINGS[name]}", body=b"0\r\n\r\n")
    c = lb.client()
    c.send(raw)
    r = c.response()
    assert r.status in (400, 501) and not r.keeps_alive and o.count == 0
    check_text(r)
    if name in ("gzip", "gzip, chunked"):
        assert r.status == 501


@pytest.mark.rfc("9112 2.3")
@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/9.9"])
def test_other_versions(shared, version):
    refused(*shared, req(f"GET / {version}", HOST), 505)


def test_http2_preface(pair):
    """A client that speaks HTTP/2 without being asked gets an end, not a hang."""
    lb, o = pair
    c = lb.client()
    c.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    r = c.response()
    assert r.status in (400, 505) and not r.keeps_alive and o.count == 0


@pytest.mark.rfc("9110 9.3.6")
def test_connect(pair):
    """No proxy for whoever likes."""
    lb, o = pair
    c = lb.client()
    c.send(req("CONNECT example.com:443 HTTP/1.1", "Host: example.com:443"))
    r = c.response()
    assert r.status in (405, 501) and not r.keeps_alive and o.count == 0
    check_text(r)


@pytest.mark.rfc("9110 9.3.8")
def test_trace(pair):
    """It would show a client the fields that stand between it and the backend."""
    lb, o = pair
    c = lb.client()
    r = c.request("TRACE", "/")
    assert r.status in (405, 501) and o.count == 0
    check_text(r)


@pytest.mark.rfc("9110 7.6.2")
def test_max_forwards(pair):
    """OPTIONS counts its hops down, and at 0 it goes no further; of other methods the field means
    nothing."""
    lb, o = pair
    c = lb.client()
    r = c.request("OPTIONS", "/", [("Max-Forwards", "0")])
    assert r.status == 200 and o.count == 0
    c.request("OPTIONS", "/", [("Max-Forwards", "7")])
    assert o.last.headers.one("max-forwards") == "6"
    c.request("GET", "/", [("Max-Forwards", "0")])
    assert o.last.method == "GET" and o.last.headers.one("max-forwards") == "0"
    r = c.request("OPTIONS", "/", [("Max-Forwards", "x")])
    assert r.status == 400 and not r.keeps_alive


def test_long_method(pair):
    refused(*pair, req("A" * 100 + " / HTTP/1.1", HOST), 501)


@pytest.mark.rfc("9110 15.5.15")
def test_target_too_long(pair):
    refused(*pair, req("GET /" + "a" * 9000 + " HTTP/1.1", HOST), 414)


def test_target_without_end(pair):
    """It is refused as soon as it is too long, not when it ends."""
    lb, _ = pair
    c = lb.client()
    c.send("GET /" + "a" * 40000)
    assert c.response().status == 414


@pytest.mark.rfc("6585 5")
def test_too_many_fields(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], limits={"header_count": 20})
    assert lb.client().get("/", [(f"A{i}", "b") for i in range(19)]).status == 200
    refused(lb, o, make_request("GET", "/", [(f"A{i}", "b") for i in range(20)]), 431)


@pytest.mark.rfc("6585 5")
def test_head_too_large(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], limits={"header_size": "2k"})
    assert lb.client().get("/", [("A", "b" * 1900)]).status == 200
    for split in (None, 100):
        refused(lb, o, make_request("GET", "/", [("A", "b" * 2100)]), 431, split)


def test_head_without_end(pair):
    lb, _ = pair
    c = lb.client()
    c.send("GET / HTTP/1.1\r\nHost: t\r\nA: " + "b" * 40000)
    assert c.response().status == 431


def test_old_client_with_body_on_get(pair):
    """A body that a 1.0 server would not look for is a way to smuggle; tinylb may take it or refuse it,
    but never leave it lying for the next request."""
    lb, o = pair
    c = lb.client()
    c.send(req("GET / HTTP/1.0", HOST, "Connection: keep-alive", f"Content-Length: {len(SMUGGLED)}", body=SMUGGLED))
    r = c.response()
    assert r.status in (200, 400, 413)
    assert all(x.target != "/smuggled" for x in o.requests)


def test_leading_empty_line(pair):
    """One empty line before a request is tolerated (RFC 9112 2.2), as after an old client's POST."""
    lb, o = pair
    c = lb.client()
    c.send("\r\n" + "GET /1 HTTP/1.1\r\nHost: t\r\n\r\n" + "\r\n" + "GET /2 HTTP/1.1\r\nHost: t\r\n\r\n")
    assert c.response().status == 200 and c.response().status == 200


# --- answers for want of a backend's ---


def test_502_when_nothing_listens(tinylb):
    lb = tinylb(backends=[f"http://127.0.0.1:{reserve_port()}"])
    c = lb.client()
    for _ in range(2):
        r = c.get("/")
        assert r.status == 502 and r.keeps_alive
        check_text(r)
    assert c.request("HEAD", "/").status == 502
    assert [x.reason for x in lb.access(3)] == ["connect-failed"] * 3


def test_503_without_a_usable_backend(tinylb, origin):
    """All weights are 0: nothing is broken, but nobody is there."""
    o = origin()
    lb = tinylb(backends=[(o.url, 0)])
    r = lb.get("/")
    assert r.status == 503
    check_text(r)
    assert lb.access()[0].reason == "no-backend" and o.count == 0


BROKEN = {
    "garbage": b"garbage\r\n\r\n",
    "status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status 099": b"HTTP/1.1 099 OK\r\n\r\n",
    "status 000": b"HTTP/1.1 000 OK\r\n\r\n",
    "no version": b"200 OK\r\n\r\n",
    "version 2": b"HTTP/2.0 200 OK\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nhello",
    "length and chunked in 1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
    "space before colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
    "no colon": b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    "nul in value": b"HTTP/1.1 200 OK\r\nA: \x00\r\nContent-Length: 0\r\n\r\n",
    "CR in value": b"HTTP/1.1 200 OK\r\nA: b\rX: y\r\nContent-Length: 0\r\n\r\n",
    "head too large": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000 + b"\r\nContent-Length: 0\r\n\r\n",
    "too many fields": b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"Content-Length: 0\r\n\r\n",
    "interim without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 200,
    "only an interim": b"HTTP/1.1 103 Hints\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "nothing": b"",
}


@pytest.mark.rfc("9112 2.2")
@pytest.mark.parametrize("name", BROKEN)
def test_502_for_broken_answers(shared, name):
    """What a backend says wrong never reaches a client as if it were right."""
    def handler(c, r):
        if r.target == "/good":
            return b"good"
        c.send(BROKEN[name])
        c.close()
        return None

    lb, o = shared
    o.handler = handler
    before = len(lb.access_lines())
    c = lb.client()
    r = c.request("POST", "/", body=b"x")
    assert r.status == 502
    check_text(r)
    line = lb.access(before + 1)[before]
    assert line.status == 502 and line.reason in ("bad-response", "backend-closed", "truncated")
    if r.keeps_alive:
        assert c.get("/good").body == b"good"
    assert lb.get("/good").body == b"good"
    lb.access(before + 2 + r.keeps_alive)  # none is left for the next case


def test_504_when_the_backend_is_silent(tinylb, origin):
    def handler(c, _):
        c.wait_end()
        c.close()

    o = origin(handler)
    lb = tinylb(backends=[o.url], timeouts={"response": "300ms"})
    r = lb.get("/")
    assert r.status == 504
    check_text(r)
    assert lb.access()[0].reason == "backend-timeout"
    o.wait_no_connection()


def test_408_when_the_head_is_slow(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], timeouts={"request_header": "300ms"})
    c = lb.client()
    c.send("GET / HT")
    r = c.response()
    assert r.status == 408 and not r.keeps_alive
    check_text(r)
    assert c.at_end()
    assert lb.access()[0].reason == "head-timeout" and o.count == 0


def test_head_gets_no_body_with_errors(tinylb):
    lb = tinylb(backends=[f"http://127.0.0.1:{reserve_port()}"])
    c = lb.client()
    for _ in range(2):
        r = c.request("HEAD", "/")
        assert r.status == 502 and int(r.headers.one("content-length")) > 0


def test_error_for_an_old_client(tinylb):
    lb = tinylb(backends=[f"http://127.0.0.1:{reserve_port()}"])
    c = lb.client()
    r = c.get("/", minor=0)
    assert r.status == 502 and not r.keeps_alive and c.at_end()


def test_refusal_reaches_a_client_that_still_sends(pair):
    """The answer to a malformed request is not lost in a reset, however much follows it."""
    lb, _ = pair
    for _ in range(5):
        c = lb.client()
        c.send(b"GET / HTTP/1.1\r\nBad Field: x\r\n\r\n" + b"z" * 300000)
        r = c.response()
        assert r.status == 400
        c.half_close()
        assert c.at_end()


def test_error_while_the_request_is_still_coming(tinylb):
    """A 502 before the body is here ends the connection, because what follows is body."""
    lb = tinylb(backends=[f"http://127.0.0.1:{reserve_port()}"])
    c = lb.client()
    c.send(b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\nabc")
    r = c.response()
    assert r.status == 502 and not r.keeps_alive
    c.send(b"x" * 50000)
    c.half_close()
    assert c.at_end()


def test_the_program_survives_all_of_it(pair):
    """One worker, every malformed request, and after each a good one."""
    lb, o = pair
    pid = lb.worker
    for raw in [*REQUEST_LINES.values(), *FIELDS.values(), *FRAMING.values()]:
        c = lb.client()
        c.send(raw)
        assert c.response().status >= 400
        c.abort()
        assert lb.get("/").status == 200
    assert lb.worker == pid
    assert not any("smuggled" in r.target for r in o.requests)
