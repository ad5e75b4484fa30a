"""Hundreds of clients that are slow on purpose: heads and bodies of requests that come an octet at a
time or stop coming, and answers that are not taken. Whoever is honest is served all the while, by the
same worker; every attacker is ended by the limit that is meant for it, and the access log says by which.

Nothing here depends on how long anything took: the honest go on until the last attacker has been ended."""

import collections
import itertools
import os
import select
import threading

from lib.client import Client, Closed, make_request
from lib.wait import DEADLINE, SLOW, wait_for

HEADS, BODIES, STALLED, READERS = 100, 60, 60, 60
BIG = 8_000_000

# How often an attacker sends its next octet.
DRIP = 0.1 * SLOW

HEAD = b"GET /slow-head HTTP/1.1\r\nHost: t\r\n"
BODY = b"POST /slow-body HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\nx"


class Attackers:
    """Clients that are open until tinylb ends them, and what each got."""

    def __init__(self, lb):
        self.lb = lb
        self.open = {}  # descriptor: (kind, client)
        self.dripping = {}  # descriptor: what its next octets are
        self.found = collections.Counter()
        self.poll = select.poll()

    def add(self, kind, first, drip=None, events=select.POLLIN, port=None, **more):
        c = Client(("127.0.0.1", port or self.lb.port), **more)
        self.lb.clients.append(c)
        c.send(first)
        self.open[c.sock.fileno()] = (kind, c)
        if drip:
            self.dripping[c.sock.fileno()] = itertools.cycle(drip)
        self.poll.register(c.sock, events)

    def go_on(self):
        """Sees who was ended, or where nobody is lets the others send an octet more."""
        ended = self.poll.poll(int(DRIP * 1000))
        for number, _ in ended:
            kind, c = self.open.pop(number)
            self.dripping.pop(number, None)
            self.poll.unregister(number)
            self.found[kind, self.end_of(c)] += 1
        for number, octets in () if ended else self.dripping.items():
            try:
                self.open[number][1].send(bytes([next(octets)]))
            except OSError:
                pass  # it was ended just now
        return not self.open

    @staticmethod
    def end_of(c):
        """The status of the answer, or how the connection ended without a whole one."""
        try:
            status = c.response().status
            return status if c.at_end() else "kept"
        except Closed:
            return "cut"


class Honest:
    """Clients that do as one does, until they are told to stop."""

    def __init__(self, lb):
        self.lb = lb
        self.over = threading.Event()
        self.faults = []
        self.counts = collections.Counter()
        self.threads = [threading.Thread(target=self.work, args=(kept,), daemon=True) for kept in (True, False)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join(2 * DEADLINE)

    def work(self, kept):
        client = None
        try:
            while not self.over.is_set():
                client = client or Client(("127.0.0.1", self.lb.port))
                r = client.request("POST", "/honest", body=b"some")
                assert r.status == 200 and r.body == b"got some", r
                self.counts[kept] += 1
                if not kept:
                    client.close()
                    client = None
        except (AssertionError, Closed, OSError) as e:
            self.faults.append(f"{'kept' if kept else 'new'}: {e!r}")
        finally:
            if client:
                client.close()


def test_slow_attackers(tinylb, origin, nginx, directory):
    os.mkdir(f"{directory}/files")
    with open(f"{directory}/files/big", "wb") as f:
        f.truncate(BIG)
    [files] = nginx(f"{directory}/files", "files")
    o = origin(lambda _, r: b"got " + r.body)
    limits = {"request_header": f"{int(3000 * SLOW)}ms", "response": f"{int(4000 * SLOW)}ms"}
    lb = tinylb(pools={"app": ([o.url], {}), "files": ([files.url], {})}, log_level="notice", timeouts=limits,
                listeners=[("127.0.0.1:@PORT@", "app"), ("127.0.0.1:@PORT2@", "files")])
    pid = lb.worker
    attackers = Attackers(lb)
    with Honest(lb) as honest:
        for _ in range(READERS):
            # what has come of the answer says nothing: the end is an error on the socket
            attackers.add("reader", make_request("GET", "/big"), events=0,
                          port=lb.ports[1], rcvbuf=4096)
        for _ in range(HEADS):
            attackers.add("head", HEAD, drip=b"A: b\r\n")
        for _ in range(BODIES):
            attackers.add("body", BODY, drip=b"x")
        for _ in range(STALLED):
            attackers.add("stalled", BODY)
        wait_for(attackers.go_on, "the end of the last attacker", 40 * SLOW)
        before = honest.counts.copy()
        wait_for(lambda: all(honest.counts[k] > before[k] for k in (True, False)), "the honest are still served")
    assert not honest.faults, honest.faults
    assert attackers.found == {("head", 408): HEADS, ("body", 408): BODIES, ("stalled", 408): STALLED,
                               ("reader", "cut"): READERS}
    lines = lb.access(sum(honest.counts.values()) + HEADS + BODIES + STALLED + READERS)
    reasons = collections.Counter((line.request.partition(" HTTP")[0], line.status, line.reason) for line in lines)
    assert reasons == {("POST /honest", 200, "done"): sum(honest.counts.values()),
                       ("", 408, "head-timeout"): HEADS,
                       ("POST /slow-body", 408, "client-timeout"): BODIES + STALLED,
                       ("GET /big", 200, "client-timeout"): READERS}
    assert lb.worker == pid
