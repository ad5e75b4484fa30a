"""Which messages say that they went through here (Via), and requests that come back.

A request bears a token of the listener and route by which it came, in Via or in CDN-Loop. With that one
that goes in a circle ends after one round, and not only when it has too many fields.
"""

import re

import pytest

from lib.ports import reserve_port
from lib.wait import wait_for
from test_headers import answered, seen
from test_reload import change, reload

TOKEN = r"tinylb-[0-9a-f]{16}"


# --- which messages ---


@pytest.mark.rfc("9110 7.6.3")
@pytest.mark.parametrize("pool", [False, True])
def test_via_is_on(tinylb, origin, pool):
    on = {"top": {"via": "off"}, "pool": {"via": "on"}} if pool else {"top": {"via": "on"}}
    assert re.fullmatch("1.1 " + TOKEN, seen(tinylb, origin, **on).headers.one("via"))
    r = seen(tinylb, origin, [("Via", "1.1 first, 1.0 second")], minor=0, **on)
    first, second, ours = r.headers.tokens("via")
    assert (first, second) == ("1.1 first", "1.0 second") and re.fullmatch("1.0 " + TOKEN, ours)
    assert "cdn-loop" not in r.headers
    o = origin(lambda c, r: c.respond(200, b"x", [("Via", "1.1 first")], minor=0))
    assert tinylb(backends=[o.url], **on).get("/").headers.tokens("via") == ["1.1 first", "1.0 tinylb"]


@pytest.mark.rfc("8586 2")
def test_responses_alone_by_default(tinylb, origin):
    r = seen(tinylb, origin, [("Via", "1.1 first"), ("CDN-Loop", "a.example"), ("Connection", "cdn-loop")])
    assert r.headers.all("via") == ["1.1 first"]
    assert r.headers.all("cdn-loop")[0] == "a.example" and re.fullmatch(TOKEN, r.headers.all("cdn-loop")[1])
    assert answered(tinylb, origin, []).headers.all("via") == ["1.1 tinylb"]
    # what is answered here went through nobody
    assert "via" not in tinylb(backends=["http://127.0.0.1:1"]).get("/").headers


def test_off(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], top={"via": "off"})
    assert "via" not in lb.get("/").headers
    assert "via" not in o.last.headers and "cdn-loop" not in o.last.headers


def test_interim_responses_have_none(tinylb, origin):
    def hints(conn, request):
        conn.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        conn.respond(200, b"x")

    c = tinylb(backends=[origin(hints).url]).client()
    c.send_request("GET", "/")
    assert "via" not in c.head().headers
    assert c.response().headers.one("via") == "1.1 tinylb"


def test_nginx_compresses(tinylb, nginx, directory):
    """Its gzip_proxied is off by default: it compresses nothing for what has a Via."""
    with open(f"{directory}/page.txt", "w", encoding="ascii") as f:
        f.write("hello\n" * 1000)
    [server] = nginx(directory, "a")
    accepts = [("Accept-Encoding", "gzip")]

    def coding(**more):
        lb = tinylb(backends=[server.url], **more)
        return lb.get("/-gzip-/page.txt", accepts).headers.one("content-encoding")

    assert coding() == "gzip"
    assert coding(top={"via": "off"}) == "gzip"
    assert coding(top={"via": "on"}) is None


# --- loops ---


@pytest.mark.parametrize("via", ["on", "response"])
def test_loop(tinylb, via):
    """The only backend is the program itself."""
    lb = tinylb(backends=["http://127.0.0.1:@PORT@"], top={"via": via})
    r = lb.get("/")
    assert r.status == 508 and "Loop Detected" in r.text
    inner, outer = lb.access(2)
    assert (inner.status, inner.reason, inner.tries) == (508, "loop", 0)
    assert (outer.status, outer.reason, outer.tries) == (508, "done", 1)
    for _ in range(5):
        lb.get("/")
    assert len(lb.log_lines(r"listener 127\.0\.0\.1:\d+: a loop: requests for pool app come back here")) <= 2


def test_loop_over_others(tinylb, origin):
    """From one instance to another and back; each alone is passed once."""
    o = origin()
    port = reserve_port()
    second = tinylb(backends=[f"http://127.0.0.1:{port}"])
    first = tinylb(backends=[second.url], listen=(f"127.0.0.1:{port}",))
    c = first.client(("127.0.0.1", port))
    assert c.get("/").status == 508
    assert [line.reason for line in first.access(2)] == ["loop", "done"]
    assert [line.reason for line in second.access(1)] == ["done"]
    reload(second, second.settings.replace(f"http://127.0.0.1:{port}", o.url))
    wait_for(lambda: c.get("/").status == 200, "two balancers in a row")
    assert len(o.last.headers.all("cdn-loop")) == 2


ROUTES = """
workers = 1; log_level = "debug"; access_log = "@DIR@/access.log";
listeners = (
  { address = "127.0.0.1:@PORT@"; pool = "second"; routes = ( { path = "/a"; pool = "first"; }, { path = "/b"; pool = "app"; } ); },
  { address = "127.0.0.1:@PORT2@"; pool = "first"; } );
pools = (
  { name = "first"; backends = ( { url = "http://127.0.0.1:@PORT@/b"; } ); },
  { name = "second"; backends = ( { url = "http://127.0.0.1:@PORT2@"; } ); },
  { name = "app"; backends = ( { url = "ORIGIN"; } ); } );
"""


def test_other_listener_and_other_route_are_no_loop(tinylb, origin):
    """/ goes to the other listener, which goes to route /b here; /a goes there at once."""
    o = origin()
    lb = tinylb(settings=ROUTES.replace("ORIGIN", o.url))
    assert lb.get("/").status == 200
    assert o.last.target == "/b/" and len(set(o.last.headers.all("cdn-loop"))) == 3
    assert lb.get("/a/x").status == 200
    assert o.last.target == "/b/a/x" and len(set(o.last.headers.all("cdn-loop"))) == 2


def test_token_of_a_client_ends_its_own_request(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    token = o.last.headers.one("cdn-loop")
    assert c.get("/", [("Via", f"1.1 {token}")]).status == 508
    assert c.get("/", [("CDN-Loop", token[:-1])]).status == 200
    assert c.request("POST", "/", [("CDN-Loop", f"x, {token}")], body=b"x" * 100).status == 508
    assert lb.get("/").status == 200


def test_checks_are_no_requests_of_others(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], pool={"check": {"type": "http", "interval": "50ms"}})
    wait_for(lambda: len(o.requests) > 1, "checks")
    assert "via" not in o.requests[0].headers and "cdn-loop" not in o.requests[0].headers
    assert lb.get("/").status == 200


def test_token_outlives_a_reload(tinylb, origin):
    """Also where lists are in another order, so that a request that left before it comes back to the same."""
    o = origin()
    lb = tinylb(settings=ROUTES.replace("ORIGIN", o.url))
    assert lb.get("/b").status == 200
    before = o.last.headers.one("cdn-loop")
    assert before
    change(lb, r'(\{ path = "/a".*?\}), (\{ path = "/b".*?\})', r"\2, \1")
    reload(lb)
    assert lb.get("/b").status == 200
    assert o.last.headers.one("cdn-loop") == before


def test_other_instances_have_other_tokens(tinylb, origin):
    """With the same settings."""
    o = origin()
    settings = {"backends": [o.url], "listen": ("unix:@DIR@/front.sock", "127.0.0.1:0")}
    tokens = set()
    for _ in range(2):
        lb = tinylb(**settings)
        port = re.search(r"listening on .*127\.0\.0\.1:(\d+)", lb.log()).group(1)
        assert lb.client(("127.0.0.1", int(port))).get("/").status == 200
        tokens.add(o.last.headers.one("cdn-loop"))
        lb.stop()
    assert len(tokens) == 2
