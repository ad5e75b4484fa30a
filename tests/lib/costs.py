"""What a request costs a worker: system calls, counted by strace, and instructions, counted by callgrind.

One request after the other, each awaited, by one thread that is client and origin in one: so nothing
depends on how the kernel schedules, and the same program gives the same numbers on a busy machine. They
are higher than under load, where a worker takes many events at a time. Timers are all that differs:
some of a thousand.

    instructions_per_request(directory, "get"), syscalls_per_request(directory, "get")

A directory serves one count alone: it keeps the program's files. `make costs` records these for all KINDS
in tests/bench/costs, and tests/process/test_costs.py compares them.
"""

import os
import platform
import re
import select
import signal
import socket
import tempfile

from . import process
from .tinylb import Tinylb, binary
from .wait import DEADLINE, wait_for

GET = b"GET /some/path HTTP/1.1\r\nHost: example.org\r\nUser-Agent: costs/1.0\r\nAccept: */*\r\n%b\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nServer: costs\r\nContent-Type: text/plain\r\n"
CHUNKS = b"400\r\n" + b"y" * 1024 + b"\r\n0\r\n\r\n"
ANSWER = HEAD + b"Content-Length: 128\r\n\r\n" + b"x" * 128
POST = GET.replace(b"GET", b"POST") % b"Transfer-Encoding: chunked\r\n" + CHUNKS
PATH, MARK = b"/some/path", b"/mark/path"

# Of each kind what a client sends and an origin answers, and whether a connection serves only one request.
KINDS = {
    "get": (GET % b"", ANSWER, False),
    "close": (GET % b"Connection: close\r\n", ANSWER, True),
    "post": (POST, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS, False),
}

CLIENTS = 8
COLD = 24  # requests before anything is counted

# The functions of libc that are chosen by what the processor has: those that every x86-64 has.
PLAIN = "glibc.cpu.hwcaps=" + ",".join(
    "-" + x for x in ("AVX", "AVX2", "AVX512F", "AVX512VL", "AVX512BW", "SSSE3", "SSE4_1", "SSE4_2", "ERMS", "FSRM",
                      "BMI1", "BMI2", "LZCNT", "MOVBE", "POPCNT", "RTM", "Fast_Unaligned_Copy", "Fast_Copy_Backward",
                      "Prefer_ERMS", "Prefer_FSRM", "AVX_Fast_Unaligned_Load"))


def _whole(data):
    """True for a whole message, as those above are."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return False
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if length:
        return len(body) == int(length.group(1))
    return b"hunked" not in head or body.endswith(b"0\r\n\r\n")


class Lockstep:
    """A client and an origin that take turns."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.backends, self.clients = [], []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def close(self):
        for s in (self.listener, *self.backends, *self.clients):
            s.close()

    def _take(self):
        """Reads one request and returns the connection on which it came."""
        data = {}
        while True:
            ready = select.select([self.listener, *self.backends], [], [], DEADLINE)[0]
            assert ready, f"no request came to the origin: {data}"
            for s in ready:
                if s is self.listener:
                    self.backends.append(s.accept()[0])
                    continue
                more = s.recv(1 << 16)
                if not more:
                    self.backends.remove(s)
                    s.close()
                    continue
                data[s] = data.get(s, b"") + more
                if _whole(data[s]):
                    return s

    def answer(self, client, answer):
        self._take().sendall(answer)
        data = b""
        while not _whole(data):
            more = client.recv(1 << 16)
            assert more, f"cut off: {data}"
            data += more
        assert data.startswith(b"HTTP/1.1 200 "), data

    def run(self, lb, worker, kind, count, path=PATH):
        request, answer, single = KINDS[kind]
        request = request.replace(PATH, path)

        def connect():
            return socket.create_connection(("127.0.0.1", lb.port), DEADLINE)

        if not self.clients:
            self.clients = [connect() for _ in range(CLIENTS)]
        for i in range(count):
            if single:
                # The request is there when its connection is accepted: else that would be a matter of luck.
                os.kill(worker, signal.SIGSTOP)
                with connect() as c:
                    c.sendall(request)
                    os.kill(worker, signal.SIGCONT)
                    self.answer(c, answer)
                    assert c.recv(1) == b""
            else:
                c = self.clients[i % CLIENTS]
                c.sendall(request)
                self.answer(c, answer)



def _start(directory, url, *prefix):
    lb = Tinylb(directory, backends=[url], log_level="notice", prefix=prefix, env={"GLIBC_TUNABLES": PLAIN})
    lb.start()
    return lb, wait_for(lambda: process.children(lb.pid), "a worker")[0]


def _end(lb, lockstep):
    lockstep.close()
    try:
        lb.stop()
    finally:
        lb.kill()


def syscalls_per_request(directory, kind, count=200):
    """System calls of a worker for each request of that kind."""
    lockstep = Lockstep()
    trace = os.path.join(directory, "calls")
    lb, worker = _start(directory, lockstep.url, "strace", "-D", "-ff", "-q", "-e", "signal=none", "-o", trace)
    try:
        lockstep.run(lb, worker, kind, COLD)
        lockstep.run(lb, worker, kind, 1, MARK)
        lockstep.run(lb, worker, kind, count - 1)
        lockstep.run(lb, worker, kind, 1, MARK)
    finally:
        _end(lb, lockstep)
    lines = process.read(f"{trace}.{worker}").decode("latin-1").splitlines()
    # A call that the worker was stopped in it makes again.
    lines = [line for line in lines if "EINTR" not in line and "RESTART" not in line and not line.startswith("---")]
    marks = [i for i, line in enumerate(lines) if f" {MARK.decode()} HTTP" in line and "= -1" not in line]
    # The client's and the backend's side of both marks.
    assert len(marks) == 4, marks
    return (marks[2] - marks[0]) / count


def _instructions(directory, kind, count):
    """Those of the whole life of a worker."""
    lockstep = Lockstep()
    out = os.path.join(directory, "callgrind")
    lb, worker = _start(directory, lockstep.url, "valgrind", "-q", "--vgdb=no", "--tool=callgrind",
                        f"--callgrind-out-file={out}.%p")
    try:
        lockstep.run(lb, worker, kind, count)
    finally:
        _end(lb, lockstep)
    return int(re.search(rb"^totals: (\d+)", process.read(f"{out}.{worker}"), re.M).group(1))


def instructions_per_request(directory, kind, count=200):
    """Instructions of a worker, without those of the kernel, for each request of that kind."""
    return (_instructions(directory, kind, COLD + count) - _instructions(directory, kind, COLD)) / count


# What is recorded.


def built_with():
    """What decides how many instructions the same sources are: compiler, options, libc, processor."""
    comment = re.search(rb"GCC: \([^)]*\) ([0-9.]+)", process.read(binary()))
    makefile = process.read(os.path.join(os.path.dirname(binary()), "Makefile")).decode("utf-8", "replace")
    flags = re.findall(r"^(?:CFLAGS|TINYLB_LTO) = (.*)$", makefile, re.M)
    return " ".join([platform.machine(), f"gcc-{comment.group(1).decode()}" if comment else "another-compiler",
                     os.confstr("CS_GNU_LIBC_VERSION").replace(" ", "-"), *(" ".join(flags).split() or ["?"])])


def measure(kind):
    """(system calls, instructions) for a request."""
    found = []
    for count in (syscalls_per_request, instructions_per_request):
        with tempfile.TemporaryDirectory(prefix="tinylb-costs-") as directory:
            os.chmod(directory, 0o755)
            found.append(count(directory, kind))
    return tuple(found)


def recorded(path):
    """What a file of these says: (built_with(), {kind: (system calls, instructions)})."""
    with open(path, encoding="ascii") as f:
        lines = [line.split() for line in f if line.strip() and not line.startswith("#")]
    return " ".join(lines[0][1:]), {kind: (float(calls), float(instructions)) for kind, calls, instructions in lines[1:]}


def main():
    print("# What a request costs: kind, system calls, instructions. tests/lib/costs.py tells how; `make costs` renews.")
    print("built", built_with())
    for kind in KINDS:
        calls, instructions = measure(kind)
        print(f"{kind:5} {calls:6.2f} {instructions:7.0f}")


if __name__ == "__main__":
    main()
