"""Listeners send requests to pools by host and path, redirect them, or answer them themselves.

The most specific host wins, then the longest path, however a client spells them; what is forwarded stays
as it came.
"""

import pytest

from lib.client import make_request
from lib.wait import wait_for
from test_reload import reload

SETTINGS = """
workers = 1; seed = 7; log_level = "debug"; access_log = "@DIR@/access.log";
timeouts = {{ drain = "2s"; }};
listeners = (
  {{ address = "127.0.0.1:@PORT@"; pool = "site"; routes = ( {routes} ); }},
  {{ address = "127.0.0.1:@PORT2@"; routes = ( {{ path = "/only"; pool = "api"; }} ); }},
  {{ address = "127.0.0.1:@PORT3@"; pool = "site"; }} );
pools = ( {pools} );
"""

ROUTES = """
    { path = "/api"; pool = "api"; },
    { path = "/old"; redirect = "https://{host}/new{path}{query}"; status = 308; },
    { path = "/moved"; redirect = "/elsewhere"; },
    { path = "/admin"; answer = { status = 403; type = "text/html"; body = "<p>no</p>\\n"; }; },
    { path = "/healthz"; answer = { body = "fine"; }; },
    { path = "/gone"; answer = { status = 204; }; },
    { host = "api.example.com"; pool = "api"; },
    { host = "*.example.com"; pool = "wild"; },
    { host = "*.example.com"; path = "/api"; pool = "api"; },
    { host = "moved.test"; redirect = "https://test/site{path}"; },
    { host = "[::1]"; pool = "wild"; }
"""


class Scene:
    def __init__(self, tinylb, origin):
        self.origins = {name: origin(name=name) for name in ("site", "api", "wild")}
        self.lb = tinylb(settings=self.settings(ROUTES))

    def settings(self, routes):
        pools = ", ".join(f'{{ name = "{n}"; backends = ( {{ url = "{o.url}"; }} ); }}' for n, o in self.origins.items())
        return SETTINGS.format(routes=routes, pools=pools)

    def count(self):
        return sum(o.count for o in self.origins.values())

    def client(self, listener=0):
        return self.lb.client(("127.0.0.1", self.lb.ports[listener]))


@pytest.fixture
def scene(tinylb, origin):
    return Scene(tinylb, origin)


def test_hosts_and_paths(scene):
    with scene.client() as c:
        for host, target, pool in [
            ("test", "/", "site"), ("test", "/apix", "site"), ("test", "/api", "api"), ("test", "/api/x?y", "api"),
            ("API.example.com:80", "/", "api"), ("api.example.com.", "/x", "api"), ("a.example.com", "/", "wild"),
            ("a.b.Example.Com", "/x", "wild"), ("a.example.com", "/api/x", "api"), ("example.com", "/", "site"),
            ("[0:0::1]:8080", "/", "wild"), ("test", "http://a.example.com/x", "wild"),
            ("a.example.com", "http://test", "site"), ("a.example.com", "HTTP://test?/api", "site"),
        ]:
            r = c.get(target, host=host)
            assert (r.status, r.text) == (200, pool), (host, target)
            assert r.keeps_alive
        assert c.request("OPTIONS", "*", host="a.example.com").text == "wild"
        assert c.request("CONNECT", "a.example.com:80", host="a.example.com").status == 501
    with scene.client() as c:
        assert c.request("GET", "/api", host=None, minor=0).text == "api"


HOSTILE = ["/./admin", "/admin//x", "/%61dmin", "/%2e/%61dm%69n?x", "/admin;v=1", "http://test/./%61dmin"]
UNCLEAR = [
    "/%2fadmin", "/x/..%2Fadmin", "/x\\..\\admin", "/x/..;/admin", "/admin%00", "/admin/..%5cx",
    # slashes merged before ".." is resolved
    "/x/%2f../admin", "/x/%2f/../admin", "/x/%2f%2e%2e/admin", "/x/y/%2f../%2f../admin", "/x//%2f../%2e%2e/admin",
    # parameters, also with separators in them
    "/x/;/../admin", "/x/;%2f../admin", "/x;%2f..%2f../admin", "/x;a=b%5c..%5c../admin",
    # names of files on Windows
    "/admin.", "/admin%20", "/admin./x", "/x/..%20/admin",
    # left unresolved by some, decoded twice by others, taken for a host by others
    "/x/../admin", "/x/%2e%2E/admin", "/../admin?x", "/admin/../x", "/%2561dmin", "/%u0061dmin", "//x/admin",
    "//admin/x", "/\\x/admin", "http://test//x/%61dmin"]


def test_hostile_paths(scene):
    """A rule cannot be gone around, and what could be meant in two ways goes nowhere."""
    with scene.client() as c:
        for target in HOSTILE:
            assert c.get(target).status == 403, target
        for target in UNCLEAR:
            r = c.get(target)
            assert r.status == 400 and "different" in r.text, target
        assert scene.count() == 0
        for target in ("/./api//%61", "/api/x/../api/a%2Fb", "/api/x;v=1/%2f../%25"):
            assert c.get(target).text == "api"
            assert scene.origins["api"].last.target == target
        assert c.get("/elsewhere/../x").text == "site"
        # Upper and lower case are two paths, and no readings of one.
        assert c.get("/ADMIN").text == "site" and c.get("/Admin/%41dmin").text == "site"
    lines = scene.lb.access(len(HOSTILE) + len(UNCLEAR) + 6)
    assert [x.reason for x in lines] == (
        ["answered-here"] * len(HOSTILE) + ["bad-request"] * len(UNCLEAR) + ["done"] * 6)


STRANGE_HOSTS = ["api.example.com..", "api.example.com%20", "api.example.com%09", "api.example.com%00", "%20api.example.com",
                 "api.example.com%2e%2E", "api.example.com.%2e:80", "api..example.com", ".api.example.com",
                 "api.example.com%3a80", "api.example.com%2f", "u%40api.example.com", "u@api.example.com",
                 "api%C2%AD.example.com", "%EF%BD%81pi.example.com"]


def test_hostile_hosts(scene):
    """No spelling of a host leads past its route, in the Host field and in the target."""
    for host in STRANGE_HOSTS:
        with scene.client() as c:
            assert c.get("/", host=host).status == 400, host
        with scene.client() as c:
            assert c.get(f"http://{host}/", host="test").status == 400, host
    assert scene.count() == 0
    with scene.client() as c:
        for host in ("API.EXAMPLE.COM", "api.example.com:80", "api.example.com:", "api.example.com.", "api.example.com.:",
                     "api.example.com%2e", "api%2Eexample%2ecom", "%61pi.example.com"):
            assert c.get("/", host=host).text == "api", host
            assert c.get(f"http://{host}/", host="test").text == "api", host
    with scene.client(2) as c: # no routes: such a name is one as any
        assert c.get("/", host="%C3%A4.test").text == "site"


def test_answers(scene):
    with scene.client() as c:
        r = c.get("/admin")
        assert (r.status, r.reason, r.text) == (403, "Forbidden", "<p>no</p>\n")
        assert r.headers.one("content-type") == "text/html" and r.headers.one("content-length") == "10"
        assert r.headers.one("date").endswith(" GMT") and r.keeps_alive
        r = c.request("HEAD", "/admin")
        assert r.status == 403 and r.headers.one("content-length") == "10" and r.body == b""
        assert c.get("/gone").status == 204
        # several at once, and one behind them
        c.send(make_request("GET", "/healthz") * 3 + make_request("GET", "/"))
        assert [c.response().text for _ in range(4)] == ["fine"] * 3 + ["site"]
    lines = scene.lb.access(7)
    assert [(x.status, x.bytes, x.backend, x.reason) for x in lines[:4]] == [
        (403, 10, "-", "answered-here"), (403, 0, "-", "answered-here"), (204, 0, "-", "answered-here"),
        (200, 4, "-", "answered-here")]


def test_body_of_what_is_answered(scene):
    """It is not read, so that the connection ends; but the client gets the answer."""
    with scene.client() as c:
        c.send_request("POST", "/admin", body=b"x" * 300000)
        r = c.response()
        assert r.status == 403 and r.headers.tokens("connection") == ["close"]
    with scene.client() as c:
        c.send_request("POST", "/admin", [("Content-Length", "5"), ("Expect", "100-continue")])
        assert c.response().interim == []
    with scene.client() as c:
        r = c.request("GET", "/healthz", [("Connection", "keep-alive")], minor=0)
        assert r.headers.tokens("connection") == ["keep-alive"]
        assert c.get("/healthz").text == "fine"
    assert scene.count() == 0


def test_redirects(scene):
    with scene.client() as c:
        for host, target, status, location in [
            ("a.b:8080", "/old/x?y=1", 308, "https://a.b/new/old/x?y=1"),
            ("test", "/moved/x?y", 302, "/elsewhere"),
            ("test", "/old/%0d%0aX-Evil:%201?%0a", 308, "https://test/new/old/%0d%0aX-Evil:%201?%0a"),
        ]:
            r = c.get(target, host=host)
            assert (r.status, r.headers.one("location")) == (status, location), target
            assert r.keeps_alive and r.text.startswith(f"{status} ")
        assert c.get("/old/\"<{x").headers.one("location") == "https://test/new/old/%22%3C%7Bx"
        for target in ("/../x", "/a/../../x", "/..%2fx", "/;/../../x", "/%252e%252e/x"):
            r = c.get(target, host="moved.test")
            assert r.status == 400 and "above" in r.text, target
        assert c.get("/a/../b", host="moved.test").headers.one("location") == "https://test/site/a/../b"
        long = "/old/" + '"' * 7900
        assert c.get(long).headers.one("location") == "https://test/new/old/" + "%22" * 7900
    with scene.client() as c:
        assert c.request("GET", "/old", host=None, minor=0).status == 400


def test_no_route(scene):
    with scene.client(1) as c:
        assert c.get("/only/x").text == "api"
        r = c.get("/other")
        assert r.status == 404 and r.keeps_alive and r.text.startswith("404 Not Found")
        assert c.request("OPTIONS", "*").status == 404
    with scene.client(2) as c: # no routes: /admin is a path as any
        assert c.get("/admin").text == "site" and c.get("/x/..%2Fadmin").text == "site"
    lines = scene.lb.access(5)
    assert (lines[1].status, lines[1].reason, lines[1].backend) == (404, "no-route", "-")


def test_reload_changes_routes(scene):
    with scene.client() as c:
        assert c.get("/admin").status == 403
    reload(scene.lb, scene.settings('{ path = "/admin"; pool = "wild"; }'))
    wait_for(lambda: {g for _, g in scene.lb.workers()} == {2}, "the end of the old workers")
    with scene.client() as c:
        assert [c.get(t).text for t in ("/admin", "/healthz")] == ["wild", "site"]
    reload(scene.lb, scene.settings('{ path = "/admin"; pool = "wlid"; }'), refused=True)
    assert scene.lb.log_lines('there is no such pool; did you mean "wild"')
    with scene.client() as c:
        assert c.get("/admin").text == "wild"
