"""What goes on, what does not, and what is added: header fields, the Host, the path.

The reference is Go's httputil.ReverseProxy, on which the original program stood.
"""

import pytest

from lib.client import make_request


def seen(tinylb, origin, headers=(), method="GET", target="/", host="client.example", minor=1, path="", **more):
    """The request that a backend got."""
    o = origin()
    lb = tinylb(backends=[o.url + path], **more)
    c = lb.client()
    assert c.request(method, target, headers, host=host, minor=minor).status == 200
    o.last.authority = o.authority
    return o.last


def answered(tinylb, origin, headers, minor=1, **more):
    """The response that a client got for one of the backend's."""
    o = origin(lambda c, r: c.respond(200, b"x", headers, **more))
    return tinylb(backends=[o.url]).get("/", minor=minor)


# --- path ---


@pytest.mark.parametrize("path,target,joined", [
    ("", "/", "/"),
    ("", "/a/b", "/a/b"),
    ("/", "/a", "/a"),
    ("/base", "/", "/base/"),
    ("/base", "/a", "/base/a"),
    ("/base/", "/a", "/base/a"),
    ("/base/", "/", "/base/"),
    ("/a/b", "/c?d=/e//f", "/a/b/c?d=/e//f"),
    ("/base", "/?q", "/base/?q"),
])
def test_path_is_joined_with_one_slash(tinylb, origin, path, target, joined):
    assert seen(tinylb, origin, target=target, path=path).target == joined


@pytest.mark.rfc("9110 7.7")
@pytest.mark.parametrize("target", [
    "/a//b", "/a/../b", "/./a", "/%2e%2E/%2F", "/a%20b", "/a+b", "/~x;p=1", "/?", "/a?", "/??", "/?a=b&a=c",
    "/?%zz", "/?a=%41;b=%e2%82%ac", "/?x=a+b", "/?a|b", "/?{[\"]}", "/a?b?c", "/?http://x/", "/%00",
])
def test_target_goes_on_byte_for_byte(shared, target):
    """Nothing is decoded, normalised or put in order; least of all the query."""
    lb, o = shared
    assert lb.get(target).status == 200
    assert o.last.target == target


@pytest.mark.rfc("9112 3.2.2")
def test_absolute_form(tinylb, origin):
    """The target's host wins over the Host field."""
    r = seen(tinylb, origin, target="http://target.example/a?b", host="field.example", top={"host": "preserve"})
    assert r.target == "/a?b" and r.headers.one("host") == "target.example"
    assert r.headers.one("x-forwarded-host") == "target.example"


def test_absolute_form_without_path(tinylb, origin):
    assert seen(tinylb, origin, target="http://target.example").target == "/"
    assert seen(tinylb, origin, target="http://target.example?q").target == "/?q"


@pytest.mark.rfc("9112 3.2.4")
def test_asterisk_form(tinylb, origin):
    assert seen(tinylb, origin, method="OPTIONS", target="*").target == "*"


def test_long_target(tinylb, origin):
    target = "/" + "x" * 7000
    assert seen(tinylb, origin, target=target).target == target


# --- Host ---


@pytest.mark.rfc("9110 7.2")
def test_host_is_the_backends(tinylb, origin):
    r = seen(tinylb, origin)
    assert r.headers.one("host") == r.authority


def test_host_is_the_name_in_the_url(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[f"http://localhost:{o.port}"])
    lb.get("/")
    assert o.last.headers.one("host") == f"localhost:{o.port}"


def test_host_preserved(tinylb, origin):
    for host in ("client.example", "client.example:8080", "[::1]:80", "CLIENT.example"):
        r = seen(tinylb, origin, top={"host": "preserve"}, host=host)
        assert r.headers.one("host") == host


def test_host_per_pool(tinylb, origin):
    a, b, c = origin(), origin(), origin()
    lb = tinylb(
        top={"host": "preserve"},
        pools={"a": ([a.url], {}), "b": ([b.url], {"host": "backend"}), "c": ([c.url], {"host": "preserve"})},
        listeners=[("127.0.0.1:@PORT@", "a"), ("127.0.0.1:@PORT2@", "b"), ("127.0.0.1:@PORT3@", "c")])
    for port in lb.ports:
        assert lb.client(("127.0.0.1", port)).get("/", host="x.example").status == 200
    assert [o.last.headers.one("host") for o in (a, b, c)] == ["x.example", b.authority, "x.example"]


def test_old_client_without_host(tinylb, origin):
    for policy in ("backend", "preserve"):
        r = seen(tinylb, origin, host=None, minor=0, top={"host": policy})
        assert r.headers.one("host") == r.authority
        assert "x-forwarded-host" not in r.headers


# --- what is added ---


def test_forwarded_fields(tinylb, origin):
    r = seen(tinylb, origin)
    assert r.headers.one("x-forwarded-for") == "127.0.0.1"
    assert r.headers.one("x-forwarded-proto") == "http"
    assert r.headers.one("x-forwarded-host") == "client.example"


def test_forwarded_host_and_proto_are_ours(tinylb, origin):
    """A client cannot claim another host or scheme than it used."""
    r = seen(tinylb, origin, [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil"),
                              ("X-Forwarded-Host", "evil2")])
    assert r.headers.one("x-forwarded-proto") == "http"
    assert r.headers.one("x-forwarded-host") == "client.example"


@pytest.mark.rfc("9110 6.6.1")
def test_date_is_added_where_missing(tinylb, origin):
    assert answered(tinylb, origin, []).headers.one("date").endswith(" GMT")
    date = "Tue, 15 Nov 1994 08:12:31 GMT"
    assert answered(tinylb, origin, [("Date", date)]).headers.one("date") == date


def test_nothing_is_invented(tinylb, origin):
    """No User-Agent, Accept, Accept-Encoding, Server or other field that was not there."""
    r = seen(tinylb, origin)
    allowed = {"host", "cdn-loop", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"}
    assert {n.lower() for n, _ in r.headers} <= allowed
    r = answered(tinylb, origin, [])
    assert {n.lower() for n, _ in r.headers} <= {"content-length", "date", "via"}


# --- what goes on ---


@pytest.mark.rfc("9110 5.3")
def test_values_are_kept_apart_and_in_order(tinylb, origin):
    headers = [("X-A", "1"), ("Accept", "a/b"), ("x-a", "2"), ("X-B", ""), ("X-A", "3,4"), ("Accept", "c/d"),
               ("Cookie", "a=b; c=d"), ("Cookie", "e=f"), ("User-Agent", "me/1"), ("Authorization", "Basic eA==")]
    r = seen(tinylb, origin, headers)
    got = [(n, v) for n, v in r.headers if n.lower() in {n.lower() for n, _ in headers}]
    assert got == headers


def test_set_cookie_is_never_joined(tinylb, origin):
    headers = [("Set-Cookie", "a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT"), ("X", "y"), ("Set-Cookie", "b=2"),
               ("set-cookie", "c=3")]
    r = answered(tinylb, origin, headers)
    assert r.headers.all("set-cookie") == [v for n, v in headers if n.lower() == "set-cookie"]


def test_status_and_reason_go_on(tinylb, origin):
    o = origin(lambda c, r: c.respond(int(r.target[1:4]), b"", reason=r.target[5:].replace("_", " ")))
    c = tinylb(backends=[o.url]).client()
    for status, reason in ((200, "OK"), (299, "Odd but fine"), (418, "I'm a teapot"), (500, ""), (599, "x"),
                           (600, ""), (999, "Request denied")):
        r = c.get(f"/{status}/{reason.replace(' ', '_')}")
        assert (r.status, r.reason.strip()) == (status, reason)


@pytest.mark.parametrize("count, status", [(110, 200), (250, 200), (300, 502)])
def test_many_fields_of_a_response(tinylb, origin, count, status):
    """limits.header_count is for requests. A response may have 256 fields, and as many bytes as fit."""
    links = [("Link", f"</{i}.css>; rel=preload") for i in range(count)]
    r = answered(tinylb, origin, links)
    assert r.status == status
    if status == 200:
        assert r.headers.all("link") == [v for _, v in links]


def test_bytes_above_ascii(tinylb, origin):
    """obs-text in values is passed on as it is."""
    value = "caf\xe9 \xff\x80"
    assert seen(tinylb, origin, [("X-Text", value)]).headers.one("x-text") == value
    assert answered(tinylb, origin, [("X-Text", value)]).headers.one("x-text") == value


def test_white_space_around_values(tinylb, origin):
    o = origin()
    c = tinylb(backends=[o.url]).client()
    c.send("GET / HTTP/1.1\r\nHost: t\r\nX-A: \t b  c \t\r\nX-B:d\r\nX-C:\r\n\r\n")
    assert c.response().status == 200
    assert [o.last.headers.one(n) for n in ("x-a", "x-b", "x-c")] == ["b  c", "d", ""]


# --- what does not ---


@pytest.mark.rfc("9110 7.6.1")
def test_hop_by_hop_fields_of_a_request(tinylb, origin):
    headers = [("Connection", "keep-alive, X-Mine"), ("X-Mine", "1"), ("Keep-Alive", "timeout=5"),
               ("Proxy-Connection", "keep-alive"), ("TE", "gzip"), ("Trailer", "X-T"), ("X-Other", "stays"),
               ("Proxy-Authorization", "Basic eA=="), ("Connection", "x-second"), ("X-Second", "2")]
    r = seen(tinylb, origin, headers)
    for name in ("x-mine", "keep-alive", "proxy-connection", "te", "x-second", "proxy-authorization"):
        assert name not in r.headers, name
    assert r.headers.one("x-other") == "stays"
    assert set(r.headers.tokens("connection")) <= {"keep-alive"}


@pytest.mark.rfc("9110 7.6.1")
def test_hop_by_hop_fields_of_a_response(tinylb, origin):
    headers = [("Connection", "X-Mine, keep-alive"), ("X-Mine", "1"), ("Keep-Alive", "timeout=5"),
               ("Proxy-Connection", "keep-alive"), ("X-Other", "stays"), ("Upgrade", "h2c")]
    r = answered(tinylb, origin, headers)
    for name in ("x-mine", "keep-alive", "proxy-connection", "upgrade", "connection"):
        assert name not in r.headers, name
    assert r.headers.one("x-other") == "stays"


@pytest.mark.rfc("9110 15.5.22")
def test_what_to_upgrade_to_goes_on_in_a_426(tinylb, origin):
    """A 426 must have an Upgrade field, and Connection names it. Elsewhere Upgrade is an offer, which goes no
    further."""
    o = origin(lambda c, r: c.respond(int(r.target[1:]), b"x", [("Upgrade", "websocket, foo/2"), ("Connection", "upgrade")]))
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(2):
        r = c.get("/426")
        assert r.status == 426 and r.headers.tokens("upgrade") == ["websocket", "foo/2"]
        assert [t.lower() for t in r.headers.tokens("connection")] == ["upgrade"]
    r = lb.get("/426", [("Connection", "close")])
    assert [t.lower() for t in r.headers.tokens("connection")] == ["upgrade", "close"]
    for status in (200, 400, 404):
        r = c.get(f"/{status}")
        assert r.status == status and "upgrade" not in r.headers and "connection" not in r.headers


@pytest.mark.rfc("9110 15.5.8")
def test_the_challenge_goes_on_in_a_407(tinylb, origin):
    o = origin(lambda c, r: c.respond(int(r.target[1:]), b"x", [("Proxy-Authenticate", 'Basic realm="x"')]))
    lb = tinylb(backends=[o.url])
    assert lb.get("/407").headers.one("proxy-authenticate") == 'Basic realm="x"'
    assert "proxy-authenticate" not in lb.get("/200").headers


def test_connection_cannot_remove_what_matters(tinylb, origin):
    """A client names Host, Content-Length or the fields that tinylb adds; they stay nevertheless."""
    o = origin(lambda c, r: r.body)
    c = tinylb(backends=[o.url]).client()
    named = "host, content-length, x-forwarded-for, x-forwarded-proto, x-forwarded-host, cdn-loop, cookie"
    r = c.request("POST", "/", [("Connection", named), ("Cookie", "a=b")], b"body")
    assert r.body == b"body"
    h = o.last.headers
    assert h.one("host") == o.authority and h.one("content-length") == "4"
    assert h.one("x-forwarded-for") == "127.0.0.1" and h.one("x-forwarded-proto") == "http"
    assert "x-forwarded-host" in h and len(h.tokens("cdn-loop")) == 1
    assert "cookie" not in h


@pytest.mark.rfc("9110 10.1.4")
def test_te_trailers_goes_on(tinylb, origin):
    """Go's proxy keeps it, because gRPC asks for it."""
    r = seen(tinylb, origin, [("TE", "trailers"), ("Connection", "TE")])
    assert r.headers.tokens("te") == ["trailers"]
    r = seen(tinylb, origin, [("TE", "gzip, trailers;q=0.5"), ("Connection", "TE")])
    assert r.headers.tokens("te") in ([], ["trailers"])


def test_underscores_cannot_pass_for_ours(tinylb, origin):
    """Backends that turn fields into variables cannot tell X_Forwarded_For from X-Forwarded-For."""
    r = seen(tinylb, origin, [("X_Forwarded_For", "evil"), ("X_Real_IP", "evil"), ("Other_Name", "stays")])
    assert "evil" not in r.head.decode("latin-1")
    assert r.headers.one("other_name") == "stays"


def test_content_length_of_two_sizes_in_a_response(tinylb, origin):
    def handler(c, r):
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")

    assert tinylb(backends=[origin(handler).url]).get("/").status == 502


def test_head_with_the_most_fields(tinylb, origin):
    """The limits are limits on what is refused, not on what works."""
    headers = [(f"X-{i}", "v" * 300) for i in range(98)]
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for split in (None, 997):
        c.send(make_request("GET", "/", headers), split)
        assert c.response().status == 200
        assert [(n, v) for n, v in o.last.headers if n.startswith("X-") and n[2:].isdigit()] == headers


def test_large_response_head(tinylb, origin):
    headers = [(f"X-{i}", "v" * 400) for i in range(70)]
    r = answered(tinylb, origin, headers)
    assert [(n, v) for n, v in r.headers if n.startswith("X-")] == headers
