"""Connections in one event loop: bytes out in any pieces, bytes in as they come, and a strict reading
of them by tests/lib/message.py. Nothing here knows what is right."""

import asyncio
import contextlib
import fcntl
import re
import socket
import struct
import termios

from lib.client import Client
from lib.message import Closed, Reader, Response, parse_head, reset


class NeedMore(Exception):
    """What has arrived is not the whole of it."""


class Snapshot:
    """What has arrived, in the place of a socket: a reader of it gets all of it, and then NeedMore
    while more can come, or the end."""

    def __init__(self, link):
        self.data, self.eof, self.reset = bytes(link.data), link.eof, link.reset

    def recv(self, _size):
        if self.data:
            data, self.data = self.data, b""
            return data
        if self.reset:
            raise ConnectionResetError("reset")
        if self.eof:
            return b""
        raise NeedMore


class Inspector(Client):
    """Reads responses out of bytes."""

    def __init__(self, link):  # pylint: disable=super-init-not-called
        self.reader = Reader(Snapshot(link))

    def head(self, expect_eof=False):
        """Statuses without a meaning are HTTP nevertheless (RFC 9110 15)."""
        raw = self.reader.head()
        if raw is None:
            raise Closed("ended before a response")
        line, headers = parse_head(raw)
        odd = re.fullmatch(r"(HTTP/1\.[01] )([06-9]\d\d)( .*)", line)
        if not odd:
            return Response(line, headers, raw)
        response = Response(f"{odd.group(1)}599{odd.group(3)}", headers, raw)
        response.status = max(599, int(odd.group(2)))
        return response


class Bytes:
    """Bytes that look like a link on which nothing more comes."""

    def __init__(self, data, eof=False):
        self.data, self.eof, self.reset = data, eof, False


class Link:
    """One connection, of a client or of the backend."""

    def __init__(self, loop, sock):
        self.loop = loop
        self.sock = sock
        self.data = bytearray()
        self.since = loop.time()
        self.received = 0
        self.eof = self.reset = self.closed = False
        self.pending = b""
        self.waiter = None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.add_reader(sock, self._readable)

    def _readable(self):
        try:
            data = self.sock.recv(1 << 18)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
            self.reset = True
        if not data:
            self.eof = True
            self.loop.remove_reader(self.sock)
        self.received += len(data)
        self.data += data
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(True)
        self.arrived()

    def arrived(self):
        """For who does not wait but is called."""

    async def more(self, patience):
        """Waits for bytes or an end; False where there are none in time."""
        if self.eof or self.closed:
            return False
        self.waiter = self.loop.create_future()
        timer = self.loop.call_later(patience, lambda w: w.done() or w.set_result(False), self.waiter)
        try:
            return await self.waiter
        finally:
            timer.cancel()
            self.waiter = None

    def send(self, data):
        if self.closed:
            return
        if self.pending:
            self.pending += data
            return
        try:
            sent = self.sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError:  # the other side has ended; what it said before is still to be read
            return
        if sent < len(data):
            self.pending = data[sent:]
            self.loop.add_writer(self.sock, self._writable)

    def _writable(self):
        data, self.pending = self.pending, b""
        self.loop.remove_writer(self.sock)
        self.send(data)

    async def flushed(self):
        while self.pending and not self.eof and not self.closed:
            await asyncio.sleep(0.001)

    async def arrived_there(self):
        """Waits until the kernel at the other end has all that was sent. Where what came is not read to its end,
        closing is a reset, and throws away what was not let go yet: single octets are, one after another."""
        await self.flushed()
        while not self.eof and not self.closed and self._kept_back():
            await asyncio.sleep(0.001)

    def _kept_back(self):
        return struct.unpack("i", fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0" * 4))[0]

    def finish(self):
        """Ends the sending side."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def close(self, with_reset=False):
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(OSError, ValueError):
            self.loop.remove_reader(self.sock)
            self.loop.remove_writer(self.sock)
        if with_reset:
            reset(self.sock)
        else:
            self.sock.close()


class Answer:
    """What a client got: a whole response, or what there was of one."""

    def __init__(self, response=None, cut=False, was_reset=False):
        self.response = response
        self.cut = cut  # it broke off, visibly
        self.was_reset = was_reset

    @property
    def status(self):
        return self.response.status if self.response else 0

    @property
    def seq(self):
        """Which request of the backend's records was answered; None: not the backend's answer."""
        value = self.response.headers.one("x-seq") if self.response else None
        return int(value) if value and value.isdigit() else None

    @property
    def ends(self):
        return self.cut or not self.response.keeps_alive

    def __repr__(self):
        if not self.response:
            return "cut head"
        r = self.response
        return f"{'cut ' if self.cut else ''}{r.status}{'' if r.keeps_alive else ' close'} {bytes(r.body[:60])!r}"


class Ended:
    """The connection ended between responses."""

    def __init__(self, was_reset):
        self.was_reset = was_reset

    def __repr__(self):
        return "reset" if self.was_reset else "closed"


class Silence:
    """Nothing came in time."""

    def __repr__(self):
        return "silence"


class ClientLink(Link):
    """A client's side: requests out, answers in."""

    @classmethod
    def connect(cls, loop, address):
        sock = socket.create_connection(address, timeout=5)
        return cls(loop, sock)

    def _try(self, method):
        """One answer out of what has arrived, or None."""
        if not self.eof and b"\r\n\r\n" not in self.data:
            return None
        if self.eof and not self.data:
            return Ended(self.reset)
        inspector = Inspector(self)
        try:
            response = inspector.response(head=method == "HEAD", connect=method == "CONNECT")
        except NeedMore:
            return None
        except Closed as e:
            return self._cut(e.reset)
        del self.data[: len(self.data) - len(inspector.reader.buffer)]
        return Answer(response)

    def _cut(self, was_reset):
        inspector = Inspector(Bytes(bytes(self.data), True))
        self.data.clear()
        head = None
        with contextlib.suppress(Closed):
            while head is None or head.status < 200:
                head = inspector.head()
        return Answer(head if head and head.status >= 200 else None, True, was_reset)

    async def answer(self, method, patience):
        """The next final response, or how it went wrong. What is not HTTP raises ProtocolError."""
        while True:
            answer = self._try(method)
            if answer is not None:
                return answer
            if not await self.more(patience) and not self.eof:
                return Silence()

    async def any_head(self, patience):
        """Waits until something came that looks like a response, be it an interim one."""
        while b"\r\n\r\n" not in self.data and not self.eof:
            if not await self.more(patience):
                return

    async def end(self, patience):
        """Waits for the end; False where it does not come. Bytes stay in .data."""
        while not self.eof:
            if not await self.more(patience):
                return self.eof
        return True
