"""HTTP/1 messages, read strictly and recorded exactly.

The program under test has to get every byte of its framing right, so this reader forgives nothing: it
is the judge of what the program sends to backends (requests) and to clients (responses). What a test
wants to send wrong it writes as bytes.
"""

import re
import socket
import struct

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


class ProtocolError(AssertionError):
    """The program sent something that is not HTTP as the RFCs have it."""


class Closed(Exception):
    """The connection ended (EOF) where more was expected; .reset tells a reset from an orderly end,
    .data is what had arrived of the part that was being read."""

    def __init__(self, text, data=b"", reset=False):
        super().__init__(text + (" (reset)" if reset else "") + f" after {data[-200:]!r}")
        self.data = data
        self.reset = reset


class Headers(list):
    """A list of (name, value) pairs in the order in which they came, as text."""

    def all(self, name):
        return [v for n, v in self if n.lower() == name.lower()]

    def one(self, name, default=None):
        """The value of a field that may stand at most once."""
        values = self.all(name)
        if len(values) > 1:
            raise ProtocolError(f"{name} stands {len(values)} times: {values}")
        return values[0] if values else default

    def __contains__(self, name):
        return bool(self.all(name)) if isinstance(name, str) else super().__contains__(name)

    def tokens(self, name):
        """The elements of a comma-separated field, in lower case."""
        joined = ",".join(self.all(name))
        return [t.strip().lower() for t in joined.split(",") if t.strip()]


def reset(sock):
    """Closes a socket so that its peer gets a reset, also while another thread reads from it: that one
    is woken first, because a socket in use is not closed."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    sock.close()


class Message:
    """One message: start line, headers, body, trailers, and the bytes they came as."""

    def __init__(self, line, headers, head):
        self.line = line
        self.headers = headers
        self.head = head  # the raw bytes of the head with its empty line
        self.body = b""
        self.trailers = Headers()
        self.chunks = []  # the sizes of the chunks as they came
        self.extensions = []  # of those that had one
        self.framing = None  # "none", "length", "chunked" or "close"

    def __repr__(self):
        return f"<{self.line!r} {list(self.headers)} {len(self.body)} bytes>"


class Request(Message):
    def __init__(self, line, headers, head):
        super().__init__(line, headers, head)
        m = re.fullmatch(r"([^ ]+) ([^ ]+) HTTP/1\.([01])", line)
        if not m or not TOKEN.match(m.group(1).encode("latin-1")):
            raise ProtocolError(f"not a request line: {line!r}")
        self.method, self.target, self.minor = m.group(1), m.group(2), int(m.group(3))
        self.connection = None  # number of the connection that it came on, from 0
        self.index = 0  # its place on that connection: above 0 the connection was reused
        self.aborted = False  # it was cut off
        self.raw_body = b""

    @property
    def path(self):
        return self.target.partition("?")[0]


class Response(Message):
    def __init__(self, line, headers, head):
        super().__init__(line, headers, head)
        m = re.fullmatch(r"HTTP/1\.([01]) ([1-9][0-9][0-9]) (.*)", line)
        if not m:
            raise ProtocolError(f"not a status line: {line!r}")
        self.minor, self.status, self.reason = int(m.group(1)), int(m.group(2)), m.group(3)
        self.interim = []  # the 1xx that came before it

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def keeps_alive(self):
        """What the response says of the connection (RFC 9112 9.3)."""
        options = self.headers.tokens("connection")
        if "close" in options or self.framing == "close":
            return False
        return self.minor == 1 or "keep-alive" in options


def parse_head(data):
    """Takes a head apart: (start line, Headers)."""
    lines = data[:-4].split(b"\r\n")
    for line in lines:
        if b"\r" in line or b"\n" in line or b"\0" in line:
            raise ProtocolError(f"stray control byte in a head line: {line!r}")
    headers = Headers()
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.match(name):
            raise ProtocolError(f"not a header field: {line!r}")
        headers.append((name.decode("latin-1"), value.strip(b" \t").decode("latin-1")))
    return lines[0].decode("latin-1"), headers


class Reader:
    """Reads messages from a socket. Bytes that came early stay in .buffer."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = bytearray()
        self.eof = False
        self.received = 0

    def fill(self, size=65536):
        """Reads more; False at the end of the stream."""
        if self.eof:
            return False
        try:
            data = self.sock.recv(size)
        except socket.timeout as e:
            raise AssertionError(
                f"nothing arrived for {self.sock.gettimeout()} s; so far: {bytes(self.buffer[-300:])!r}"
            ) from e
        except OSError as e:
            self.eof = True
            raise Closed(f"connection failed: {e}", bytes(self.buffer), reset=True) from e
        if not data:
            self.eof = True
            return False
        self.received += len(data)
        self.buffer += data
        return True

    def take(self, n):
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def exactly(self, n):
        while len(self.buffer) < n:
            if not self.fill():
                raise Closed(f"ended {n - len(self.buffer)} bytes early", self.take(n))
        return self.take(n)

    def until(self, mark, limit=1 << 20):
        """Everything up to and with `mark`."""
        start = 0
        while True:
            at = self.buffer.find(mark, start)
            if at != -1:
                return self.take(at + len(mark))
            if len(self.buffer) > limit:
                raise ProtocolError(f"no {mark!r} in {limit} bytes")
            start = max(0, len(self.buffer) - len(mark) + 1)
            if not self.fill():
                raise Closed(f"ended before {mark!r}", bytes(self.buffer))

    def to_end(self):
        """Everything up to an orderly end of the stream."""
        while self.fill():
            pass
        return self.take(len(self.buffer))

    def head(self):
        """The raw bytes of one head, or None when the stream ends before its first byte."""
        while not self.buffer:
            if not self.fill():
                return None
        return self.until(b"\r\n\r\n")

    def chunk(self):
        """One chunk: (content, raw bytes, extension); content is empty for the last one, after which
        the trailers have still to be read."""
        line = self.until(b"\r\n", 4096)
        m = re.fullmatch(rb"([0-9A-Fa-f]{1,16})((?:[ \t]*;[\t\x20-\x7e]*)?)\r\n", line)
        if not m:
            raise ProtocolError(f"not a chunk's line: {line!r}")
        size = int(m.group(1), 16)
        if size == 0:
            return b"", line, m.group(2)
        data = self.exactly(size)
        end = self.exactly(2)
        if end != b"\r\n":
            raise ProtocolError(f"a chunk of {size} ends in {end!r}")
        return data, line + data + end, m.group(2)

    def trailers(self):
        """The trailer section with the empty line: (Headers, raw bytes)."""
        raw = b""
        while True:
            line = self.until(b"\r\n", 16384)
            raw += line
            if line == b"\r\n":
                return parse_head(b"\r\n" + raw)[1], raw


def framing_of(message, no_body, until_close):
    """How the body of a message is delimited (RFC 9112 6.3): (kind, length)."""
    codings = message.headers.tokens("transfer-encoding")
    length = message.headers.all("content-length")
    if codings and length:
        raise ProtocolError("both Transfer-Encoding and Content-Length")
    if len(length) > 1:
        raise ProtocolError(f"Content-Length stands {len(length)} times")
    if length and not re.fullmatch(r"[0-9]+", length[0]):
        raise ProtocolError(f"Content-Length is {length[0]!r}")
    if codings and codings != ["chunked"]:
        raise ProtocolError(f"Transfer-Encoding is {codings}")
    if codings and len(message.headers.all("transfer-encoding")) > 1:
        raise ProtocolError("Transfer-Encoding stands twice")
    if no_body:
        return "none", 0
    if codings:
        return "chunked", None
    if length:
        return "length", int(length[0])
    return ("close", None) if until_close else ("none", 0)


def read_body(reader, message, kind, length):
    """Reads a body into the message."""
    message.framing = kind
    if kind == "length":
        message.body = reader.exactly(length)
    elif kind == "chunked":
        parts = []
        while True:
            data, _, extension = reader.chunk()
            if extension:
                message.extensions.append(extension)
            if not data:
                message.trailers, _ = reader.trailers()
                break
            message.chunks.append(len(data))
            parts.append(data)
        message.body = b"".join(parts)
    elif kind == "close":
        message.body = reader.to_end()


def chunked(parts, trailers=(), extension=b"", upper=False):
    """Bytes of a chunked body: one chunk for each part."""
    out = []
    for part in parts:
        size = b"%X" % len(part) if upper else b"%x" % len(part)
        out.append(size + extension + b"\r\n" + part + b"\r\n")
    out.append(b"0" + extension + b"\r\n")
    for name, value in trailers:
        out.append(f"{name}: {value}\r\n".encode("latin-1"))
    return b"".join(out) + b"\r\n"
