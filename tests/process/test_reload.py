"""HUP takes new settings without a pause, as a transaction.

The new generation starts beside the old one on the same sockets; only when all of it is ready does the
old one drain. Whatever goes wrong before that leaves the old one untouched, and the log says why.
"""

import os
import re
import resource
import signal
import socket
import threading

import pytest

from lib import process
from lib.crowd import Askers
from lib.wait import DEADLINE, wait_for

def generations(lb):
    """The generations whose workers live."""
    return sorted({g for _, g in lb.workers()})


def accepting(lb):
    """The generations whose workers have a listening socket."""
    sockets = {f"socket:[{inode}]" for port in lb.ports for inode in process.listening_inodes(port)}
    return {g for (_, g), pid in lb.workers().items()
            if sockets & set(process.descriptors(pid).values())}


def reload(lb, settings=None, refused=False):
    """Sends HUP and waits until the reload is over and only one generation accepts."""
    if settings is not None:
        lb.write(settings)
    with lb.log_contains("reload refused" if refused else r"reloaded in \d+ ms"):
        lb.hup()
    wait_for(lambda: len(accepting(lb)) == 1, "one generation that accepts")


def change(lb, pattern, text):
    """The settings with one part replaced."""
    changed = re.sub(pattern, text, lb.settings, count=1)
    assert changed != lb.settings
    return changed


def test_new_settings_serve(tinylb, origin):
    a, b = origin(name="a"), origin(name="b")
    lb = tinylb(backends=[a.url], workers=2)
    assert lb.get("/").text == "a" and generations(lb) == [1]
    reload(lb, lb.settings.replace(a.url, b.url))
    wait_for(lambda: generations(lb) == [2], "the end of the old workers")
    assert {lb.get("/").text for _ in range(8)} == {"b"}


def test_request_in_flight_is_finished_by_the_old_worker(tinylb, origin):
    go = threading.Event()
    a = origin(lambda c, r: (go.wait(DEADLINE), b"old")[1])
    b = origin(name="new")
    lb = tinylb(backends=[a.url])
    c = lb.client()
    c.send_request("GET", "/")
    a.wait_requests(1)
    reload(lb, lb.settings.replace(a.url, b.url))
    assert lb.get("/").text == "new"
    assert generations(lb) == [1, 2]
    go.set()
    r = c.response()
    assert r.text == "old" and r.headers.tokens("connection") == ["close"] and c.at_end()
    wait_for(lambda: generations(lb) == [2], "the end of the old worker")


def test_idle_client_is_sent_away_in_order(tinylb, origin):
    """An idle connection ends with an orderly close, so that the client's next request is not lost."""
    lb = tinylb(backends=[origin().url])
    c = lb.client()
    assert c.get("/").keeps_alive
    reload(lb)
    assert c.at_end()
    assert lb.get("/").status == 200


@pytest.mark.parametrize("wrong", [
    ("workers = 1", 'workers = "many"', r"tinylb\.conf:\d+: .*workers"),
    ("workers = 1", "wrokers = 1", r"tinylb\.conf:\d+: .*wrokers"),
    ("pools = \\(", "pools = ", r"tinylb\.conf:\d+: "),
    ('access_log = "[^"]*"', 'access_log = "/nonexistent/log"', "access log /nonexistent/log: No such"),
    ("log_level", 'log = "/nonexistent/log"; log_level', "log /nonexistent/log: No such"),
], ids=["value", "name", "syntax", "access_log", "log"])
def test_bad_settings_change_nothing(tinylb, origin, wrong):
    pattern, text, message = wrong
    lb = tinylb(backends=[origin().url])
    before = lb.workers()
    c = lb.client()
    assert c.get("/").status == 200
    good = lb.settings
    with lb.log_contains(message):
        reload(lb, change(lb, pattern, text), refused=True)
    assert lb.workers() == before
    assert c.get("/").keeps_alive and lb.get("/").status == 200
    reload(lb, good)
    wait_for(lambda: lb.workers().keys() != before.keys(), "new workers")


def test_taken_address_changes_nothing(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = f"127.0.0.1:{s.getsockname()[1]}"
        line = change(lb, r"\{ address", f'{{ address = "{taken}"; pool = "app"; }}, {{ address')
        with lb.log_contains(f"cannot listen on {taken}"):
            reload(lb, line, refused=True)
    assert lb.get("/").status == 200 and generations(lb) == [1]


@pytest.mark.bare("it counts descriptors")
def test_failure_half_way_changes_nothing(tinylb, origin):
    """Descriptors run out after the first new worker was ready: it is sent home again."""
    lb = tinylb(backends=[origin().url], workers=2)
    before = lb.workers()
    limits = resource.prlimit(lb.pid, resource.RLIMIT_NOFILE)
    # One for the access log and a pair for the first worker.
    few = len(process.descriptors(lb.pid)) + 3
    resource.prlimit(lb.pid, resource.RLIMIT_NOFILE, (few, limits[1]))
    with lb.log_contains("worker 0 gen 2 .* ready -> draining"):
        reload(lb, refused=True)
    wait_for(lambda: lb.workers() == before, "the end of the new worker")
    wait_for(lambda: len(process.descriptors(lb.pid)) == few - 3, "nothing left of it")
    assert {lb.get("/").status for _ in range(20)} == {200}
    resource.prlimit(lb.pid, resource.RLIMIT_NOFILE, limits)
    reload(lb)
    wait_for(lambda: len(lb.workers()) == 2 and lb.workers() != before, "new workers")


@pytest.mark.bare("it counts descriptors")
def test_settings_that_cannot_be_read(tinylb, origin):
    """No descriptor is left to open the file: that is no mistake in it."""
    lb = tinylb(backends=[origin().url])
    limits = resource.prlimit(lb.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(lb.pid, resource.RLIMIT_NOFILE, (len(process.descriptors(lb.pid)), limits[1]))
    with lb.log_contains("cannot read the settings: Too many open files"), \
            lb.log_contains("reload refused: the settings could not be loaded"):
        reload(lb, refused=True)
    assert lb.get("/").status == 200
    resource.prlimit(lb.pid, resource.RLIMIT_NOFILE, limits)


def test_nothing_is_lost_while_workers_come_and_go(tinylb, origin):
    lb = tinylb(backends=[origin(name="x").url], workers=4)
    with Askers(lb, threads=4) as load:
        for workers in (1, 3, 2, 4, 2):
            reload(lb, re.sub("workers = \\d+", f"workers = {workers}", lb.settings))
            assert lb.get("/").text == "x"
            wait_for(lambda: len(generations(lb)) == 1, "one generation")
    assert set(load.results) == {"x"} and len(load.results) > 20


def test_nothing_is_lost_while_a_listener_moves(tinylb, origin):
    """From one address to all of them and back: a port that stays reachable stays served."""
    lb = tinylb(backends=[origin(name="x").url], workers=2)
    one = lb.settings
    every = one.replace('address = "127.0.0.1:', 'address = "*:')
    with Askers(lb, threads=4) as load:
        for settings in (every, one, every, one):
            reload(lb, settings)
            wait_for(lambda: len(generations(lb)) == 1, "one generation")
    assert set(load.results) == {"x"}


def test_listener_is_added_and_removed(tinylb, origin):
    go = threading.Event()
    o = origin(lambda c, r: (go.wait(DEADLINE) if r.target == "/slow" else None, b"x")[1])
    lb = tinylb(backends=[o.url], workers=2)
    one = lb.settings
    reload(lb, change(lb, r"\{ address", '{ address = "127.0.0.1:@PORT2@"; pool = "app"; }, { address'))
    second = ("127.0.0.1", lb.ports[1])
    assert process.listening(second[1]) == 2
    c = lb.client(second)
    c.send_request("GET", "/slow")
    o.wait_requests(1)
    reload(lb, one)
    wait_for(lambda: process.listening(second[1]) == 0, "the end of the removed address")
    with pytest.raises(ConnectionRefusedError):
        lb.client(second)
    go.set()
    assert c.response().text == "x" and lb.get("/").text == "x"


def test_unix_listener_is_added_and_removed(tinylb, origin):
    lb = tinylb(backends=[origin(name="x").url], workers=2)
    one = lb.settings
    path = os.path.join(lb.directory, "socket")
    reload(lb, change(lb, r"\{ address", f'{{ address = "unix:{path}"; pool = "app"; }}, {{ address'))
    assert {lb.client(path).get("/").text for _ in range(4)} == {"x"}
    reload(lb)
    assert lb.client(path).get("/").text == "x"
    reload(lb, one)
    assert not os.path.exists(path)


def test_sockets_stay_the_same(tinylb, origin):
    """Connections wait on sockets: the same ones serve before and after, each new slot has one of its
    own, and none is ever closed as long as its address is in the settings."""
    lb = tinylb(backends=[origin().url], workers=2)
    first = set(process.listening_inodes(lb.port))
    assert len(first) == 2
    reload(lb)
    assert set(process.listening_inodes(lb.port)) == first
    reload(lb, lb.settings.replace("workers = 2", "workers = 3"))
    more = set(process.listening_inodes(lb.port))
    assert first < more and len(more) == 3
    reload(lb, lb.settings.replace("workers = 3", "workers = 1"))
    wait_for(lambda: len(lb.workers()) == 1, "one worker")
    assert set(process.listening_inodes(lb.port)) == more
    assert {lb.get("/").status for _ in range(30)} == {200}


def test_many_hups_become_one_more(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    start = len(lb.log())
    for _ in range(20):
        lb.hup()
    wait_for(lambda: lb.log()[start:].count("reloaded in") >= 1, "a reload")
    lb.wait_log("generation 1 has ended")
    wait_for(lambda: len(generations(lb)) == 1, "one generation")
    assert generations(lb)[0] <= 21 and lb.get("/").status == 200


class Held:
    """A backend that answers when it is told to, and one request in flight in each of two old
    generations and the current one."""

    def __init__(self, tinylb, origin, drain):
        self.go = [threading.Event() for _ in range(3)]
        self.origin = origin(lambda c, r: (self.go[int(r.target[1:])].wait(DEADLINE) if r.target != "/" else 0, b"x")[1])
        self.lb = tinylb(backends=[self.origin.url], timeouts={"drain": drain})
        self.clients = []
        for i in range(3):
            c = self.lb.client()
            c.send_request("GET", f"/{i}")
            self.clients.append(c)
            self.origin.wait_requests(i + 1)
            if i < 2:
                reload(self.lb)
        assert generations(self.lb) == [1, 2, 3]

    def finish(self, i):
        """Reads an answer, and leaves as it says: a worker waits a while for clients to do so."""
        with self.clients[i] as c:
            return c.response().text


def test_reload_waits_for_an_old_generation(tinylb, origin):
    """Who reloads again and again while clients take long neither collects processes nor loses requests;
    however many asked meanwhile, one more reload follows."""
    held = Held(tinylb, origin, "60s")
    lb = held.lb
    for _ in range(3):
        # USR1 comes after HUP: when it was obeyed, so was the other.
        with lb.log_contains("logs reopened"):
            lb.hup()
            lb.usr1()
    assert len(lb.log_lines(r"reload waits until an old generation has ended; at most \d+ s")) == 1
    assert generations(lb) == [1, 2, 3] and lb.get("/").text == "x"
    held.go[1].set()
    assert held.finish(1) == "x"
    wait_for(lambda: generations(lb) == [1, 3, 4], "the reload that waited")
    held.go[0].set()
    held.go[2].set()
    assert [held.finish(i) for i in (0, 2)] == ["x"] * 2
    wait_for(lambda: generations(lb) == [4], "the end of the old ones")
    assert len(lb.log_lines("reloaded in")) == 3 and not lb.log_lines("still busy|cut off")


def test_reload_waits_for_the_deadline_at_most(tinylb, origin):
    held = Held(tinylb, origin, "1500ms")
    with held.lb.log_contains("reload waits"), held.lb.log_contains("reloaded in"), \
            held.lb.log_contains("generation 1 has ended; cut off were 1 requests and 0 idle connections of 1 workers"):
        held.lb.hup()
    assert held.clients[0].at_end()
    for go in held.go:
        go.set()


def test_stop_while_a_reload_waits(tinylb, origin):
    held = Held(tinylb, origin, "60s")
    with held.lb.log_contains("reload waits"):
        held.lb.hup()
    held.lb.term()
    for go in held.go:
        go.set()
    assert [held.finish(i) for i in range(3)] == ["x"] * 3
    assert held.lb.wait_exit() == 0
    assert len(held.lb.log_lines("reloaded in")) == 2


def test_old_workers_are_ended_at_their_deadline(tinylb, origin):
    """What is cut off then is counted, in one line for all of them."""
    go = threading.Event()
    o = origin(lambda c, r: b"x" if r.target == "/quick" else go.wait(DEADLINE))
    lb = tinylb(backends=[o.url], workers=2, timeouts={"drain": "300ms"})
    idle = lb.client()
    idle.get("/quick")
    clients = [lb.client() for _ in range(20)]
    for c in clients:
        c.send_request("GET", "/")
    o.wait_requests(1 + len(clients))
    assert len({lb.worker_of(c) for c in clients}) == 2
    cut = r"generation 1 has ended; cut off were 20 requests and 1 idle connections of 2 workers, and .* 0 killed"
    with lb.log_contains(cut):
        reload(lb)
    assert all(c.at_end() for c in [*clients, idle])
    wait_for(lambda: generations(lb) == [2], "the end of the old workers")
    go.set()


def test_worker_that_ignores_its_deadline_is_killed(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=2, timeouts={"drain": "300ms"})
    stopped = lb.worker_pids()[1]
    os.kill(stopped, signal.SIGSTOP)
    with lb.log_contains("worker 1 gen 1 .* is still busy at its deadline"), lb.log_contains("does not end: killing it"), \
            lb.log_contains("generation 1 has ended; cut off were 0 requests .* of 0 workers, and all that 1 killed ones had"):
        reload(lb)
    assert not process.exists(stopped)


def test_names_are_looked_up_by_another_process(tinylb, origin):
    o = origin(name="x")
    lb = tinylb(backends=[o.url.replace("127.0.0.1", "localhost")])
    assert lb.get("/").text == "x"
    reload(lb)
    assert lb.get("/").text == "x"
    assert len(lb.log_lines(r"resolver gen \d \(pid \d+\) was started")) == 2


def test_no_descriptor_is_left_behind(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=2)

    def count():
        return [len(process.descriptors(p)) for p in (lb.pid, *lb.worker_pids())]

    before = count()
    for _ in range(10):
        reload(lb)
    wait_for(lambda: count() == before, "as many descriptors as at first")
