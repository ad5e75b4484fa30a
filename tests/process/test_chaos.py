"""Everything at once: clients and backends that do, at random but repeatably, each of the things that
the other files try one by one.

Whatever happens to others, a client that behaves gets either the answer to its own request, whole and
unmixed, or an error that says so. In the end nothing is left over: no connection, no descriptor.
"""

import random
import threading

import pytest

from lib import process
from lib.client import Client, Closed, ProtocolError, chunked, make_request
from lib.origin import make_response
from lib.wait import SLOW, wait_for

THREADS = 6
ROUNDS = 150 if SLOW < 5 else 30


def body_of(name, size):
    return (name.encode() * (size // len(name) + 1))[:size]


class Backend:
    """Answers with what the target asks for: /NAME/SIZE/KIND."""

    def __call__(self, c, r):
        name, size, kind = r.target.strip("/").split("/")
        data = body_of(name, int(size))
        if r.method == "POST" and r.body != data:
            raise ProtocolError(f"{r.target} came with another body")
        getattr(self, kind)(c, r, data)

    def length(self, c, _, data):
        c.respond(200, data)

    def chunked(self, c, _, data):
        c.respond_chunked([data[i : i + 1000] for i in range(0, len(data), 1000)])

    def until_close(self, c, _, data):
        c.head(200)
        c.send(data)
        c.close()

    def hints(self, c, _, data):
        c.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        c.respond(200, data)

    def says_close(self, c, _, data):
        c.respond(200, data, [("Connection", "close")])

    def closes_after(self, c, _, data):
        c.respond(200, data)
        c.close()

    def resets_after(self, c, _, data):
        # what follows may overtake the answer: a reset throws away what was not read yet
        c.respond(200, data)
        c.wait_end() if c.origin.stopping else c.reset()

    def hangs_up(self, c, _r, _data):
        c.close()

    def breaks_off(self, c, _, data):
        c.head(200, [("Content-Length", str(len(data) + 10))])
        c.send(data)
        c.reset()

    def garbage(self, c, _r, _data):
        c.send("garbage")
        c.close()

    def surplus(self, c, _, data):
        # in the same packet: what comes later may be taken for the answer to the next request, and no
        # program could tell
        evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" if len(data) < 2000 else b""
        c.send(make_response(200, data) + evil)


WELL = ["length", "chunked", "until_close", "hints", "says_close", "closes_after", "surplus"]
ILL = ["resets_after", "hangs_up", "breaks_off", "garbage"]


class Visitor:
    """One thread of clients."""

    def __init__(self, lb, number):
        self.lb = lb
        self.random = random.Random(number)
        self.number = number
        self.count = 0
        self.client = None
        self.faults = []
        self.answers = 0

    def run(self):
        try:
            for _ in range(ROUNDS):
                self.round()
        except Exception as e:  # noqa: BLE001, all that goes wrong is reported by the test
            self.faults.append(e)
        finally:
            self.drop()

    def drop(self, abort=False):
        if self.client:
            self.client.abort() if abort else self.client.close()
        self.client = None

    def request(self, kinds):
        """(bytes, body expected, kind, whether it may be sent twice)"""
        self.count += 1
        name = f"v{self.number}n{self.count}"
        kind = self.random.choice(kinds)
        size = self.random.choice((0, 1, 10, 1000, 5000, 70000))
        target = f"/{name}/{size}/{kind}"
        data = body_of(name, size)
        way = self.random.choice(("GET", "length", "chunked"))
        if way == "GET":
            raw = make_request("GET", target)
        elif way == "length":
            raw = make_request("POST", target, body=data)
        else:
            cut = self.random.randrange(size + 1)
            parts = [p for p in (data[:cut], data[cut:]) if p]
            raw = make_request("POST", target, [("Transfer-Encoding", "chunked")], chunked(parts))
        return raw, data, kind, way == "GET"

    def round(self):
        if not self.client:
            self.client = Client(("127.0.0.1", self.lb.port))
        action = self.random.choice(("one", "one", "ill", "many", "abort", "half", "nonsense"))
        if action in ("one", "ill"):
            raw, *rest = self.request(WELL if action == "one" else ILL)
            self.send(raw)
            self.expect(*rest)
        elif action == "many":
            requests = [self.request(WELL) for _ in range(self.random.randrange(2, 6))]
            self.send(b"".join(r[0] for r in requests))
            for _, *rest in requests:
                if not self.client:
                    break
                self.expect(*rest)
        elif action == "nonsense":
            self.client.send("NONSENSE\r\n\r\n")
            assert self.client.response().status == 400
            self.drop()
        else:
            raw = self.request(WELL + ILL)[0]
            self.client.send(raw[: self.random.randrange(len(raw) + 1)])
            if action == "half":
                self.client.half_close()
            self.drop(abort=action == "abort")

    def send(self, raw):
        piece = self.random.choice((None, None, 1000, 17))
        if piece == 17 and len(raw) > 5000:
            piece = 1000
        # an early answer may end the connection while the request is still being sent
        try:
            self.client.send(raw, piece)
        except OSError:
            pass

    def expect(self, data, kind, repeatable):
        # a POST may meet a connection that another's answer has left to die, and is not sent twice
        may_fail = kind in ILL or not repeatable
        try:
            r = self.client.response()
        except Closed:
            assert kind in ILL, f"{kind} was cut off"
            self.drop()
            return
        if r.status == 200:
            assert r.body == data, f"{kind}: another answer"
            self.answers += 1
        else:
            assert r.status == 502 and may_fail, f"{kind}: {r}"
        if not r.keeps_alive:
            assert may_fail, f"{kind}: the connection was closed"
            self.drop()


def left(pid):
    """(descriptors that are no pipe's, those that are). A worker's one pipe for large bodies stays."""
    names = list(process.descriptors(pid).values())
    pipes = sum(name.startswith("pipe:") for name in names)
    return len(names) - pipes, pipes


@pytest.mark.parametrize("workers", [1, 2])
def test_chaos(tinylb, origin, workers):
    origins = [origin(Backend()) for _ in range(3)]
    lb = tinylb(backends=[o.url for o in origins], workers=workers, log_level="info",
                timeouts={"idle_backend": "500ms"})
    pids = lb.worker_pids()
    before = {pid: left(pid) for pid in pids}
    visitors = [Visitor(lb, i) for i in range(THREADS)]
    threads = [threading.Thread(target=v.run, daemon=True) for v in visitors]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [f for v in visitors for f in v.faults] == []
    assert sum(v.answers for v in visitors) > THREADS * ROUNDS / 2
    assert lb.worker_pids() == pids
    wait_for(lambda: all(left(p)[0] <= before[p][0] for p in pids), "no descriptor is left over")
    assert all(left(p)[1] <= before[p][1] + 2 for p in pids)
    lb.access_lines()
