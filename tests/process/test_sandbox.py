"""Workers read what anybody sends. Whoever takes one over through a fault in it must not get far: no file,
no program, no port but those of the backends. What users need goes on as ever: requests, reloads, logs."""

import errno
import os
import signal

import pytest

from lib import process
from lib.intruder import Intruder, landlock, missing
from lib.wait import wait_for

whole = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def locked(pid):
    return process.status(pid, "NoNewPrivs"), process.status(pid, "Seccomp")


@pytest.fixture
def intruder(directory):
    return Intruder(directory)


@whole
def test_workers_are_locked_in(tinylb, origin, directory):
    """All of them, and those that come later; the master is not, for it starts them."""
    a, b = origin(name="a"), origin(name="b", path=os.path.join(directory, "b"))
    lb = tinylb(backends=[a.url, b.url], workers=2)
    assert [locked(p) for p in lb.worker_pids()] == [("1", "2")] * 2
    assert locked(lb.pid)[1] == "0"
    assert {lb.get(f"/{i}").text for i in range(20)} == {"a", "b"}
    with lb.log_contains("reloaded in"):
        lb.hup()
    wait_for(lambda: sorted(lb.workers()) == [(0, 2), (1, 2)], "the next generation")
    assert [locked(p) for p in lb.worker_pids()] == [("1", "2")] * 2
    lb.deaths_expected = True
    os.kill(lb.worker_pids()[0], signal.SIGKILL)
    lb.wait_ready()
    wait_for(lambda: [locked(p) for p in lb.worker_pids()] == [("1", "2")] * 2, "a replacement, locked in")
    assert {lb.get(f"/{i}").text for i in range(20)} == {"a", "b"}
    if landlock() >= 6:
        assert not lb.log_lines("sandbox")


@whole
def test_reopened_logs(tinylb, origin):
    """The worker could not open them: they come as descriptors."""
    lb = tinylb(backends=[origin().url], top={"log": "@DIR@/log"})
    lb.get("/1")
    lb.access(1)
    for name in ("log", "access.log"):
        os.rename(f"{lb.directory}/{name}", f"{lb.directory}/{name}.1")
    lb.usr1()
    wait_for(lambda: "logs reopened" in process.read(f"{lb.directory}/log").decode(), "the reopening")
    wait_for(lambda: (lb.get("/2"), lb.access_lines())[1], "a line in the new access log")
    wait_for(lambda: (lb.get("/3"), b"worker 0/1" in process.read(f"{lb.directory}/log"))[1],
             "a line of the worker in the new log")


@whole
def test_program_kills(tinylb, origin, intruder):
    """The worker that tries to run one dies, which is told; the next one serves."""
    lb = tinylb(backends=[origin(name="a").url], env=intruder.env)
    lb.deaths_expected = True
    first = lb.worker
    intruder.act("run")
    c = lb.client()
    lb.wait_log(r"error: worker 0 gen 1 \(pid \d+\) was killed by SIGSYS for a system call that its"
                " sandbox forbids.*; the next one starts now")
    c.close()
    assert lb.get("/").text == "a"
    assert lb.worker != first
    assert not intruder.was_here()


@whole
@pytest.mark.parametrize("act, result", [("open", errno.EACCES), ("connect", errno.EACCES), ("code", errno.EPERM),
                                         ("signal", errno.EPERM)])
def test_what_fails(tinylb, origin, intruder, act, result):
    """The worker that tries lives, and serves."""
    if act == "connect" and landlock() < 4:
        pytest.skip("the kernel has no Landlock for ports")
    other = origin()
    lb = tinylb(backends=[origin(name="a").url], env=intruder.env)
    intruder.act(act, port=other.port)
    assert lb.get("/").text == "a"
    assert intruder.result == result


@pytest.mark.skipif(missing() is not None and "no sandbox" not in missing(), reason=str(missing()))
def test_switched_off(tinylb, origin, intruder):
    """The same attempts succeed: it is the sandbox that stops them, and nothing else."""
    other = origin()
    lb = tinylb(backends=[origin(name="a").url], env=intruder.env, top={"sandbox": False})
    assert locked(lb.worker) == ("0", "0")
    for act in ("open", "connect", "code", "signal"):
        intruder.act(act, port=other.port)
        assert lb.get("/").text == "a"
        assert intruder.result == 0
    lb.deaths_expected = True
    intruder.act("run")
    c = lb.client()
    wait_for(intruder.was_here, "what the program makes")
    c.close()
    lb.wait_log("worker 0 gen 1 .* exited with code 0")


@whole
@pytest.mark.parametrize("landlock, filters, lacks", [
    (0, 0, r"Landlock for files \(Linux 5.13\), Landlock for ports \(Linux 6.7\), "
           r"Landlock for signals \(Linux 6.12\), a filter of system calls$"),
    (2, 1, r"have: Landlock for ports \(Linux 6.7\), Landlock for signals \(Linux 6.12\)$")])
def test_older_kernels(tinylb, origin, intruder, landlock, filters, lacks):
    """What the kernel lacks is told once, not by each worker, and they serve."""
    intruder.control.landlock, intruder.control.filters = landlock, filters
    lb = tinylb(backends=[origin(name="a").url], env=intruder.env, workers=3)
    assert lb.get("/").text == "a"
    assert [locked(p) for p in lb.worker_pids()] == [("1", "2" if filters else "0")] * 3
    assert len(lb.log_lines("notice: .*sandbox")) == len(lb.log_lines(lacks)) == 1
    lb.deaths_expected = True
    os.kill(lb.worker_pids()[0], signal.SIGKILL)
    lb.wait_log("worker 0 gen 1 .* is ready")
    assert len(lb.log_lines("notice: .*sandbox")) == 1
