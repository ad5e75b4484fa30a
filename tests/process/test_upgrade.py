"""USR2 replaces the program in place: the same process id, the same sockets, the same settings' way to new
workers, and nothing is lost. A program that does not pass its trial, or whose workers do not become ready,
is given up, and the former one goes on.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import tempfile

import pytest

from lib import process
from lib import tinylb as program
from lib.client import Client
from lib.crowd import Askers
from lib.wait import wait_for

pytestmark = pytest.mark.bare("the program in front would be replaced")


REAL = "TINYLB_UNDER_TEST"


def program_under_test():
    return os.environ.get(REAL) or program.binary()


def install(directory, change=lambda content: content):
    """A copy of the program that a test can replace, as a package manager does."""
    path = os.path.join(directory, "tinylb")
    with open(program_under_test(), "rb") as f:
        content = f.read()
    with open(path + ".new", "wb") as f:
        f.write(change(content))
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)
    return path


@pytest.fixture
def installed(directory, monkeypatch):
    monkeypatch.setenv(REAL, program.binary())
    path = install(directory)
    monkeypatch.setenv("TINYLB", path)
    return path


def generations(lb):
    return sorted({g for _, g in lb.workers()})


def program_inode(pid):
    return os.stat(f"/proc/{pid}/exe").st_ino


def upgrade(lb, path):
    """Replaces the file, sends USR2, and waits until only the new workers are left."""
    before = generations(lb)
    install(os.path.dirname(path))
    with lb.log_contains("upgraded from tinylb .* to tinylb"):
        lb.signal(signal.SIGUSR2)
    wait_for(lambda: len(generations(lb)) == 1 and generations(lb) > before, "the end of the old workers")
    assert program_inode(lb.pid) == os.stat(path).st_ino


def write_script(path, text):
    """A script in the place of the program: $REAL is the one under test."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\nREAL={shlex.quote(program_under_test())}\n{text}\n")
    os.chmod(path + ".new", 0o755)
    os.rename(path + ".new", path)


def refused(lb, why, says=None):
    """Sends USR2, and the program goes on as it was, with the same workers."""
    before, inode = lb.workers(), program_inode(lb.pid)
    with lb.log_contains(f"upgrade refused: {why}; tinylb .* goes on"):
        lb.signal(signal.SIGUSR2)
    if says:
        lb.wait_log(f"the new program says: .*{says}")
    assert program_inode(lb.pid) == inode
    wait_for(lambda: lb.workers() == before, "the same workers alone")
    assert lb.get("/").status == 200


def test_nothing_is_lost(tinylb, origin, installed):
    """Twice under load, in one process; settings are taken over anew; and HUP works afterwards."""
    lb = tinylb(backends=[origin(name="x").url], workers=2, log_level="info")
    sockets = process.listening_inodes(lb.port)
    pid = lb.pid
    with Askers(lb) as fresh, Askers(lb, keep_alive=True) as kept:
        for _ in range(2):
            upgrade(lb, installed)
            done = len(fresh.results)
            wait_for(lambda: len(fresh.results) > done + 20, "answers")
    assert set(fresh.results) == {"x"} and len(fresh.results) > 50
    assert set(kept.results) == {"x"} and len(kept.results) > 50
    assert lb.is_running() and lb.pid == pid
    assert process.listening_inodes(lb.port) == sockets
    assert re.match("tinylb: master ", process.title(pid))
    assert "counters begin anew" not in lb.log()
    lb.write(lb.settings.replace("workers = 2", "workers = 3"))
    with lb.log_contains(r"reloaded in \d+ ms: generation 4, 3 workers"):
        lb.hup()


def test_program_that_does_not_pass_its_trial(tinylb, origin, installed):
    """Whatever it is, the running one goes on, and says what was wrong."""
    lb = tinylb(backends=[origin().url], workers=2)
    write_script(installed, "exit 1")
    refused(lb, r"the new program has not passed its trial \(exit code 1\)")
    write_script(installed, "exit 0")
    refused(lb, r"the new program has not passed its trial \(exit code 0\)")
    write_script(installed, 'echo "there is no option --trial" >&2; exit 2')
    refused(lb, r"the new program has not passed its trial \(exit code 2\)", "no option --trial")
    write_script(installed, "kill -SEGV $$")
    refused(lb, "the trial of the new program was killed by SIGSEGV")
    write_script(installed, "exec yes")
    refused(lb, "the trial of the new program was killed by SIGXFSZ")
    os.unlink(installed)
    refused(lb, "the new program has not passed its trial .*", "cannot be started: No such file")
    install(lb.directory)
    good = lb.settings
    lb.write("nonsense")
    refused(lb, "the new program has not passed its trial .*", "tinylb.conf:1: ")
    lb.write(good)
    upgrade(lb, installed)


def kinds(names):
    """What descriptors are, whatever their numbers."""
    return sorted(re.sub(r"\d+|/tinylb.*", "", n) for n in names)


def test_program_that_is_gone_after_its_trial(tinylb, origin, installed):
    lb = tinylb(backends=[origin().url])
    before = process.descriptors(lb.pid).values()
    write_script(installed, 'rm "$0"; exec "$REAL" "$@"')
    refused(lb, "the new program cannot be started: No such file or directory")
    # The generation keeps its settings as a file, once they were asked for; the monitor is a new one.
    before = kinds([*before, "/memfd:settings (deleted)"])
    wait_for(lambda: kinds(process.descriptors(lb.pid).values()) == before, "nothing left of the other program")
    install(lb.directory)
    upgrade(lb, installed)


def test_nothing_else_happens_during_a_trial(tinylb, origin, installed):
    """The loop goes on meanwhile: a dead worker is replaced; a reload waits; a second USR2 comes after."""
    lb = tinylb(backends=[origin(name="x").url])
    lb.deaths_expected = True
    fifo = os.path.join(lb.directory, "fifo")
    os.mkfifo(fifo)
    write_script(installed, f'case "$*" in *--trial*) read x <{fifo};; esac; exec "$REAL" "$@"')
    lb.signal(signal.SIGUSR2)
    lb.wait_log("trying the program")
    lb.signal(signal.SIGUSR2)
    lb.hup()
    old = lb.worker_pids()[0]
    with lb.log_contains(r"worker 0 gen 1 \(pid \d+\) is ready"):
        os.kill(old, signal.SIGKILL)
    assert lb.get("/").text == "x" and "reloaded" not in lb.log()
    for _ in range(2):
        with lb.log_contains("upgraded from tinylb"), open(fifo, "w", encoding="ascii") as f:
            f.write("\n")
    lb.wait_log(r"reloaded in \d+ ms")
    wait_for(lambda: len(generations(lb)) == 1, "one generation")
    assert lb.get("/").text == "x"


def test_stop_during_a_trial(tinylb, origin, installed):
    lb = tinylb(backends=[origin().url])
    write_script(installed, 'echo trying >>"$0.log"; exec sleep 60')
    lb.signal(signal.SIGUSR2)
    wait_for(lambda: os.path.exists(installed + ".log"), "the trial")
    lb.term()
    assert lb.wait_exit() == 0


def test_new_program_that_does_not_become_ready(tinylb, origin, installed):
    """It goes back to the former program, which has all its workers, and can start others."""
    backend = origin(name="x").url.replace("127.0.0.1", "localhost")
    lb = tinylb(backends=[backend], workers=2, log_level="info")
    lb.deaths_expected = True
    good, former = lb.settings, program_inode(lb.pid)
    install(lb.directory)
    with socket.socket() as s, Askers(lb) as load:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = f"127.0.0.1:{s.getsockname()[1]}"
        lb.write(good.replace("{ address", f'{{ address = "{taken}"; pool = "app"; }}, {{ address', 1))
        refused(lb, f"cannot listen on {taken}.*")
        # Half-way: the first new worker cannot open its log.
        lb.write('log = "/nonexistent/log"; ' + good.replace("localhost", "127.0.0.1"))
        refused(lb, "cannot open the log /nonexistent/log.*")
        assert program_inode(lb.pid) == former and generations(lb) == [1]
        # Its settings are still those of its workers, whatever is in the file.
        lb.write("nonsense")
        old = lb.worker_pids()[0]
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: len(lb.workers()) == 2 and old not in lb.worker_pids(), "a new worker")
        # Nor has it forgotten the addresses of names.
        assert {lb.get("/").text for _ in range(16)} == {"x"}
        lb.write(good)
        upgrade(lb, installed)
    # The killed one may have had a connection or two.
    assert load.results.count("x") > len(load.results) - 4
    assert open(f"/proc/{lb.pid}/comm", encoding="ascii").read() == "tinylb\n"


def test_new_program_that_does_not_take_the_state(tinylb, origin, installed):
    """A version that writes, and wants, another state; its trial was no help."""
    def change(content):
        assert content.count(b"tinylb-state 1") == 1
        return content.replace(b"tinylb-state 1", b"tinylb-state 9")

    lb = tinylb(backends=[origin().url], workers=2)
    other = install(lb.directory, change)
    refused(lb, "the new program has not passed its trial .*", "not written as this version reads it")
    os.rename(other, other + ".9")
    write_script(installed, f'case "$*" in *--trial*) exec "$REAL" "$@";; esac; exec {other}.9 "$@"')
    refused(lb, "it does not take the state over: it is not written as this version reads it")
    install(lb.directory)
    upgrade(lb, installed)


@pytest.mark.parametrize("text", [
    b"", b"nonsense", b"tinylb-state 2\nend\n", b"tinylb-state 1\nend\n",
    b"tinylb-state 1\nself 2 1 1 0 0 0 - - 0.1.0\nprogram /bin/true\n"
    b"generation 1 0 1 1 - 3\nend\n",
], ids=["empty", "nonsense", "version", "nobody", "another"])
def test_state_that_is_none(tinylb, text):
    """A state of somebody else is refused, and nothing is started."""
    with tempfile.TemporaryFile() as plain:
        state = os.memfd_create("state", 0)
        os.write(state, text)
        for fd in (state, plain.fileno()):
            done = program.run(pass_fds=(fd,), env=program.environment(TINYLB_STATE=str(fd)))
            assert done.returncode == 1 and "cannot take over from another tinylb" in done.stderr
        os.close(state)
    done = program.run(env=program.environment(TINYLB_STATE="1000000"))
    assert done.returncode == 1 and "cannot take over" in done.stderr


def test_daemon_with_everything(tinylb, origin, installed, directory):
    """A daemon with a pid file, a unix socket and a port that the kernel chose keeps them all."""
    o = origin(name="x")
    pid_file, path = os.path.join(directory, "pid"), os.path.join(directory, "socket")
    log = os.path.join(directory, "log")
    lb = tinylb(backends=[o.url], workers=2, start=False, top={"pid_file": pid_file, "log": log},
                listen=("127.0.0.1:0", "unix:" + path))
    done = program.run("-c", lb.settings_file, "--daemon", cwd=directory)
    assert done.returncode == 0, done.stderr
    pid = int(process.read(pid_file))
    try:
        def words():
            return process.read(log).decode()

        port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", words()).group(1))
        inode = os.stat(path).st_ino
        for i in range(2):
            install(directory)
            os.kill(pid, signal.SIGUSR2)
            wait_for(lambda n=i: words().count("upgraded from") == n + 1, "the upgrade")
            for address in (("127.0.0.1", port), path):
                assert Client(address).get("/").text == "x"
        assert int(process.read(pid_file)) == pid and os.stat(path).st_ino == inode
        second = program.run("-c", lb.settings_file, cwd=directory)
        assert second.returncode == 1 and "another tinylb is running" in second.stderr
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not process.exists(pid), "the end of the daemon")
    assert not os.path.exists(pid_file) and not os.path.exists(path)


def test_no_descriptor_is_left(tinylb, origin, installed):
    lb = tinylb(backends=[origin().url], workers=1)
    before = kinds(process.descriptors(lb.pid).values())
    for _ in range(20):
        upgrade(lb, installed)
    wait_for(lambda: kinds(process.descriptors(lb.pid).values()) == before, "the same descriptors")
    for pid in lb.worker_pids():
        assert not [n for n in process.descriptors(pid).values() if "memfd" in n]
        assert b"TINYLB_STATE" not in process.read(f"/proc/{pid}/environ")


def test_worker_killed_at_the_same_time(tinylb, origin, installed):
    """Whichever program sees its death, there are as many workers as there should be in the end."""
    lb = tinylb(backends=[origin(name="x").url], workers=3)
    lb.deaths_expected = True
    for i in range(4):
        victim = lb.worker_pids()[0]
        lb.signal(signal.SIGUSR2)
        os.kill(victim, signal.SIGKILL)
        lb.wait_log("upgraded from", i + 1)
        wait_for(lambda: len(generations(lb)) == 1 and len(lb.workers()) == 3, "three workers")
        assert lb.get("/").text == "x"


SYSTEMCTL = """#!/bin/sh
case "$*" in
*MainPID*) echo {pid} ;;
*ActiveState*) echo active ;;
kill*USR2*) kill -USR2 {pid} ;;
*is-active*) exit {code} ;;
esac
"""


def upgrade_service(lb, code=0):
    """Runs the package's script, as after its upgrade, with a stand-in for systemd's command."""
    path = os.path.join(lb.directory, "systemctl")
    with open(path, "w", encoding="utf-8") as f:
        f.write(SYSTEMCTL.format(pid=lb.pid, code=code))
    os.chmod(path, 0o755)
    script = os.path.join(program.TOP, "packaging", "debian", "upgrade-service")
    env = {**os.environ, "PATH": lb.directory + ":" + os.environ["PATH"]}
    done = subprocess.run([script, os.path.join(lb.directory, "tinylb")], capture_output=True, text=True,
                          env=env, timeout=60, check=False)
    assert done.returncode == 0
    return done.stdout + done.stderr


def test_script_of_the_package(tinylb, origin, installed):
    """A service that runs is upgraded, one that does not run or is new already is left alone."""
    lb = tinylb(backends=[origin().url])
    assert upgrade_service(lb) == "" and "upgrading" not in lb.log()
    install(lb.directory)
    assert upgrade_service(lb, code=3) == "" and "upgrading" not in lb.log()
    assert upgrade_service(lb) == "tinylb: the running service is upgraded\n"
    assert program_inode(lb.pid) == os.stat(installed).st_ino


def test_loop_tokens_stay(tinylb, origin, installed):
    """A request that was under way when the program changed is known again."""
    o = origin()
    lb = tinylb(backends=[o.url])
    assert lb.get("/").status == 200
    before = o.last.headers.one("cdn-loop")
    assert before
    upgrade(lb, installed)
    assert lb.get("/").status == 200
    assert o.last.headers.one("cdn-loop") == before
