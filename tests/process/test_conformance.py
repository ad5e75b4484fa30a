"""The corpus of tests/conformance against tinylb: each case is a test of its own, run whole, in pieces,
behind and between good requests, and, where it is about a backend, with one that ends too early.

Here a few places to cut at are tried; `tests/conformance/run` tries them all. A
failure says how to repeat it."""

import asyncio
import os
import re

import pytest

from conformance import corpus, engine, proxies
from conformance.backend import Backend

CASES, TITLES = corpus.load()
SEED = os.environ.get("TINYLB_TEST_SEED") or "1"


class Running:
    """The program, the backend, and the loop in which both ends of it live."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        backend = Backend(self.loop)
        self.proxy = proxies.Ours(backend.port)
        self.world = engine.World(self.loop, backend, self.proxy.address)

    def run(self, cases, ways):
        asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(self.world.run_cases(cases, ways))

    def close(self):
        problems = self.proxy.stop()
        self.world.close()
        self.loop.close()
        assert not problems, problems


@pytest.fixture(scope="module")
def running():
    r = Running()
    yield r
    r.close()


def parameters():
    for case in CASES:
        marks = [pytest.mark.rfc(r.removeprefix("RFC ")) for r in case.refs if r.startswith("RFC")]
        yield pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", parameters())
def test_case(running, case):
    failures = running.run([case], lambda c: engine.variants_of(c, True, SEED))[case]
    text = "\n".join(f"{f}\nrepeat: tests/conformance/run --case {case.name} --variant {f.variant}" for f in failures)
    assert not failures, "\n" + text
    assert running.proxy.problems() == []


def test_numbers():
    """As many cases as there are to be, and each kind of rule among them."""
    kinds = [c.kind for c in CASES]
    assert kinds.count("request") >= 300 and kinds.count("response") >= 120
    assert {c.level for c in CASES} == set(corpus.LEVELS)
    assert len(TITLES) == len({c.name.rpartition("/")[0] for c in CASES})


def read_cves():
    """{number: [what stands below it]}"""
    rows, number = {}, None
    with open(os.path.join(corpus.HERE, "CVES"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("    "):
                rows[number].append(line.strip())
            elif line.strip() and not line.startswith("#"):
                number = line[:18].strip()
                assert number not in rows and re.fullmatch(r"CVE-\d{4}-\d+|\w+ [0-9a-f]{9}", number), line
                rows[number] = []
    return rows


def test_cves():
    """Each fault that is known of others has the cases that name it, or a test, or a reason."""
    rows = read_cves()
    named = {}
    for case in CASES:
        for ref in case.refs:
            if not ref.startswith("RFC"):
                named.setdefault(ref, []).append(case.name)
    assert len(rows) >= 75
    for number, below in rows.items():
        if number in named:
            assert below == named[number], number
        else:
            assert len(below) == 1, number
            path = os.path.join(proxies.HERE, "..", "..", below[0])
            assert below[0].startswith("not here: ") or os.path.exists(path), number
    assert set(named) <= set(rows)


def test_whoever_listens_can_fail():
    """Without a proxy between them, the backend refuses nothing in the way that is asked for, and
    every case that asks for it must say so: the judge is no rubber stamp."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    backend = Backend(loop)
    world = engine.World(loop, backend, ("127.0.0.1", backend.port), patience=0.2)
    hostile = [c for c in CASES if c.kind == "request" and c.want.steps[-1].kind in ("refuse", "break")
               and not c.send_end][:60]
    try:
        found = loop.run_until_complete(world.run_cases(hostile, lambda c: [engine.WHOLE]))
        assert [c.name for c in hostile if not found[c]] == []
    finally:
        world.close()
        loop.close()
