"""The demo: `tinylb demo` is the Go program of three servers, made real.

Three backends in processes of their own echo what they get, the balancer in front of them says what it
does, and nothing of it is left when it ends, however it ends.
"""

import os
import pty
import re
import signal
import socket
import subprocess
import time

import pytest

from lib import process
from lib.client import Client
from lib.ports import has_ipv6, reserve_port
from lib.tinylb import command, environment, run
from lib.wait import DEADLINE, wait_for

PORTS = ["--port", "@PORT@", "--backends", "@PORT2@,@PORT3@,@PORT4@"]


@pytest.fixture
def demo(tinylb):
    """Starts the demo and waits until it says so."""

    def start(*words, delay="0"):
        lb = tinylb(words=["demo", *PORTS, "--delay", delay, *words])
        lb.wait_log("^Starting load balancer on port")
        return lb

    return start


def backend_pids(pid):
    return [p for p in process.children(pid) if "demo backend" in process.title(p)]


def all_backends(lb):
    """They have their titles a moment after they listen, and it is ready as soon as they do."""
    return wait_for(lambda: len(found := backend_pids(lb.pid)) == len(lb.ports) - 1 and found, "every backend")


def test_says_what_it_does(demo):
    lb = demo()
    assert lb.log_lines(f"^Starting load balancer on port {lb.port}$")
    assert lb.log_lines(f"curl http://localhost:{lb.port}/")
    c = lb.client()
    names = [re.match(r"backend (\d+)\n", c.get("/").text).group(1) for _ in range(40)]
    said = lb.wait_log("^Proxying request to ", times=40)
    assert said == [f"Proxying request to http://localhost:{n}" for n in names]
    assert set(names) == {str(p) for p in lb.ports[1:]}
    assert len(lb.log().splitlines()) <= 46, "little else"


@pytest.mark.bare("it finds processes by their titles")
def test_each_backend_is_a_process(demo):
    lb = demo()
    titles = sorted(process.title(p) for p in all_backends(lb))
    assert titles == sorted(f"tinylb: demo backend {p}" for p in lb.ports[1:])


def test_echoes_the_request(demo):
    lb = demo()
    r = lb.client().get("/a/b?c=d", [("X-Some", "thing")])
    assert r.status == 200 and r.headers.one("content-type") == "text/plain"
    name, empty, line, *fields = r.text.splitlines()
    port = name.split()[1]
    assert (empty, line) == ("", "GET /a/b?c=d HTTP/1.1")
    assert f"Host: localhost:{port}" in fields
    assert "X-Some: thing" in fields
    assert "X-Forwarded-For: 127.0.0.1" in fields


def test_bodies(demo):
    lb = demo()
    c = lb.client()
    assert c.request("POST", "/", body=b"hello").text.endswith("\n\nhello\n")
    empty = c.request("POST", "/", body=b"").text
    assert "\nContent-Length: 0\n" in empty and empty.endswith("\n\n")
    text = "0123456789" * 1600
    assert c.request("POST", "/", body=text.encode()).text.endswith(f"\n\n{text}\n")
    assert c.request("PUT", "/", body=b"x" * 300000).text.endswith("\n\n[300000 bytes]\n")
    c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n"
           "X-Sum: 5\r\n\r\n", split=1)
    assert c.response().text.endswith("\n\nabcde\nX-Sum: 5\n\n")
    r = c.request("HEAD", "/")
    assert r.status == 200 and int(r.headers.one("content-length")) > 0


def test_expect_continue(demo):
    lb = demo()
    c = lb.client()
    c.send_request("POST", "/", [("Expect", "100-continue"), ("Content-Length", "3")])
    assert c.head().status == 100
    c.send("abc")
    assert c.response().text.endswith("\n\nabc\n")


# A backend alone: what the balancer would not let through or would not show.


def straight(lb, connect):
    return connect(("127.0.0.1", lb.ports[1]))


def test_backend_pipelining_and_persistence(demo, connect):
    lb = demo()
    c = straight(lb, connect)
    c.send("POST /1 HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi" "HEAD /2 HTTP/1.1\r\nHost: t\r\n\r\n"
           "GET /3 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" "GET /4 HTTP/1.0\r\n\r\n")
    assert "POST /1 " in c.response().text
    assert c.response(head=True).keeps_alive
    kept = c.response()
    assert "GET /3 " in kept.text and kept.headers.tokens("connection") == ["keep-alive"]
    last = c.response()
    assert "GET /4 " in last.text and last.headers.tokens("connection") == ["close"]
    assert c.at_end()


def test_backend_answers_after_half_close(demo, connect):
    lb = demo()
    c = straight(lb, connect)
    c.send("GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\n\r\n")
    c.half_close()
    assert "GET /1 " in c.response().text
    assert "GET /2 " in c.response().text
    assert c.at_end()


@pytest.mark.parametrize("data, status", [
    ("GET / HTTP/1.1\r\n\r\n", 400),
    ("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n" + "x" * 3000000,
     400),
    ("GET / HTTP/1.1\r\nHost: t\r\nA: " + "a" * 150000 + "\r\n\r\n", 431),
], ids=["no-host", "bad-chunk", "large-head"])
def test_backend_refuses(demo, connect, data, status):
    """The answer arrives even where more was on its way: a reset would have destroyed it."""
    lb = demo()
    c = straight(lb, connect)
    c.send(data)
    r = c.response()
    assert r.status == status and not r.keeps_alive
    assert c.at_end()


def test_delay(demo):
    """Random, between three quarters and five quarters of it: of ten, all lie within 5 ms of each other once in ten
    million times."""
    lb = demo(delay="80ms")
    c = lb.client()
    times = []
    for _ in range(10):
        began = time.monotonic()
        c.get("/")
        times.append(time.monotonic() - began)
    assert min(times) >= 0.06
    assert max(times) - min(times) > 0.005


# How it ends.


def everything(pid):
    found = [pid]
    for child in process.children(pid):
        found += everything(child)
    return found


def assert_gone(pids, ports):
    wait_for(lambda: not any(process.exists(p) for p in pids), "the end of all processes")
    assert not any(process.listening(p) for p in ports)


def test_interrupt_ends_all(demo):
    """The terminal sends INT to the whole group; what is in flight is still answered."""
    lb = demo(delay="300ms")
    pids = everything(lb.pid)
    c = lb.client()
    c.send_request("GET", "/")
    lb.wait_log("^Proxying request to ")
    os.killpg(lb.pid, signal.SIGINT)
    with c:  # one that stays is waited for
        assert c.response().status == 200
    assert lb.wait_exit() == 0
    assert not any(process.exists(p) for p in pids), "somebody outlived the prompt"
    assert_gone(pids, lb.ports)


def test_term_ends_all(demo):
    lb = demo()
    pids = everything(lb.pid)
    lb.term()
    assert lb.wait_exit() == 0
    assert_gone(pids, lb.ports)


def test_backends_end_when_the_master_is_killed(demo):
    lb = demo()
    pids = everything(lb.pid)
    lb.expected_exit = -signal.SIGKILL
    lb.signal(signal.SIGKILL)
    lb.wait_exit()
    assert_gone(pids, lb.ports)


@pytest.mark.bare("it finds processes by their titles")
def test_reload_keeps_it_running(demo):
    lb = demo()
    backends = all_backends(lb)
    workers = lb.worker_pids()
    lb.hup()
    wait_for(lambda: lb.worker_pids() and not set(lb.worker_pids()) & set(workers), "new workers")
    assert lb.get().status == 200
    assert backend_pids(lb.pid) == backends


@pytest.mark.bare("it finds processes by their titles")
def test_a_dead_backend_does_not_end_it(demo):
    lb = demo()
    for pid in all_backends(lb):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not backend_pids(lb.pid))
    assert lb.get().status == 502


class Terminal:
    """The demo as the leader of a terminal's session."""

    def __init__(self):
        self.ports = [reserve_port() for _ in range(4)]
        words = ["demo", "--port", str(self.ports[0]), "--backends", ",".join(map(str, self.ports[1:]))]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command(*words)[0], command(*words), environment())

    def read_until(self, text):
        data = b""
        while text not in data:
            data += os.read(self.fd, 4096)

    def exit_code(self):
        limit = time.monotonic() + DEADLINE
        while time.monotonic() < limit:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.killpg(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("the demo did not end")


def test_control_c():
    t = Terminal()
    t.read_until(b"Ctrl-C")
    pids = everything(t.pid)
    os.write(t.fd, b"\x03")
    assert t.exit_code() == 0
    os.close(t.fd)
    assert_gone(pids, t.ports)


def test_closed_terminal_ends_it():
    t = Terminal()
    t.read_until(b"Ctrl-C")
    pids = everything(t.pid)
    os.close(t.fd)
    assert t.exit_code() == 0
    assert_gone(pids, t.ports)


# How it begins.


def test_kernel_chosen_ports(tinylb):
    lb = tinylb(words=["demo", "--port", "0", "--backends", "0,0", "--delay", "0"])
    line = lb.wait_log("^Starting load balancer on port [1-9]")[0]
    backends = re.findall(r"^Backend on http://localhost:(\d+)$", lb.log(), re.M)
    assert len(set(backends)) == 2 and "0" not in backends
    with Client(("127.0.0.1", int(line.split()[-1]))) as c:
        assert c.get("/").text.split()[1] in backends


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as s:
        yield s.getsockname()[1]


def test_taken_backend_port(taken):
    free = [reserve_port(), reserve_port()]
    r = run("demo", "--port", str(free[0]), "--backends", f"{free[1]},{taken}")
    assert r.returncode == 1
    assert str(taken) in r.stderr and "--backends" in r.stderr
    assert "Starting" not in r.stderr


def test_taken_balancer_port(taken):
    free = reserve_port()
    r = run("demo", "--port", str(taken), "--backends", str(free))
    assert r.returncode == 1
    assert str(taken) in r.stderr and "--port" in r.stderr
    assert "Starting" not in r.stderr
    assert process.listening(free) == 0


@pytest.mark.skipif(not has_ipv6(), reason="no ::1")
def test_backend_port_taken_on_ipv6_only():
    """localhost is ::1 first: a stranger there would get the requests."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as s:
        port = s.getsockname()[1]
        r = run("demo", "--port", "0", "--backends", str(port))
    assert r.returncode == 1 and str(port) in r.stderr


@pytest.mark.parametrize("words", [
    ["--port", "65536"], ["--port", "http"], ["--port"], ["--backends", ""], ["--backends", "1,x"],
    ["--backends", "9001,9001"], ["--port", "9001", "--backends", "9001"], ["--delay", "20"],
    ["--delay", "-1ms"], ["--delay", "2h"], ["--unknown"], ["8080"], ["--backends", ",".join("0" * 17)],
], ids=" ".join)
def test_wrong_usage(words):
    r = run("demo", *words)
    assert r.returncode == 2
    assert "--help" in r.stderr and r.stdout == ""


def test_help():
    r = run("demo", "--help")
    assert r.returncode == 0 and r.stderr == ""
    for word in ("--port", "--backends", "--delay", "8080", "8001,8002,8003"):
        assert word in r.stdout


def test_runs_without_a_terminal():
    """As a shell script would start it: no terminal, standard input closed."""
    p = subprocess.Popen(command("demo", "--port", "0", "--backends", "0"), stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
                         env=environment())
    with p.stderr:
        while b"Ctrl-C" not in p.stderr.readline():
            assert p.poll() is None
        pids = everything(p.pid)
        p.terminate()
        assert p.wait(DEADLINE) == 0
    assert_gone(pids, [])
