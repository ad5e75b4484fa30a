"""What is in flight at each backend stands on the board, for all workers to pick by. It is right again whatever dies:
one worker of four is killed every 200 ms under load, and when the load is over nothing is in flight."""

import os
import signal
import threading
import time

import pytest

from lib import board, process
from lib.load import Load
from lib.wait import DEADLINE, wait_for

BODY = b"fine"
KILLS, PAUSE = 8, 0.2


def in_flight(lb):
    """Of all backends and of all pools, with what waits there."""
    rows = board.Rows(lb.pid)
    of_pools = sum(waiting + going for pool in range(rows.pools) for _, waiting, going in rows.pool(pool))
    return rows.sum(board.IN_FLIGHT), of_pools


def connections(lb, origins):
    """What the board says, and how many there are."""
    return board.Rows(lb.pid).sum(board.CONNECTIONS), sum(process.established(o.port)[1] for o in origins)


def answer(conn, _):
    time.sleep(0.005)
    conn.respond(200, BODY)


@pytest.mark.bare("it counts on workers that start quickly")
def test_workers_die(tinylb, origin):
    origins = [origin(answer) for _ in range(3)]
    lb = tinylb(backends=[o.url for o in origins], workers=4, pool={"balance": "two_choices"}, log_level="notice")
    lb.deaths_expected = True
    most = 0
    with Load(("127.0.0.1", lb.port), BODY, kept=True, threads=12), \
            Load(("127.0.0.1", lb.port), BODY, threads=4) as fresh:
        for number in range(KILLS):
            fresh.wait_served(5)
            threading.Event().wait(PAUSE)
            pids = lb.worker_pids()
            most = max(most, in_flight(lb)[0])
            os.kill(pids[number % len(pids)], signal.SIGKILL)
    # what was asked and not answered is noticed as its client goes
    wait_for(lambda: in_flight(lb) == (0, 0), "nothing is in flight")
    assert most > 0, "there was never anything in flight"
    wait_for(lambda: len(set(connections(lb, origins))) == 1, "the board knows how many connections there are")
    assert len(lb.worker_pids()) >= 1 and lb.log_lines("was killed")


def test_no_heir(tinylb, origin):
    """What a worker had in flight when it died is gone before another one has its place."""
    over = threading.Event()

    def hold(conn, _):
        over.wait(DEADLINE)
        conn.close()

    lb = tinylb(backends=[origin(hold).url], workers=1)
    lb.deaths_expected = True
    for _ in range(3):
        lb.client().send_request("GET", "/")
    wait_for(lambda: in_flight(lb) == (3, 3), "three requests are in flight")
    dead = lb.worker
    os.kill(dead, signal.SIGKILL)
    wait_for(lambda: set(lb.worker_pids()) - {dead}, "a worker in its place")
    assert in_flight(lb) == (0, 0)
    over.set()
