"""A backend is chosen anew for each request, and as often as its weight says.

The Go program drew one of three servers for each request. tinylb does so with weights, exactly: counts
are held against the weights with Pearson's chi-square. One worker with a fixed seed always draws the same;
with several workers the kernel deals out the connections, so the bound there is one that a right
program misses once in a million runs.
"""

import collections
import math

from lib.ports import reserve_port

# The quantile of the normal distribution for one in a million.
Z = 4.7534


def critical(degrees):
    """The chi-square value that is exceeded once in a million (Wilson and Hilferty, 1931)."""
    k = 2 / (9 * degrees)
    return degrees * (1 - k + Z * math.sqrt(k)) ** 3


def chi_square(counts, weights):
    total, weight = sum(counts), sum(weights)
    expected = [total * w / weight for w in weights]
    return sum((c - e) ** 2 / e for c, e in zip(counts, expected))


def draw(client, n, batch=50):
    """Who answered each of n pipelined requests."""
    names = []
    for i in range(0, n, batch):
        k = min(batch, n - i)
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n" * k)
        names += [client.response().text for _ in range(k)]
    return names


def check(names, weights):
    counts = collections.Counter(names)
    assert not set(counts) - {n for n, w in weights.items() if w}, "a backend of weight 0 was used"
    used = {n: w for n, w in weights.items() if w}
    value = chi_square([counts[n] for n in used], list(used.values()))
    assert value < critical(len(used) - 1), f"{counts} against {used}: chi-square {value:.1f}"


def test_equal_without_weights(tinylb, origin):
    origins = [origin(name=n) for n in "abc"]
    lb = tinylb(backends=[o.url for o in origins])
    check(draw(lb.client(), 1500), {"a": 1, "b": 1, "c": 1})


def test_weights(tinylb, origin):
    weights = {"a": 1, "b": 2, "c": 0, "d": 5}
    lb = tinylb(backends=[(origin(name=n).url, w) for n, w in weights.items()])
    check(draw(lb.client(), 2000), weights)


def test_extreme_weights(tinylb, origin):
    weights = {"a": 256, "b": 1}
    lb = tinylb(backends=[(origin(name=n).url, w) for n, w in weights.items()])
    names = draw(lb.client(), 3000)
    check(names, weights)
    assert "b" in names


def test_several_workers(tinylb, origin):
    weights = {"a": 3, "b": 1, "c": 2}
    lb = tinylb(backends=[(origin(name=n).url, w) for n, w in weights.items()], workers=3)
    names = []
    for _ in range(24):
        names += draw(lb.client(), 100)
    check(names, weights)


def test_many_backends(tinylb, origin):
    names = [f"b{i}" for i in range(30)]
    lb = tinylb(backends=[origin(name=n).url for n in names])
    check(draw(lb.client(), 3000), dict.fromkeys(names, 1))


def test_draws_are_independent(tinylb, origin):
    """No backend is favoured or avoided after another: pairs of picks are spread evenly too."""
    lb = tinylb(backends=[origin(name=n).url for n in "abc"])
    names = draw(lb.client(), 2700)
    pairs = collections.Counter(zip(names[::2], names[1::2]))
    value = chi_square([pairs[x, y] for x in "abc" for y in "abc"], [1] * 9)
    assert value < critical(8), f"{pairs}: chi-square {value:.1f}"


def test_second_choices(tinylb, origin):
    """Where the first choice is dead the next one follows the weights too."""
    weights = {"a": 1, "b": 3, "c": 0}
    backends = [(origin(name=n).url, w) for n, w in weights.items()]
    dead = [(f"http://127.0.0.1:{reserve_port()}", 20)]
    lb = tinylb(backends=dead + backends, log_level="notice")
    check(draw(lb.client(), 1500), weights)


def test_one_backend_gets_all(tinylb, origin):
    lb = tinylb(backends=[origin(name="a").url])
    assert draw(lb.client(), 20) == ["a"] * 20
