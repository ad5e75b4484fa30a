"""Clients that ask again and again while something happens to the program, and keep account of every
connection that was lost.

    with Load(("127.0.0.1", port), body) as fresh, Load(("127.0.0.1", port), body, kept=True) as kept:
        ...
    assert not fresh.lost and not kept.lost

What they read is judged by no more than its length and its content: they are to be many and fast.
"""

import collections
import select
import socket
import threading

from .wait import DEADLINE, wait_for

CLOSE = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
KEEP = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


class Lost(Exception):
    """How a request ended that was not answered in full."""


class Load:
    def __init__(self, address, body, kept=False, threads=2, timeout=None, pause=0, expect=True):
        """
        body     what every answer must have
        kept     connections are used for as long as they are kept; else each serves one request
        pause    seconds between two requests of a kept connection
        expect   whether to wait for an answer before anything happens
        """
        self.address, self.body, self.kept = address, body, kept
        self.timeout = timeout or DEADLINE
        self.pause, self.expect = pause, expect
        self.family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.results = collections.Counter()  # "served", or how it was lost
        self.connections = 0
        self.ended = 0  # kept connections that ended between two requests
        self.told = 0  # answers that ended a kept connection
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        if self.expect:
            try:
                wait_for(lambda: self.served, "the first answer")
            except AssertionError as e:
                self.stop()
                raise AssertionError(f"{e}, but {self.lost}") from None
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join()

    @property
    def served(self):
        return self.results["served"]

    @property
    def lost(self):
        """{"reset": 1, ...}"""
        return {k: n for k, n in self.results.items() if k != "served" and n}

    def wait_served(self, more):
        """Waits until so many more were served."""
        wanted = self.served + more
        wait_for(lambda: self.served >= wanted, f"{more} more answers")

    def _note(self, result, told=0):
        with self.lock:
            self.results[result] += 1
            self.told += told

    def _run(self):
        while not self.over.is_set():
            try:
                with socket.socket(self.family) as s:
                    self._use(s)
            except Lost as e:
                self._note(str(e))
            except ConnectionRefusedError:
                self._note("refused")
            except (ConnectionResetError, BrokenPipeError):
                self._note("reset")
            except TimeoutError:
                self._note("timed out")
            except OSError as e:
                self._note(e.strerror or repr(e))

    def _use(self, s):
        s.settimeout(self.timeout)
        s.connect(self.address)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.lock:
            self.connections += 1
        keeps = True
        while keeps and not self.over.is_set() and not self._has_ended(s):
            s.sendall(KEEP if self.kept else CLOSE)
            keeps = self._read(s) and self.kept
            self._note("served", self.kept and not keeps)
            if keeps and self.pause:
                self.over.wait(self.pause)

    def _has_ended(self, s):
        """Whether a kept connection is over already: nobody would ask on it."""
        if not select.select([s], [], [], 0)[0]:
            return False
        with self.lock:
            self.ended += 1
        return True

    def _read(self, s):
        """Reads one answer and returns whether the connection goes on."""
        data = head = b""
        while not head or len(data) < len(head) + 4 + len(self.body):
            more = s.recv(65536)
            if not more:
                raise Lost("truncated" if data else "not answered")
            data += more
            if not head and b"\r\n\r\n" in data:
                head = data.partition(b"\r\n\r\n")[0]
                if not head.startswith(b"HTTP/1.1 200"):
                    raise Lost(head.split(b"\r\n")[0].decode("latin-1"))
        body = data[len(head) + 4 :]
        if body != self.body:
            raise Lost("wrong")
        return b"\r\nconnection: close" not in head.lower()


def gets_in(address, clients):
    """Whether a connection is made at once, before its SYN is repeated; then it is added to `clients`."""
    s = socket.socket()
    s.settimeout(0.3)
    try:
        s.connect(address)
        clients.append(s)
        return True
    except TimeoutError:
        s.close()
        return False


def answer(sock):
    """Asks on a connection that was made before, and reads all that comes until its end."""
    data = b""
    with sock:
        sock.settimeout(DEADLINE)
        sock.sendall(CLOSE)
        while more := sock.recv(65536):
            data += more
    return data
