"""Backends fail under load, and nobody who asks with GET sees it: killed, started again, resetting connections,
answering 500. A POST fails only where it was sent already, and is never sent twice.

`make bench-faults` does more of this, with real servers and beside other balancers."""

import collections
import itertools
import os
import signal
import subprocess
import sys
import threading

import pytest

from lib import process
from lib.crowd import Crowd
from lib.load import Load
from lib.ports import reserve_port
from lib.wait import wait_for

BODY = b"fine"

# A backend that has always something under way. As a process of its own it can be killed.
SLOW_ENOUGH = f"""
import asyncio, sys

async def serve(reader, writer):
    try:
        while True:
            await reader.readuntil(b"\\r\\n\\r\\n")
            await asyncio.sleep(0.01)
            writer.write(b"HTTP/1.1 200 Fine\\r\\nContent-Length: {len(BODY)}\\r\\n\\r\\n{BODY.decode()}")
    except (asyncio.IncompleteReadError, OSError):
        writer.close()

async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=1024) as server:
        await server.serve_forever()

asyncio.run(main())
"""


class Victim:
    def __init__(self):
        self.port = reserve_port()
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.popen = subprocess.Popen([sys.executable, "-S", "-c", SLOW_ENOUGH, str(self.port)])

    def wait_ready(self):
        wait_for(lambda: process.listening(self.port), "a backend listens")

    def kill(self):
        os.kill(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


@pytest.fixture
def victims():
    found = [Victim() for _ in range(3)]
    for v in found:
        v.wait_ready()
    yield found
    for v in found:
        v.kill()


def test_killed_and_started_again(tinylb, victims):
    lb = tinylb(backends=[v.url for v in victims], workers=2, log_level="notice")
    address = ("127.0.0.1", lb.port)
    with Load(address, BODY, kept=True, threads=16) as kept, Load(address, BODY, threads=4) as fresh:
        for victim in victims:
            kept.wait_served(150)
            victim.kill()
            kept.wait_served(150)
            fresh.wait_served(10)
            victim.start()
            victim.wait_ready()
    assert not kept.lost and not fresh.lost


class Posts(Crowd):
    """Posts with a number each, and what became of them."""

    def __init__(self, lb, threads=4):
        super().__init__(threads)
        self.lb, self.numbers, self.results = lb, itertools.count(), {}

    def run(self):
        while not self.over.is_set():
            target = f"/{next(self.numbers)}"
            with self.lb.client() as c:
                self.results[target] = c.request("POST", target, body=b"some").status


def fine(conn, _):
    conn.respond(200, BODY)


def test_resets(tinylb, origin):
    """One of three backends resets its connections as soon as a request has come."""
    moody = threading.Event()

    def bad(conn, _):
        if moody.is_set():
            conn.reset()
        else:
            conn.respond(200, BODY)

    backends = [origin(bad)] + [origin(fine) for _ in range(2)]
    lb = tinylb(backends=[b.url for b in backends], workers=2, log_level="notice")
    address = ("127.0.0.1", lb.port)
    with Load(address, BODY, kept=True, threads=6) as kept, Load(address, BODY, threads=2) as fresh, \
            Posts(lb) as posts:
        for _ in range(3):
            kept.wait_served(200)
            moody.set()
            kept.wait_served(200)
            fresh.wait_served(50)
            moody.clear()
    assert not kept.lost and not fresh.lost
    came = collections.Counter(r.target for b in backends for r in b.requests if r.method == "POST")
    assert set(posts.results) <= set(came), "what failed was sent"
    assert not [t for t, times in came.items() if times > 1], "nothing is sent twice"
    assert 200 in posts.results.values()


def test_500s(tinylb, origin):
    """One of three backends answers 500, as fast as it can: whoever asks with GET gets another's answer, and it does
    not draw the requests of the others."""
    moody = threading.Event()

    def bad(conn, _):
        conn.respond(500 if moody.is_set() else 200, BODY)

    backends = [origin(bad)] + [origin(fine) for _ in range(2)]
    lb = tinylb(backends=[b.url for b in backends], workers=2, log_level="notice",
                pool={"balance": "two_choices", "retry": {"on_status": [500]}, "eject": {"on_5xx": True}})
    with Load(("127.0.0.1", lb.port), BODY, kept=True, threads=6) as kept, Posts(lb) as posts:
        kept.wait_served(100)
        moody.set()
        kept.wait_served(400)
    assert not kept.lost
    came = collections.Counter(r.target for b in backends for r in b.requests if r.method == "POST")
    assert set(came.values()) == {1} and set(came) == set(posts.results)
