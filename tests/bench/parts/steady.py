"""A client that asks at a steady rate whatever becomes of what it asked before, and keeps account of each request.

Requests fall due at the gaps of a Poisson process, the same each time, and their latency counts from then:
waiting is not hidden. Connections are kept and used in turn; when all are busy another one is made. One request
in five is a POST with a body; each has a number, which is its path.
"""

import asyncio
import collections
import gc
import multiprocessing
import random
import re
import time

TIMEOUT = 12
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
BODY = b"p" * 100

Result = collections.namedtuple("Result", "number method due seconds outcome")


class Connection(asyncio.Protocol):
    """Carries one request at a time."""

    def __init__(self, client):
        self.client = client
        self.transport = self.request = None
        self.data = b""

    def connection_made(self, transport):
        self.transport = transport

    def send(self, request):
        self.request, self.data = request, b""
        number, method, _ = request
        body = BODY if method == "POST" else b""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.transport.write(f"{method} /{number} HTTP/1.1\r\nHost: test\r\n{length}\r\n".encode() + body)

    def data_received(self, data):
        self.data += data
        head, end, body = self.data.partition(b"\r\n\r\n")
        length = LENGTH.search(head) if end else None
        if self.request is None:
            self.transport.abort()
        elif length and len(body) >= int(length[1]):
            self._finish(head.split(b" ")[1].decode())
            if b"\r\nconnection: close" in head.lower():
                self.transport.close()
            else:
                self.client.free(self)

    def _finish(self, outcome):
        request, self.request = self.request, None
        self.client.note(request, outcome)

    def connection_lost(self, _):
        if self.request is not None:
            head = self.data.split(b"\r\n")[0].split(b" ")
            self._finish("cut" if len(head) < 2 else f"{head[1].decode()}, cut")
        self.client.lost(self)


class Client:
    def __init__(self, port, rate, connections):
        self.port, self.rate = port, rate
        self.least = connections
        self.idle = collections.deque()
        self.results = []
        self.asked = 0
        self.random = random.Random(1)
        self.stopping = False
        self.tasks = set()

    def note(self, request, outcome):
        number, method, due = request
        self.results.append(Result(number, method, due, time.monotonic() - due, outcome))

    def free(self, connection):
        self.idle.append(connection)

    def lost(self, connection):
        if connection in self.idle:
            self.idle.remove(connection)

    async def connect(self):
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(lambda: Connection(self), "127.0.0.1", self.port))[1]

    async def ask(self, request):
        try:
            connection = self.idle.popleft() if self.idle else await asyncio.wait_for(self.connect(), TIMEOUT)
        except (OSError, asyncio.TimeoutError):
            self.note(request, "not connected")
            return
        connection.send(request)
        asyncio.get_running_loop().call_later(TIMEOUT, self.give_up, connection, request)

    @staticmethod
    def give_up(connection, request):
        if connection.request is request:
            connection._finish("no answer")
            connection.transport.abort()

    def keep(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def tick(self, due):
        if self.stopping:
            return
        method = "POST" if self.random.random() < 0.2 else "GET"
        self.asked += 1
        self.keep(self.ask((self.asked, method, due)))
        due += self.random.expovariate(self.rate)
        asyncio.get_running_loop().call_at(due, self.tick, due)

    async def run(self, pipe):
        for _ in range(self.least):
            self.free(await self.connect())
        self.tick(time.monotonic())
        await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        self.stopping = True
        limit = time.monotonic() + TIMEOUT + 1
        while len(self.results) < self.asked and time.monotonic() < limit:
            await asyncio.sleep(0.05)


def _child(pipe, *words):
    # what is collected would be seen as latency
    gc.disable()
    client = Client(*words)
    asyncio.run(client.run(pipe))
    pipe.send([tuple(r) for r in client.results])


class Steady:
    """It, in a process of its own; .results is known at the end."""

    def __init__(self, port, rate, connections=64):
        self.pipe, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_child, args=(theirs, port, rate, connections), daemon=True)
        self.results = []

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.pipe.send("over")
        if self.pipe.poll(3 * TIMEOUT):
            self.results = [Result(*r) for r in self.pipe.recv()]
        self.process.join(5)
        assert self.results, "the client has ended without results"
