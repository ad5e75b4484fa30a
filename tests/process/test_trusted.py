"""Who is believed: what peers say of the client, and the ids of requests.

Nobody is trusted unless the settings say so; a trusted peer is a proxy in front of this one.
"""

import re

import pytest

from test_headers import seen
from test_reload import reload

CLAIMS = [
    ("X-Forwarded-For", "6.6.6.6"), ("x-forwarded-for", "6.6.6.7"), ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "evil"), ("X-Forwarded-Server", "evil"), ("X-Forwarded", "6.6.6.6"),
    ("x-FORWARDED-client-cert-of-any-length", "evil"), ("X-Real-IP", "6.6.6.6"),
    ("Forwarded", "for=6.6.6.6;proto=https"), ("X-Request-Id", "evil-id"),
]
TWINS = [
    ("X_Forwarded_For", "evil"), ("X_FORWARDED-HOST", "evil"), ("X-Forwarded_Proto", "evil"), ("X_Real_IP", "evil"),
    ("X_Forwarded_Prefix", "evil"), ("X.Forwarded.For", "evil"), ("X-Real+IP", "evil"), ("X_Forwarded", "evil"), ("X_Forwarded_Of_Any_Length_At_All", "evil"), ("X_Request_Id", "evil"),
]
MADE = re.compile(r"[0-9a-f]{32}")


def names(r):
    return [n.lower() for n, _ in r.headers]


# --- nobody is trusted ---


@pytest.mark.parametrize("forwarded", ["x-forwarded", "rfc7239", "both", "off"])
def test_claims_of_a_stranger_are_replaced(tinylb, origin, forwarded):
    """RFC 7239 8.1; CVE-2023-27487."""
    r = seen(tinylb, origin, CLAIMS + TWINS + [("X-Other", "stays")], top={"forwarded": forwarded})
    text = r.head.decode("latin-1")
    assert "6.6.6" not in text and "evil" not in text and "https" not in text
    assert r.headers.one("x-other") == "stays"
    assert ("x-forwarded-for" in r.headers) == (forwarded in ("x-forwarded", "both"))
    assert ("forwarded" in r.headers) == (forwarded in ("rfc7239", "both"))
    assert "x-real-ip" not in r.headers and "x-forwarded-port" not in r.headers
    assert MADE.fullmatch(r.headers.one("x-request-id"))


@pytest.mark.rfc("7239 4")
def test_forwarded(tinylb, origin):
    r = seen(tinylb, origin, top={"forwarded": "rfc7239"}, host="client.example")
    assert r.headers.one("forwarded") == "for=127.0.0.1;host=client.example;proto=http"
    assert not any(n.startswith("x-forwarded") for n in names(r))
    r = seen(tinylb, origin, top={"forwarded": "rfc7239"}, host="client.example:81")
    assert r.headers.one("forwarded") == 'for=127.0.0.1;host="client.example:81";proto=http'
    r = seen(tinylb, origin, top={"forwarded": "rfc7239"}, host=None, minor=0)
    assert r.headers.one("forwarded") == "for=127.0.0.1;proto=http"


@pytest.mark.rfc("7239 6.1")
def test_forwarded_of_an_ipv6_client(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], listen=("[::1]:@PORT@",), top={"forwarded": "both"})
    assert lb.client(("::1", lb.port)).get("/", host="[::1]").status == 200
    assert o.last.headers.one("forwarded") == 'for="[::1]";host="[::1]";proto=http'
    assert o.last.headers.one("x-forwarded-for") == "::1"


def test_both(tinylb, origin):
    r = seen(tinylb, origin, top={"forwarded": "both"}, host="h")
    assert r.headers.one("forwarded") == "for=127.0.0.1;host=h;proto=http"
    assert r.headers.one("x-forwarded-for") == "127.0.0.1" and r.headers.one("x-forwarded-host") == "h"
    assert r.headers.one("x-forwarded-proto") == "http"


def test_off(tinylb, origin):
    assert sorted(names(seen(tinylb, origin, top={"forwarded": "off"}))) == ["cdn-loop", "host", "x-request-id"]


# --- the peer is trusted ---


def trusting(tinylb, origin, headers, networks="127.0.0.0/8", forwarded="x-forwarded", **more):
    return seen(tinylb, origin, headers, top={"trusted": [networks], "forwarded": forwarded}, **more)


def test_for_is_appended(tinylb, origin):
    """The chain is kept, in one field; several fields are joined in their order."""
    r = trusting(tinylb, origin, [("X-Forwarded-For", "1.1.1.1"), ("A", "b"), ("X-Forwarded-For", ""),
                                  ("x-forwarded-for", "2.2.2.2, 3.3.3.3")])
    assert r.headers.one("x-forwarded-for") == "1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1"
    assert trusting(tinylb, origin, []).headers.one("x-forwarded-for") == "127.0.0.1"


def test_host_and_proto_of_the_first_proxy_stay(tinylb, origin):
    r = trusting(tinylb, origin, [("X-Forwarded-Host", "www.example"), ("X-Forwarded-Proto", "https"),
                                  ("X-Forwarded-Port", "443"), ("X-Real-IP", "1.1.1.1")])
    assert r.headers.one("x-forwarded-host") == "www.example"
    assert r.headers.one("x-forwarded-proto") == "https"
    assert r.headers.one("x-forwarded-port") == "443"
    assert r.headers.one("x-real-ip") == "1.1.1.1"
    r = trusting(tinylb, origin, [("X-Forwarded-Proto", "https")], host="h")
    assert r.headers.one("x-forwarded-host") == "h" and r.headers.one("x-forwarded-proto") == "https"


@pytest.mark.rfc("7239 4")
def test_forwarded_is_appended(tinylb, origin):
    r = trusting(tinylb, origin, [("Forwarded", "for=1.1.1.1;proto=https"), ("Forwarded", 'for="[::2]"'),
                                  ("X-Forwarded-For", "1.1.1.1")], forwarded="rfc7239", host="h")
    assert r.headers.one("forwarded") == 'for=1.1.1.1;proto=https, for="[::2]", for=127.0.0.1;host=h;proto=http'
    assert r.headers.one("x-forwarded-for") == "1.1.1.1"  # as it came


@pytest.mark.rfc("7239 4")
@pytest.mark.parametrize("open_end", ['for="_x', 'for=_x\\', 'for="_x\\"', "for=(x", 'for=(")'])
def test_open_ends_do_not_swallow_what_is_added(tinylb, origin, open_end):
    """A client's quote that a trusted proxy let through would make our own element a part of the client's. What stands
    before it goes as well: it must not move to the place of an element that a proxy wrote."""
    said = [("Forwarded", "for=admin"), ("Forwarded", open_end + ", for=1.1.1.1"), ("Forwarded", "for=2.2.2.2"),
            ("X-Forwarded-For", open_end), ("X-Forwarded-For", "3.3.3.3"), ("Via", "1.1 a (" + open_end), ("Via", "1.1 b")]
    r = trusting(tinylb, origin, said, forwarded="both", host="h", pool={"via": "on"})
    assert r.headers.one("forwarded") == "for=2.2.2.2, for=127.0.0.1;host=h;proto=http"
    assert r.headers.one("x-forwarded-for") == "3.3.3.3, 127.0.0.1"
    kept, ours = r.headers.all("via")
    assert kept == "1.1 b" and ours.startswith("1.1 tinylb-")


def test_off_leaves_what_a_trusted_peer_says(tinylb, origin):
    r = trusting(tinylb, origin, CLAIMS, forwarded="off")
    assert [(n, v) for n, v in r.headers if (n, v) in CLAIMS] == CLAIMS


@pytest.mark.parametrize("forwarded", ["x-forwarded", "both", "off"])
def test_twins_go_whoever_sends_them(tinylb, origin, forwarded):
    """CVE-2024-45614: servers behind a CGI-like interface cannot tell them from the real ones."""
    r = trusting(tinylb, origin, TWINS + [("Other_Name", "stays")], forwarded=forwarded)
    assert "evil" not in r.head.decode("latin-1")
    assert r.headers.one("other_name") == "stays"


def test_connection_cannot_remove_claims(tinylb, origin):
    r = trusting(tinylb, origin, [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "1.1.1.1"),
                                  ("X-Forwarded-Port", "443"), ("X-Request-Id", "a-1"),
                                  ("Connection", "X-Forwarded-Proto, X-Forwarded-For, X-Forwarded-Port"),
                                  ("Connection", "X-Request-Id")])
    assert r.headers.one("x-forwarded-for") == "1.1.1.1, 127.0.0.1"
    assert r.headers.one("x-forwarded-proto") == "https" and r.headers.one("x-forwarded-port") == "443"
    assert r.headers.one("x-request-id") == "a-1"


def test_only_those_in_the_networks(tinylb, origin, connect):
    o = origin()
    lb = tinylb(backends=[o.url], top={"trusted": ["127.0.0.2", "10.0.0.0/8", "2001:db8::/32"]}, listen=("*:@PORT@",))
    for source, believed in (("127.0.0.1", False), ("127.0.0.2", True), ("127.0.0.3", False)):
        c = connect(("127.0.0.1", lb.port), source=(source, 0))
        assert c.get("/", [("X-Forwarded-For", "1.1.1.1")]).status == 200
        assert o.last.headers.one("x-forwarded-for") == ("1.1.1.1, " if believed else "") + source


def test_unix_peers(tinylb, origin, connect, directory):
    """In front of a unix socket stands another proxy, and that knows; but it has to be named."""
    for trusted, wanted in (([], None), (["unix:"], "1.2.3.4")):
        o = origin()
        front = f"{directory}/{len(trusted)}.sock"
        tinylb(backends=[o.url], listen=(f"unix:{front}",), top={"trusted": trusted, "forwarded": "both"})
        c = connect(front)
        assert c.get("/", [("X-Forwarded-For", "1.2.3.4"), ("Forwarded", "for=1.2.3.4")], host="h").status == 200
        assert o.last.headers.all("x-forwarded-for") == ([wanted] if wanted else [])
        ours = "for=unknown;host=h;proto=http"
        assert o.last.headers.one("forwarded") == (f"for={wanted}, {ours}" if wanted else ours)


def test_trust_changes_with_a_reload(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url])
    lb.get("/", [("X-Forwarded-For", "1.1.1.1")])
    assert o.last.headers.one("x-forwarded-for") == "127.0.0.1"
    reload(lb, lb.settings + 'trusted = "127.0.0.1";\n')
    lb.get("/", [("X-Forwarded-For", "1.1.1.1")])
    assert o.last.headers.one("x-forwarded-for") == "1.1.1.1, 127.0.0.1"


# --- request ids ---


def test_each_request_has_an_id_of_its_own(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], workers=2)
    c = lb.client()
    ids = []
    for _ in range(50):
        c.get("/")
        ids.append(o.last.headers.one("x-request-id"))
        lb.get("/")
        ids.append(o.last.headers.one("x-request-id"))
    assert all(MADE.fullmatch(i) for i in ids) and len(set(ids)) == 100
    assert {line.id for line in lb.access(100)} == set(ids)


def test_ids_are_not_bound_to_the_seed(tinylb, origin):
    """A fixed seed fixes what is chosen, not what requests are called."""
    ids = set()
    for _ in range(2):
        o = origin()
        tinylb(backends=[o.url], seed=1).get("/")
        ids.add(o.last.headers.one("x-request-id"))
    assert len(ids) == 2


@pytest.mark.parametrize("given", ["a", "0af7651916cd43dd8448eb211c80319c", "F00:1/2+3=4,5;6%20'()", "x" * 128])
def test_id_of_a_trusted_peer_stays(tinylb, origin, given):
    o = origin()
    lb = tinylb(backends=[o.url], top={"trusted": "127.0.0.1"})
    lb.get("/", [("X-Request-Id", given)])
    assert o.last.headers.one("x-request-id") == given
    assert lb.access()[0].id == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", 'a"b', "a\\b", "caf\xe9"])
def test_odd_id_is_replaced(tinylb, origin, given):
    """What goes into a log must not be able to forge a line of it."""
    o = origin()
    lb = tinylb(backends=[o.url], top={"trusted": "127.0.0.1"})
    lb.get("/", [("X-Request-Id", given)])
    assert MADE.fullmatch(o.last.headers.one("x-request-id"))
    assert lb.access()[0].id == o.last.headers.one("x-request-id")


def test_repeated_request_keeps_its_id(tinylb, origin):
    """On another backend it is the same request."""
    ids = []

    def fail(c, r):
        ids.append(r.headers.one("x-request-id"))
        c.reset()

    o = origin(lambda c, r: (ids.append(r.headers.one("x-request-id")), b"x")[1])
    lb = tinylb(backends=[origin(fail).url, (o.url, 1)])
    for _ in range(10):
        assert lb.get("/").status == 200
    lines = lb.access(10)
    assert len(ids) > 10 and len(set(ids)) == 10 and {line.id for line in lines} == set(ids)


def test_refused_request_has_none(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    c = lb.client()
    c.send("GET / HTTP/1.1\r\n\r\n")
    assert c.response().status == 400
    assert lb.access()[0].id == "-"


def test_trace_context_is_untouched(tinylb, origin):
    """W3C Trace Context: only who takes part in a trace may change it."""
    given = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
             ("tracestate", "a=b,c=d"), ("Baggage", "x=y")]
    r = seen(tinylb, origin, given)
    assert [(n, v) for n, v in r.headers if (n, v) in given] == given


def test_id_of_a_response_goes_on(tinylb, origin):
    o = origin(lambda c, r: c.respond(200, b"x", [("X-Request-Id", r.headers.one("x-request-id"))]))
    r = tinylb(backends=[o.url]).get("/", [("X-Request-Id", "mine")])
    assert MADE.fullmatch(r.headers.one("x-request-id"))
