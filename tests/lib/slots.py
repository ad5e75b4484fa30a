"""Which worker has which listening socket, connections that ask at once, and slots without a worker."""

import os
import re
import signal

from . import process
from .wait import wait_for


def slot_of(lb, slot):
    """The worker of a slot, as soon as there is one."""
    return wait_for(lambda: lb.workers().get((slot, 1)), f"a worker {slot}")


def holders(lb, inode):
    """The workers that have a listening socket."""
    return [pid for pid in lb.worker_pids() if f"socket:[{inode}]" in process.descriptors(pid).values()]


def socket_of(lb, slot):
    """The listening socket of a worker that has only its own."""
    found = [i for i in process.listening_inodes(lb.port)
             if f"socket:[{i}]" in process.descriptors(slot_of(lb, slot)).values()]
    assert len(found) == 1
    return found[0]


def ask(lb, count):
    """Connections, each with a request under way."""
    clients = [lb.client() for _ in range(count)]
    for c in clients:
        c.send_request("GET", "/")
    return clients


def answers(clients):
    """What they get; they are closed then."""
    texts = [c.response().text for c in clients]
    for c in clients:
        c.close()
    return texts


def deaths(lb):
    return len(lb.log_lines("; the next one starts"))


def crash(lb, slot):
    """Kills the worker of a slot; returns how many milliseconds the next one is put off."""
    lb.deaths_expected = True
    before = deaths(lb)
    os.kill(slot_of(lb, slot), signal.SIGKILL)
    wait_for(lambda: deaths(lb) > before, "the master's word")
    m = re.search(r"in (\d+) ms", lb.log_lines("; the next one starts")[-1])
    return int(m.group(1)) if m else 0


def crash_until(lb, slot, pause):
    """Kills the worker of a slot again and again until the next one is put off for that long."""
    lb.wait_log(r"tinylb \S+ is ready: ")
    while True:
        ready = len(lb.log_lines(rf"worker {slot} gen 1 .* is ready"))
        if crash(lb, slot) >= pause:
            return ready
        lb.wait_log(rf"worker {slot} gen 1 .* is ready", times=ready + 1)
