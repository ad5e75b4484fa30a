"""Behind its last answer a connection is not closed at once, for that could destroy the answer: what the
client still sends is taken and forgotten. But that, too, has its limits."""

import resource
import threading
import time

import pytest

from lib import process
from lib.wait import DEADLINE, wait_for, wait_still


@pytest.mark.rfc("9112 9.6")
def test_lingering_silent_ends(tinylb, origin):
    """One that neither says nor closes anything behind its answer is not waited for for ever."""
    lb = tinylb(backends=[origin().url])
    before = wait_still(lambda: len(process.descriptors(lb.worker)))
    c = lb.client()
    c.send("NONSENSE\r\n\r\n")
    assert c.response().status == 400 and c.at_end()
    assert len(process.descriptors(lb.worker)) == before + 1
    wait_for(lambda: len(process.descriptors(lb.worker)) == before, "the end of the lingering connection", 2 * DEADLINE)


@pytest.mark.rfc("9112 9.6")
def test_lingering_talker_is_heard_out(tinylb, origin):
    """Who still sends, slowly, is not cut off while it does: the answer it has not read would be lost."""
    lb = tinylb(backends=[origin().url])
    c = lb.client()
    c.send("NONSENSE\r\n\r\n")
    begin = time.monotonic()
    while time.monotonic() < begin + 6.5:  # longer than one that says nothing may take
        c.send("x")
        time.sleep(0.2)
    assert c.response().status == 400 and c.at_end()


def test_lingering_ones_are_limited(tinylb, origin):
    """Waiting for others to close must not be what fills a worker: the oldest go."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] < 3000:
        pytest.skip("needs 3000 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3000, limits[1]))
    try:
        lb = tinylb(backends=[origin().url], log_level="notice")
        before = len(process.descriptors(lb.worker))
        clients = [lb.client() for _ in range(1100)]
        for c in clients:
            c.send("NONSENSE\r\n\r\n")
        for c in clients:
            assert c.response().status == 400 and c.at_end()
        wait_for(lambda: len(process.descriptors(lb.worker)) <= before + 1024 + 1, "the end of the oldest")
        assert lb.get("/").status == 200
        lb.close_clients()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def watched(pid):
    """How many descriptors the process asks epoll about."""
    polls = [fd for fd, what in process.descriptors(pid).items() if what == "anon_inode:[eventpoll]"]
    found = []
    for fd in polls:
        with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as f:
            found += [line for line in f if line.startswith("tfd:")]
    return len(found)


CLOSE = " / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n"
SURPLUS = "\r\nGET /surplus HTTP/1.1\r\nHost: t\r\n\r\n"


@pytest.mark.rfc("9112 9.6")
@pytest.mark.parametrize("first, then", [
    ("GET" + CLOSE + "\r\n" + SURPLUS, ""),
    ("GET" + CLOSE + "\r\n", SURPLUS),
    ("GET" + CLOSE, "\r\n" + SURPLUS),
    ("POST" + CLOSE + "Content-Length: 1\r\n\r\nx", SURPLUS),
], ids=["with a request", "behind a request", "with the end of a request", "behind a body"])
def test_surplus_behind_the_last_request(tinylb, origin, first, then):
    """What comes behind a request that said `Connection: close` is not answered, and must not turn the end
    of the connection into a reset: that could destroy the answer."""
    asked, go = threading.Event(), threading.Event()
    o = origin(lambda conn, request: (asked.set(), go.wait(DEADLINE), b"whole")[2])
    lb = tinylb(backends=[o.url])
    before = watched(lb.worker)
    c = lb.client()
    c.send(first)
    if "\r\n\r\n" in first:
        assert asked.wait(DEADLINE)
    else:
        wait_for(lambda: watched(lb.worker) == before + 1, "the first part was read, and more is expected")
    c.send(then)
    assert asked.wait(DEADLINE)
    go.set()
    assert c.response().body == b"whole"
    assert not c.reader.fill(), "and then an orderly end"
    assert len(o.requests) == 1


@pytest.mark.rfc("9112 9.6")
def test_surplus_while_the_answer_takes_long(tinylb, origin):
    """Likewise where the only request on a connection came in one piece, and its answer takes a while: from then
    on it is watched."""
    go = threading.Event()
    o = origin(lambda conn, request: (go.wait(DEADLINE), b"whole")[1])
    lb = tinylb(backends=[o.url])
    before = watched(lb.worker)
    c = lb.client()
    c.send("GET" + CLOSE + "\r\n")
    wait_for(lambda: watched(lb.worker) == before + 2, "it and the backend's connection are watched")
    c.send(SURPLUS)
    go.set()
    assert c.response().body == b"whole"
    assert not c.reader.fill(), "and then an orderly end"
    assert len(o.requests) == 1
