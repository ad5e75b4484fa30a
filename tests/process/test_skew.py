"""Workers share out connections themselves where the kernel's hash is uneven.

Of few connections a hash gives some workers far more than their share. A worker that has clearly more clients
than a sibling passes fresh ones on, so that none has more than two, or a tenth, above the others; what is
passed is lost on no way, whoever dies or hangs.
"""

import collections
import os
import signal
import threading
import time

import pytest
from lib import board
from lib.held import Held
from lib.process import cpu_seconds, established, exists, state
from lib.slots import answers, ask, crash_until, slot_of
from lib.wait import DEADLINE, wait_for, wait_still

WORKERS = 8


def connect(lb, count, at_once=False):
    clients = []
    for _ in range(count):
        clients.append(lb.client())
        clients[-1].send_request("GET", "/")
        if not at_once:
            assert clients[-1].response().status == 200
    for c in clients[0 if at_once else count:]:
        assert c.response().status == 200
    return clients


def counts(lb, clients):
    found = collections.Counter(lb.workers_of(clients))
    return [found[pid] for pid in lb.worker_pids()]


@pytest.mark.parametrize("connections", [16, 64, 256])
def test_even(tinylb, origin, connections):
    lb = tinylb(backends=[origin().url], workers=WORKERS)
    found = counts(lb, connect(lb, connections))
    mean = connections / WORKERS
    assert sum(found) == connections
    assert max(found) <= mean + max(2, mean / 10), found


def ask_at_once(lb, count, port=None):
    clients = [lb.client(("127.0.0.1", port or lb.port)) for _ in range(count)]
    for c in clients:
        c.send_request("GET", "/")
    return clients


def serve(clients, leave=True):
    """Who was served leaves and makes room for others: those that came first need not be the first."""
    waiting = list(clients)
    while waiting:
        for c in wait_for(lambda: [c for c in waiting if not c.is_quiet()], "room for those who wait"):
            assert c.response().status == 200
            waiting.remove(c)
            if leave:
                c.close()


def test_nobody_has_more_than_he_may(tinylb, origin):
    """One finds clients at each of its sockets, which fill it, and behind them what it was passed."""
    held = Held()
    held.hold()
    lb = tinylb(backends=[origin(held).url], workers=2, limits={"connections": 3},
                listen=("127.0.0.1:@PORT@", "127.0.0.1:@PORT2@", "127.0.0.1:@PORT3@"))
    pids = lb.worker_pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda pid=pid: state(pid) == "T", "the stop")
    clients = [c for port in lb.ports for c in ask_at_once(lb, 12, port)]
    for i, pid in enumerate(pids):
        os.kill(pid, signal.SIGCONT)
        wait_for(lambda i=i: held.now >= 3 * (i + 1), "all that it may have")
    assert wait_still(lambda: held.now) == 6
    assert sum(board.waiting(lb.pid)) == 1
    held.let_go()
    serve(clients)
    assert not any(board.waiting(lb.pid))


def test_idle_clients_make_room(tinylb, origin):
    """Whichever queue they wait in."""
    lb = tinylb(backends=[origin().url], workers=2, limits={"connections": 12})
    serve(ask_at_once(lb, 60), leave=False)


def test_who_came_back_takes_most(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=2)
    lb.deaths_expected = True
    connect(lb, 40)
    killed, other = lb.worker_pids()
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: killed not in lb.worker_pids() and len(lb.worker_pids()) == 2, "the next worker")
    lb.wait_ready()
    new = collections.Counter(lb.workers_of(connect(lb, 12)))
    assert new[other] <= 4, new


def test_what_was_passed_outlives_the_worker(tinylb, origin):
    """One that hangs is passed a few connections, for without clients it looks idle. The next one has them."""
    lb = tinylb(backends=[origin().url], workers=2)
    lb.deaths_expected = True
    stopped, _ = lb.worker_pids()
    os.kill(stopped, signal.SIGSTOP)
    wait_for(lambda: state(stopped) == "T", "the stop")
    clients = [lb.client() for _ in range(40)]
    for c in clients:
        c.send_request("GET", "/")
    os.kill(stopped, signal.SIGKILL)
    for c in clients:
        assert c.response().status == 200


@pytest.mark.parametrize("end", ["hup", "term"])
def test_what_was_passed_has_an_heir(tinylb, origin, end):
    """The slot of the dead worker is empty for a while, and then it will not have another worker at all."""
    lb = tinylb(backends=[origin(name="x").url], workers=2)
    ready = crash_until(lb, 1, 200)
    lb.wait_log("worker 1 gen 1 .* is ready", ready + 1)
    stopped = slot_of(lb, 1)
    os.kill(stopped, signal.SIGSTOP)
    wait_for(lambda: state(stopped) == "T", "the stop")
    clients = ask(lb, 40)
    os.kill(stopped, signal.SIGKILL)
    lb.wait_log(rf"pid {stopped}\) was killed by SIGKILL; the next one starts in")
    getattr(lb, end)()
    assert answers(clients) == ["x"] * 40


def test_last_worker_of_a_dead_master_rests(tinylb, origin):
    """Nobody can pass it anything any more, and it does not turn about that until its end."""
    release = threading.Event()

    def handler(conn, _request):
        release.wait(DEADLINE)
        conn.respond(200, b"late")

    lb = tinylb(backends=[origin(handler).url], workers=2, timeouts={"drain": "60s"})
    lb.expected_exit = -signal.SIGKILL
    c = lb.client()
    c.send_request("GET", "/")
    wait_for(lambda: established(lb.port)[0] == 1 and lb.worker_of(c), "the client's worker")
    last, (other,) = lb.worker_of(c), set(lb.worker_pids()) - {lb.worker_of(c)}
    lb.signal(signal.SIGKILL)
    wait_for(lambda: not exists(other), "the end of the idle worker")
    before = cpu_seconds(last)
    time.sleep(0.5)  # in which it has nothing to do
    assert cpu_seconds(last) - before < 0.25
    release.set()
    assert c.response().text == "late"
    c.close()
    wait_for(lambda: not exists(last), "the end of the last worker")


def test_reload_loses_nothing_that_was_passed(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=4)
    for i in range(5):
        clients = [lb.client() for _ in range(40)]
        lb.hup()
        for c in clients:
            c.send_request("GET", "/")
        for c in clients:
            assert c.response().status == 200
        lb.wait_log("reloaded in", i + 1)
