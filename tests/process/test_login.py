"""Some backends log a user in for a connection, and not for a request: NTLM and Negotiate do. They take the next
request on that connection for that user's.

So the connection to the backend belongs to one client connection from the first word of such a login on:
it carries all further requests of that one to the pool, no request of another client, and ends with it.
"""

import itertools
import threading

import pytest

from lib.origin import KEPT
from lib.wait import DEADLINE, wait_for
from test_reload import reload

pytestmark = pytest.mark.rfc("4559 6")

OFFER = [("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", "NTLM")]
numbers = itertools.count(1)


def server(c, r):
    """Logs users in as NTLM does: a first message, a challenge that holds on this connection alone, and the
    answer to it."""
    words = r.headers.one("authorization", "").split()
    if len(words) == 2 and words[0].lower() in ("ntlm", "negotiate"):
        step, *rest = words[1].split(".")
        c.user = None
        if step == "TlRMTVNTUAAB":
            c.challenge = str(next(numbers))
            c.respond(401, b"prove it", [*KEPT, ("WWW-Authenticate", f"{words[0]} {c.challenge}")])
            return
        if step == "TlRMTVNTUAAD" and rest[1] == getattr(c, "challenge", None):
            c.user = rest[0]
    if getattr(c, "user", None):
        c.respond(200, f"{c.user} at {c.origin.name}/{c.number}".encode(), KEPT)
    else:
        c.respond(401, b"who are you?", [*KEPT, *OFFER])


def begin(client, scheme="NTLM", target="/"):
    r = client.get(target, [("Authorization", f"{scheme} TlRMTVNTUAAB")])
    assert r.status == 401 and r.body == b"prove it"
    return r.headers.one("www-authenticate").split()[1]


def finish(client, user, challenge, scheme="NTLM", target="/"):
    return client.get(target, [("Authorization", f"{scheme} TlRMTVNTUAAD.{user}.{challenge}")])


def log_in(client, user, scheme="NTLM", target="/"):
    """The user's name and where: backend and connection."""
    r = finish(client, user, begin(client, scheme, target), scheme, target)
    assert r.status == 200 and r.text.startswith(user + " at "), r.text
    return r.text


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate", "ntlm", "NEGOTIATE"])
def test_nobody_becomes_another(tinylb, origin, scheme):
    lb = tinylb(backends=[origin(server).url])
    alice, bob = lb.client(), lb.client()
    assert alice.get("/").status == 401
    here = log_in(alice, "alice", scheme)
    assert bob.get("/").status == 401
    assert alice.get("/").text == here
    there = log_in(bob, "bob", scheme)
    for _ in range(5):
        assert alice.get("/").text == here
        assert bob.get("/").text == there
        assert lb.get("/").status == 401


def test_many_log_in_at_a_time(tinylb, origin):
    """Their steps are mixed up, and those of a connection are not."""
    origins = [origin(server, name=f"o{i}") for i in range(3)]
    lb = tinylb(backends=[o.url for o in origins])
    clients = [lb.client() for _ in range(12)]
    for c in clients:
        assert c.get("/").status == 401
    challenges = [begin(c) for c in clients]
    places = [finish(c, f"u{i}", x).text for i, (c, x) in enumerate(zip(clients, challenges))]
    for i in range(3):
        assert [c.request("POST", "/", body=b"x" * i).text for c in clients] == places
    assert [p.split(" at ")[0] for p in places] == [f"u{i}" for i in range(12)]
    assert len(set(places)) == 12


def answering(fields, status=401):
    return lambda c, r: c.respond(status, b"x", [*KEPT, *fields])


@pytest.mark.parametrize("fields", [
    ["NTLM"], ["nTlM"], ["Negotiate"], ["Negotiate oYG2MIGzoAMKAQ=="], ["Negotiate,NTLM"],
    ['Basic realm="a, b", NTLM'], ['Digest nonce="\\"", qop="auth", Negotiate'], ["Basic realm=x", "NTLM"],
    [", ,NTLM ,"], ['Basic realm="a, NTLM'], ["Bearer", "Basic realm=x", 'Digest nonce="n", NTLM TlRM, Basic'],
])
@pytest.mark.parametrize("status", [401, 200, 403])
def test_offered(tinylb, origin, fields, status):
    """A challenge makes the connection the client's, wherever it stands."""
    o = origin(answering([("WWW-Authenticate", v) for v in fields], status))
    lb = tinylb(backends=[o.url])
    a, b = lb.client(), lb.client()
    for c in (a, b, a, b):
        assert c.get("/").status == status
    assert [r.connection for r in o.requests] == [0, 1, 0, 1]


@pytest.mark.parametrize("field", [
    ("WWW-Authenticate", 'Basic realm="NTLM"'), ("WWW-Authenticate", 'Basic realm="x, NTLM"'),
    ("WWW-Authenticate", "Digest ntlm=1, negotiate = 2"), ("WWW-Authenticate", "NTLMv3, Negotiated"),
    ("WWW-Authenticate", "Basic NTLM"), ("X-Authenticate", "NTLM"), ("WWW-Authenticate", ""),
])
def test_offered_something_else(tinylb, origin, field):
    o = origin(answering([field]))
    lb = tinylb(backends=[o.url])
    for _ in range(3):
        assert lb.get("/").status == 401
    assert len(o.connections) == 1


@pytest.mark.parametrize("value, own", [
    ("Negotiate YII=", True), ("ntlm TlRM", True), ("NTLM", True), ("Basic NTLM", False), ("Bearer x", False),
    ("", False),
])
def test_tried(tinylb, origin, value, own):
    """The backend says nothing, as after a Negotiate of one step: the request is enough."""
    o = origin(lambda c, r: c.respond(200, b"fine", KEPT))
    lb = tinylb(backends=[o.url])
    a, b = lb.client(), lb.client()
    lb.get("/")
    assert a.get("/", [("Authorization", value)]).status == 200
    for c in (b, a, b, a):
        c.get("/")
    assert [r.connection for r in o.requests] == ([0, 0, 1, 0, 1, 0] if own else [0] * 6)


@pytest.mark.parametrize("end", ["close", "abort", "half_close", "Connection: close"])
def test_ends_with_the_client(tinylb, origin, end):
    o = origin(server)
    lb = tinylb(backends=[o.url])
    alice = lb.client()
    log_in(alice, "alice")
    assert len(o.open_connections) == 1
    if end.startswith("Connection"):
        assert alice.get("/", [("Connection", "close")]).text.startswith("alice")
    else:
        getattr(alice, end)()
    o.wait_no_connection()


def test_lives_as_long_as_the_client(tinylb, origin):
    """Neither its age nor that it is idle ends it."""
    o = origin(server)
    lb = tinylb(backends=[o.url], timeouts={"idle_backend": "100ms", "lifetime_backend": "200ms"})
    alice, bob = lb.client(), lb.client()
    here = log_in(alice, "alice")
    bob.get("/favicon")
    passed = threading.Event()
    passed.wait(0.6)
    assert alice.get("/").text == here


@pytest.mark.parametrize("pool", [{"balance": "sticky"}, {"balance": "hash", "hash_on": "path"}, {"balance": "random"},
                                  {"balance": "round_robin"}], ids=lambda p: p["balance"])
def test_stays_at_the_backend(tinylb, origin, pool):
    """The connection decides, before what else brings a request to a backend."""
    origins = [origin(server, name=f"o{i}") for i in range(5)]
    lb = tinylb(backends=[o.url for o in origins], pool=pool)
    clients = [lb.client() for _ in range(5)]
    places = [log_in(c, f"u{i}", target=f"/{i}") for i, c in enumerate(clients)]
    for i in range(10):
        assert [c.get(f"/{i}").text for c in clients] == places


def test_one_in_each_pool(tinylb, origin):
    a, b = origin(server, name="a"), origin(server, name="b")
    pools = ", ".join(f'{{ name = "{o.name}"; backends = ( {{ url = "{o.url}"; }} ); }}' for o in (a, b))
    routes = '{ path = "/a"; pool = "a"; }, { path = "/b"; pool = "b"; }'
    lb = tinylb(settings=f"""workers = 1; pools = ( {pools} );
        listeners = ( {{ address = "127.0.0.1:@PORT@"; routes = ( {routes} ); }} );""")
    c = lb.client()
    one, two = log_in(c, "alice", target="/a"), log_in(c, "eve", target="/b")
    for _ in range(3):
        assert c.get("/a").text == one
        assert c.get("/b").text == two
    c.close()
    a.wait_no_connection()
    b.wait_no_connection()


@pytest.mark.parametrize("end", ["close", "reset"])
def test_backend_closes_between_requests(tinylb, origin, end):
    """The login is gone with the connection; the client is asked for it again."""
    o = origin(server)
    lb = tinylb(backends=[o.url])
    alice, bob = lb.client(), lb.client()
    log_in(alice, "alice")
    there = log_in(bob, "bob")
    getattr(o.connections[0], "half_close" if end == "close" else "reset")()
    wait_for(lambda: len(o.open_connections) == 1)
    assert alice.get("/").status == 401
    log_in(alice, "alice")
    assert bob.get("/").text == there


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_backend_closes_instead_of_an_answer(tinylb, origin, method):
    """No other connection gets the request, and the client's own ends as that one did."""
    def handler(c, r):
        if r.target == "/stale":
            c.close()
        else:
            server(c, r)

    o, other = origin(handler), origin(handler)
    lb = tinylb(backends=[o.url, other.url])
    alice = lb.client()
    log_in(alice, "alice")
    alice.send_request(method, "/stale", body=b"x" if method == "POST" else None)
    assert alice.at_end()
    assert [r.target for r in o.requests + other.requests].count("/stale") == 1
    r = lb.access(3)[2]
    assert (int(r.status), r.reason) == (502, "backend-closed")


def test_bad_answer_on_it(tinylb, origin):
    """An answer that another backend might give better is this client's all the same."""
    def handler(c, r):
        if r.target == "/503":
            c.respond(503, b"busy", KEPT)
        else:
            server(c, r)

    lb = tinylb(backends=[origin(handler).url, origin(handler).url], pool={"retry": {"on_status": [503]}})
    alice = lb.client()
    here = log_in(alice, "alice")
    assert alice.get("/503").status == 503
    assert alice.get("/").text == here


def test_surplus_on_it(tinylb, origin):
    o = origin(server)
    lb = tinylb(backends=[o.url])
    alice = lb.client()
    log_in(alice, "alice")
    with lb.log_contains("bytes came while it was idle"):
        o.connections[0].send("HTTP/1.1 200 Fine\r\nContent-Length: 1\r\n\r\nx")
    assert alice.get("/").status == 401


def test_gives_way_last(tinylb, origin):
    """A backend with few connections: those of clients who only might come back do not lock others out."""
    o = origin(server)
    lb = tinylb(backends=[{"url": o.url, "max_connections": 2}], pool={"queue": 10})
    clients = [lb.client() for _ in range(4)]
    for i, c in enumerate(clients):
        log_in(c, f"u{i}")
        assert len(o.open_connections) <= 2
    assert clients[3].get("/").text.startswith("u3")
    assert clients[2].get("/").text.startswith("u2")
    assert clients[0].get("/").status == 401


def test_waits_for_its_backend(tinylb, origin):
    """The backend has all the requests that it may have: the client does not go to another one."""
    gate = threading.Event()

    def handler(c, r):
        if r.target == "/slow":
            gate.wait(DEADLINE)
        server(c, r)

    lb = tinylb(backends=[{"url": origin(handler, name=n).url, "max_requests": 1} for n in "ab"],
                pool={"queue": 10, "balance": "round_robin"})
    alice, bob, carol = lb.client(), lb.client(), lb.client()
    here = log_in(alice, "alice")
    places = [log_in(bob, "bob"), log_in(carol, "carol")]
    backend = here.split(" at ")[1].split("/")[0]
    same = [c for c, p in zip((bob, carol), places) if f" at {backend}/" in p]
    other = same[0] if same else None
    if other is None:  # both went to the other backend: alice is alone at hers
        other = lb.client()
        while f" at {backend}/" not in log_in(other, "dave"):
            other = lb.client()
    other.send_request("GET", "/slow")
    with lb.log_contains("a request waits"):
        alice.send_request("GET", "/")
    gate.set()
    assert alice.response().text == here
    assert other.response().status == 200


def test_login_during_a_reload(tinylb, origin):
    """The old worker ends no client in the middle of a login."""
    o = origin(server)
    lb = tinylb(backends=[o.url], timeouts={"drain": "20s"})
    alice = lb.client()
    alice.send("GET / HTTP/1.1\r\nHost: t\r\n")
    wait_for(lambda: lb.log_lines("idle -> head"))
    reload(lb)
    alice.send("Authorization: NTLM TlRMTVNTUAAB\r\n\r\n")
    r = alice.response()
    assert r.status == 401 and r.keeps_alive
    challenge = r.headers.one("www-authenticate").split()[1]
    r = finish(alice, "alice", challenge)
    assert r.text.startswith("alice") and not r.keeps_alive
    # No request of hers can follow: the backend's connection does not wait until hers is closed.
    o.wait_no_connection(deadline=2)
