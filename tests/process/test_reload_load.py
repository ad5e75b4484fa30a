"""Reloads under load lose nothing: on an address that stays, no connection is refused or reset and no
answer is cut short, however listeners and workers change. An address that is gone is served for a moment
longer, for those who were on their way; then it is closed so that nobody who got in is reset."""

import os
import re
import signal
import time

import pytest

from lib import process
from lib.load import Load, answer, gets_in
from lib.wait import SLOW, wait_for

BODY = b"b" * 20000


@pytest.fixture
def backend(nginx, directory):
    with open(os.path.join(directory, "index.html"), "wb") as f:
        f.write(BODY)
    return nginx(directory, "n")[0]


def settings_of(lb, workers, *addresses):
    """The settings with other workers and listeners."""
    listeners = ", ".join(f'{{ address = "{a}"; pool = "app"; }}' for a in addresses)
    text = re.sub(r"workers = \d+", f"workers = {workers}", lb.settings)
    return re.sub(r"listeners = \([^)]*\)", f"listeners = ( {listeners} )", text)


def reload(lb, settings):
    lb.write(settings)
    with lb.log_contains(r"reloaded in \d+ ms"):
        lb.hup()


def generations(lb):
    return sorted({g for _, g in lb.workers()})


def test_listeners_and_workers_change(tinylb, backend):
    """4, 1, 3, 8, 2 workers; a listener is added, removed and back before it was closed; the other moves
    between one address and all of them, where sockets of both are in the kernel's way."""
    lb = tinylb(backends=[backend.url], workers=4, timeouts={"drain": f"{round(600 * SLOW * SLOW)}ms"})
    one, more = "127.0.0.1:@PORT@", "127.0.0.1:@PORT2@"
    steps = [(1, one), (3, one, more), (8, one), (2, one, more), (4, "*:@PORT@"), (1, "[::]:@PORT@", more),
             (3, one), (2, "0.0.0.0:@PORT@"), (8, "*:@PORT@"), (4, one), (4, one)]
    lb.fill(more)
    address = ("127.0.0.1", lb.port)
    with Load(address, BODY, threads=3) as fresh, Load(address, BODY, kept=True) as kept, \
            Load(address, BODY, kept=True, pause=0.3) as leisurely, \
            Load(("127.0.0.1", lb.ports[1]), BODY, threads=1, expect=False) as sometimes:
        for step in steps:
            reload(lb, settings_of(lb, *step))
            fresh.wait_served(30)
            kept.wait_served(30)
    assert not fresh.lost and not kept.lost and not leisurely.lost
    assert kept.told and sometimes.served and set(sometimes.lost) <= {"refused"}
    assert len(lb.log_lines("reloaded in")) == len(steps) and not lb.log_lines("cut off|still busy")


@pytest.fixture
def two(tinylb, origin):
    """Two addresses, and a function that removes the second one."""
    lb = tinylb(backends=[origin(name="x").url], listen=["127.0.0.1:@PORT@", "127.0.0.1:@PORT2@"],
                timeouts={"drain": "20s"})
    lb.second = ("127.0.0.1", lb.ports[1])
    lb.remove = lambda: reload(lb, settings_of(lb, 1, "127.0.0.1:@PORT@"))
    return lb


def test_removed_address_is_served_for_a_moment(two):
    """Who was sent there before the change, and comes just after it."""
    begin = time.monotonic()
    two.remove()
    try:
        with two.client(two.second) as c:
            r = c.get("/")
            assert r.text == "x" and not r.keeps_alive
    except ConnectionRefusedError:
        assert time.monotonic() - begin > 0.5, "it was closed at once"
    assert two.get("/").text == "x"
    wait_for(lambda: not process.listening(two.ports[1]), "the end of the removed address")
    with pytest.raises(ConnectionRefusedError):
        two.client(two.second)
    wait_for(lambda: generations(two) == [2], "the end of the old worker")


def test_who_gets_in_is_served(two):
    """Before a socket is closed nobody gets onto it any more, and who did is accepted: at no moment can
    a connection be made and then be reset. The old worker is too busy to accept meanwhile."""
    old = two.worker
    two.remove()
    os.kill(old, signal.SIGSTOP)
    clients = []
    try:
        assert gets_in(two.second, clients)
        wait_for(lambda: not gets_in(two.second, clients), "the gate before the removed address")
        assert process.listening(two.ports[1])
    finally:
        os.kill(old, signal.SIGCONT)
    assert {answer(s)[-1:] for s in clients} == {b"x"}


def test_removed_address_comes_back(two):
    """Before it was closed: the sockets are the same ones, and they are open to everybody again."""
    both = two.settings
    sockets = process.listening_inodes(two.ports[1])
    two.remove()
    reload(two, both)
    assert process.listening_inodes(two.ports[1]) == sockets
    wait_for(lambda: generations(two) == [3], "the end of the old workers")
    assert process.listening_inodes(two.ports[1]) == sockets
    assert {two.client(two.second).get("/").text for _ in range(5)} == {"x"}


def test_address_that_stays_is_left_at_once(two):
    """Old workers do not compete for new connections with those that took their place."""
    old, inodes = two.worker, process.listening_inodes(two.port)
    c = two.client()
    assert c.get("/").keeps_alive
    two.remove()

    def holds(port):
        return {f"socket:[{i}]" for i in process.listening_inodes(port)} & set(process.descriptors(old).values())

    wait_for(lambda: not holds(two.port) and holds(two.ports[1]), "only the removed address is left")
    assert process.listening_inodes(two.port) == inodes
