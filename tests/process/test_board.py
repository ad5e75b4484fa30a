"""What workers count outlives them: totals never go back, whatever ends, and however."""

import os
import signal

from lib import board
from lib.wait import wait_for


def ask(lb, count):
    for _ in range(count):
        assert lb.get().status == 200


def wait_total(lb, count):
    # an answer is there a moment before its exchange has ended and is counted
    wait_for(lambda: board.total(lb.pid) >= count, f"{count} requests on the board")
    assert board.total(lb.pid) == count


def test_totals_outlive_workers(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=2)
    lb.deaths_expected = True
    ask(lb, 20)
    wait_total(lb, 20)

    for pid in lb.worker_pids():
        os.kill(pid, signal.SIGKILL)
    lb.wait_log("was killed by SIGKILL", 2)
    lb.wait_ready()
    ask(lb, 5)
    wait_total(lb, 25)

    lb.hup()
    lb.wait_log("generation 1 has ended")
    ask(lb, 5)
    wait_total(lb, 30)

    lb.signal(signal.SIGUSR2)
    lb.wait_log("generation 2 has ended")
    ask(lb, 5)
    wait_total(lb, 35)
