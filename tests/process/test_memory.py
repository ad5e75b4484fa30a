"""What is idle costs next to nothing, what a rush needed is given back, and ten thousand backends are no
burden."""

import contextlib
import re
import resource
import socket
import threading

import pytest

from lib import process
from lib.tinylb import has_address_sanitizer
from lib.wait import DEADLINE, wait_for
from test_reload import reload

pytestmark = [
    pytest.mark.bare("what a wrapper or a sanitizer needs would be measured"),
    pytest.mark.skipif(has_address_sanitizer(), reason="what a sanitizer needs would be measured"),
]


def anonymous(pid):
    """Bytes of memory of a process that no file is behind."""
    return int(re.search(rb"^Anonymous: +(\d+) kB", process.read(f"/proc/{pid}/smaps_rollup"), re.M).group(1)) * 1024


def pss(pid):
    """Bytes of memory of a process, of what it shares with others its part."""
    return int(re.search(rb"^Pss: +(\d+) kB", process.read(f"/proc/{pid}/smaps_rollup"), re.M).group(1)) * 1024


def private(pid):
    """Bytes of memory of a process that it shares with nobody."""
    return int(re.search(rb"^Private_Dirty: +(\d+) kB", process.read(f"/proc/{pid}/smaps_rollup"), re.M).group(1)) * 1024


class Clients:
    """Many of them, each from an address of its own: plain sockets, for they are many."""

    def __init__(self, lb):
        self.lb, self.list = lb, []

    def connect(self):
        n = len(self.list)
        s = socket.socket()
        s.bind((f"127.{1 + n // 200}.1.{1 + n % 200}", 0))
        s.connect(("127.0.0.1", self.lb.port))
        s.settimeout(20)
        self.list.append(s)
        return s

    def read(self, s):
        answer = b""
        while not answer.endswith(b"hello"):
            more = s.recv(4096)
            assert more
            answer += more

    def idle(self, count):
        """So many more that have each got an answer."""
        for _ in range(count):
            s = self.connect()
            s.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            self.read(s)

    def close(self):
        for s in self.list:
            s.close()


def needs_descriptors(count):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < count:
        pytest.skip(f"needs {count} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


@pytest.fixture
def descriptors():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield needs_descriptors
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_idle_client(tinylb, origin, descriptors):
    """At most 400 bytes of the worker's memory, with all that is kept of it anywhere."""
    descriptors(10000)
    lb = tinylb(backends=[origin(lambda conn, request: b"hello").url], log_level="notice",
                limits={"connections_per_client": 5})
    with contextlib.closing(Clients(lb)) as clients:
        clients.idle(1500)
        before = anonymous(lb.worker)
        clients.idle(2500)
        assert 250 < (anonymous(lb.worker) - before) / 2500 <= 400


def test_rush_is_over(tinylb, origin, descriptors):
    """What many requests at the same time needed does not stay, though their connections do."""
    descriptors(10000)
    count, waiting = 700, threading.Event()

    def handler(conn, request):
        assert waiting.wait(DEADLINE)
        return b"hello"

    lb = tinylb(backends=[origin(handler).url], log_level="notice")
    waiting.set()
    assert lb.get("/").text == "hello"
    waiting.clear()
    before = anonymous(lb.worker)
    with contextlib.closing(Clients(lb)) as clients:
        rush = [clients.connect() for _ in range(count)]
        for s in rush:
            s.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        wait_for(lambda: anonymous(lb.worker) - before > count * 2000, "all to be under way")
        peak = anonymous(lb.worker)
        waiting.set()
        for s in rush:
            clients.read(s)
        # All clients are still there, and 512 idle connections to the backend.
        wait_for(lambda: anonymous(lb.worker) - before < (peak - before) / 2, "memory given back")


def test_master_and_two_idle_workers(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=2)
    assert [lb.get("/").status for _ in range(10)] == [200] * 10
    assert sum(pss(pid) for pid in [lb.pid, *process.children(lb.pid)]) <= 3_000_000


@pytest.mark.parametrize("pools", [1, 100])
def test_ten_thousand_backends(tinylb, origin, pools):
    """Less than a kilobyte of each worker for each of them, after reloads too, and all get requests."""
    count, o = 10000, origin(host="0.0.0.0")

    def settings(weight):
        hosts = (f"127.{1 + n // 250}.1.{1 + n % 250}" for n in range(count))
        lists = [", ".join(f'{{ url = "http://{next(hosts)}:{o.port}"; weight = {weight}; }}'
                           for _ in range(count // pools)) for _ in range(pools)]
        return (
            'log_level = "notice"; access_log = "@DIR@/access.log"; workers = 1;\n'
            'listeners = ( { address = "127.0.0.1:@PORT@"; pool = "p0"; },'
            f' {{ address = "127.0.0.1:@PORT2@"; pool = "p{pools - 1}"; }} );\n'
            "pools = (" + ",\n".join(f'{{ name = "p{n}"; backends = ( {b} ); }}' for n, b in enumerate(lists)) + ");\n")

    few = tinylb(backends=[f"http://127.0.0.1:{o.port}"], log_level="notice")
    lb = tinylb(settings=settings(1))
    assert (anonymous(lb.worker) - anonymous(few.worker)) / count < 1000
    # What the master still had of the settings before is its own; of each worker it is a copy that is
    # never written to.
    for weight in (2, 3):
        reload(lb, settings(weight))
        wait_for(lambda: len(lb.workers()) == 1, "the end of the generation before")
    assert (private(lb.worker) - private(few.worker)) / count < 700
    for port in lb.ports[:2]:
        assert [lb.client(("127.0.0.1", port)).get("/").status for _ in range(20)] == [200] * 20
    assert len({line.backend for line in lb.access(40)}) > 30
