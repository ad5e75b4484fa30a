"""TERM, INT and QUIT: accept no more, finish what is in flight, exit 0. A second one stops at once."""

import os
import signal
import threading

import pytest

from lib import process
from lib.load import answer, gets_in
from lib.wait import DEADLINE, wait_for


@pytest.fixture
def slow(origin):
    """An origin whose answers wait for .go."""
    go = threading.Event()
    o = origin(lambda c, r: (go.wait(DEADLINE), b"done")[1])
    o.go = go
    yield o
    go.set()


def in_flight(lb, o):
    c = lb.client()
    c.send_request("GET", "/")
    o.wait_requests(1)
    return c


def refuses(lb):
    try:
        lb.client().close()
        return False
    except OSError:
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_what_is_in_flight_is_finished(tinylb, slow, number):
    lb = tinylb(backends=[slow.url], workers=2, timeouts={"drain": "20s"})
    c = in_flight(lb, slow)
    lb.signal(number)
    wait_for(lambda: refuses(lb), "the end of accepting")
    assert lb.is_running() and c.is_quiet()
    slow.go.set()
    r = c.response()
    assert r.text == "done" and r.headers.tokens("connection") == ["close"] and c.at_end()
    c.close()  # one that stays is waited for
    assert lb.wait_exit() == 0


def test_backend_connections_are_not_kept(tinylb, origin):
    """What will not be needed any more ends at once, and not when the last request does."""
    first, second = threading.Event(), threading.Event()
    o = origin(lambda c, r: b"done" if (first if r.path == "/1" else second).wait(2 * DEADLINE) else None)
    lb = tinylb(backends=[o.url], timeouts={"drain": "20s"})
    a, b = lb.client(), lb.client()
    a.send_request("GET", "/1")
    o.wait_requests(1)
    b.send_request("GET", "/2")
    o.wait_requests(2)
    lb.term()
    wait_for(lambda: refuses(lb), "the end of accepting")
    first.set()
    with a:
        assert a.response().text == "done"
    wait_for(o.connections[0].ended.is_set, "the end of the first one's connection")
    assert b.is_quiet() and lb.is_running()
    second.set()
    with b:
        assert b.response().text == "done"
    assert lb.wait_exit() == 0


def test_who_gets_in_is_served(tinylb, origin):
    """At no moment can a connection be made and then be reset. The worker is too busy to accept."""
    lb = tinylb(backends=[origin(name="x").url], timeouts={"drain": "20s"})
    worker = lb.worker
    os.kill(worker, signal.SIGSTOP)
    clients, address = [], ("127.0.0.1", lb.port)
    try:
        assert gets_in(address, clients)
        with lb.log_contains("stopping: finishing"):
            lb.term()
        wait_for(lambda: not gets_in(address, clients), "the gate before a socket that is closed soon")
        assert process.listening(lb.port)
    finally:
        os.kill(worker, signal.SIGCONT)
    assert {answer(s)[-1:] for s in clients} == {b"x"}
    assert lb.wait_exit() == 0


def test_interrupt_from_a_terminal(tinylb, slow):
    """^C goes to every process of the group, and still the master alone decides."""
    lb = tinylb(backends=[slow.url], workers=2, timeouts={"drain": "20s"})
    c = in_flight(lb, slow)
    os.killpg(lb.pid, signal.SIGINT)
    wait_for(lambda: refuses(lb), "the end of accepting")
    slow.go.set()
    with c:
        assert c.response().text == "done"
    assert lb.wait_exit() == 0


def test_second_signal_stops_at_once(tinylb, slow):
    lb = tinylb(backends=[slow.url], timeouts={"drain": "60s"})
    c = in_flight(lb, slow)
    lb.term()
    lb.wait_log("stopping: finishing")
    assert lb.is_running()
    lb.term()
    assert lb.wait_exit() == 0
    assert c.at_end()


def test_drain_has_a_deadline(tinylb, slow):
    lb = tinylb(backends=[slow.url], timeouts={"drain": "300ms"})
    c = in_flight(lb, slow)
    lb.term()
    assert lb.wait_exit() == 0
    assert c.at_end()


def test_hung_worker_is_killed(tinylb, slow):
    lb = tinylb(backends=[slow.url], timeouts={"drain": "100ms"})
    os.kill(lb.worker, signal.SIGSTOP)
    lb.term()
    assert lb.wait_exit() == 0
    assert lb.log_lines("does not end: killing it")


def test_nothing_to_finish(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=3)
    idle = lb.client()
    assert idle.get("/").status == 200
    lb.term()
    assert lb.wait_exit() == 0 and idle.at_end()
    assert lb.log_lines("stopped")


def test_stop_before_ready(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=8, start=False)
    lb.start(wait=False)
    wait_for(lambda: lb.log() or not lb.is_running(), "its first word")
    lb.term()
    assert lb.wait_exit() == 0


def test_workers_do_not_outlive_the_master(tinylb, slow):
    """A master that dies takes nobody with it: workers finish what they have and end."""
    lb = tinylb(backends=[slow.url], workers=2, timeouts={"drain": "20s"})
    c = in_flight(lb, slow)
    workers = lb.worker_pids()
    lb.expected_exit = -signal.SIGKILL
    lb.signal(signal.SIGKILL)
    wait_for(lambda: refuses(lb), "the end of accepting")
    slow.go.set()
    with c:
        assert c.response().text == "done"
    wait_for(lambda: not any(process.exists(p) for p in workers), "the end of the workers")
