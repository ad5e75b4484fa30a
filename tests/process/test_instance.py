"""One instance for an address and for a pid file: a second one is refused, never joined silently.

With SO_REUSEPORT the kernel would let a second tinylb of the same user take half of the connections.
"""

import os
import socket
import stat

import pytest

from lib import process
from lib.tinylb import run


def pid_file(lb):
    return os.path.join(lb.directory, "pid")


def second(lb, *more):
    """Starts another one with the same settings, which has to end by itself."""
    return run("-c", lb.settings_file, *more, cwd=lb.directory)


def test_second_instance_is_refused(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url], workers=2)
    sockets = process.listening_inodes(lb.port)
    r = second(lb)
    assert r.returncode == 1
    assert f"127.0.0.1:{lb.port}" in r.stderr and "another tinylb" in r.stderr
    assert process.listening_inodes(lb.port) == sockets
    assert {lb.get("/").status for _ in range(20)} == {200} and o.count == 20


def test_address_of_another_program(tinylb, origin):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        lb = tinylb(backends=[origin().url], listen=[f"127.0.0.1:{port}"], start=False)
        r = second(lb)
    assert r.returncode == 1 and f"cannot listen on 127.0.0.1:{port}" in r.stderr


def test_address_that_is_not_ours(tinylb, origin):
    lb = tinylb(backends=[origin().url], listen=["192.0.2.1:@PORT@"], start=False)
    r = second(lb)
    assert r.returncode == 1 and "cannot listen on 192.0.2.1" in r.stderr


def test_address_of_a_program_that_shares(tinylb, origin):
    """A port that is held on one address is not held on another one."""
    lb = tinylb(backends=[origin().url])
    good = lb.settings
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(("127.0.0.2", lb.port))
        s.listen()
        lb.write(good.replace("{ address", f'{{ address = "127.0.0.2:{lb.port}"; pool = "app"; }}, {{ address', 1))
        with lb.log_contains(f"reload refused: cannot listen on 127.0.0.2:{lb.port}: something listens there"):
            lb.hup()
    assert lb.get("/").status == 200
    with lb.log_contains("reloaded in"):
        lb.hup()
    assert lb.client(("127.0.0.2", lb.port)).get("/").status == 200


def test_restart_at_once(tinylb, origin):
    """Connections of the former instance that the kernel still remembers are no second instance."""
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    lb.term()
    assert lb.wait_exit() == 0
    lb.start()
    assert lb.get("/").status == 200


def test_pid_file(tinylb, origin):
    lb = tinylb(backends=[origin().url], start=False)
    lb.args = ["--pid-file", pid_file(lb)]
    lb.start()
    assert process.read(pid_file(lb)).decode() == f"{lb.pid}\n"
    r = second(lb, "--pid-file", pid_file(lb))
    assert r.returncode == 1 and f"pid {lb.pid}" in r.stderr and pid_file(lb) in r.stderr
    assert process.read(pid_file(lb)).decode() == f"{lb.pid}\n"
    lb.hup()
    lb.wait_log("reloaded in")
    assert process.read(pid_file(lb)).decode() == f"{lb.pid}\n"
    lb.term()
    assert lb.wait_exit() == 0
    assert not os.path.exists(pid_file(lb))


def test_stale_pid_file_is_replaced(tinylb, origin):
    """What counts is the lock: the process with the written id may long be another one."""
    lb = tinylb(backends=[origin().url], top={"pid_file": "@DIR@/pid"}, start=False)
    with open(pid_file(lb), "w", encoding="ascii") as f:
        f.write(f"{os.getpid()}\n")
    lb.start()
    assert process.read(pid_file(lb)).decode() == f"{lb.pid}\n"


@pytest.mark.parametrize("what", ["empty", "text", "number and more", "FIFO", "folder", "device", "socket"])
def test_what_is_no_pid_file_is_left_alone(tinylb, origin, what):
    """As root a mistake in the settings would delete any file, or /dev/null."""
    lb = tinylb(backends=[origin().url], top={"pid_file": "@DIR@/pid"}, start=False)
    path = pid_file(lb)
    content = {"empty": b"", "text": b"precious\n", "number and more": b"4711\n4712\n"}.get(what)
    if content is not None:
        with open(path, "wb") as f:
            f.write(content)
    elif what == "FIFO":
        os.mkfifo(path)
    elif what == "folder":
        os.mkdir(path)
    elif what == "socket":
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
    elif os.geteuid() != 0:
        pytest.skip("needs root")
    else:
        # /dev/null
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    before = os.lstat(path)
    if what == "empty":
        lb.start()
        assert process.read(path).decode() == f"{lb.pid}\n"
        return
    r = second(lb)
    assert r.returncode == 1 and f"{path} is not a pid file: name another" in r.stderr
    after = os.lstat(path)
    assert (before.st_ino, before.st_mode, before.st_size) == (after.st_ino, after.st_mode, after.st_size)
    assert content is None or process.read(path) == content
    assert not [name for name in os.listdir(lb.directory) if name.startswith("pid.")]


def test_pid_file_stays_for_life(tinylb, origin):
    lb = tinylb(backends=[origin().url], top={"pid_file": "@DIR@/pid"})
    lb.write(lb.settings.replace("/pid\"", "/other\""))
    with lb.log_contains("pid_file takes effect at the next start"):
        lb.hup()
    assert process.read(pid_file(lb)).decode() == f"{lb.pid}\n"


def test_unix_socket_of_a_running_instance(tinylb, origin):
    lb = tinylb(backends=[origin().url], listen=["unix:@DIR@/socket"])
    path = os.path.join(lb.directory, "socket")
    r = second(lb)
    assert r.returncode == 1 and path in r.stderr
    assert lb.client(path).get("/").status == 200


def test_stale_unix_socket_is_replaced(tinylb, origin):
    lb = tinylb(backends=[origin().url], listen=["unix:@DIR@/socket"], start=False)
    path = os.path.join(lb.directory, "socket")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
    lb.start()
    assert lb.client(path).get("/").status == 200
    lb.term()
    assert lb.wait_exit() == 0
    assert not os.path.exists(path)


def test_file_in_the_place_of_a_unix_socket(tinylb, origin):
    lb = tinylb(backends=[origin().url], listen=["unix:@DIR@/socket"], start=False)
    path = os.path.join(lb.directory, "socket")
    with open(path, "w", encoding="ascii") as f:
        f.write("precious")
    r = second(lb)
    assert r.returncode == 1 and path in r.stderr
    assert process.read(path) == b"precious"


@pytest.mark.parametrize("address", ["127.0.0.1:0", "*:0"])
def test_port_that_the_kernel_chooses(tinylb, origin, address):
    """All workers share it, the log tells it, and a reload keeps it."""
    lb = tinylb(backends=[origin().url], listen=[address], workers=3)
    line = lb.wait_log("is ready: pid")[0]
    port = int(line.rpartition(":")[2])
    assert process.listening(port) == 3
    lb.hup()
    assert int(lb.wait_log("reloaded in")[0].rpartition(":")[2]) == port
    assert lb.client(("127.0.0.1", port)).get("/").status == 200
