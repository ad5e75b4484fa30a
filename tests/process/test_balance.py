"""`balance` decides who gets a request: each way of choosing keeps to the weights, and does what its name
says, over the real program.

A fixed seed makes the picks the same in each run, so a bound on chance either always holds or never.
"""

import collections
import os
import re
import signal

import pytest

from lib.wait import wait_for

NAMES = "abc"
WEIGHTS = [1, 1, 2]
KINDS = ["random", "two_choices", "round_robin", "least_requests", "latency"]

# Chi-square with two degrees of freedom: one in 10,000 runs of a fair choice is above this.
CHI_SQUARE_MOST = 18.4


def picks(client, n, target="/", headers=()):
    """Who answers n requests, one after another on one connection."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    client.send(f"GET {target} HTTP/1.1\r\nHost: t\r\n{lines}\r\n" * n)
    return "".join(client.response().text for _ in range(n))


def chi_square(found):
    total = sum(WEIGHTS)
    expected = {name: len(found) * weight / total for name, weight in zip(NAMES, WEIGHTS)}
    counts = collections.Counter(found)
    return sum((counts[name] - e) ** 2 / e for name, e in expected.items())


@pytest.fixture
def origins(origin):
    return [origin(name=n) for n in NAMES]


def test_each_kind_keeps_to_the_weights(tinylb, origins):
    members = [(o.url, w) for o, w in zip(origins, WEIGHTS)]
    lb = tinylb(pools={kind: (members, {"balance": kind}) for kind in KINDS},
                listeners=[(f"127.0.0.1:@PORT{i}@", kind) for i, kind in enumerate(KINDS, 1)])
    found = {kind: picks(lb.client(("127.0.0.1", port)), 400) for kind, port in zip(KINDS, lb.ports)}
    for kind in KINDS:
        assert set(found[kind]) == set(NAMES), kind
        # which of them answers fastest is not for weights to say
        assert kind == "latency" or chi_square(found[kind]) < CHI_SQUARE_MOST, kind
    assert found["random"] != found["round_robin"]


def test_round_robin_goes_round(tinylb, origins):
    """In each round everybody has the turns of its weight."""
    lb = tinylb(backends=[(o.url, w) for o, w in zip(origins, WEIGHTS)], pool={"balance": "round_robin"})
    found = picks(lb.client(), 80)
    assert sorted(found[:4]) == list("abcc")
    assert found == found[:4] * 20


# hash: the same key, the same backend


def only_new(lb, what, act):
    """Until none of the former workers is left."""
    lb.close_clients()
    before = set(lb.worker_pids())
    with lb.log_contains(what):
        act()
    wait_for(lambda: not before & set(lb.worker_pids()), "the end of the former workers")
    lb.wait_ready()


def reload(lb):
    only_new(lb, "reloaded in", lb.hup)


def crash(lb):
    """The first worker is replaced."""
    lb.close_clients()
    count, dead = len(lb.worker_pids()), lb.worker_pids()[0]
    os.kill(dead, signal.SIGKILL)
    wait_for(lambda: dead not in lb.worker_pids() and len(lb.worker_pids()) == count, "a new worker")
    lb.wait_ready()


def hashed(tinylb, members, hash_on, **more):
    return tinylb(backends=members, pool={"balance": "hash", "hash_on": hash_on, "slow_start": "0s"}, **more)


def by_key(client, keys, name="X-Key"):
    """{key: who answers}, each key asked once."""
    for key in keys:
        client.send_request("GET", "/", [(name, key)])
    return {key: client.response().text for key in keys}


def everywhere(lb, ask, most=100):
    """What `ask(client)` says must be the same on connections to all workers; returns it."""
    wanted, seen, said = set(lb.worker_pids()), set(), None
    for _ in range(most):
        c = lb.client()
        now = ask(c)
        seen.add(lb.worker_of(c))
        assert said in (None, now)
        said = now
        if seen == wanted:
            return said
    raise AssertionError("the kernel gave some worker no connection")


def test_hash_key(tinylb, origins):
    """With a secret another client than those who know it cannot tell what goes where; all tinylb that have it agree."""
    keys = [f"k{i}" for i in range(200)]
    members = [o.url for o in origins]
    found = []
    for secret, turned in ((None, 1), ("a secret of some kind", 1), ("a secret of some kind", -1), ("another secret of it", 1)):
        pool = {"balance": "hash", "hash_on": "header:X-Key", **({"hash_key": secret} if secret else {})}
        found.append(by_key(tinylb(backends=members[::turned], pool=pool).client(), keys))
    bare, one, same, other = found
    assert one == same
    for a, b in ((bare, one), (one, other), (bare, other)):
        # By chance one key in as many as there are backends stays where it was.
        assert sum(a[k] == b[k] for k in keys) < len(keys) / 2


def test_hash_is_the_same_everywhere(tinylb, origins):
    """For every worker, after a reload, after the death of a worker, for another program with the list turned
    round: and each backend has the share of its weight of the keys."""
    keys = [f"k{i}" for i in range(400)]
    members = [(o.url, w) for o, w in zip(origins, WEIGHTS)]
    lb = hashed(tinylb, members, "header:X-Key", workers=2)
    lb.deaths_expected = True
    found = everywhere(lb, lambda c: by_key(c, keys))
    assert chi_square("".join(found.values())) < CHI_SQUARE_MOST
    reload(lb)
    assert everywhere(lb, lambda c: by_key(c, keys)) == found
    crash(lb)
    assert everywhere(lb, lambda c: by_key(c, keys)) == found
    other = hashed(tinylb, members[::-1], "header:x-key", seed=1)
    assert by_key(other.client(), keys) == found


def test_hash_moves_only_what_must(tinylb, origins):
    """While a backend is away its keys alone go elsewhere, to all the others; and they come back."""
    keys = [f"k{i}" for i in range(300)]
    lb = hashed(tinylb, [o.url for o in origins], "header:X-Key")
    before = by_key(lb.client(), keys)
    gone = origins[1]
    gone.stop()
    during = by_key(lb.client(), keys)
    moved = {k for k in keys if before[k] != during[k]}
    assert moved == {k for k in keys if before[k] == gone.name}
    assert {during[k] for k in moved} == {"a", "c"}
    gone.start()
    wait_for(lambda: by_key(lb.client(), keys) == before, "the keys back where they were")
    # taken out of the settings: few keys of others may move, and do not in a table so much larger
    lb.write(lb.settings.replace(f'{{ url = "{gone.url}"; }},', ""))
    reload(lb)
    without = by_key(lb.client(), keys)
    assert not [k for k in keys if without[k] == gone.name]
    strays = [k for k in keys if before[k] not in (gone.name, without[k])]
    assert len(strays) <= len(keys) * 0.05, strays


@pytest.mark.parametrize("hash_on, together, others", [
    ("path", [("/a/b", ()), ("/a/b?x=1", ()), ("/a/b?", ())], lambda i: (f"/{i}", ())),
    ("cookie:id", [("/", [("Cookie", "x=1; id=7")]), ("/2", [("Cookie", "y=2"), ("cookie", "id=7; id=8")])],
     lambda i: ("/", [("Cookie", f"id={i}")])),
    ("header:host", [("/", ())], lambda i: (f"http://h{i}/", ())),
    ("header:X-User", [("/", [("x-user", "7")]), ("/3", [("X-User", "7"), ("X-User", "8")])],
     lambda i: ("/", [("X-User", str(i))])),
])
def test_hash_on(tinylb, origins, hash_on, together, others):
    lb = hashed(tinylb, [o.url for o in origins], hash_on)
    c = lb.client()
    assert len({c.get(target, headers).text for target, headers in together * 5}) == 1
    assert {c.get(*others(i)).text for i in range(40)} == set(NAMES)


@pytest.mark.parametrize("hash_on, headers", [
    ("header:X-User", ()), ("header:X-User", [("X-User", "")]), ("cookie:id", [("Cookie", "id=; ide=7")])])
def test_no_key_is_any_backend(tinylb, origins, hash_on, headers):
    lb = hashed(tinylb, [o.url for o in origins], hash_on)
    assert set(picks(lb.client(), 60, headers=headers)) == set(NAMES)


def test_hash_on_client(tinylb, origins):
    """The port plays no part; an address of its own does."""
    lb = hashed(tinylb, [o.url for o in origins], "client")

    def ask(address):
        with lb.client(source=(address, 0)) as c:
            return c.get("/").text

    assert len({ask("127.0.0.1") for _ in range(8)}) == 1
    assert {ask(f"127.0.0.{i}") for i in range(2, 40)} == set(NAMES)


# sticky: a session stays


def sticky(tinylb, members, **more):
    options = {"balance": "sticky", "sticky": more.pop("sticky", {"cookie": "s"})}
    return tinylb(backends=members, pool=options, **more)


def token_of(response, name="s"):
    """The token that an answer sets; None where it sets none."""
    fields = response.headers.all("set-cookie")
    if not fields:
        return None
    (field,) = fields
    m = re.fullmatch(rf"{name}=([0-9a-f]{{32}}); Path=/; HttpOnly; SameSite=Lax(; Secure)?", field)
    assert m, field
    assert response.headers.all("cache-control")[-1] == "private"
    return m.group(1)


def open_sessions(lb, n=12):
    """{token: who answers}; as many tokens as backends."""
    found = {}
    for _ in range(n):
        r = lb.get("/")
        assert found.setdefault(token_of(r), r.text) == r.text
    assert len(set(found.values())) == len(found)
    return found


def stays(client, sessions):
    """Whether each session meets its backend, and is told nothing."""
    for token, name in sessions.items():
        r = client.get("/", [("Cookie", f"s={token}")])
        if (r.text, token_of(r)) != (name, None):
            return False
    return True


def test_session_stays(tinylb, origins):
    """With all workers, over a reload that turns the list round, a worker's death, and a restart with a key."""
    key = "0123456789abcdef0123456789abcdef"
    lb = sticky(tinylb, [o.url for o in origins], workers=2)
    lb.deaths_expected = True
    sessions = open_sessions(lb)
    assert set(sessions.values()) == set(NAMES)
    assert everywhere(lb, lambda c: stays(c, sessions))
    text = lb.settings
    for i, o in enumerate(origins):
        text = text.replace(o.url, f"@{i}@")
    for i, o in enumerate(origins[::-1]):
        text = text.replace(f"@{i}@", o.url)
    lb.write(text)
    reload(lb)
    assert everywhere(lb, lambda c: stays(c, sessions))
    crash(lb)
    assert everywhere(lb, lambda c: stays(c, sessions))
    # what a program makes at its start is its own; what the settings have is not
    other = sticky(tinylb, [o.url for o in origins])
    assert not stays(other.client(), sessions)
    keyed = sticky(tinylb, [o.url for o in origins], sticky={"cookie": "s", "key": key})
    sessions = open_sessions(keyed)
    keyed.stop()
    keyed.start()
    assert stays(keyed.client(), sessions)


@pytest.mark.bare("the program in front would be replaced")
def test_session_stays_over_an_upgrade(tinylb, origins):
    lb = sticky(tinylb, [o.url for o in origins])
    sessions = open_sessions(lb)
    only_new(lb, "upgraded from tinylb", lambda: lb.signal(signal.SIGUSR2))
    assert stays(lb.client(), sessions)


def test_session_moves_with_its_backend(tinylb, origins):
    """When its backend is gone it gets another one, and stays there when the first is back."""
    lb = sticky(tinylb, [o.url for o in origins])
    sessions = open_sessions(lb)
    token = next(t for t, name in sessions.items() if name == "b")
    origins[1].stop()
    r = lb.get("/", [("Cookie", f"s={token}")])
    moved = token_of(r)
    assert sessions[moved] == r.text != "b"
    origins[1].start()
    assert stays(lb.client(), {moved: r.text})
    # the old token still says what it said
    wait_for(lambda: lb.get("/", [("Cookie", f"s={token}")]).text == "b", "the backend back in use")
    assert stays(lb.client(), sessions)
    lb.write(lb.settings.replace(f'url = "{origins[1].url}";', f'url = "{origins[1].url}"; weight = 0;'))
    reload(lb)
    r = lb.get("/", [("Cookie", f"s={token}")])
    assert r.text != "b" and token_of(r) in sessions
    lb.write(lb.settings.replace(" weight = 0;", ""))
    reload(lb)
    assert stays(lb.client(), sessions)


def test_drain_keeps_sessions(tinylb, origins):
    """A backend that drains gets no new session and keeps those it has; so does one that waits as a backup."""
    lb = sticky(tinylb, [o.url for o in origins])
    sessions = open_sessions(lb)
    lb.write(lb.settings.replace(f'url = "{origins[0].url}";', f'url = "{origins[0].url}"; drain = true;')
             .replace(f'url = "{origins[1].url}";', f'url = "{origins[1].url}"; backup = true;'))
    reload(lb)
    assert {lb.get("/").text for _ in range(20)} == {"c"}
    assert stays(lb.client(), sessions)
    token = next(t for t, name in sessions.items() if name == "a")
    origins[0].stop()
    r = lb.get("/", [("Cookie", f"s={token}")])
    assert r.text == "c" and sessions[token_of(r)] == "c"


def test_token_is_not_to_be_made(tinylb, origins):
    """Whatever is not a token is as good as none; of several cookies the first token counts."""
    lb = sticky(tinylb, [o.url for o in origins])
    sessions = open_sessions(lb)
    token, name = next(iter(sessions.items()))
    flipped = token[:-1] + format(int(token[-1], 16) ^ 1, "x")
    c = lb.client()
    for bad in ("", "a", token[:-1], token + "0", token.upper() + "G", flipped, "0" * 32, "b", f'"{token}"',
                origins[0].url, "x" * 5000, "=" * 40):
        r = c.get("/", [("Cookie", f"s={bad}")])
        assert token_of(r) in sessions, bad
    for good in (f"s={flipped}; s={token}", f"a=1;s={token} ;s={flipped}", f"s={token}", f";; s;s==; s = {token}"):
        assert c.get("/", [("Cookie", good)]).text == name, good
    assert c.get("/", [("Cookie", "a=1"), ("COOKIE", f"s={token}")]).text == name


def test_backend_does_not_see_it(tinylb, origin):
    """Nor may it set one of that name."""
    def handler(conn, request):
        status = int(request.target[1:])
        conn.respond(status, b"", [("Set-Cookie", "s=mine; Path=/"), ("Set-Cookie", "t=2")])

    o = origin(handler)
    lb = sticky(tinylb, [o.url], top={"trusted": "127.0.0.1"})
    c = lb.client()
    r = c.get("/200", [("Cookie", "a=1; s=x; b=2"), ("X", "s=1"), ("Cookie", "s=y")])
    t, s = r.headers.all("set-cookie")
    assert t == "t=2" and s.startswith("s=") and "Secure" not in s
    assert o.last.headers.all("cookie") == ["a=1; b=2"]
    assert o.last.headers.all("x") == ["s=1"]
    # any final answer; and only over TLS where the client's way began so
    for status in (204, 304, 404, 500):
        r = c.get(f"/{status}", [("X-Forwarded-Proto", "HTTPS, http")])
        assert r.headers.all("set-cookie")[1].endswith("; Secure"), status
    token = s[2:34]
    r = c.get("/200", [("Cookie", f"s={token}")])
    assert r.headers.all("set-cookie") == ["t=2"] and "cache-control" not in r.headers
    assert "cookie" not in o.last.headers


def test_stranger_does_not_say_https(tinylb, origin):
    lb = sticky(tinylb, [origin().url])
    assert "Secure" not in lb.get("/", [("X-Forwarded-Proto", "https")]).headers.all("set-cookie")[0]


def test_no_session_of_ours_elsewhere(tinylb, origin):
    """Without `sticky` a cookie of that name is one like any other."""
    o = origin(lambda conn, _: conn.respond(200, b"", [("Set-Cookie", "tinylb=1")]))
    lb = tinylb(backends=[o.url])
    r = lb.get("/", [("Cookie", "tinylb=1")])
    assert r.headers.all("set-cookie") == ["tinylb=1"]
    assert o.last.headers.all("cookie") == ["tinylb=1"]
