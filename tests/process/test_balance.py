"""`balance` decides who gets a request: each way of choosing keeps to the weights, and does what its name
says, over the real program.

A fixed seed makes the picks the same in each run, so a bound on chance either always holds or never.
"""

import collections

import pytest

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
