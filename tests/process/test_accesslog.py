"""The access log: one line for each request, always of the same form, whatever a client sends.

    time client "request line" status bytes backend connect/response/total reason id tries

Times are milliseconds. Bytes that could deceive a reader or a terminal are written as \\xHH.
"""

import contextlib
import datetime
import os
import re
import socket
import threading

import pytest

from lib import process
from lib.client import make_request
from lib.ports import reserve_port
from lib.wait import DEADLINE, wait_for, wait_still


def test_form(tinylb, origin):
    o = origin(lambda c, r: b"hello")
    lb = tinylb(backends=[o.url])
    c = lb.client()
    before = datetime.datetime.now(datetime.timezone.utc)
    c.get("/a/b?c=d%20e")
    line = lb.access()[0]
    assert re.fullmatch(
        r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1:\d+ "GET /a/b\?c=d%20e HTTP/1\.1" 200 5'
        rf" {re.escape(o.url)} \d+/\d+/\d+ done [0-9a-f]{{32}} 1\n", line.text), line.text
    assert line.client == f"127.0.0.1:{c.name[1]}"
    time = datetime.datetime.fromisoformat(line.time.replace("Z", "+00:00"))
    assert abs((time - before).total_seconds()) < DEADLINE


def test_each_request_has_one_line(tinylb, origin):
    """Pipelined or not, in the order of the answers."""
    lb = tinylb(backends=[origin().url])
    c = lb.client()
    c.send(b"".join(make_request("GET", f"/{i}") for i in range(50)))
    for _ in range(50):
        c.response()
    lines = lb.access(50)
    assert [x.request for x in lines] == [f"GET /{i} HTTP/1.1" for i in range(50)]
    assert {x.client for x in lines} == {f"127.0.0.1:{c.name[1]}"}


def test_connection_without_request_has_none(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    lb.client().close()
    lb.client().abort()
    c = lb.client()
    c.half_close()
    assert c.at_end()
    lb.get("/")
    lb.access()
    assert wait_still(lambda: len(lb.access_lines()), quiet=0.5) == 1


def test_bytes_are_those_of_content(tinylb, origin):
    """Neither heads nor the framing of chunks count."""
    def handler(c, r):
        if r.target == "/chunked":
            c.respond_chunked([b"abc", b"de", b"f" * 1000], trailers=[("X-T", "1")])
        elif r.target == "/close":
            c.head(200)
            c.send("x" * 77)
            c.close()
        elif r.target == "/204":
            c.head(204)
        else:
            c.respond(200, b"y" * 12345)

    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    for method, target in (("GET", "/chunked"), ("GET", "/close"), ("GET", "/204"), ("HEAD", "/"), ("GET", "/")):
        c.request(method, target)
    assert [x.bytes for x in lb.access(5)] == [1005, 77, 0, 0, 12345]


def test_times(tinylb, origin):
    """Milliseconds to connect, to the head of the answer, and in all."""
    step = threading.Event()

    def handler(c, r):
        step.wait(0.2)
        c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        step.wait(0.2)
        c.send("b")

    lb = tinylb(backends=[origin(handler).url])
    lb.get("/")
    line = lb.access()[0]
    connect, response, total = int(line.connect), int(line.response), int(line.total)
    assert connect < 150 * DEADLINE / 10
    assert 190 <= response and 390 <= total and response + 190 <= total


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_connect_time_is_there_where_a_connection_was(tinylb, origin, method):
    """Whatever became of the connection: whether the request could have gone to another backend makes no difference."""
    def handler(c, r):
        if r.target == "/close":
            c.close()
        elif r.target == "/silent":
            go.wait(DEADLINE)
        return b"x"

    go = threading.Event()
    lb = tinylb(backends=[origin(handler).url], timeouts={"response": "300ms"})
    c = lb.client()
    # Fresh, and closed; fresh; kept; fresh, and closed, behind a kept one that may be stale; fresh, and too slow.
    statuses = [c.request(method, target, body=b"y" if method == "POST" else None).status
                for target in ("/close", "/", "/", "/close", "/silent")]
    go.set()
    assert statuses == [502, 200, 200, 502, 504]
    lines = lb.access(5)
    assert [x.reason for x in lines] == ["backend-closed", "done", "done", "backend-closed", "backend-timeout"]
    assert all(x.connect.isdigit() and int(x.connect) < 150 * DEADLINE / 10 for x in lines), lines
    assert [x.response.isdigit() for x in lines] == [False, True, True, False, False]


def test_connect_time_is_of_the_backend_in_the_line(tinylb, origin):
    """What the one took that was asked first is no part of it; of one that refuses there is none."""
    asked = []

    def handler(c, r):
        asked.append(c)
        if len(asked) > 1:
            return b"x"
        threading.Event().wait(0.5)
        c.close()

    lb = tinylb(backends=[origin(handler).url, origin(handler).url])
    assert lb.get("/").status == 200
    line = lb.access()[0]
    assert line.tries == 2 and int(line.connect) < 300 and int(line.total) >= 490
    lb = tinylb(backends=[f"http://127.0.0.1:{reserve_port()}"])
    assert lb.get("/").status == 502
    assert (lb.access()[0].connect, lb.access()[0].response) == ("-", "-")


def test_backend_in_the_line(tinylb, origin):
    origins = {n: origin(name=n) for n in "abc"}
    lb = tinylb(backends=[o.url + "/base/" for o in origins.values()])
    c = lb.client()
    names = [c.get("/").text for _ in range(30)]
    assert [x.backend.rstrip("/") for x in lb.access(30)] == [origins[n].url + "/base" for n in names]


HOSTILE = {
    "quote and backslash": (b'GET /"\\ HTTP/1.1', r"GET /\x22\x5C HTTP/1.1"),
    "escape sequences": (b"GET /\x1b[31m HTTP/1.1", r"GET /\x1B[31m HTTP/1.1"),
    "high bytes": (b"GET /\xff\xc3\xa9 HTTP/1.1", r"GET /\xFF\xC3\xA9 HTTP/1.1"),
    "nul": (b"GET /\x00 HTTP/1.1", r"GET /\x00 HTTP/1.1"),
    "bare CR": (b"GET /\rx HTTP/1.1", r"GET /\x0Dx HTTP/1.1"),
    "tab": (b"GET\t/ HTTP/1.1", r"GET\x09/ HTTP/1.1"),
    "forged line": (b'GET /" 200 0 - 0/0/0 done HTTP/1.1', r"GET /\x22 200 0 - 0/0/0 done HTTP/1.1"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes(tinylb, origin, name):
    """Whether the request is refused or served, its line stays one line of printable ASCII."""
    raw, logged = HOSTILE[name]
    lb = tinylb(backends=[origin().url])
    c = lb.client()
    c.send(raw + b"\r\nHost: t\r\n\r\n")
    c.response()
    line = lb.access()[0]
    assert all(32 <= ord(x) < 127 for x in line.text[:-1])
    assert line.request.upper() == logged.upper() or logged.upper().startswith(line.request.upper())


PATHS = [b'a "GET', b"x\ny", b"\x9b31m", b"\xc2\x9b", b"\\x0a", b"\xff \x7f", b'\n2026-01-01T00:00:00.000Z 1.1.1.1:1 "GET']


def test_client_bound_to_a_hostile_path(tinylb, origin, directory):
    """The name of a client that is bound to a path is that path, which may hold any byte but NUL. In the access log
    and in that of messages, it stays in its field and in its line."""
    lb = tinylb(backends=[origin().url], listen=("unix:@DIR@/front.sock",))
    for i, path in enumerate(PATHS):
        # The folder is left out: of the name 48 characters are kept.
        with socket.socket(socket.AF_UNIX) as c, contextlib.chdir(directory):
            c.settimeout(DEADLINE)
            c.bind(path)
            c.connect("front.sock")
            c.sendall(make_request("GET", f"/{i}"))
            assert c.recv(1000).startswith(b"HTTP/1.1 200 ")
    wait_for(lambda: process.read(lb.access_file).count(b"\n") >= len(PATHS), "the lines")
    assert not re.search(rb"[^ -~\n]", process.read(lb.access_file))
    lines = lb.access_lines()
    assert [line.request for line in lines] == [f"GET /{i} HTTP/1.1" for i in range(len(PATHS))]
    for path, line in zip(PATHS, lines, strict=True):
        name = re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), line.client).encode("latin-1")
        assert name.startswith(b"unix:") and (b"unix:" + path).startswith(name) and len(name) > 6
    messages = process.read(lb.stderr_file)
    assert rb"client unix:x\x0ay: " in messages
    assert not re.search(rb"[^ -~\n]", messages)


def test_forged_line_by_line_feed(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    c = lb.client()
    c.send(b'GET /\n2026-01-01T00:00:00.000Z 1.1.1.1:1 "GET / HTTP/1.1" 200 0 - 0/0/0 done\r\nHost: t\r\n\r\n')
    assert c.response().status == 400
    lb.access()
    assert "1.1.1.1:1" not in [x.client for x in lb.access_lines()]
    assert lb.access_text().count("\n") == 1


def test_hostile_bytes_in_messages(tinylb, origin):
    """What a peer sends does not get raw into the log of messages either."""
    def handler(c, _):
        c.send(b"HTTP/1.1 200 \x1b[31m evil\r\nA: \x07\x1b]0;x\r\n\r\n")
        c.close()

    lb = tinylb(backends=[origin(handler).url])
    c = lb.client()
    c.send(b"GET /\x1b[32m\r HTTP/1.1\r\n\r\n")
    c.response()
    lb.get("/\x1b[33m".replace("\x1b", "%1b"))
    lb.access(2)
    assert "\x1b" not in lb.log() and "\x07" not in lb.log()


def test_long_request_line_is_cut(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    lb.get("/" + "x" * 7900)
    c = lb.client()
    c.send("GET /" + "y" * 30000 + " HTTP/1.1\r\nHost: t\r\n\r\n")
    assert c.response().status == 414
    lines = lb.access(2)
    assert lines[0].request == "GET /" + "x" * 7900 + " HTTP/1.1"
    assert lines[1].request.startswith("GET /yyy") and len(lines[1].request) <= 8192


def test_lines_of_workers_do_not_mix(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], workers=2, log_level="notice")
    clients = [lb.client() for _ in range(8)]
    for _ in range(10):
        for i, c in enumerate(clients):
            c.send(b"".join(make_request("GET", f"/{i}/" + "z" * 1000) for _ in range(10)))
        for c in clients:
            for _ in range(10):
                assert c.response().status == 200
    lines = lb.access(800)
    assert len(lines) == 800
    for i, c in enumerate(clients):
        mine = [x for x in lines if x.client.endswith(f":{c.name[1]}")]
        assert len(mine) == 100 and {x.request for x in mine} == {f"GET /{i}/" + "z" * 1000 + " HTTP/1.1"}


def test_off(tinylb, origin):
    lb = tinylb(backends=[origin().url], access_log=False)
    assert lb.get("/").status == 200
    lb.stop()
    assert not os.path.exists(lb.access_file)


def test_lines_are_there_at_the_end(tinylb, origin):
    """What was not written yet is written when the program stops."""
    lb = tinylb(backends=[origin().url])
    c = lb.client()
    for _ in range(20):
        c.get("/")
    lb.term()
    assert lb.wait_exit() == 0
    assert len(lb.access_lines()) == 20


def test_full_disk_costs_no_request(tinylb, origin):
    """A log that cannot be written is told once, and served is nevertheless."""
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    lb = tinylb(backends=[origin().url], top={"access_log": "/dev/full"})
    c = lb.client()
    with lb.log_contains("access log"):
        for _ in range(20):
            assert c.get("/").status == 200
    assert c.get("/").status == 200
    assert len(lb.log_lines("access log")) < 5


@pytest.mark.bare("it writes files of its own")
def test_files_that_may_not_grow(tinylb, origin):
    """Where the size of files is limited (LimitFSIZE=, ulimit -f), lines are lost and settings that need more room
    on the board are refused: nobody dies of it."""
    most = 4_000_000
    lb = tinylb(backends=[origin().url], prefix=["prlimit", f"--fsize={most}"])
    worker, good = lb.worker, lb.settings
    os.truncate(lb.access_file, most - 1000)
    with lb.log_contains("access log: lines are lost"), lb.client() as c:
        assert [c.get("/" + "x" * 500).status for _ in range(20)] == [200] * 20
    lb.write(good.replace("backends = (", "backends = (" + "".join(
        f'{{ url = "http://127.0.0.1:1/{i}"; }}, ' for i in range(2000))))
    with lb.log_contains("reload refused: .*File too large"):
        lb.hup()
    os.truncate(lb.stderr_file, most)
    lb.write(good)
    lb.hup()
    wait_for(lambda: lb.worker_pids() and worker not in lb.worker_pids(), "the next generation")
    assert lb.get("/").status == 200


def test_proxying_line_of_the_go_program(tinylb, origin):
    """At level debug each request says where it goes, as the Go program did."""
    o = origin()
    lb = tinylb(backends=[o.url])
    with lb.log_contains(rf"Proxying request to {re.escape(o.url)}$", times=3):
        for _ in range(3):
            lb.get("/")
    quiet = tinylb(backends=[o.url], log_level="info")
    with quiet.log_contains("Proxying", times=0):
        quiet.get("/")
        quiet.access()


def test_failed_backend_is_named(tinylb):
    """The line of a 502 says which backend it was about."""
    url = f"http://127.0.0.1:{reserve_port()}"
    lb = tinylb(backends=[url])
    lb.get("/")
    assert lb.access()[0].backend == url


def test_request_in_flight_has_no_line_yet(tinylb, origin):
    go = threading.Event()
    o = origin(lambda c, r: (r.target == "/slow" and go.wait(DEADLINE), b"x")[1])
    lb = tinylb(backends=[o.url])
    slow = lb.client()
    slow.send_request("GET", "/slow")
    o.wait_requests(1)
    lb.get("/fast")
    assert [x.request for x in lb.access()] == ["GET /fast HTTP/1.1"]
    go.set()
    slow.response()
    wait_for(lambda: len(lb.access_lines()) == 2)
