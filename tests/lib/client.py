"""A client that sends any bytes, well formed or not, in any pieces, and reads answers strictly."""

import socket

from .message import Closed, ProtocolError, Reader, Response, chunked, framing_of, parse_head, read_body, reset
from .wait import DEADLINE

__all__ = ["Client", "Closed", "ProtocolError", "chunked"]


class Client:
    """One connection. `address` is ("127.0.0.1", 80), ("::1", 80) or a path."""

    def __init__(self, address, timeout=None, rcvbuf=None, sndbuf=None, source=None):
        if isinstance(address, str):
            family = socket.AF_UNIX
        else:
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE if timeout is None else timeout)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        if sndbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf)
        try:
            if source:
                self.sock.bind(source)
            self.sock.connect(address)
        except OSError:
            self.sock.close()
            raise
        if family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def name(self):
        """Our own address as the other side sees it."""
        return self.sock.getsockname()

    # sending

    def send(self, data, split=None):
        """Sends bytes (text is latin-1), in pieces of `split` bytes where that is given."""
        if isinstance(data, str):
            data = data.encode("latin-1")
        if not split:
            self.sock.sendall(data)
            return
        for i in range(0, len(data), split):
            self.sock.sendall(data[i : i + split])

    def send_request(self, method, target, headers=(), body=None, host="test", minor=1, split=None):
        """Sends a request; a body gets a Content-Length unless `headers` speak of its framing."""
        self.send(make_request(method, target, headers, body, host, minor), split)

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def abort(self):
        """Closes with a reset."""
        reset(self.sock)

    def close(self):
        self.sock.close()

    # reading

    def head(self, expect_eof=False):
        """The next response head as it came, interim or final; None at an orderly end before it."""
        raw = self.reader.head()
        if raw is None:
            if expect_eof:
                return None
            raise Closed("ended before a response")
        line, headers = parse_head(raw)
        return Response(line, headers, raw)

    def response(self, head=False, connect=False):
        """One final response with its body; interim ones are in .interim."""
        interim = []
        while True:
            r = self.head()
            if r.status >= 200 or r.status == 101:
                break
            framing_of(r, True, False)
            if "content-length" in r.headers or "transfer-encoding" in r.headers:
                raise ProtocolError(f"framing fields in a {r.status}")
            interim.append(r)
        r.interim = interim
        no_body = head or r.status in (101, 204, 304) or (connect and r.status < 300)
        kind, length = framing_of(r, no_body, True)
        if r.status in (101, 204) and ("content-length" in r.headers or "transfer-encoding" in r.headers):
            raise ProtocolError(f"framing fields in a {r.status}")
        read_body(self.reader, r, kind, length)
        return r

    def request(self, method, target, headers=(), body=None, host="test", minor=1, split=None):
        """Sends a request and reads its response."""
        self.send_request(method, target, headers, body, host, minor, split)
        return self.response(head=method == "HEAD")

    def get(self, target="/", headers=(), **more):
        return self.request("GET", target, headers, **more)

    def read(self, n):
        """Exactly n bytes of whatever comes."""
        return self.reader.exactly(n)

    def read_to_end(self):
        return self.reader.to_end()

    def at_end(self):
        """True when the other side ends the connection, orderly or with a reset, and sends nothing
        more before."""
        try:
            return not self.reader.buffer and not self.reader.fill()
        except Closed:
            return True

    def is_quiet(self):
        """True while nothing has come: no data and no end."""
        if self.reader.buffer or self.reader.eof:
            return False
        try:
            self.sock.settimeout(0)
            self.sock.recv(1, socket.MSG_PEEK)
            return False
        except (BlockingIOError, InterruptedError):
            return True
        finally:
            self.sock.settimeout(DEADLINE)


def make_request(method, target, headers=(), body=None, host="test", minor=1):
    """The bytes of a request."""
    lines = [f"{method} {target} HTTP/1.{minor}"]
    if host is not None:
        lines.append(f"Host: {host}")
    names = {n.lower() for n, _ in headers}
    lines += [f"{n}: {v}" for n, v in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("latin-1") + (body or b"")
