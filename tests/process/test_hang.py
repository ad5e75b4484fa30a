"""A worker that hangs is noticed within a second; a sibling accepts in its place; when it goes on, nobody
has lost anything, and when it does not, it is ended, and the log tells what it was doing."""

import contextlib
import os
import signal
import threading
import time

import pytest

from lib import process, spin
from lib.slots import answers, ask, holders, slot_of, socket_of
from lib.wait import DEADLINE, Timeout, wait_for


def stop(lb, *slots):
    for slot in slots:
        os.kill(slot_of(lb, slot), signal.SIGSTOP)


def go_on(lb, *slots):
    for slot in slots:
        os.kill(slot_of(lb, slot), signal.SIGCONT)


def client_of(lb, slot):
    """A client that this worker has accepted."""
    while True:
        c = lb.client()
        assert c.get("/").status == 200
        if lb.worker_of(c) == slot_of(lb, slot):
            return c
        c.close()


def never(lb, pattern, seconds):
    with pytest.raises(Timeout):
        lb.wait_log(pattern, deadline=seconds)


def slowest(clients):
    """Takes all answers; returns how long after now the last one was there, in seconds."""
    start = time.monotonic()
    assert answers(clients) == ["x"] * len(clients)
    return time.monotonic() - start


def test_stopped_worker(tinylb, origin):
    """New connections are answered by others, its own clients when it goes on."""
    lb = tinylb(backends=[origin(name="x").url], workers=4, timeouts={"hang": "0s"})
    inode = socket_of(lb, 1)
    old = client_of(lb, 1)
    stop(lb, 1)
    old.send_request("GET", "/")
    assert slowest(ask(lb, 40)) < DEADLINE / 2  # and not when it goes on
    lb.wait_log(r"worker 1 gen 1 .* hangs: nothing for \d+ ms, with 1 clients .* the process is stopped")
    assert len(holders(lb, inode)) == 2
    assert slowest(ask(lb, 40)) < DEADLINE / 2
    never(lb, "ending it", 1.2)

    go_on(lb, 1)
    lb.wait_log(r"worker 1 gen 1 .* goes on after \d+ ms")
    assert old.response().text == "x"
    assert old.get("/").text == "x"
    lb.wait_log("worker 1 accepts for itself again")
    wait_for(lambda: holders(lb, inode) == [slot_of(lb, 1)], "the sibling to let go")
    assert answers(ask(lb, 20)) == ["x"] * 20


def test_stopped_idle_worker(tinylb, origin):
    """It has nothing to do, until somebody connects."""
    lb = tinylb(backends=[origin(name="x").url], workers=2, timeouts={"hang": "0s"})
    stop(lb, 0)
    never(lb, " hangs: ", 1.2)
    assert slowest(ask(lb, 20)) < DEADLINE / 2
    lb.wait_log(r"worker 0 gen 1 .* hangs: nothing for \d+ ms, with 0 clients")
    go_on(lb, 0)
    lb.wait_log(r"worker 0 gen 1 .* goes on")  # though nobody waits for it any more


def test_what_is_passed_to_a_hung_worker(tinylb, origin):
    """Without clients it looks idle to a sibling that has many; whom that passes on then need not wait for its end."""
    lb = tinylb(backends=[origin(name="x").url], workers=2, timeouts={"hang": "0s"})
    stop(lb, 0)
    while not lb.log_lines(" hangs: "):
        assert lb.get().text == "x"
    clients = [lb.client() for _ in range(12)]
    for c in clients:
        assert c.get("/").text == "x"
    go_on(lb, 0)


def test_stand_in_hangs_too(tinylb, origin):
    """What it accepted from for another goes to a third one."""
    lb = tinylb(backends=[origin(name="x").url], workers=3, timeouts={"hang": "0s"})
    inodes = [socket_of(lb, slot) for slot in range(3)]
    stop(lb, 0, 1)
    assert slowest(ask(lb, 40)) < DEADLINE
    wait_for(lambda: all(slot_of(lb, 2) in holders(lb, i) for i in inodes), "the third one to do it all")
    go_on(lb, 0, 1)
    lb.wait_log("accepts for itself again", times=2)
    wait_for(lambda: [holders(lb, i) for i in inodes] == [[slot_of(lb, s)] for s in range(3)],
             "each worker to have its own socket")


def test_full_sibling(tinylb, origin):
    """It says so, and is asked again when there is room."""
    free = threading.Event()

    def handler(conn, request):
        free.wait(DEADLINE)
        return b"x"

    lb = tinylb(backends=[origin(handler).url], workers=2, limits={"connections": 1}, timeouts={"hang": "0s"})
    clients = ask(lb, 16)
    lb.wait_log("cannot accept more connections", times=2)
    stop(lb, 1)
    lb.wait_log(r"worker 0 gen 1 .* cannot accept for worker 1")
    free.set()
    # a client that has its answer makes room for the next one
    readers = [threading.Thread(target=answers, args=([c],)) for c in clients]
    for t in readers:
        t.start()
    lb.wait_log(r"worker 0 gen 1 .* accepts in the place of worker 1", times=2)
    go_on(lb, 1)
    for t in readers:
        t.join(DEADLINE)
    wait_for(lambda: len(lb.access()) == 16, "all answers")
    assert {line.status for line in lb.access()} == {200}


@pytest.mark.skipif(spin.missing() is not None, reason=str(spin.missing()))
@pytest.mark.bare("it counts on being fast")
def test_endless_loop(tinylb, origin):
    lb = tinylb(backends=[origin(name="x").url], workers=2, timeouts={"hang": "1s"}, env=spin.env())
    lb.wait_log(r"tinylb \S+ is ready: ")
    lb.deaths_expected = True
    victim = lb.client()
    assert victim.get("/").text == "x"
    pid = lb.worker_of(victim)
    victim.send_request("GET", "/" + spin.WORD)
    assert slowest(ask(lb, 20)) < DEADLINE / 2
    lb.wait_log(rf"\(pid {pid}\) has hung for \d+ ms: ending it; "
                r"it was reading from a client \(descriptor \d+\); the process is running")
    lb.wait_log(rf"\(pid {pid}\) was killed by SIGABRT because it hung.*; the next one starts now")
    wait_for(lambda: len(lb.workers()) == 2 and pid not in lb.worker_pids(), "the next one")
    assert answers(ask(lb, 20)) == ["x"] * 20


def test_stopped_worker_is_ended(tinylb, origin):
    """A process that is stopped gets no signal but SIGKILL: it has to go on to end."""
    lb = tinylb(backends=[origin(name="x").url], timeouts={"hang": "100ms"})
    lb.wait_log(r"tinylb \S+ is ready: ")
    lb.deaths_expected = True
    pid = lb.worker
    stop(lb, 0)
    waiting = ask(lb, 5)
    lb.wait_log(rf"\(pid {pid}\) has hung for \d+ ms: ending it; it was waiting for events; the process is stopped")
    lb.wait_log(rf"\(pid {pid}\) was killed by SIGABRT because it hung")
    assert answers(waiting) == ["x"] * 5
    assert not process.exists(pid)


def test_full_worker_does_not_hang(tinylb, origin):
    """Neither does one that is idle. Connections wait, or nothing happens, but the loop turns."""
    free = threading.Event()

    def handler(conn, request):
        free.wait(DEADLINE)
        return b"x"

    lb = tinylb(backends=[origin(handler).url], workers=2, limits={"connections": 1})
    never(lb, " hangs: ", 1)
    clients = ask(lb, 8)
    lb.wait_log("cannot accept more connections", times=2)
    never(lb, " hangs: ", 1.5)
    free.set()
    for c in clients:
        with contextlib.suppress(OSError):
            c.close()


@pytest.mark.bare("it stops the program's own processes")
def test_all_were_stopped(tinylb, origin):
    """The terminal's ^Z, or a machine that was suspended: that time does not count."""
    lb = tinylb(backends=[origin(name="x").url], workers=2, timeouts={"hang": "1s"})
    client = client_of(lb, 0)
    client.send_request("GET", "/")
    processes = [lb.pid, *lb.worker_pids()]
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    never(lb, " hangs: ", 1.5)
    os.kill(lb.pid, signal.SIGCONT)
    never(lb, " hangs: ", 0.5)  # the master is the first to go on, and finds the others as they were
    for pid in processes:
        os.kill(pid, signal.SIGCONT)
    assert client.response().text == "x"
    assert client.get("/").text == "x"
    assert not lb.log_lines(" hangs: ")
