"""--daemon: the command comes back when the workers serve, with an exit code that can be believed."""

import os
import signal

import pytest

from lib import process
from lib.tinylb import run, wrapper
from lib.wait import wait_for


@pytest.fixture
def daemon(tinylb, origin):
    """A program that was not started yet, and its end."""
    lb = tinylb(backends=[origin(name="x").url], workers=2,
                top={"log": "@DIR@/log", "pid_file": "@DIR@/pid"}, start=False)
    lb.pid_file = os.path.join(lb.directory, "pid")
    lb.log_file = os.path.join(lb.directory, "log")
    yield lb
    pid = process.read(lb.pid_file)
    if pid:
        os.kill(int(pid), signal.SIGKILL)


def start(lb):
    return run("-c", lb.settings_file, "--daemon", cwd=lb.directory)


def test_serves_when_the_command_is_back(daemon):
    r = start(daemon)
    assert (r.returncode, r.stdout, r.stderr) == (0, "", "")
    assert daemon.get("/").text == "x"
    pid = int(process.read(daemon.pid_file))
    assert process.title(pid).startswith("tinylb: master") or wrapper()
    assert os.getsid(pid) == pid and process.parent(pid) != os.getpid()
    for each in [pid, *process.children(pid)]:
        assert [process.descriptors(each)[i] for i in range(3)] == ["/dev/null"] * 3
    assert b"is ready: pid" in process.read(daemon.log_file)


def test_reload_and_stop(daemon):
    assert start(daemon).returncode == 0
    pid = int(process.read(daemon.pid_file))
    os.kill(pid, signal.SIGHUP)
    wait_for(lambda: b"reloaded in" in process.read(daemon.log_file), "the reload")
    assert daemon.get("/").text == "x"
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not process.exists(pid), "the end of the daemon")
    assert not os.path.exists(daemon.pid_file)
    assert b"stopped" in process.read(daemon.log_file)


def test_relative_path_of_the_settings(daemon):
    """The working directory stays, so that a reload finds the same file."""
    r = run("-c", os.path.basename(daemon.settings_file), "--daemon", cwd=daemon.directory)
    assert r.returncode == 0
    os.kill(int(process.read(daemon.pid_file)), signal.SIGHUP)
    wait_for(lambda: b"reloaded in" in process.read(daemon.log_file), "the reload")


def test_failure_is_told(daemon):
    """The log is a file, and whoever typed the command still sees why it failed."""
    assert start(daemon).returncode == 0
    before = process.read(daemon.pid_file)
    r = start(daemon)
    assert r.returncode == 1 and "cannot start" in r.stderr
    assert process.read(daemon.pid_file) == before
    assert daemon.get("/").text == "x"


def test_bad_settings_are_told(daemon):
    daemon.write(daemon.settings.replace("workers", "wrokers"))
    r = start(daemon)
    assert r.returncode == 1 and "wrokers" in r.stderr
    assert not os.path.exists(daemon.pid_file)
