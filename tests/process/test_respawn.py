"""A worker that dies is replaced on the same sockets; what it was carrying is lost, and nothing else."""

import os
import re
import signal

import pytest

from lib import process
from lib.wait import SLOW, wait_for


def kill(lb, pid, number=signal.SIGKILL):
    lb.deaths_expected = True
    lb.wait_log(r"tinylb \S+ is ready: ")  # one that dies before that has failed to start
    os.kill(pid, number)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_dead_worker_is_replaced(tinylb, origin, number):
    """SIGTERM at a worker alone is not how tinylb is stopped: its place is filled again, too."""
    lb = tinylb(backends=[origin().url], workers=2)
    sockets = sorted(process.listening_inodes(lb.port))
    before = lb.workers()
    with lb.log_contains(rf"worker 0 gen 1 \(pid {before[0, 1]}\) .*; the next one starts now"):
        kill(lb, before[0, 1], number)
    wait_for(lambda: len(lb.workers()) == 2 and lb.workers()[0, 1] != before[0, 1], "a new worker 0")
    assert lb.workers()[1, 1] == before[1, 1]
    assert sorted(process.listening_inodes(lb.port)) == sockets
    lb.wait_log(r"worker 0 gen 1 .* is ready")
    assert {lb.get("/").status for _ in range(10)} == {200}


def test_log_tells_what_killed_it(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    pid = lb.worker
    with lb.log_contains(rf"pid {pid}\) was killed by SIGKILL"):
        kill(lb, pid)


def test_waiting_connections_survive(tinylb, origin):
    """Connections that no worker has accepted yet are the kernel's: the next worker serves them."""
    lb = tinylb(backends=[origin(name="x").url])
    pid = lb.worker
    os.kill(pid, signal.SIGSTOP)
    clients = [lb.client() for _ in range(20)]
    for c in clients:
        c.send_request("GET", "/")
    kill(lb, pid)
    more = [lb.client() for _ in range(5)]
    for c in more:
        c.send_request("GET", "/")
    assert [c.response().text for c in clients + more] == ["x"] * 25


def test_all_workers_at_once(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=3)
    for pid in lb.worker_pids():
        kill(lb, pid)
    lb.wait_log(r"worker \d gen 1 .* is ready", times=3)
    assert lb.get("/").status == 200


def test_restarts_slow_down(tinylb, origin):
    """At once, then after 0.1, 0.2, 0.4 s and so on, each a quarter more or less."""
    lb = tinylb(backends=[origin().url])
    for i in range(5):
        kill(lb, lb.worker)
        lb.wait_log(r"worker 0 gen 1 .* is ready", times=i + 1)
    pauses = [int(re.search(r"in (\d+) ms", line).group(1))
              for line in lb.wait_log(r"the next one starts in \d+ ms", times=4)]
    assert len(lb.log_lines("the next one starts now")) == 1
    for pause, plain in zip(pauses, (100, 200, 400, 800)):
        assert plain * 0.75 - 5 <= pause <= plain * 1.25 + 5 * SLOW


def test_randomness_is_not_replayed(tinylb, origin):
    """With the same seed a worker's successor must not draw the same numbers again."""
    origins = [origin(name=str(i)) for i in range(8)]
    lb = tinylb(backends=[o.url for o in origins])

    def picks():
        return [lb.get("/").text for _ in range(16)]

    first = picks()
    kill(lb, lb.worker)
    lb.wait_log(r"worker 0 gen 1 .* is ready")
    assert picks() != first


@pytest.mark.bare("it counts descriptors")
@pytest.mark.parametrize("descriptors", [4, 5, 6, 7])
def test_start_that_cannot_succeed_ends(tinylb, origin, descriptors):
    """Wherever it fails on the way, the program says why and ends; nothing is tried again and again."""
    lb = tinylb(backends=[origin().url], prefix=["prlimit", f"--nofile={descriptors}"], start=False,
                env={"ASAN_OPTIONS": "detect_leaks=0"})  # the search for leaks needs descriptors, too
    lb.expected_exit = 1
    lb.start(wait=False)
    assert lb.wait_exit() == 1
    assert lb.log()
