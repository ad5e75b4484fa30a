"""While a worker that died waits for its next start, a sibling accepts from its sockets: who connects
waits for nobody and is refused by nobody."""

import os
import re
import signal

import pytest

from lib import process
from lib.client import Closed
from lib.crowd import Crowd
from lib.slots import answers, ask, crash, crash_until, holders, slot_of, socket_of
from lib.wait import wait_for

FOSTERED = r"worker (\d+) gen 1 \(pid (\d+)\) accepts in the place of worker {}"


def test_sibling_serves_an_empty_slot(tinylb, origin):
    lb = tinylb(backends=[origin(name="x").url], workers=4)
    inode = socket_of(lb, 1)
    ready = crash_until(lb, 1, 700)
    wait_for(lambda: len(holders(lb, inode)) == 1, "a sibling that accepts")
    assert answers(ask(lb, 40)) == ["x"] * 40
    assert len(lb.log_lines(r"worker 1 gen 1 .* is ready")) == ready  # all that without it

    lb.wait_log(r"worker 1 accepts for itself again")
    wait_for(lambda: holders(lb, inode) == [slot_of(lb, 1)], "the sibling to let go")
    assert answers(ask(lb, 40)) == ["x"] * 40


class Load(Crowd):
    """Threads that connect, ask, and close, as fast as they can."""

    def __init__(self, lb, threads):
        super().__init__(threads)
        self.lb = lb
        self.refused, self.lost, self.answered = [], [], 0

    def run(self):
        while not self.over.is_set():
            try:
                assert self.lb.get("/").text == "x"
                self.answered += 1
            except ConnectionRefusedError as e:
                self.refused.append(e)
            except (OSError, Closed) as e:
                self.lost.append(e)


def test_kill_again_and_again_under_load(tinylb, origin):
    """Nothing that had not been accepted is lost: each round leaves connections in the queue of a worker
    that is stopped, and then killed."""
    lb = tinylb(backends=[origin(name="x").url], workers=4)
    lb.wait_log(r"tinylb \S+ is ready: ")
    threads, rounds = 2, 5
    with Load(lb, threads) as load:
        for _ in range(rounds):
            ready = len(lb.log_lines(r"worker 2 gen 1 .* is ready"))
            os.kill(slot_of(lb, 2), signal.SIGSTOP)
            waiting = ask(lb, 24)
            crash(lb, 2)
            assert answers(waiting) == ["x"] * 24
            lb.wait_log(r"worker 2 gen 1 .* is ready", times=ready + 1)
    assert load.answered > 0
    assert not load.refused
    assert len(load.lost) <= threads * rounds  # what was in flight, at the most


def test_death_of_the_sibling(tinylb, origin):
    """Another one takes over."""
    lb = tinylb(backends=[origin(name="x").url], workers=3)
    inode = socket_of(lb, 0)
    crash_until(lb, 0, 700)
    slot, pid = re.search(FOSTERED.format(0), lb.log_lines(FOSTERED.format(0))[-1]).groups()
    with lb.log_contains(FOSTERED.format(0)):
        os.kill(int(pid), signal.SIGKILL)
    wait_for(lambda: slot_of(lb, int(slot)) != int(pid), "the next one in its place")
    assert answers(ask(lb, 30)) == ["x"] * 30
    lb.wait_log(r"worker 0 accepts for itself again")
    wait_for(lambda: holders(lb, inode) == [slot_of(lb, 0)], "the sibling to let go")


def test_reload_while_a_slot_is_empty(tinylb, origin):
    """The new generation has a worker for each socket, and nobody else has any."""
    lb = tinylb(backends=[origin(name="x").url], workers=3)
    inodes = process.listening_inodes(lb.port)
    crash_until(lb, 1, 400)
    waiting = ask(lb, 20)
    with lb.log_contains(r"reloaded in \d+ ms"):
        lb.hup()
    assert answers(waiting + ask(lb, 20)) == ["x"] * 40
    wait_for(lambda: all(len(holders(lb, i)) == 1 for i in inodes), "one worker for each socket")


def test_stop_while_a_slot_is_empty(tinylb, origin):
    lb = tinylb(backends=[origin(name="x").url], workers=2)
    crash_until(lb, 1, 400)
    waiting = ask(lb, 10)
    lb.term()
    assert answers(waiting) == ["x"] * 10
    assert lb.wait_exit() == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_unix_sockets_need_no_sibling(tinylb, origin, workers):
    """All workers accept from them; a single worker has no sibling."""
    lb = tinylb(backends=[origin(name="x").url], workers=workers,
                listen=["unix:@DIR@/s"] if workers == 2 else ["127.0.0.1:@PORT@"])
    crash_until(lb, 0, 100)
    lb.wait_log(r"worker 0 gen 1 .* is ready", times=2)
    assert not lb.log_lines("accepts in the place")
