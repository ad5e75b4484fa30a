"""Started as root, workers carry traffic as somebody else; only the master, which never reads a byte
of a peer's, stays root. Sockets, logs and reloads work all the same."""

import grp
import os
import pwd
import shutil
import subprocess

import pytest

from lib import process
from lib.wait import wait_for

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def ids(pid, key):
    return process.status(pid, key).split()


def test_workers_are_nobody(tinylb, origin):
    nobody = pwd.getpwnam("nobody")
    o = origin(name="a")
    lb = tinylb(backends=[o.url], workers=2, top={"user": "nobody"})
    assert lb.get("/").text == "a"
    assert len(lb.worker_pids()) == 2
    for pid in lb.worker_pids():
        # real, effective, saved and for files
        assert ids(pid, "Uid") == [str(nobody.pw_uid)] * 4
        assert ids(pid, "Gid") == [str(nobody.pw_gid)] * 4
        assert set(ids(pid, "Groups")) <= {str(nobody.pw_gid)}
        for key in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(process.status(pid, key), 16) == 0
    assert ids(lb.pid, "Uid") == ["0"] * 4


def test_group_of_its_own(tinylb, origin):
    lb = tinylb(backends=[origin().url], top={"user": "nobody", "group": "daemon"})
    gid = str(grp.getgrnam("daemon").gr_gid)
    assert ids(lb.worker, "Gid") == [gid] * 4
    assert "0" not in ids(lb.worker, "Groups")


def test_logs_are_written(tinylb, origin):
    """Both logs stand where only root may write."""
    lb = tinylb(backends=[origin().url], top={"user": "nobody", "log": "@DIR@/messages.log"}, start=False)
    os.chmod(lb.directory, 0o700)
    lb.start()
    assert lb.get("/").status == 200
    assert len(lb.access()) == 1
    wait_for(lambda: b"Proxying request to" in process.read(f"{lb.directory}/messages.log"),
             "the worker's messages in the log")


def test_logs_are_reopened(tinylb, origin):
    lb = tinylb(backends=[origin().url], top={"user": "nobody"}, start=False)
    os.chmod(lb.directory, 0o700)
    lb.start()
    lb.get("/1")
    lb.access()
    os.rename(lb.access_file, lb.access_file + ".1")
    lb.usr1()
    wait_for(lambda: os.path.exists(lb.access_file), "a new access log")

    def new_line():
        lb.get("/2")
        return lb.access_lines()

    wait_for(new_line, "lines in the new access log")


def test_privileged_port(tinylb, origin):
    """Bound by root before the worker becomes nobody. In a network namespace of its own, where port 80
    is free."""
    if not shutil.which("unshare"):
        pytest.skip("needs unshare")
    prefix = ["unshare", "--net", "sh", "-c", 'ip link set lo up 2>/dev/null; exec "$0" "$@"']
    if subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("no network namespaces here")
    o = origin(name="a")
    lb = tinylb(backends=[o.url], top={"user": "nobody"}, prefix=prefix, start=False,
                listen=("127.0.0.1:80", "unix:@DIR@/front.sock"))
    lb.start()
    wait_for(lambda: lb.workers(), "a worker")
    tables = process.read(f"/proc/{lb.worker}/net/tcp").decode()
    # sl local_address rem_address st
    assert " 0100007F:0050 00000000:0000 0A " in tables
    assert ids(lb.worker, "Uid")[1] != "0"


def test_unknown_user(tinylb, origin):
    lb = tinylb(backends=[origin().url], top={"user": "no-such-user"}, start=False)
    lb.expected_exit = 1
    lb.start(wait=False)
    assert lb.wait_exit() == 1
    assert "no-such-user" in lb.log()


def test_without_the_setting_nothing_changes(tinylb, origin):
    lb = tinylb(backends=[origin().url])
    assert ids(lb.worker, "Uid") == ["0"] * 4


def test_reload_keeps_working(tinylb, origin):
    """The next generation becomes nobody as well, on sockets that root bound."""
    o = origin(name="a")
    lb = tinylb(backends=[o.url], top={"user": "nobody"})
    first = lb.worker
    lb.hup()
    wait_for(lambda: list(lb.workers()) == [(0, 2)], "the next generation")
    assert lb.worker != first
    assert ids(lb.worker, "Uid")[1] == str(pwd.getpwnam("nobody").pw_uid)
    assert lb.get("/").text == "a"
