"""`tinylb selftest` proves to a user that nothing is lost: on the real program it finds nothing, a loss it
is shown it finds, and however it ends, nothing of it stays behind."""

import os
import re
import resource
import signal
import subprocess

import pytest

from lib import process
from lib.tinylb import command, environment, run
from lib.wait import SLOW, wait_for

pytestmark = pytest.mark.bare("it starts its own program anew, without the words in front")

STEPS = ["quiet", "reload", "resize", "kill", "hang", "upgrade", "stop"]
COLUMNS = ["requests", "answered", "refused", "reset", "cut", "wrong", "late", "killed", "max ms"]


class Selftest:
    """A selftest under way. All that it starts is in its session, whatever the process group."""

    def __init__(self, directory, *words):
        self.directory = os.path.join(directory, "tmp")
        os.mkdir(self.directory)
        self.file = os.path.join(directory, "stdout")
        with open(self.file, "wb") as out:
            self.popen = subprocess.Popen(command("selftest", *words), stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, start_new_session=True,
                                          env=environment(TMPDIR=self.directory))
        self.pid = self.popen.pid

    @property
    def text(self):
        return process.read(self.file).decode()

    def wait_line(self, pattern):
        wait_for(lambda: self.popen.poll() is not None or re.search(pattern, self.text, re.M), pattern)
        assert re.search(pattern, self.text, re.M), self.text

    def exit_code(self):
        return self.popen.wait(40 * SLOW)

    def processes(self):
        found = []
        for name in os.listdir("/proc"):
            fields = process._stat(name) if name.isdigit() else []
            if fields and int(fields[3]) == self.pid and fields[0] not in "ZX":
                found.append(int(name))
        return found

    def master(self):
        (pid,) = [p for p in process.children(self.pid) if process.title(p).startswith("tinylb: master")]
        return pid

    def workers(self):
        return [p for p in process.children(self.master()) if "tinylb: worker" in process.title(p)]

    def folders(self):
        return [os.path.join(self.directory, name) for name in os.listdir(self.directory)]

    def rows(self):
        """{step: {column: number}} of the table."""
        found = {}
        for line in self.text.partition("\nstep ")[2].splitlines()[1:]:
            name, *numbers = line.split()
            found[name] = dict(zip(COLUMNS, map(int, numbers), strict=True))
            if name == "all":
                break
        return found

    def lost(self, step):
        row = self.rows()[step]
        return row["requests"] - row["answered"] - row["killed"]

    def assert_gone(self):
        wait_for(lambda: not self.processes(), "the end of all processes")

    def kill(self):
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.popen.wait()


@pytest.fixture
def selftest(directory, request):
    made = []

    def start(*words):
        made.append(Selftest(directory, *words))
        return made[0]

    yield start
    for s in made:
        s.kill()
        if getattr(request.node, "failed", False):
            print(s.text)


def test_finds_nothing(selftest):
    s = selftest("--seconds", "5")
    assert s.exit_code() == 0, s.text
    assert re.findall(r"^(\w+) +[\d.]+ s  \d+ requests so far, none lost; ", s.text, re.M) == STEPS
    rows = s.rows()
    assert list(rows) == [*STEPS, "all"]
    for name, row in rows.items():
        assert row["answered"] > 0 and s.lost(name) == 0, name
        assert row["killed"] == 0 or name in ("kill", "all")
        # some answers are slow on purpose
        assert row["max ms"] >= 60
    for column in COLUMNS[:-1]:
        assert rows["all"][column] == sum(rows[name][column] for name in STEPS), column
    assert rows["hang"]["max ms"] >= 1400, "who was on the worker that stood still had to wait"
    # what was on them, and no more, as /proc had it
    (pending,) = re.findall(r"workers killed: \d+, with (\d+) requests on them$", s.text, re.M)
    assert 0 < rows["kill"]["killed"] <= int(pending) + rows["kill"]["requests"] // 20
    assert re.search(r"reloads: [1-9]\d*$", s.text, re.M)
    assert re.search(r"upgrades: [1-9]\d*$", s.text, re.M)
    assert re.search(r"workers: 4, 1, 3, 8, 2, 4$", s.text, re.M)
    assert "Nothing was lost." in s.text.splitlines()
    s.assert_gone()
    assert s.folders() == []


def test_death_of_the_balancer(selftest):
    s = selftest("--seconds", "5")
    s.wait_line("^quiet ")
    os.kill(s.master(), signal.SIGKILL)
    assert s.exit_code() == 1
    assert re.search(r"^reload .*FAILED: the balancer was killed by SIGKILL$", s.text, re.M)
    assert list(s.rows()) == ["quiet", "reload", "all"]
    assert s.rows()["reload"]["refused"] > 0 and s.lost("reload") > 0
    assert re.search(r"^\d+ of \d+ requests were lost\.$", s.text, re.M)
    assert re.search(r"^lost: (GET|POST) /selftest/[0-9a-f]{16} on a (new|kept) connection ", s.text, re.M)
    (folder,) = s.folders()
    assert f"The log and the settings are in {folder}\n" in s.text
    assert {"log", "tinylb.conf", "access.log", "lost"} <= set(os.listdir(folder))
    s.assert_gone()


def test_loss_that_is_not_its_own_doing(selftest):
    """Only the workers that it kills itself may take requests with them."""
    s = selftest("--seconds", "5", "--keep")
    s.wait_line("^tinylb .* on 127.0.0.1:")
    wait_for(lambda: process.read(os.path.join(s.folders()[0], "access.log")), "the load")
    for pid in s.workers():
        os.kill(pid, signal.SIGKILL)
    # what was lost at the very end of a step may be noticed after its line
    s.wait_line("^reload ")
    os.kill(s.pid, signal.SIGINT)
    assert s.exit_code() == 1
    row = s.rows()["all"]
    assert row["reset"] + row["cut"] == s.lost("all") > 0
    assert row["killed"] == 0


def test_answers_that_are_none(selftest):
    """Answers of the balancer itself, in place of servers that are gone, are no answers."""
    s = selftest("--seconds", "5")
    s.wait_line("^tinylb .* on 127.0.0.1:")
    for pid in process.children(s.pid):
        if "demo backend" in process.title(pid):
            os.kill(pid, signal.SIGKILL)
    s.wait_line("^quiet .* LOST.*FAILED: somebody has ended the server on port [0-9]+$")
    os.kill(s.pid, signal.SIGINT)
    assert s.exit_code() == 1
    assert s.rows()["quiet"]["wrong"] > 0
    assert re.search(r"^lost: .* got a wrong answer, status 502", s.text, re.M)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt(selftest, number):
    s = selftest("--seconds", "5")
    s.wait_line("^quiet ")
    wait_for(lambda: len(s.processes()) >= 1 + 1 + 3 + 1 + 4, "itself, the guard, servers, master, workers")
    # to the whole process group, as a terminal sends it
    os.killpg(s.pid, number)
    assert s.exit_code() == 1
    assert not s.processes(), "somebody outlived the prompt"
    assert "Interrupted: the rest was not tried." in s.text.splitlines()
    assert "FAILED" not in s.text and s.lost("all") == 0
    assert s.folders() == []


def test_keep(selftest):
    s = selftest("--keep", "--workers", "2", "--connections", "5")
    s.wait_line("^tinylb .*, workers: 2, connections at a time: 5, small servers: 3, seconds: about 15$")
    assert len(s.workers()) == 2
    s.popen.terminate()
    assert s.exit_code() == 1
    (folder,) = s.folders()
    assert f"The log and the settings are in {folder}\n" in s.text
    assert "stopped" in process.read(os.path.join(folder, "log")).decode()
    assert "workers = 2;" in process.read(os.path.join(folder, "tinylb.conf")).decode()
    s.assert_gone()


@pytest.mark.parametrize("halted", [False, True], ids=["plain", "worker-halted"])
def test_killed_itself(selftest, halted):
    """Nobody is left to clean up but those that it has started."""
    s = selftest("--seconds", "5")
    s.wait_line("^quiet ")
    if halted:
        os.kill(s.workers()[0], signal.SIGSTOP)
    os.killpg(s.pid, signal.SIGKILL)
    s.assert_gone()
    wait_for(lambda: s.folders() == [], "the end of the folder")


@pytest.mark.parametrize("words", [
    ["--seconds", "4"], ["--seconds", "301"], ["--seconds", "5s"], ["--seconds"], ["--workers", "0"],
    ["--workers", "65"], ["--connections", "1"], ["--connections", "501"], ["--connections", "-3"],
    ["--unknown"], ["5"], ["--keep=1"],
], ids=" ".join)
def test_wrong_usage(words):
    r = run("selftest", *words)
    assert r.returncode == 2
    assert words[-1].partition("=")[0] in r.stderr and "selftest --help" in r.stderr and r.stdout == ""


def test_help():
    r = run("selftest", "--help")
    assert r.returncode == 0 and r.stderr == ""
    for word in ("--seconds", "--workers", "--connections", "--keep", "Exit status"):
        assert word in r.stdout


def test_near_word():
    r = run("self-test")
    assert r.returncode == 2 and "did you mean selftest?" in r.stderr


def test_too_few_descriptors():
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    r = run("selftest", preexec_fn=limit)
    assert r.returncode == 1
    assert "ulimit -n" in r.stderr and "--connections" in r.stderr and r.stdout == ""


def test_no_room_for_a_folder(directory):
    r = run("selftest", env=environment(TMPDIR=os.path.join(directory, "none")))
    assert r.returncode == 1
    assert f"cannot make a folder in {directory}/none (TMPDIR names another)" in r.stderr


def test_path_too_long_for_a_socket(directory):
    path = os.path.join(directory, "x" * 90)
    os.mkdir(path)
    r = run("selftest", env=environment(TMPDIR=path))
    assert r.returncode == 1 and "TMPDIR" in r.stderr
    assert os.listdir(path) == []
