"""A backend that fails costs a user nothing where another can answer in its place, and it is known how
often one is asked: `retry` in a pool.

What is asked again is only what may be: a request that no backend can have begun to serve, or one that
may be repeated, of which the user has got nothing and all that came is still held.
"""

import threading

import pytest

from lib.client import chunked
from lib.ports import reserve_port

pytestmark = pytest.mark.rfc("9110 9.2.2")

ON_STATUS = {"retry": {"on_status": [502, 503]}}


def busy(status=503, body=b"busy"):
    return lambda c, r: c.respond(status, body, [("Retry-After", "7")])


@pytest.fixture
def pair(tinylb, origin):
    """One backend that is busy, one that serves, and what balances them."""
    bad, good = origin(busy()), origin(lambda c, r: b"fine " + r.body)
    return bad, good, tinylb(backends=[bad.url, good.url], pool=ON_STATUS)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_another_is_asked_after_a_status(pair, method):
    bad, good, lb = pair
    c = lb.client()
    body = b"b" * 16000 if method == "PUT" else None
    for _ in range(20):
        r = c.request(method, "/", body=body)
        assert (r.status, r.body) == (200, b"fine " + (body or b""))
    assert bad.count > 0 and good.count == 20
    assert bad.last.body == (body or b"")
    lines = lb.access(20)
    assert all((x.status, x.backend) == (200, good.url) for x in lines)
    assert sum(x.tries for x in lines) == bad.count + good.count and {x.tries for x in lines} == {1, 2}


def test_statuses_beyond_599_may_be_named(tinylb, origin):
    bad, good = origin(busy(999)), origin(lambda c, r: b"fine")
    lb = tinylb(backends=[bad.url, good.url], pool={"retry": {"on_status": [999]}})
    c = lb.client()
    assert all(c.get("/").body == b"fine" for _ in range(20)) and bad.count > 0


def test_chunked_body_goes_along(pair):
    bad, good, lb = pair
    c = lb.client()
    data = chunked([b"a" * 100, b"b"], [("X-T", "1")])
    for _ in range(10):
        r = c.request("PUT", "/", [("Transfer-Encoding", "chunked")], data)
        assert r.body == b"fine " + b"a" * 100 + b"b"
        assert good.last.trailers == [("X-T", "1")]
    assert bad.count > 0


@pytest.mark.parametrize("method, body", [("POST", b"x"), ("PATCH", None), ("PUT", b"x" * 20000)],
                         ids=["POST", "PATCH", "large"])
def test_what_may_not_be_repeated_is_not(pair, method, body):
    bad, good, lb = pair
    c = lb.client()
    statuses = [c.request(method, "/", body=body).status for _ in range(20)]
    assert set(statuses) == {200, 503}
    assert bad.count == statuses.count(503) and good.count == statuses.count(200)


def test_time_of_the_other_is_its_own(tinylb, origin):
    """In the access log the time to connect begins when the backend was picked that answers."""
    def slow(c, r):
        threading.Event().wait(0.5)
        c.respond(503, b"busy")

    bad, good = origin(slow), origin(name="fine")
    lb = tinylb(backends=[(bad.url, 256), (good.url, 1)], pool=ON_STATUS)
    assert lb.get("/").text == "fine"
    line, = lb.access()
    assert line.tries == 2 and int(line.total) >= 500 > int(line.connect)


def test_other_statuses_go_to_the_user(tinylb, origin):
    bad = origin(busy(500))
    lb = tinylb(backends=[bad.url, bad.url + "/x"], pool=ON_STATUS)
    assert lb.get("/").status == 500
    assert bad.count == 1


def test_the_last_answer_is_the_users(tinylb, origin):
    """With nobody left to ask, it goes on as it is, from the backend that gave it."""
    origins = [origin(busy(503, name)) for name in (b"a", b"b")]
    lb = tinylb(backends=[o.url for o in origins], pool=ON_STATUS)
    c = lb.client()
    for _ in range(5):
        r = c.get("/")
        assert r.status == 503 and r.headers.one("retry-after") == "7"
        assert r.keeps_alive
    for line, o in zip(lb.access(5), [o for o in origins for _ in range(5)]):
        assert line.status == 503 and line.reason == "done" and line.bytes == 1
    assert [o.count for o in origins] == [5, 5]


def test_interim_answer_is_one(tinylb, origin):
    """The user has got something of the answer: it goes on."""
    def handler(c, r):
        c.send("HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n")
        c.respond(503, b"busy")

    lb = tinylb(backends=[origin(handler).url, origin(handler).url], pool=ON_STATUS)
    r = lb.get("/")
    assert r.status == 503 and len(r.interim) == 1


def test_attempts(tinylb, origin):
    """So many backends are tried, and no more, whatever the failure."""
    origins = [origin(lambda c, r: c.close()) for _ in range(5)]
    lb = tinylb(backends=[o.url for o in origins], pool={"retry": {"attempts": 2}})
    assert lb.get("/").status == 502
    assert sorted(o.count for o in origins) == [0, 0, 0, 1, 1]
    dead = [f"http://127.0.0.1:{reserve_port()}" for _ in range(9)]
    lb = tinylb(backends=dead, pool={"retry": {"attempts": 8}})
    assert lb.get("/").status == 502
    assert len({x.split(": ")[1] for x in lb.log_lines("cannot connect")}) == 8
    assert lb.access()[0].tries == 8


def test_one_attempt(tinylb, origin):
    """No other backend is asked; a fresh connection to the same one is none."""
    o = origin(lambda c, r: c.close() if r.index > 0 else b"fine")
    lb = tinylb(backends=[o.url, (o.url + "/x", 0)], pool={"retry": {"attempts": 1}})
    c = lb.client()
    for _ in range(5):
        assert c.get("/").status == 200


def test_kept_connections_fail_a_request_once(tinylb, origin):
    """The first backend's connection proves dead, and a fresh one to it fails as well: the next backend is
    not asked on a kept one, which may be as dead."""
    a = origin(lambda c, r: c.close() if r.index > 0 or r.target == "/x" else b"a")
    b = origin(lambda c, r: c.close() if r.index > 0 else b"b")
    lb = tinylb(backends=[(a.url, 256), b.url])
    c = lb.client()
    assert [c.get(target).text for target in ("/x", "/", "/x")] == ["b", "a", "b"]
    assert [r.index for r in a.requests] == [0, 0, 1, 0]
    assert [r.index for r in b.requests] == [0, 0]


def budget(percent, rate):
    return {"retry": {"on_status": [503], "budget": percent, "budget_rate": rate}}


def test_budget_of_connect_failures(tinylb, origin):
    """They count too; the failure stands where none is left."""
    lb = tinylb(backends=[(f"http://127.0.0.1:{reserve_port()}", 256), origin().url], pool=budget(0, 0))
    with lb.log_contains("the retry budget is spent: 0 of the last 1 requests"):
        assert lb.get("/").status == 502
    assert lb.access()[0].reason == "connect-failed"


def test_budget_is_one_for_all_workers(tinylb, origin):
    """What one worker has spent another cannot spend again; nor can those of the next generation."""
    lb = tinylb(backends=[origin(busy()).url, origin(busy()).url], pool=budget(0, 3), workers=2)
    asked = lambda: len(lb.log_lines("answered 503: another backend is asked"))
    per_worker = {}
    while len(per_worker) < 2 or min(per_worker.values()) < 40:
        c = lb.client()
        pid = lb.worker_of(c)
        for _ in range(20):
            assert c.get("/").status == 503
        per_worker[pid] = per_worker.get(pid, 0) + 20
    assert 30 <= asked() <= 33
    lb.hup()
    lb.wait_log("generation 2")
    assert lb.get("/").status == 503
    assert asked() <= 33


def test_kept_connections_cost_no_budget(tinylb, origin):
    """A dead one is no failure of the backend, nor is one of its addresses."""
    o = origin(lambda c, r: c.close() if r.index > 0 else b"fine")
    lb = tinylb(backends=[o.url], pool=budget(0, 0))
    c = lb.client()
    for _ in range(5):
        assert c.get("/").status == 200
    assert o.count == 9
    assert [x.tries for x in lb.access(5)] == [1, 2, 2, 2, 2]
