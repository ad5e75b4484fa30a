"""The service manager keeps copies of the listening sockets. When the master is killed, even with all its
workers, who waits at a socket is served by the program that is started next.

The manager here is a socket that receives what systemd would, and starts the program as systemd does.
"""

import os
import re
import signal
import socket
import sys
import threading

import pytest

from lib import process
from lib.crowd import Askers
from lib.wait import DEADLINE, wait_for

pytestmark = pytest.mark.bare("it has a program of its own in front")

# Gives the program the descriptors from 3 on, which pass_fds cannot.
STARTER = """
import fcntl, os, sys
count = int(sys.argv[1])
names, words = sys.argv[2:2 + count], sys.argv[2 + 2 * count:]
high = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[2 + count:2 + 2 * count]]
os.closerange(3, 100)
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
os.closerange(100, 1 << 20)
os.environ.update(LISTEN_FDS=str(count), LISTEN_FDNAMES=":".join(names),
                  LISTEN_PID=os.environ.get("WRONG_PID", str(os.getpid())))
os.execvp(words[0], words)
"""


class Manager:
    """Plays systemd: its notification socket and its store."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.store = []  # (name, descriptor)
        self.messages = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while True:
            text, fds, _, _ = socket.recv_fds(self.socket, 4096, 300)
            if not text:
                return
            message = dict(line.split("=", 1) for line in text.decode().splitlines())
            with self.lock:
                self.take(message, fds)
                self.messages.append(message)

    def take(self, message, fds):
        name = message.get("FDNAME")
        if name is not None:
            assert re.fullmatch("[!-9;-~]{1,255}", name)
        if "FDSTORE" in message:
            assert fds and message["FDPOLL"] == "0"
            have = {os.fstat(fd).st_ino for _, fd in self.store}
            for fd in fds:
                if os.fstat(fd).st_ino in have:
                    os.close(fd)
                else:
                    self.store.append((name, fd))
        if "FDSTOREREMOVE" in message:
            assert not fds
            for n, fd in self.store:
                if n == name:
                    os.close(fd)
            self.store = [(n, fd) for n, fd in self.store if n != name]

    def names(self):
        with self.lock:
            return sorted(n for n, _ in self.store)

    def said(self, text):
        with self.lock:
            return [m for m in self.messages if text in m]

    def start_with(self, lb, store=None, wait=True):
        """Starts the program (again) with what is stored, or something else."""
        with self.lock:
            pairs = list(self.store if store is None else store)
        lb.prefix = [sys.executable, "-c", STARTER, str(len(pairs)), *(n for n, _ in pairs), *(str(fd) for _, fd in pairs)]
        lb.pass_fds = tuple(fd for _, fd in pairs)
        return lb.start(wait)

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"", self.path)
        self.thread.join()
        self.socket.close()
        for _, fd in self.store:
            os.close(fd)


@pytest.fixture
def manager(directory):
    m = Manager(directory)
    yield m
    m.close()


def make(tinylb, manager, backend, **more):
    lb = tinylb(backends=[backend.url], env={"NOTIFY_SOCKET": manager.path}, **more)
    wait_for(lambda: manager.said("READY"), "READY")
    return lb


def crash(lb, with_workers=True):
    """Nobody is told anything. The workers too end at once, or go on with what they have."""
    workers = lb.worker_pids()
    lb.deaths_expected = True
    for pid in [lb.pid, *(workers if with_workers else ())]:
        os.kill(pid, signal.SIGKILL)
    lb.popen.wait()
    if with_workers:
        wait_for(lambda: not any(map(process.exists, workers)), "the end of the workers")


def test_who_waits_is_served_by_the_next_program(tinylb, origin, manager, directory):
    """Connections of before the crash, of the time without a program, and to every kind of socket."""
    path = os.path.join(directory, "socket")
    lb = make(tinylb, manager, origin(name="x"), workers=3,
              listen=("127.0.0.1:@PORT@", "*:@PORT2@", "unix:" + path))
    wait_for(lambda: len(manager.names()) == 7, "all sockets in the store")
    addresses = [("127.0.0.1", lb.ports[0]), ("127.0.0.1", lb.ports[1]), path]
    inodes = [sorted(process.listening_inodes(p)) for p in lb.ports]
    for pid in lb.worker_pids():
        os.kill(pid, signal.SIGSTOP)
    clients = [lb.client(a) for a in addresses for _ in range(20)]
    crash(lb)
    clients += [lb.client(a) for a in addresses for _ in range(20)]
    for c in clients:
        c.send_request("GET", "/")
    manager.start_with(lb)
    for c in clients:
        assert c.response().text == "x"
    assert [sorted(process.listening_inodes(p)) for p in lb.ports] == inodes
    lb.wait_log("7 listening sockets come from before")
    assert len(manager.names()) == 7
    # And once more.
    crash(lb)
    late = lb.client()
    late.send_request("GET", "/")
    manager.start_with(lb)
    assert late.response().text == "x"


def test_workers_finish_what_they_have(tinylb, origin, manager):
    """Where only the master is killed, the old workers see to what is in flight meanwhile."""
    lb = make(tinylb, manager, origin(name="x"), workers=2, log_level="info")
    with Askers(lb) as load:
        for _ in range(2):
            done = len(load.results)
            wait_for(lambda n=done: len(load.results) > n + 20, "answers")
            crash(lb, with_workers=False)
            manager.start_with(lb)
        done = len(load.results)
        wait_for(lambda: len(load.results) > done + 20, "answers")
    assert set(load.results) == {"x"}


def test_store_follows_the_settings(tinylb, origin, manager, directory):
    """More workers: more sockets. An address that is gone is not kept. A stop leaves nothing."""
    lb = make(tinylb, manager, origin(), workers=1, listen=("127.0.0.1:@PORT@", "[::1]:0"))
    first = f"127.0.0.1%3A{lb.port}"
    wait_for(lambda: manager.names() == [first, "[%3A%3A1]%3A0"], "both addresses")
    lb.write(lb.settings.replace("workers = 1", "workers = 3"))
    lb.hup()
    wait_for(lambda: manager.names() == 3 * [first] + 3 * ["[%3A%3A1]%3A0"], "all sockets")
    before = len(manager.said("FDSTORE"))
    with lb.log_contains("upgraded from"):
        lb.signal(signal.SIGUSR2)
    lb.write(re.sub(r',\s*\{ address = "\[::1\]:0"; pool = "app"; \}', "", lb.settings))
    lb.hup()
    wait_for(lambda: manager.names() == 3 * [first], "the first address alone")
    assert len(manager.said("FDSTORE")) == before
    lb.term()
    assert lb.wait_exit() == 0
    wait_for(lambda: manager.names() == [], "an empty store")


def test_what_is_not_ours_is_closed(tinylb, origin, manager):
    """Every descriptor is looked at, whatever its name says; the program starts in any case."""
    lb = tinylb(backends=[origin(name="x").url], env={"NOTIFY_SOCKET": manager.path}, start=False)
    name = f"127.0.0.1%3A{lb.port}"

    def tcp(port, listens=True, shares=True):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shares)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
        s.bind(("127.0.0.1", port))
        if listens:
            s.listen()
        return s

    def pipe():
        ends = os.pipe()
        os.close(ends[1])
        return os.fdopen(ends[0])

    cases = [(name, tcp(0), "bound to another address"), ("other.socket", tcp(0), "no listener has this name"),
             (name, pipe(), "no socket"), ("", pipe(), "it has no name"), (name, tcp(lb.port, listens=False), "does not listen"),
             (name, tcp(lb.port), None)]
    pipes = {os.readlink(f"/proc/self/fd/{f.fileno()}") for _, f, why in cases if why in ("no socket", "it has no name")}
    manager.start_with(lb, [(n, f.fileno()) for n, f, _ in cases])
    for _, f, why in cases:
        f.close()
        if why:
            lb.wait_log(f"closing a descriptor that the service manager kept: .*{why}")
    lb.wait_log("1 listening sockets come from before")
    assert lb.get("/").text == "x"
    # What the manager has under another name is of no use to anybody.
    wait_for(lambda: [m["FDNAME"] for m in manager.said("FDSTOREREMOVE")] == ["other.socket"], "its removal")
    assert not pipes & set(process.descriptors(lb.pid).values())


def test_sockets_of_another_process(tinylb, origin, manager):
    """LISTEN_PID names who they are for."""
    lb = make(tinylb, manager, origin(name="x"), workers=1)
    lb.stop()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        lb.env["WRONG_PID"] = "1"
        manager.start_with(lb, [("other", s.fileno())])
        assert lb.get("/").text == "x"
        assert "service manager kept" not in lb.log()


def test_manager_that_is_busy(tinylb, origin, directory):
    """A full socket: it is tried again, and nothing waits for it."""
    path = os.path.join(directory, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        s.bind(path)
        s.settimeout(DEADLINE)
        filler.setblocking(False)
        sent = 0
        try:
            while True:
                filler.sendto(b"X=1", path)
                sent += 1
        except BlockingIOError:
            pass
        lb = tinylb(backends=[origin(name="x").url], env={"NOTIFY_SOCKET": path})
        assert lb.get("/").text == "x"
        for _ in range(sent):
            s.recv(100)
        text, fds, _, _ = socket.recv_fds(s, 4096, 10)
        if text.startswith(b"READY=1"):  # either may be tried again first
            text, fds, _, _ = socket.recv_fds(s, 4096, 10)
        assert b"FDSTORE=1" in text and len(fds) == 1
        os.close(fds[0])
