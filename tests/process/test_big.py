"""A gigabyte passes through a worker that never holds more than a little of it.

The receiver stops reading until the sender can send no more; what lies in between then is in the
kernel's buffers and in the worker. The worker's memory is read from /proc at its peak.
"""

import threading

import pytest

from lib import process
from lib.wait import DEADLINE, SLOW, wait_for, wait_still

BLOCK = b"".join(b"%015d\n" % i for i in range(65536))  # 1 MiB in which no two lines are alike
# Valgrind needs a minute for what takes a second.
TOTAL = (1024 if SLOW < 5 else 64) << 20

# What a worker may grow by. Its buffers hold some hundred kilobytes; sanitizers keep what was freed.
GROWTH_KB = 6 * 1024 if SLOW == 1 else 300 * 1024


class Meter:
    """The worker's memory before and at its peak."""

    def __init__(self, lb):
        lb.get("/warm")
        self.pid = lb.worker
        process.reset_peak(self.pid)
        self.before = process.status(self.pid, "VmRSS")

    def check(self):
        grown = process.status(self.pid, "VmHWM") - self.before
        assert grown < GROWTH_KB, f"the worker grew by {grown} kB"


def send_all(connection, total):
    for _ in range(total // len(BLOCK)):
        connection.send(BLOCK)


def read_all(reader, total, pauses, stalled):
    """Reads and compares it; at each of the pauses waits until the sender has come to a stop."""
    received = 0
    while received < total:
        if pauses and received >= pauses[0]:
            pauses.pop(0)
            stalled()
        if not reader.buffer:
            assert reader.fill(1 << 18), f"ended after {received} of {total}"
        data = memoryview(bytes(reader.buffer))
        reader.buffer.clear()
        while data:
            offset = received % len(BLOCK)
            n = min(len(data), len(BLOCK) - offset)
            assert data[:n] == memoryview(BLOCK)[offset : offset + n], f"wrong bytes near {received}"
            received += n
            data = data[n:]
    assert received == total


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_download_by_a_slow_reader(tinylb, origin, framing):
    total = TOTAL if framing == "length" else TOTAL // 8

    def handler(c, r):
        if r.target == "/warm":
            return b"warm"
        if framing == "length":
            c.head(200, [("Content-Length", str(total))])
            send_all(c, total)
        else:
            c.head(200, [("Transfer-Encoding", "chunked")])
            for _ in range(total // len(BLOCK)):
                c.send(b"%x\r\n" % len(BLOCK))
                c.send(BLOCK)
                c.send("\r\n")
            c.send("0\r\n\r\n")

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    meter = Meter(lb)
    c = lb.client(rcvbuf=65536)
    c.send_request("GET", "/big")
    c.head()

    def stalled():
        wait_still(lambda: o.connections[-1].sent, what="the backend stops sending")

    if framing == "length":
        pauses = [0, total // 4, total // 2]
        read_all(c.reader, total, pauses, stalled)
    else:
        stalled()
        received = bytearray()
        rounds = 0
        while True:
            data = c.reader.chunk()[0]
            received += data
            if len(received) >= len(BLOCK):
                assert received[: len(BLOCK)] == BLOCK
                del received[: len(BLOCK)]
                rounds += 1
            if not data:
                break
        assert rounds == total // len(BLOCK) and not received
    meter.check()
    wait_for(lambda: lb.access_lines()[-1].bytes == total, "the bytes in the access log")


def test_stalled_download_holds_little(tinylb, origin):
    """Of what a client does not take, the backend can send only what kernel and worker buffer."""
    def handler(c, r):
        if r.target == "/warm":
            return b"warm"
        c.head(200, [("Content-Length", str(TOTAL))])
        send_all(c, TOTAL)

    o = origin(handler)
    lb = tinylb(backends=[o.url])
    meter = Meter(lb)
    clients = [lb.client(rcvbuf=16384) for _ in range(20)]
    for c in clients:
        c.send_request("GET", "/big")
        c.head()
    wait_still(lambda: sum(c.sent for c in o.connections), what="the backend stops sending")
    meter.check()
    assert lb.get("/warm").body == b"warm"
    assert process.cpu_seconds(lb.worker) < 20
    busy = process.cpu_seconds(lb.worker)
    wait_still(lambda: o.count)
    assert process.cpu_seconds(lb.worker) - busy < 0.2, "a stalled worker keeps spinning"


def test_upload_to_a_slow_backend(tinylb, origin):
    got = threading.Event()
    result = []

    def handler(c, r):
        if r.target == "/warm":
            return b"warm"
        got.set()
        pauses = [0, TOTAL // 2]
        read_all(c.reader, TOTAL, pauses, lambda: wait_still(lambda: sent[0], what="the client stops sending"))
        result.append(True)
        return b"thanks"

    o = origin(handler, read_body=False, rcvbuf=65536)
    lb = tinylb(backends=[o.url])
    meter = Meter(lb)
    c = lb.client()
    sent = [0]

    def feed():
        view = memoryview(BLOCK)
        while sent[0] < TOTAL:
            for i in range(0, len(BLOCK), 65536):
                c.sock.sendall(view[i : i + 65536])
                sent[0] += 65536

    c.sock.settimeout(10 * DEADLINE)
    c.send(f"POST /big HTTP/1.1\r\nHost: t\r\nContent-Length: {TOTAL}\r\n\r\n")
    t = threading.Thread(target=feed, daemon=True)
    t.start()
    r = c.response()
    assert r.body == b"thanks" and result == [True]
    t.join(DEADLINE)
    meter.check()
