"""The backend behind the proxy: records every byte that arrives, reads it strictly, and answers with
a number by which a client's answer leads to the very request that it answers. Where a case has a
script, it sends that instead."""

import asyncio
import re
import socket

from lib.message import Closed, ProtocolError, Reader, Request, framing_of, parse_head, read_body

from lib.wait import SLOW

from .corpus import PAUSE
from .wire import Link, NeedMore, Snapshot

TOKENS = re.compile(rb"t[0-9a-f]{7}q")

# The ends of the targets of requests that surround a case's own.
BEFORE, AFTER, OTHER = ASIDE = ("/before", "/after", "/other")

# What a script waits where it says so: until the proxy has done what it will do with the rest.
LONG_PAUSE = 0.02 * SLOW

WHOLE, CUT, FAULT = "whole", "cut", "fault"


class Seen:
    """One thing that arrived: a whole request, one that was cut off, or what is no HTTP."""

    def __init__(self, kind, raw, number, seq, request=None, text=""):
        self.kind, self.raw, self.number, self.seq, self.request, self.text = kind, raw, number, seq, request, text

    def __repr__(self):
        if self.request:
            r = self.request
            return f"{self.kind} {r.line!r} {list(r.headers)} {r.body[:200]!r} (connection {self.number})"
        return f"{self.kind} {self.raw[:300]!r} {self.text}"


class Script:
    """What the backend sends for one run of a response case."""

    def __init__(self, parts, pieces, end, early, gap):
        self.parts = parts  # bytes and PAUSE
        self.pieces = pieces  # cuts bytes into pieces
        self.end = end  # "fin", "rst" or None
        self.early = early
        self.gap = gap  # seconds between pieces
        self.poison = None  # the token, where no request may follow on this connection
        self.tunnel = False  # what follows is no HTTP
        self.runs = 0
        self.link = None
        self.before = 0  # bytes that had come on the connection when it began
        self.done = asyncio.Event()

    async def run(self, link):
        self.runs += 1
        self.link = link
        self.before = link.received
        for part in self.parts:
            if part == PAUSE:
                await asyncio.sleep(LONG_PAUSE)
                continue
            first = True
            for piece in self.pieces(part):
                if not first:
                    await asyncio.sleep(self.gap)
                first = False
                link.send(piece)
        await (link.arrived_there() if self.early else link.flushed())
        if self.end:
            link.ended_here = True
            link.close(with_reset=self.end == "rst")
        link.poison = self.poison
        link.scripted = self.tunnel
        self.done.set()
        link.arrived()


class ServerLink(Link):
    """One connection from the proxy."""

    def __init__(self, backend, sock, number):
        self.backend = backend
        self.number = number
        self.requests = 0
        self.scripted = False  # a script is at work: what arrives waits
        self.early = None  # the token of a request that was answered before its end
        self.continued = False
        self.poison = None  # whose answer left it in a state in which no request may follow
        self.ended_here = False
        super().__init__(backend.loop, sock)

    def arrived(self):
        try:
            while not self.closed and not self.scripted and self._request():
                pass
        except NeedMore:
            pass
        except Closed:
            if self.data:  # else it was reset between requests
                self._note(CUT, self.data, self._head_of_cut())
            self.data.clear()
        except ProtocolError as e:
            self._note(FAULT, self.data, None, str(e))
            self.close()
        if self.eof and not self.scripted:
            self.close()
            self.backend.links.discard(self)

    def _head_of_cut(self):
        reader = Reader(Snapshot(self))
        try:
            raw = reader.head()
            return Request(*parse_head(raw), raw)
        except (Closed, NeedMore, ProtocolError):
            return None

    def _request(self):
        """Reads one request and answers it. False at an orderly end."""
        reader = Reader(Snapshot(self))
        raw = reader.head()
        if raw is None:
            return False
        request = Request(*parse_head(raw), raw)
        if "transfer-encoding" in request.headers and request.minor == 0:
            raise ProtocolError("Transfer-Encoding in a 1.0 request")
        if len(request.headers.all("host")) not in ((1,) if request.minor else (0, 1)):
            raise ProtocolError(f"Host stands {len(request.headers.all('host'))} times")
        kind, length = framing_of(request, False, False)
        token = self.backend.owner(raw)
        script = self.backend.script(token, request.path)
        if self.poison and not self.early:
            self.backend.reused.add(self.poison)
        if script and script.early and not self.early:
            self.early = token
            asyncio.ensure_future(script.run(self))
        elif "100-continue" in request.headers.tokens("expect") and not self.continued and not script:
            self.continued = True
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        read_body(reader, request, kind, length)
        size = len(self.data) - len(reader.buffer)
        request.index, self.requests = self.requests, self.requests + 1
        seq = self._note(WHOLE, self.data[:size], request)
        del self.data[:size]
        self.continued = False
        if self.early:
            self.early = None
        elif script:
            self.scripted = True
            asyncio.ensure_future(script.run(self))
        else:
            self._answer(request, seq)
        return True

    def _answer(self, request, seq):
        body = b"" if request.method == "HEAD" else b"%d\n" % seq
        status = b"501 No" if request.method == "CONNECT" else b"200 Fine"
        self.send(b"HTTP/1.1 " + status + b"\r\nX-Seq: %d\r\nContent-Length: %d\r\n\r\n%s" % (seq, len(body), body))

    def _note(self, kind, raw, request=None, text=""):
        return self.backend.note(kind, bytes(raw), self.number, request, text)


class Backend:
    """Listens, and keeps what came by the token that it carries."""

    def __init__(self, loop, port=0):
        self.loop = loop
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(1024)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.links = set()
        self.accepted = 0
        self.greet = b""
        self.seen = {}  # token: [Seen]
        self.by_seq = []  # (token, target) of each
        self.strays = []  # what carries no token that anybody knows
        self.reused = set()  # tokens of answers whose connections were used again and must not be
        self.scripts = {}  # token: Script
        loop.add_reader(self.listener, self._accept)

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            link = ServerLink(self, sock, self.accepted)
            self.accepted += 1
            self.links.add(link)
            if self.greet:
                link.send(self.greet)

    def script(self, token, path):
        """What answers a request: none for those that come before, after and beside a case's own."""
        return None if path.endswith(ASIDE) else self.scripts.get(token)

    def owner(self, raw):
        """The token in some bytes; that of the first line goes before others."""
        for found in TOKENS.findall(raw):
            if found.decode() in self.seen:
                return found.decode()
        return None

    def note(self, kind, raw, number, request, text):
        token = self.owner(raw)
        seen = Seen(kind, raw, number, len(self.by_seq), request, text)
        self.by_seq.append((token, request.target if request else None))
        if token is None:
            # What breaks off may do so after its run was judged.
            if kind != CUT or not TOKENS.search(raw):
                self.strays.append(seen)
        else:
            self.seen[token].append(seen)
        return seen.seq

    def drop_poisoned(self):
        """Closes idle connections that must not be used."""
        for link in list(self.links):
            if not link.scripted and not link.data and link.poison:
                link.ended_here = True
                link.close()
                self.links.discard(link)

    async def part_with_idle(self, patience):
        """Ends idle connections, and waits until the proxy has ended them, too: none is picked any more."""
        idle = [link for link in self.links if not link.scripted and not link.data]
        for link in idle:
            link.ended_here = True
            link.finish()
        limit = self.loop.time() + patience
        while any(not link.eof for link in idle) and self.loop.time() < limit:
            await asyncio.sleep(0.001)
        for link in idle:
            link.close()
        self.links -= set(idle)

    def close(self):
        self.loop.remove_reader(self.listener)
        self.listener.close()
        for link in list(self.links):
            link.close()
