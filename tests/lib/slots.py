"""Which worker has which listening socket, and connections that ask at once."""

from . import process
from .wait import wait_for


def slot_of(lb, slot):
    """The worker of a slot, as soon as there is one."""
    return wait_for(lambda: lb.workers().get((slot, 1)), f"a worker {slot}")


def keepers(lb, inode):
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
