"""A backend whose every byte a test decides.

    def handler(conn, request):
        conn.respond(200, b"hello")

    o = origin(handler)

The handler runs in the thread of its connection, once for each request, with the request's body read
already (unless the origin was made with read_body=False: then it may call conn.read_body, conn.reader or
nothing). It may send anything, in any pieces; wait for events that the test sets; reset, half-close or
close. Returning bytes is short for a 200 with them. After it the connection reads the next request,
unless it was closed.

Everything that arrived is kept in .requests, with the bytes as they came. What is not proper HTTP is
kept in .faults, and fails the test at its end: the program under test must never send such a thing.
"""

import os
import socket
import threading

from .message import Closed, ProtocolError, Reader, Request, chunked, framing_of, parse_head, read_body, reset
from .ports import reserve_port
from .wait import DEADLINE, wait_for


# In an answer: the connection is good for any request that comes soon. Without it a POST may go onto a fresh
# one, where a test takes its time.
KEPT = [("Keep-Alive", "timeout=100")]


class Connection:
    """One accepted connection of an origin."""

    def __init__(self, origin, sock, number):
        self.origin = origin
        self.sock = sock
        self.number = number
        self.reader = Reader(sock)
        self.closed = False
        self.request = None
        self.sent = 0
        self.requests = 0
        self.ended = threading.Event()  # the other side's end was seen, or ours is done

    # sending

    def send(self, data, split=None):
        """Sends bytes (text is latin-1), in pieces of `split` bytes where that is given."""
        if isinstance(data, str):
            data = data.encode("latin-1")
        step = split or 65536
        view = memoryview(data)
        for i in range(0, len(data), step):
            self.sock.sendall(view[i : i + step])
            self.sent += len(view[i : i + step])

    def respond(self, status=200, body=b"", headers=(), reason="Fine", minor=1, split=None):
        """A whole response, with a Content-Length unless `headers` speak of its framing."""
        self.send(make_response(status, body, headers, reason, minor, self.request), split)

    def respond_chunked(self, parts, headers=(), trailers=(), extension=b"", split=None):
        head = make_head(200, [*headers, ("Transfer-Encoding", "chunked")])
        self.send(head + chunked(parts, trailers, extension), split)

    def head(self, status=200, headers=(), reason="Fine", minor=1):
        """A response's head alone."""
        self.send(make_head(status, headers, reason, minor))

    # ending

    def close(self):
        if not self.closed:
            self.closed = True
            self.sock.close()

    def reset(self):
        if not self.closed:
            self.closed = True
            reset(self.sock)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def wait_end(self):
        """Waits until the other side ends the connection; true when it was with a reset."""
        try:
            while self.reader.fill():
                pass
            return False
        except Closed:
            return True

    # reading

    def read_body(self):
        """Reads the request's body (where the origin does not do it by itself) and answers
        Expect: 100-continue first."""
        r = self.request
        kind, length = framing_of(r, False, False)
        if kind != "none" and "100-continue" in r.headers.tokens("expect"):
            self.send("HTTP/1.1 100 Continue\r\n\r\n")
        try:
            read_body(self.reader, r, kind, length)
        except Closed:
            r.aborted = True
            raise
        return r.body


class Origin:
    def __init__(self, handler=None, name=None, host="127.0.0.1", path=None, read_body=True, port=None,
                 backlog=1024, rcvbuf=None, start=True):
        self.handler = handler or answer_name
        self.host = host
        self.path = path
        self.port = None if path else port or reserve_port()
        self.name = name or str(self.port or os.path.basename(path))
        self.auto_body = read_body
        self.backlog = backlog
        self.rcvbuf = rcvbuf
        self.requests = []
        self.connections = []
        self.faults = []
        self.lock = threading.Lock()
        self.listener = None
        self.stopping = False
        self.threads = []
        if start:
            self.start()

    # where it is

    @property
    def authority(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 80 else f"{host}:{self.port}"

    @property
    def url(self):
        return f"unix:{self.path}" if self.path else f"http://{self.authority}"

    @property
    def address(self):
        return self.path or (self.host, self.port)

    # starting and stopping; a stopped one can start again on the same port

    def start(self):
        if self.path:
            family = socket.AF_UNIX
        else:
            family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        s = socket.socket(family, socket.SOCK_STREAM)
        if not self.path:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.rcvbuf:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rcvbuf)
        s.bind(self.address)
        if self.path:
            os.chmod(self.path, 0o777)
        s.listen(self.backlog)
        self.stopping = False
        self.listener = s
        self._spawn(self._accept, s)

    def refuse(self):
        """Listens no longer: connections are refused. Those that are open stay."""
        if self.listener:
            # shutdown wakes the thread that is in accept
            try:
                self.listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self.listener.close()
            self.listener = None
            if self.path:
                os.unlink(self.path)

    def close_connections(self):
        """Ends all connections that are open."""
        with self.lock:
            connections = list(self.connections)
        for c in connections:
            if not c.closed:
                try:
                    c.sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def stop(self):
        self.stopping = True
        self.refuse()
        self.close_connections()
        me = threading.current_thread()
        for t in self.threads:
            if t is not me:
                t.join(DEADLINE)

    # what came

    @property
    def count(self):
        return len(self.requests)

    @property
    def last(self):
        return self.requests[-1]

    @property
    def open_connections(self):
        """Those whose end nobody has closed yet."""
        with self.lock:
            return [c for c in self.connections if not c.ended.is_set()]

    def wait_requests(self, n, deadline=None):
        wait_for(lambda: len(self.requests) >= n, f"request {n} at origin {self.name}", deadline)
        return self.requests[n - 1]

    def wait_connections(self, n, deadline=None):
        wait_for(lambda: len(self.connections) >= n, f"connection {n} at origin {self.name}", deadline)
        return self.connections[n - 1]

    def wait_no_connection(self, deadline=None):
        wait_for(lambda: not self.open_connections, f"no connection at origin {self.name}", deadline)

    # the threads

    def _spawn(self, function, *args):
        t = threading.Thread(target=function, args=args, daemon=True)
        with self.lock:
            self.threads = [x for x in self.threads if x.is_alive()]
            self.threads.append(t)
            t.start()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                conn = Connection(self, sock, len(self.connections))
                self.connections.append(conn)
            if self.stopping:
                sock.close()
                return
            self._spawn(self._serve, conn)

    def _serve(self, conn):
        try:
            while not conn.closed and self._serve_one(conn):
                pass
        except (Closed, OSError):
            # the proxy went away, or this side was closed: tests that care look at wait_end()
            pass
        except AssertionError as e:
            if not self.stopping:
                self.faults.append(e)
        except Exception as e:  # a mistake in a test's handler must not be lost
            self.faults.append(e)
        finally:
            conn.close()
            conn.ended.set()

    def _serve_one(self, conn):
        raw = conn.reader.head()
        if raw is None:
            return False
        line, headers = parse_head(raw)
        request = Request(line, headers, raw)
        if "transfer-encoding" in headers and request.minor == 0:
            raise ProtocolError("Transfer-Encoding in a 1.0 request")
        if len(headers.all("host")) != 1:
            raise ProtocolError(f"Host stands {len(headers.all('host'))} times")
        framing_of(request, False, False)
        request.connection, request.index = conn.number, conn.requests
        conn.requests += 1
        conn.request = request
        with self.lock:
            self.requests.append(request)
        if self.auto_body:
            conn.read_body()
        result = self.handler(conn, request)
        if isinstance(result, str):
            result = result.encode()
        if isinstance(result, bytes):
            conn.respond(200, result)
        return True


def answer_name(conn, _request):
    """The default handler: says who answers."""
    conn.respond(200, conn.origin.name.encode())


def make_head(status=200, headers=(), reason="Fine", minor=1):
    lines = [f"HTTP/1.{minor} {status} {reason}"] + [f"{n}: {v}" for n, v in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def make_response(status=200, body=b"", headers=(), reason="Fine", minor=1, request=None):
    """The bytes of a response, with a Content-Length where none of `headers` speaks of framing."""
    names = {n.lower() for n, _ in headers}
    headers = list(headers)
    bodyless = status in (204, 304) or status < 200
    if not names & {"content-length", "transfer-encoding"} and not bodyless:
        headers.append(("Content-Length", str(len(body))))
    head = make_head(status, headers, reason, minor)
    if bodyless or (request is not None and request.method == "HEAD"):
        return head
    return head + body
