"""When a worker has no descriptor left it stops accepting, serves on, and goes on accepting when
descriptors come back. It neither spins, nor drops what it has, nor dies."""

import os
import resource
import threading

import pytest

from lib import process
from lib.wait import wait_for, wait_still

LIMIT = 64


def low(number=LIMIT):
    return ["prlimit", f"--nofile={number}:{number}"]


def served(clients):
    """How many of the clients, each of which has sent a request, have an answer by now."""
    return sum(not c.is_quiet() for c in clients)


class Holding:
    """An origin's handler that answers nothing before it is released."""

    def __init__(self):
        self.release = threading.Event()
        self.held = 0

    def __call__(self, connection, request):
        if not self.release.is_set():
            self.held += 1
            self.release.wait(30)
        return b"fine"


def check_exhaustion(lb, handler, most):
    """More clients ask than there is room for. None of those inside is idle, so that nobody has to go
    for another."""
    pid = lb.worker
    clients = [lb.client() for _ in range(most + 60)]
    for c in clients:
        c.send_request("GET", "/")
    n = wait_still(lambda: handler.held, quiet=0.5)
    assert 0 < n < most, f"{n} of {len(clients)} were let in"
    # it waits, and does not spin
    busy = process.cpu_seconds(pid)
    assert wait_still(lambda: handler.held, quiet=0.5) == n
    assert process.cpu_seconds(pid) - busy < 0.2
    # who is in is served, who leaves makes room for who waits, and in the end everybody was served
    handler.release.set()
    waiting = list(clients)
    while waiting:
        batch = wait_for(lambda: [c for c in waiting if not c.is_quiet()], "room for those who wait")
        for c in batch:
            assert c.response().status == 200
            c.close()
            waiting.remove(c)
    assert lb.get("/").status == 200
    assert lb.worker == pid


def test_descriptors_run_out(tinylb, origin):
    handler = Holding()
    o = origin(handler)
    lb = tinylb(backends=[o.url], prefix=low())
    check_exhaustion(lb, handler, LIMIT)


def test_limit_of_connections(tinylb, origin):
    """The same where the settings set the limit."""
    handler = Holding()
    o = origin(handler)
    lb = tinylb(backends=[o.url], limits={"connections": 10})
    check_exhaustion(lb, handler, 11)


@pytest.mark.bare("it counts descriptors")
def test_descriptors_taken_away(tinylb, origin):
    """The limit sinks while the worker runs: accept fails, and the reserve that was computed at the
    start is gone. Requests on connections that are open get an answer, if only a 502."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    c.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo")
    o.wait_connections(1)  # in the middle of a body it is not idle: no room can be made
    pid = lb.worker
    wait_still(lambda: len(process.descriptors(pid)))
    count = max(process.descriptors(pid)) + 1
    limit_descriptors(pid, count)
    with lb.log_contains("cannot accept more connections"):
        waiting = lb.client()
        waiting.send_request("GET", "/")
    busy = process.cpu_seconds(pid)
    assert wait_still(lambda: served([waiting]), quiet=0.5) == 0
    assert process.cpu_seconds(pid) - busy < 0.2
    c.send("dy")
    assert c.response().status in (200, 502, 503)
    limit_descriptors(pid, 1024)
    assert waiting.response().status in (200, 502, 503)
    assert lb.get("/").status == 200


def test_longest_idle_makes_room(tinylb, origin):
    """Where all places are taken, whoever comes gets that of the client that was idle longest, if it
    was idle for a second: a request of it might be on its way."""
    o = origin()
    lb = tinylb(backends=[o.url], limits={"connections": 2})
    first, second = lb.client(), lb.client()
    assert first.get("/").status == 200
    assert second.get("/").status == 200
    assert lb.client().get("/").status == 200
    assert first.at_end()
    assert second.get("/").status == 200


def limit_descriptors(pid, number):
    """Sets the soft limit of open descriptors of another process."""
    try:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (number, resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]))
    except PermissionError:
        pytest.skip("may not set another process's limits")


def test_no_descriptor_leaks(tinylb, origin):
    """After a thousand connections of all kinds the worker has what it had before."""
    o = origin(lambda c, r: c.reset() if r.target == "/reset" else b"fine")
    lb = tinylb(backends=[o.url], timeouts={"idle_backend": "100ms"})
    lb.get("/")
    o.wait_no_connection()

    def count():
        return len(process.descriptors(lb.worker))

    before = wait_still(count)
    for i in range(250):
        lb.get("/")
        c = lb.client()
        c.send_request("GET", "/reset")
        assert c.response().status == 502
        c.close()
        lb.client().abort()
        c = lb.client()
        c.send("garbage\r\n\r\n")
        c.close()
    wait_for(lambda: count() <= before, "the worker closes what it opened")


def test_logs_are_reopened_without_descriptors(tinylb, origin):
    """A worker whose clients have all its descriptors can still take a log that was rotated, and above
    all does not think that its master is gone."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/before").status == 200
    assert lb.access()[0].request.startswith("GET /before")
    c.send("GET /after HTTP/1.1\r\n")
    pid = lb.worker
    wait_still(lambda: len(process.descriptors(pid)))
    limit_descriptors(pid, max(process.descriptors(pid)) + 1)
    rotated = lb.access_file + ".1"
    os.rename(lb.access_file, rotated)
    with lb.log_contains("reopened"):
        lb.usr1()
    wait_for(lambda: os.path.exists(lb.access_file), "the new access log")
    c.send("Host: h\r\n\r\n")
    assert c.response().status in (200, 502, 503)
    limit_descriptors(pid, 1024)
    assert lb.access()[0].request.startswith("GET /after")
    with open(rotated, encoding="utf-8") as f:
        assert "GET /after" not in f.read()
    assert lb.get("/").status == 200
    assert lb.worker == pid


@pytest.mark.bare("it counts descriptors")
@pytest.mark.parametrize("number", [5, 6, 7, 8])
def test_far_too_few(tinylb, origin, number):
    """The start is refused with a reason that the program gives itself, and not with a library's."""
    lb = tinylb(backends=[origin().url], start=False)
    lb.prefix = low(number)
    lb.env = {"ASAN_OPTIONS": "detect_leaks=0"}  # the search for leaks needs descriptors, too
    lb.expected_exit = 1
    lb.start(wait=False)
    assert lb.wait_exit() == 1
    assert lb.log_lines("cannot start: .*Too many open files")
    assert all(" tinylb[" in line for line in lb.log().splitlines())


@pytest.mark.bare("it counts descriptors")
def test_just_enough(tinylb, origin):
    lb = tinylb(backends=[origin(name="x").url], prefix=low(32), access_log=True, top={"log": "@DIR@/log"})
    assert lb.get("/").text == "x"
    lb.hup()
    wait_for(lambda: lb.workers().keys() == {(0, 2)}, "the reload")
    assert lb.get("/").text == "x"
