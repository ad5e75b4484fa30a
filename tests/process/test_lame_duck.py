"""TERM with timeouts.lame_duck: for that long everybody is served, and told to go elsewhere; only then
begins what TERM does without it. So a balancer in front has time to notice."""

import os
import signal
import time

import pytest

from lib.load import Load
from lib.wait import SLOW, wait_for


def lame_duck(lb):
    with lb.log_contains(r"stopping in \d+ ms: serving on until then"):
        lb.term()


def test_everybody_is_served(tinylb, origin):
    o = origin(name="x")
    lb = tinylb(backends=[o.url], workers=2, timeouts={"lame_duck": "60s"})
    idle = lb.client()
    assert idle.get("/").keeps_alive
    before = lb.workers()
    lame_duck(lb)
    wait_for(lambda: not lb.get("/").keeps_alive, "an answer that ends its connection")
    connections = len(o.connections)
    for c in [idle, *(lb.client() for _ in range(5))]:
        r = c.get("/")
        assert r.text == "x"
        c.close()
    # Connections to backends are of use for as long as it serves.
    assert len(o.connections) <= connections + 1
    with lb.log_contains("reload ignored: tinylb is stopping"):
        lb.hup()
    assert lb.workers() == before
    begin = time.monotonic()
    with lb.log_contains("stopping at once"):
        lb.term()
    assert lb.wait_exit() == 0 and time.monotonic() - begin < 30


def test_dead_worker_is_replaced_meanwhile(tinylb, origin):
    lb = tinylb(backends=[origin(name="x").url], timeouts={"lame_duck": "60s"})
    lb.deaths_expected = True
    lame_duck(lb)
    old = lb.worker
    os.kill(old, signal.SIGKILL)
    lb.wait_log("worker 0 gen 1 .* is ready")
    assert lb.worker != old
    with lb.client() as c:
        r = c.get("/")
        assert r.text == "x"
    wait_for(lambda: not lb.get("/").keeps_alive, "the new one to know it")
    lb.term()
    assert lb.wait_exit() == 0


def test_reload_under_way_is_given_up(tinylb, origin):
    """The new settings never come to be in force, and the old ones serve to the end."""
    lb = tinylb(backends=[origin(name="x").url], workers=2, timeouts={"lame_duck": "60s"})
    lb.write(lb.settings.replace("workers = 2", "workers = 64"))
    with lb.log_contains("worker 1 gen 2 .* was started"):
        lb.hup()
    lame_duck(lb)
    wait_for(lambda: {g for _, g in lb.workers()} == {1}, "the end of the new workers")
    if lb.log_lines("reloaded in"):
        pytest.skip("it reloaded too fast")
    assert {lb.get("/").text for _ in range(5)} == {"x"}


def test_it_ends_by_itself(tinylb, origin):
    """Then it drains and exits with 0, and nobody who got in is reset."""
    lb = tinylb(backends=[origin(name="x").url], workers=2, timeouts={"lame_duck": "500ms"})
    begin = time.monotonic()
    with Load(("127.0.0.1", lb.port), b"x", threads=3) as fresh, \
            Load(("127.0.0.1", lb.port), b"x", kept=True) as kept:
        lame_duck(lb)
        wait_for(lambda: kept.told, "an answer that ends a kept connection")
        assert lb.wait_exit(10 * SLOW) == 0
        assert time.monotonic() - begin > 0.5
    assert set(fresh.lost) == {"refused"} and set(kept.lost) <= {"refused"}
    log = lb.log()
    assert log.index("serving on until then") < log.index("finishing what is in flight") < log.index("stopped")


def test_stop_without_it_resets_nobody(tinylb, origin):
    """Whoever connects while it stops gets in and is served, or is refused."""
    lb = tinylb(backends=[origin(name="x").url], workers=4)
    with Load(("127.0.0.1", lb.port), b"x", threads=4) as fresh:
        fresh.wait_served(50)
        lb.term()
        assert lb.wait_exit() == 0
    assert set(fresh.lost) <= {"refused"}
