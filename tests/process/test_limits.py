"""What one client, and all of them together, may take of a worker: connections of one address, room for
those whose requests come slowly, and bytes that wait to be taken."""

import contextlib
import threading
import time

import pytest

from lib import process
from lib.client import make_request
from lib.message import Closed
from lib.wait import DEADLINE, SLOW, wait_for
from test_reload import reload


# --- connections of one client address ---


def refused(lb, connect, source="127.0.0.1"):
    """What one connection too many gets."""
    c = connect(("127.0.0.1", lb.port), source=(source, 0))
    r = c.response()
    assert r.status == 429 and r.headers.one("connection") == "close" and "too many connections" in r.text
    assert c.at_end()


def test_connections_of_one_address(tinylb, origin, connect):
    lb = tinylb(backends=[origin().url], limits={"connections_per_client": 3})
    clients = [lb.client() for _ in range(3)]
    assert [c.get("/").status for c in clients] == [200] * 3
    for _ in range(5):
        refused(lb, connect)
    assert [c.get("/").status for c in clients] == [200] * 3
    assert connect(("127.0.0.1", lb.port), source=("127.0.0.2", 0)).get("/").status == 200
    clients[0].close()
    c = wait_for(lambda: allowed(lb, connect), "room for another")
    assert c.get("/").status == 200
    refused(lb, connect)
    lines = [line for line in lb.access(14) if line.status == 429]
    assert len(lines) >= 6
    assert {(line.reason, line.request, line.backend, line.id) for line in lines} == {("client-limit", "", "-", "-")}


def allowed(lb, connect, source="127.0.0.1"):
    """A connection that is not refused, or None."""
    c = connect(("127.0.0.1", lb.port), source=(source, 0))
    c.send_request("GET", "/")
    return c if c.response().status == 200 else None


def test_refusal_reaches_who_has_sent_already(tinylb, origin, connect):
    """Nothing that lies unread destroys the answer."""
    lb = tinylb(backends=[origin().url], limits={"connections_per_client": 1})
    first = lb.client()
    assert first.get("/").status == 200
    for _ in range(20):
        c = connect(("127.0.0.1", lb.port))
        c.send_request("POST", "/", body=b"x" * 50_000)
        assert c.response().status == 429


@pytest.mark.parametrize("trusted", ["127.0.0.0/8", "unix:"])
def test_who_speaks_for_many_may_have_any_number(tinylb, origin, connect, directory, trusted):
    lb = tinylb(backends=[origin().url], limits={"connections_per_client": 2}, top={"trusted": trusted},
                listen=("127.0.0.1:@PORT@", f"unix:{directory}/front.sock"))
    local = [connect(f"{directory}/front.sock") for _ in range(5)]
    assert [c.get("/").status for c in local] == [200] * 5
    clients = [lb.client() for _ in range(2)]
    assert [c.get("/").status for c in clients] == [200] * 2
    if trusted == "unix:":
        refused(lb, connect)
    else:
        assert lb.client().get("/").status == 200


def test_any_number_by_default(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    clients = [lb.client() for _ in range(300)]
    assert [c.get("/").status for c in clients] == [200] * 300


def test_places_come_back(tinylb, origin, connect):
    """However many addresses a worker has seen, each may come again, and nothing is left of it."""
    lb = tinylb(backends=[origin().url], limits={"connections_per_client": 1})
    sources = [f"127.0.{i // 100}.{i % 100 + 1}" for i in range(300)]
    for source in sources:
        c = connect(("127.0.0.1", lb.port), source=(source, 0))
        assert c.get("/").status == 200
        c.close()
    for source in sources:
        wait_for(lambda s=source: allowed(lb, connect, s), "room for another").close()
    reload(lb)
    assert lb.get("/").status == 200


# --- room for others ---


def test_slow_heads_give_way(tinylb, origin):
    """A head that has taken more than a second goes where another client needs its place; the longest
    under way first."""
    o = origin()
    lb = tinylb(backends=[o.url], limits={"connections": 4}, timeouts={"request_header": "1m"})
    slow = []
    for i in range(4):
        c = lb.client()
        c.send(f"GET /{i} HTTP/1.1\r\nHost: t\r\n")
        slow.append(c)
    assert lb.client().get("/").status == 200
    r = slow[0].response()
    assert r.status == 503 and "comes slowly" in r.text and slow[0].at_end()
    assert lb.access(2)[0].reason == "no-room"
    for c in slow[1:]:
        assert c.is_quiet()
    slow[3].send("\r\n")
    assert slow[3].response().status == 200


# --- bytes that wait ---

SIZE = 1_500_000
BODY = bytes(range(256)) * (SIZE // 256 + 1)
BODY = BODY[:SIZE]

# What the log says.
CUT_OFF = r"limits.buffers is reached: \d+ clients or backends that stalled were cut off"


def much(conn, request):
    """One copy of it for all connections, or as much as is asked for."""
    size = int(request.target[1:] or SIZE)
    conn.send(f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")
    for at in range(0, size, SIZE):
        conn.send(memoryview(BODY)[:size - at])


def read_all(c):
    """What a client gets: the body, or None where it was cut off."""
    try:
        return c.response().body
    except (Closed, ConnectionError):
        return None


def slow_readers(connect, path, count):
    """Clients that ask for much and read nothing. Over unix sockets the kernel holds little of it."""
    clients = [connect(path) for _ in range(count)]
    for c in clients:
        c.send_request("GET", "/")
    return clients


def cut_off(lb):
    """The lines of those who were."""
    return [line for line in lb.access_lines() if line.reason == "buffers-full"]


def test_buffers_are_shared(tinylb, origin, connect, directory):
    """Many who read slowly hold little each; who reads gets all, and nobody has to be cut off."""
    o = origin(much, path=f"{directory}/back.sock")
    lb = tinylb(backends=[f"unix:{o.path}"], limits={"buffers": "2M"},
                listen=("127.0.0.1:@PORT@", f"unix:{directory}/front.sock"))
    assert lb.client().get("/").body == BODY
    before = process.status(lb.worker, "VmRSS")
    slow = slow_readers(connect, f"{directory}/front.sock", 100)
    o.wait_requests(101)
    for _ in range(5):
        assert lb.client().get("/").body == BODY
    # at 96 kB each it would be more than 9 MB
    assert process.status(lb.worker, "VmRSS") - before < (6 if SLOW == 1 else 300) * 1024
    assert [read_all(c) == BODY for c in slow[:20]] == [True] * 20
    assert not lb.log_lines("limits.buffers")


def test_who_takes_nothing_is_cut_off(tinylb, origin, connect, directory):
    """Where even the least share is too much for all, those go who have stalled for the longest. What they
    got does not look whole, and nobody else loses anything."""
    o = origin(much, path=f"{directory}/back.sock")
    lb = tinylb(backends=[f"unix:{o.path}"], limits={"buffers": "1M"},
                listen=("127.0.0.1:@PORT@", f"unix:{directory}/front.sock"))
    slow = slow_readers(connect, f"{directory}/front.sock", 300)
    o.wait_requests(300)
    deadline = time.monotonic() + 3 * DEADLINE
    while not lb.log_lines(CUT_OFF):
        assert time.monotonic() < deadline and lb.client().get("/").body == BODY
    got = [read_all(c) for c in slow[::8]]
    assert set(got) == {BODY, None}
    wait_for(lambda: len(cut_off(lb)) >= got.count(None),
             "a line for each that was cut off")


def push(client):
    """Sends as much as the connection takes."""
    timeout = client.sock.gettimeout()
    client.sock.settimeout(0)
    with contextlib.suppress(OSError):
        while client.sock.send(BODY[:65536]):
            pass
    client.sock.settimeout(timeout)


def test_backend_that_takes_nothing(tinylb, origin, connect, directory):
    """Who waits for one to take a request has had no answer yet, and gets one."""
    over = threading.Event()

    def answer(conn, request):
        if request.method == "GET":
            much(conn, request)
        elif over.wait(4 * DEADLINE):
            conn.reset()

    o = origin(answer, path=f"{directory}/back.sock", read_body=False)
    lb = tinylb(backends=[f"unix:{o.path}"], limits={"buffers": "1M"},
                listen=("127.0.0.1:@PORT@", f"unix:{directory}/front.sock"))
    clients = [connect(f"{directory}/front.sock") for _ in range(300)]
    for c in clients:
        c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10000000\r\n\r\n")
    o.wait_requests(300)
    deadline = time.monotonic() + 3 * DEADLINE
    while not lb.log_lines(CUT_OFF):
        for c in clients:
            push(c)
        assert time.monotonic() < deadline and lb.client().get("/").body == BODY
    over.set()
    statuses = [c.response().status for c in clients]
    assert set(statuses) == {502, 503}
    wait_for(lambda: len(cut_off(lb)) == statuses.count(503), "a line for each that was cut off")
    assert {line.status for line in cut_off(lb)} == {503}


def test_long_heads_that_are_slow_give_way(tinylb, origin):
    """Heads that do not arrive must not be what fills the buffers: others would be cut off for it."""
    lb = tinylb(backends=[origin().url], limits={"buffers": "1M"}, timeouts={"request_header": "1m"})
    slow = [lb.client() for _ in range(60)]
    for c in slow:
        c.send("GET / HTTP/1.1\r\nHost: t\r\nX-Long: " + "a" * 30_000)
    another = lb.client()
    another.send("GET / HTTP/1.1\r\nX-Short: ")
    wait_for(lambda: another.send("a") or lb.log_lines("limits.buffers is reached"), "room")
    # Those who began first go first; who that was, the worker knows.
    gone = wait_for(lambda: next((c for c in slow if not c.is_quiet()), None), "the first to go")
    r = gone.response()
    assert r.status == 503 and "comes slowly" in r.text
    assert lb.access(1)[0].reason == "no-room"
    left = [c for c in slow if c is not gone and c.is_quiet()]
    assert 20 < len(left) < 60
    for c in left:
        c.send("\r\n\r\n")
    assert [c.response().status for c in left] == [200] * len(left)


def test_what_is_sent_ahead_has_its_share(tinylb, origin, directory):
    """Requests behind one that is not answered yet wait, mostly with those who sent them; all are answered."""
    answer = threading.Event()
    o = origin(lambda conn, request: answer.wait(DEADLINE) and b"fine", path=f"{directory}/back.sock")
    lb = tinylb(backends=[f"unix:{o.path}"], limits={"buffers": "1M"})
    clients = [lb.client() for _ in range(200)]
    for c in clients:
        c.send_request("GET", "/")
    o.wait_requests(len(clients))
    before = process.status(lb.worker, "VmRSS")
    ahead = make_request("GET", "/", [("X-Long", "a" * 2000)]) * 40
    for c in clients:
        c.send(ahead)
    time.sleep(0.5)  # it is read as far as it ever will be
    # at 64 kB each it is 13 MB
    assert process.status(lb.worker, "VmRSS") - before < (6 if SLOW == 1 else 300) * 1024
    answer.set()
    for c in clients[::40]:
        assert [c.response().status for _ in range(41)] == [200] * 41


class SlowReader:
    """Reads little at a time, but steadily, until it is told to hurry."""

    def __init__(self, c, size):
        self.c = c
        c.send_request("GET", f"/{size}", [("Connection", "close")])
        self.got = bytearray()
        self.hurry = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        try:
            while chunk := self.c.sock.recv(1_000_000 if self.hurry.wait(0.02) else 2000):
                self.got += chunk
        except OSError:
            pass  # too little was got

    def finish(self):
        self.hurry.set()
        self.thread.join(DEADLINE)
        return self.got.partition(b"\r\n\r\n")[2]


def test_who_takes_little_is_not_cut_off(tinylb, origin, connect, directory):
    """Those are meant that stall. Who has read a little in each second gets all, though the socket took
    nothing for longer."""
    o = origin(much, path=f"{directory}/back.sock")
    lb = tinylb(backends=[f"unix:{o.path}"], limits={"buffers": "1M"},
                listen=("127.0.0.1:@PORT@", f"unix:{directory}/front.sock"))
    # of some the last byte has come from the backend, of others not
    sizes = range(2_000_000, 3_500_000, 50_000)
    readers = [SlowReader(lb.client(rcvbuf=4096), size) for size in sizes]
    time.sleep(1.2)  # they would count as stalled now, did they not read
    slow_readers(connect, f"{directory}/front.sock", 300)
    wait_for(lambda: lb.client().get("/").body == BODY and lb.log_lines("limits.buffers is reached"), "cuts")
    assert [len(r.finish()) - size for r, size in zip(readers, sizes)] == [0] * len(readers)
