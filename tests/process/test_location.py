"""What a backend says of its own address is of no use to a user: redirects, and paths of cookies.

With the default `host` a backend knows itself by the URL in the settings and builds links on that. What
is exactly its own address becomes what the user asked for, as nginx's proxy_redirect does it.
"""

import subprocess
from urllib.parse import urljoin

import pytest

from lib.client import make_request


def echo(conn, request):
    """Answers with the fields that the request asks for: X-Reply: NAME: VALUE."""
    fields = [tuple(v.split(": ", 1)) for v in request.headers.all("x-reply")]
    conn.respond(302, b"", [(n, v.replace("BACKEND", conn.origin.authority)) for n, v in fields])


def replied(client, name, value, headers=(), host="user.example:8080", **more):
    r = client.request("GET", "/", [("X-Reply", f"{name}: {value}"), *headers], host=host, **more)
    return r.headers.one(name)


@pytest.fixture
def echoing(tinylb, origin):
    """A program whose backend answers as a request asks for."""
    def start(path="", **more):
        o = origin(echo)
        return tinylb(backends=[o.url + path], **more), o

    return start


@pytest.mark.rfc("9110 10.2.2")
def test_own_address_becomes_the_users(echoing):
    lb, o = echoing()
    c = lb.client()
    for name in ("Location", "Content-Location"):
        assert replied(c, name, "http://BACKEND/login?a#b") == "http://user.example:8080/login?a#b"
        assert replied(c, name, "HTTP://BACKEND") == "http://user.example:8080/"
        assert replied(c, name, "http://BACKEND/", host="[::1]") == "http://[::1]/"
        for stays in ("/login", "login", "../x", f"http://127.0.0.1:{o.port + 1}/", "https://other.example/",
                      f"https://{o.authority}/", f"//{o.authority}/x", f"http://me@{o.authority}/",
                      f"http://{o.authority}@evil.example/"):
            assert replied(c, name, stays) == stays
    assert replied(c, "Refresh", "0; url=http://BACKEND/x") == "0; url=http://user.example:8080/x"
    assert replied(c, "Set-Cookie", "a=b; Path=/public") == "a=b; Path=/public"
    # absolute-form: its host counts, not that of the field
    r = c.request("GET", "http://user.example/", [("X-Reply", "Location: http://BACKEND/x")], host="field.example")
    assert r.headers.one("location") == "http://user.example/x"


def test_old_client_without_host(echoing):
    """It gets a path, the only reference that is right for whatever it calls this server."""
    lb, _ = echoing()
    assert replied(lb.client(), "Location", "http://BACKEND/x", host=None, minor=0) == "/x"
    assert replied(lb.client(), "Location", "http://BACKEND//evil.example/", host=None, minor=0) == "/.//evil.example/"


@pytest.mark.parametrize("slash", ["", "/"])
def test_path_of_the_url(echoing, slash):
    lb, o = echoing(f"/public{slash}")
    c = lb.client()
    assert replied(c, "Location", "http://BACKEND/public/login") == "http://user.example:8080/login"
    assert replied(c, "Location", "/public/login") == "/login"
    assert replied(c, "Location", "/public//evil.example/") == "/.//evil.example/"
    for stays in (f"http://{o.authority}/publicly", f"http://{o.authority}/other", "/login", "/publicly"):
        assert replied(c, "Location", stays) == stays
    assert replied(c, "Set-Cookie", 'a="/public"; HttpOnly; path=/public/x; Secure') == \
        'a="/public"; HttpOnly; path=/x; Secure'
    assert replied(c, "Set-Cookie", "a=b; Path=/public") == "a=b; Path=/"
    assert replied(c, "Set-Cookie", "a=b; Path=/publicly") == "a=b; Path=/publicly"


def test_scheme_as_a_trusted_proxy_says(echoing):
    lb, _ = echoing(top={"trusted": ["127.0.0.0/8"]})
    c = lb.client()

    def location(*headers):
        return replied(c, "Location", "http://BACKEND/x", headers)

    https = ("X-Forwarded-Proto", "https, http")
    assert location() == "http://user.example:8080/x"
    assert location(https) == "https://user.example:8080/x"
    assert location(https, ("X-Forwarded-Host", "User.example:8080")) == "https://user.example:8080/x"
    # It asked for another host than its client did: it gets what it asked for, and maps that itself.
    assert location(https, ("X-Forwarded-Host", "www.example")) == "http://user.example:8080/x"
    stranger, _ = echoing()
    assert replied(stranger.client(), "Location", "http://BACKEND/x", [https]) == "http://user.example:8080/x"


def test_preserved_host(echoing):
    """The backend builds on the user's host: its URL's path is all that has to go."""
    lb, _ = echoing("/public", top={"host": "preserve"})
    c = lb.client()
    assert replied(c, "Location", "https://user.example:8080/public/x") == "https://user.example:8080/x"
    assert replied(c, "Location", "http://user.example:8080/other") == "http://user.example:8080/other"
    assert replied(c, "Location", "http://BACKEND/public/x") == "http://user.example:8080/x"
    assert replied(c, "Set-Cookie", "a=b; Path=/public") == "a=b; Path=/"


def test_unix_backend(tinylb, origin, directory):
    """It is asked for localhost, and knows no other name of itself."""
    o = origin(echo, path=f"{directory}/back.sock")
    c = tinylb(backends=[o.url]).client()
    assert replied(c, "Location", "http://localhost/x") == "http://user.example:8080/x"
    assert replied(c, "Location", "http://localhost:3000/x") == "http://localhost:3000/x"


def test_head_that_becomes_too_long(echoing):
    """256 references that each grow by a host's length: a 502, not more than there is room for."""
    lb, _ = echoing(limits={"header_size": "64k", "header_count": 256})
    fields = [("X-Reply", "Location: http://BACKEND/" + "x" * 190)] * 250
    c = lb.client()
    c.send(make_request("GET", "/", fields, host="h" * 200 + ".example"))
    assert c.response().status == 502
    assert lb.get("/").status == 302


def test_browser_follows(tinylb, origin):
    """The way of a user from / to /login and back with its cookie."""
    def app(conn, request):
        path = request.target
        if path == "/app/":
            conn.respond(302, b"", [("Location", f"http://{conn.origin.authority}/app/login"),
                                    ("Set-Cookie", "seen=1; Path=/app/login")])
        else:
            conn.respond(200, f"{path} {request.headers.one('cookie')}".encode())

    lb = tinylb(backends=[origin(app).url + "/app"])
    url = f"http://127.0.0.1:{lb.port}/"
    out = subprocess.run(["curl", "-sS", "-L", "-b", "", url], capture_output=True, text=True, check=True)
    assert out.stdout == "/app/login seen=1"
    assert lb.client().get("/", host="127.0.0.1").headers.one("location") == urljoin("http://127.0.0.1/", "/login")
