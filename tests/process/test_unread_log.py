"""Logs that nobody reads: neither traffic nor the master ever waits for them. What could not be written
is counted, and told by the next message that can."""

import contextlib
import os
import re
import select
import socket
import stat

import pytest

from lib import namespace, process
from lib.tinylb import run
from lib.wait import wait_for, wait_still

REQUESTS = 60


def fill(fd):
    """Makes a pipe full; returns how many bytes that took."""
    flags = os.get_blocking(fd)
    os.set_blocking(fd, False)
    n = 0
    try:
        while True:
            n += os.write(fd, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(fd, flags)
    return n


def serves(lb, n=REQUESTS):
    return [lb.get("/").status for _ in range(n)] == [200] * n


class Syslog:
    """A logger's socket whose queue is read only when the test says so."""

    def __init__(self, path):
        self.path = path
        self.bind()

    def bind(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.socket.setblocking(False)

    def read(self):
        found = []
        while select.select([self.socket], [], [], 0)[0]:
            found.append(self.socket.recv(65536).decode())
        return found


@pytest.mark.bare("without a log only titles tell generations apart")
def test_logger_that_does_not_read(tinylb, origin, directory):
    logger = Syslog(f"{directory}/syslog")
    lb = tinylb(backends=[origin().url], top={"log": "syslog"},
                prefix=namespace.syslog_at(directory, logger.path))
    with logger.socket:
        before = lb.workers()
        assert serves(lb)
        lb.hup()
        wait_for(lambda: lb.workers().keys() == {(0, 2)}, "the reload")
        assert serves(lb)
        assert before
        assert len(logger.read()) > 0
        assert serves(lb, 1)
        lines = []

        def told():
            lines.extend(logger.read())
            return [x for x in lines if re.search(r"\(\d+ messages? before this could not be written\)$", x)]

        wait_for(told, "how many were lost")
        first = lines.index(told()[0])
        assert serves(lb, 1)
        wait_for(lambda: (lines.extend(logger.read()), len(lines) > first + 1)[1], "more lines")
        lb.term()
        assert lb.wait_exit() == 0


def test_logger_that_went_away(tinylb, origin, directory):
    """It is looked for once a second, and found when it is back."""
    logger = Syslog(f"{directory}/syslog")
    lb = tinylb(backends=[origin().url], top={"log": "syslog"},
                prefix=namespace.syslog_at(directory, logger.path))
    logger.read()
    logger.socket.close()
    assert serves(lb)
    logger.bind()
    with logger.socket:
        def found():
            assert serves(lb, 1)
            return [x for x in logger.read() if "could not be written" in x]

        lost = int(re.search(r"\((\d+) messages?", wait_for(found, "a message")[0]).group(1))
        assert lost >= REQUESTS


@pytest.mark.bare("without a log only titles tell generations apart")
def test_standard_error_is_a_full_pipe(tinylb, origin, directory):
    """The pipe is shared with others: it stays as blocking as it was."""
    lb = tinylb(backends=[origin().url], start=False)
    os.mkfifo(lb.stderr_file)
    reader = os.open(lb.stderr_file, os.O_RDWR | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    # the harness looks for files: a FIFO is none
    lb.log = lambda: ""
    lb.start()
    try:
        fill(reader)
        assert serves(lb, 1)
        fill(reader)
        assert serves(lb)
        lb.hup()
        wait_for(lambda: lb.workers().keys() == {(0, 2)}, "the reload")
        assert serves(lb)
        for pid in (lb.pid, lb.worker):
            assert stat.S_ISFIFO(os.stat(f"/proc/{pid}/fd/2").st_mode)
            flags = process.read(f"/proc/{pid}/fdinfo/2").decode()
            assert not int(re.search(r"flags:\s+(\d+)", flags).group(1), 8) & os.O_NONBLOCK
        os.set_blocking(reader, False)
        read = bytearray()

        def drain():
            try:
                while True:
                    read.extend(os.read(reader, 65536))
            except BlockingIOError:
                return len(read)

        wait_still(drain)
        assert serves(lb, 1)
        wait_for(lambda: drain() and b"could not be written)" in read, "how many were lost")
        lb.term()
        assert lb.wait_exit() == 0
    finally:
        os.close(reader)


def fifo(lb, name):
    path = os.path.join(lb.directory, name)
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("option", ["log", "access_log"])
def test_fifo_without_a_reader_is_refused(tinylb, origin, option):
    """At the start, at a reload, and when logs are reopened: always at once, and with the reason."""
    lb = tinylb(backends=[origin().url], access_log=False)
    path = fifo(lb, "fifo")
    good = lb.settings
    lb.write(re.sub("access_log = [^;]*;", "", good) + f'{option} = "{path}";\n')
    with lb.log_contains(f"reload refused: .*{path}: nobody reads it"):
        lb.hup()
    assert lb.get("/").status == 200
    r = run("-c", lb.settings_file)
    assert r.returncode == 1 and re.search(f"{path}: nobody reads it", r.stderr)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with lb.log_contains("reloaded in") if option == "access_log" else contextlib.nullcontext():
        lb.hup()
    wait_for(lambda: lb.workers().keys() == {(0, 3)}, "the reload")
    assert lb.get("/read").status == 200
    read = bytearray()

    def arrived():
        with contextlib.suppress(BlockingIOError):
            read.extend(os.read(reader, 65536))
        return b"/read" in read or (option == "log" and b"reloaded in" in read)

    wait_for(arrived, "the line")
    fill_by_path(path)
    assert serves(lb)
    os.close(reader)
    if option == "access_log":
        with lb.log_contains(f"cannot reopen the access log {path}: nobody reads it"):
            lb.usr1()
    else:
        lb.usr1()
    assert serves(lb)


def fill_by_path(path):
    fd = os.open(path, os.O_WRONLY)
    fill(fd)
    os.close(fd)


def test_file_stays_blocking(tinylb, origin):
    lb = tinylb(backends=[origin().url], top={"log": "@DIR@/log"})
    for pid in (lb.pid, lb.worker):
        logs = [n for n, path in process.descriptors(pid).items() if path.endswith("log")]
        assert len(logs) == 2
        for n in logs:
            flags = int(re.search(rb"flags:\s+(\d+)", process.read(f"/proc/{pid}/fdinfo/{n}")).group(1), 8)
            assert not flags & os.O_NONBLOCK and flags & os.O_APPEND
