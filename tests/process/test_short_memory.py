"""Memory runs short: the k-th allocation of an exchange fails, for every k that there is.

Whatever the place, the worker lives and nothing is lost but that one exchange: its client gets the right
answer or sees that it got none (a 502 or 503, an end in the middle), never a wrong one; the answer that
another client is just getting arrives whole; who comes next is served; and when all is over, no more
memory is in use than before. In the master, a reload happens or is refused, and it lives, too.
"""

import contextlib
import os
import re
import threading

import pytest

from lib import process
from lib import tinylb as program
from lib.message import Closed
from lib.short_memory import ShortMemory, missing
from lib.wait import DEADLINE, Timeout, wait_for, wait_still

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

BODY = bytes(range(256)) * 12
LARGE = bytes(range(256)) * 1536  # more than the socket of a unix connection takes, and less than with tinylb behind it
UPGRADE = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
TRAILERS = [("X-Sum", "1")]

# More than any exchange allocates.
MANY = 60


class Refused(Exception):
    """An honest answer that is not the one that was asked for."""


def right(response, body, status=200):
    if response.status in (502, 503):
        raise Refused
    assert response.status == status
    assert response.body == body


class World:
    """The program with one worker, what its backends need to know, and its clients."""

    def __init__(self, tinylb, origin, directory):
        self.memory = ShortMemory(directory)
        self.go_on = threading.Event()  # for the answer that is under way
        self.sent = threading.Event()  # by a client: all of a large request; by a backend: an answer
        self.make_origin, self.directory = origin, directory
        self.origins = []
        self.dead = self.backend(self.drop, path=os.path.join(directory, "dead"))
        self.unix = self.backend(self.answer, path=os.path.join(directory, "backend"))
        self.plain = self.backend(self.answer)
        sides = [(f"unix:{directory}/front", "unix"), ("127.0.0.1:@PORT@", "plain"), ("127.0.0.1:@PORT2@", "retry")]
        self.lb = tinylb(
            env=self.memory.env, listeners=sides,
            pools={"plain": ([self.plain.url], {}), "unix": ([self.unix.url], {}),
                   "retry": ([(self.dead.url, 256), self.plain.url], {})})

    def backend(self, handler, **more):
        self.origins.append(self.make_origin(handler, read_body=False, **more))
        return self.origins[-1]

    # what the backends do

    def drop(self, conn, request):
        conn.read_body()
        conn.close()

    def answer(self, conn, request):
        if request.path == "/late":
            self.sent.wait(DEADLINE)
        conn.read_body()
        assert request.body in (b"", BODY, LARGE), "a body that nobody sent"
        if request.path == "/under-way":
            conn.head(200, [("Content-Length", str(2 * len(BODY)))])
            conn.send(BODY)
            assert self.go_on.wait(DEADLINE)
            conn.send(BODY)
        elif request.path == "/large":
            try:
                conn.respond(200, LARGE)
            finally:
                self.sent.set()
        elif request.path == "/chunked":
            conn.respond_chunked([BODY, BODY], [("Connection", "x-own"), ("X-Own", "1")], TRAILERS)
        elif request.path == "/tunnel":
            conn.send("HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
            while conn.reader.fill():
                conn.send(conn.reader.take(len(conn.reader.buffer)))
            conn.close()
        else:
            conn.respond(200, request.target.encode())

    # what the clients do

    def client(self, exchange):
        if exchange in (large_answer, large_request):
            return self.lb.client(f"{self.directory}/front")
        return self.lb.client(("127.0.0.1", self.lb.ports[exchange is again]))

    def try_exchange(self, exchange):
        """True where all of it was right, False where the client was told that it is not."""
        with self.client(exchange) as c:
            try:
                exchange(self, c)
            except TimeoutError as e:
                raise AssertionError("nothing happens any more") from e
            except (Refused, Closed, OSError):
                return False
        return True

    def begin_neighbour(self):
        self.go_on.clear()
        c = self.lb.client()
        c.send_request("GET", "/under-way")
        c.neighbour = c.head()
        assert c.read(len(BODY)) == BODY
        return c

    def end_neighbour(self, c):
        self.go_on.set()
        assert c.read(len(BODY)) == BODY
        right(c.get("/after"), b"/after")
        c.close()

    def fill(self):
        """Makes use of as many descriptors and spare things as any exchange here needs."""
        self.go_on.clear()
        for exchange in (get, large_answer, again):
            assert self.try_exchange(exchange)
        neighbours = [self.begin_neighbour() for _ in range(6)]
        for c in neighbours:
            self.end_neighbour(c)
        self.settle()

    def settle(self):
        """Nothing is left but what is kept for others."""
        self.lb.close_clients()
        for o in self.origins:
            o.close_connections()
            o.wait_no_connection()

    def live(self):
        return wait_still(lambda: self.memory.live, what="memory in use")


# The exchanges.


def get(_, c):
    right(c.get("/first"), b"/first")
    right(c.get("/second"), b"/second")


def long_head(_, c):
    right(c.get("/long", [("X-Long", "x" * 5000)]), b"/long")


def head_in_pieces(world, c):
    c.send("GET /pieces HTTP/1.1\r\nHost: te")
    # It has come, and is kept, before the rest goes out.
    right(world.lb.get("/between"), b"/between")
    c.send("st\r\n\r\n")
    right(c.response(), b"/pieces")


def with_length(_, c):
    right(c.request("POST", "/post", body=BODY), b"/post")


def with_chunks(_, c):
    c.send_request("POST", "/chunked", [("Transfer-Encoding", "chunked"), ("Connection", "x-mine"), ("X-Mine", "1")])
    for piece in (b"%x\r\n" % len(BODY), BODY, b"\r\n0\r\nX-Sum", b": 1\r\n", b"\r\n"):
        c.send(piece)
    r = c.response()
    right(r, 2 * BODY)
    assert list(r.trailers) == TRAILERS


def large_answer(world, c):
    """The client reads only when more has come than its connection takes."""
    world.sent.clear()
    c.send_request("GET", "/large")
    # where the system is short of memory for sockets, less of it is on its way
    with contextlib.suppress(Timeout):
        wait_for(lambda: world.sent.is_set() or world.memory.hits, "the backend to be rid of its answer", 3)
    right(c.response(), LARGE)


def large_request(world, c):
    """The backend reads only when more has come than its connection takes."""
    world.sent.clear()
    try:
        c.send_request("PUT", "/late", body=LARGE)
    finally:
        world.sent.set()
    right(c.response(), b"/late")


def again(_, c):
    """The first backend reads all of it and closes; the second one gets it as well."""
    right(c.request("PUT", "/again", body=BODY), b"/again")


def tunnel(_, c):
    c.send_request("GET", "/tunnel", UPGRADE)
    right(c.response(), b"", 101)
    c.send(BODY)
    assert c.read(len(BODY)) == BODY
    c.half_close()
    assert c.at_end()


def malformed(_, c):
    c.send("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert c.response().status == 400
    assert c.at_end()


def pipelined(_, c):
    c.send("".join(f"GET /{i} HTTP/1.1\r\nHost: test\r\n\r\n" for i in range(3)))
    for i in range(3):
        right(c.response(), f"/{i}".encode())


EXCHANGES = [get, long_head, head_in_pieces, with_length, with_chunks, large_answer, large_request, again,
             tunnel, malformed, pipelined]


@pytest.fixture
def world(tinylb, origin, directory):
    return World(tinylb, origin, directory)


def ids(exchange):
    return exchange.__name__


@pytest.mark.parametrize("for_good", [False, True], ids=["one", "all"])
@pytest.mark.parametrize("exchange", EXCHANGES, ids=ids)
def test_worker(world, exchange, for_good):
    lb, memory, worker = world.lb, world.memory, world.lb.worker
    memory.watch(worker)
    assert world.try_exchange(exchange)
    world.fill()
    before = world.live()

    for k in range(1, MANY):
        neighbour = world.begin_neighbour()
        memory.arm(worker, k, for_good)
        fine = world.try_exchange(exchange)
        hit = memory.disarm()
        world.end_neighbour(neighbour)
        assert world.try_exchange(get)
        assert process.exists(worker)
        world.settle()
        memory.wait_live(before, f"after allocation {k} failed")
        if not hit:
            break
    assert fine and not hit
    # A client by itself takes what another has left.
    assert k > 1 or exchange is malformed
    # Nor is it ever called the backend's fault.
    assert "bad-response" not in lb.access_text()
    # What a failure kept from being kept is there again.
    world.fill()
    wait_for(lambda: memory.live == before, f"{before} blocks at the end, not {memory.live}")


@pytest.mark.parametrize("exchange", [get, large_answer, large_request], ids=ids)
def test_new_worker(world, exchange):
    """What a worker gets once, with its first exchange: its room for descriptors, timers, heads."""
    lb, memory = world.lb, world.memory
    before = 0
    for k in range(MANY):
        with lb.log_contains(r"generation \d+ has ended"):
            lb.hup()
        worker = lb.worker
        memory.arm(worker, k)
        fine = world.try_exchange(exchange)
        hit = memory.disarm()
        assert process.exists(worker)
        world.fill()
        if k == 0:
            before = world.live()
        memory.wait_live(before, f"after allocation {k} failed")
        if k > 0 and not hit:
            break
    assert fine and not hit


def one_generation(lb):
    wait_for(lambda: len(lb.worker_pids()) == 1, "the end of the old generation")


# What cannot be helped. libconfig 1.5 uses what it asked for without a look (config_init and
# config_setting_create die of it by SIGSEGV), and its scanner ends the process: the program makes sure of
# enough memory before it calls that. glibc 2.36 asserts, where it looks up a name or a user, that it could
# read a line of a file (nss_database.c:291): that ends the process that looks up names, and the reload is
# refused, but with a message that is not ours.
SPARED = "libconfig getaddrinfo getpwnam"


@pytest.mark.parametrize("children", [False, True], ids=["master", "new-processes"])
def test_reload(tinylb, origin, directory, children):
    """It happens, or it is refused with a reason and the old generation goes on."""
    memory = ShortMemory(directory)
    o = origin()
    lb = tinylb(backends=[f"http://localhost:{o.port}"], env=memory.env)
    lb.deaths_expected = True
    hit = refused = 0
    for k in range(1, 600):
        start = len(lb.log())
        memory.arm(lb.pid, k, children=children, spared=SPARED)
        lb.hup()
        line = lb.wait_log(r"reload refused: \S|reloaded in", start=start)[0]
        hit = memory.disarm()
        refused += "refused" in line
        assert lb.is_running()
        # the monitor of the generation before is killed on purpose: it has nothing to lose
        assert not re.search(r"worker [^\n]*was killed|was killed by SIG(?!KILL)", lb.log())
        one_generation(lb)
        assert lb.get("/").text == o.name
        if not hit:
            break
    assert not hit and "reloaded" in line
    assert k > 1 and refused > 0


def test_check(tinylb, directory):
    """Settings are checked, or it is said why they are not."""
    memory = ShortMemory(directory)
    lb = tinylb(start=False, backends=["http://localhost:1", "http://127.0.0.1:2/path"])
    hit = refused = 0
    for k in range(1, 600):
        memory.arm(os.getpid(), k, children=True, spared=SPARED)
        r = program.run("check", "-c", lb.settings_file, env=program.environment(**memory.env))
        hit = memory.disarm()
        assert r.returncode in (0, 1, 2)
        assert (r.returncode == 0) or r.stderr.strip(), f"no word of why, after {memory.where}"
        refused += r.returncode > 0
        if not hit:
            break
    assert not hit and r.returncode == 0
    assert refused > 0


def test_settings_too_large(tinylb, origin):
    """More than libconfig could be given: it would die, and the master with it."""
    o = origin()
    lb = tinylb(backends=[o.url], prefix=["prlimit", f"--as={48 << 20}"])
    with lb.log_contains("out of memory"), lb.log_contains("reload refused"):
        lb.write(lb.settings + "huge = [" + "1," * 600_000 + "1];\n")
        lb.hup()
    assert lb.get("/").text == o.name
