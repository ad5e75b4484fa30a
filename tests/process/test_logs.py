"""USR1 opens the logs anew after they were rotated; no line is lost on the way."""

import os
import pwd

import pytest

from lib import process
from lib import tinylb as program
from lib.wait import wait_for


def text(lb, name):
    return process.read(os.path.join(lb.directory, name)).decode()


def rotate(lb, *names):
    for name in names:
        os.rename(os.path.join(lb.directory, name), os.path.join(lb.directory, name + ".1"))


def reopen(lb):
    count = text(lb, "log").count("logs reopened")
    lb.usr1()
    wait_for(lambda: text(lb, "log").count("logs reopened") > count, "the reopening")


@pytest.mark.parametrize("user", [None, "nobody"])
def test_rotation(tinylb, origin, user):
    """Workers without rights could not open the files themselves: they get them from the master."""
    top = {"log": "@DIR@/log"}
    if user:
        if os.geteuid() != 0:
            pytest.skip("needs root")
        top.update(user=user)
    lb = tinylb(backends=[origin().url], workers=2, top=top)
    if user:
        os.chmod(lb.directory, 0o755)
        uid = str(pwd.getpwnam(user).pw_uid)
        assert all(process.status(p, "Uid").split()[:1] == [uid] for p in lb.worker_pids())
    c = lb.client()
    assert c.get("/before").status == 200
    wait_for(lambda: "/before" in text(lb, "access.log"), "the first line")
    rotate(lb, "log", "access.log")
    assert c.get("/between").status == 200
    wait_for(lambda: "/between" in text(lb, "access.log.1"), "a line in the old file")
    reopen(lb)
    # The worker gets its descriptors a moment after the master has its own.
    wait_for(lambda: (c.get("/after"), "/after" in text(lb, "access.log"))[1], "a line in the new file")
    assert oct(os.stat(os.path.join(lb.directory, "log")).st_mode & 0o777) == "0o640"
    lb.hup()
    wait_for(lambda: "reloaded in" in text(lb, "log"), "the reload")
    assert "reloaded in" not in text(lb, "log.1")


def test_every_line_is_somewhere(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=2, top={"log": "@DIR@/log"})
    for i in range(5):
        for j in range(10):
            assert lb.get(f"/{i}/{j}").status == 200
        os.rename(lb.access_file, f"{lb.access_file}.{i}")
        reopen(lb)
    names = [n for n in os.listdir(lb.directory) if n.startswith("access.log")]

    def lines():
        return sum(text(lb, n).count("\n") for n in names)

    wait_for(lambda: lines() == 50, "fifty lines")


def test_folder_that_went_away(tinylb, origin):
    """What cannot be reopened is told, and the old files go on."""
    lb = tinylb(backends=[origin().url], top={"access_log": "@DIR@/logs/access"}, start=False)
    folder = os.path.join(lb.directory, "logs")
    os.mkdir(folder)
    lb.start()
    os.rename(folder, folder + ".old")
    with lb.log_contains(r"cannot reopen the access log .*/logs/access: No such file"), \
            lb.log_contains("not every log was reopened"):
        lb.usr1()
    assert not lb.log_lines("logs reopened")
    assert lb.get("/still").status == 200
    wait_for(lambda: "/still" in text(lb, "logs.old/access"), "the line")


def test_journal(tinylb, origin):
    """Under systemd, lines have their priority in front and no time of their own."""
    lb = tinylb(backends=[origin().url], start=False)
    with open(lb.stderr_file, "ab"):
        st = os.stat(lb.stderr_file)
    lb.env = {"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"}
    lb.start()
    lb.wait_log(r"^<5>master: tinylb \S+ is ready: pid \d+, 1 workers, listening on 127\.0\.0\.1:\d+$")


ODD = r"a\n<3>b\x1b[31m\x9b31m\xc2\x9b\xe2\x80\xae größe"
SHOWN = r"a\x0a<3>b\x1b[31m\x9b31m\xc2\x9b\xe2\x80\xae größe"


def test_names_are_no_more_than_a_part_of_their_line(tinylb, origin):
    """Whatever bytes names in the settings have: a message is one line, and a terminal shows it as it is. Names in
    UTF-8 stay readable."""
    o = origin()
    lb = tinylb(backends=[o.url], top={"log": "@DIR@/log"})
    lb.write(lb.settings.replace("pools = (", f'pools = ( {{ name = "{ODD}"; backends = ( {{ url = "{o.url}"; }} ); }},'))
    lb.hup()
    wait_for(lambda: "no listener uses the pool" in text(lb, "log"), "the warning")
    line = next(x for x in text(lb, "log").split("\n") if "no listener uses" in x)
    assert line.endswith(f'no listener uses the pool "{SHOWN}"')
    done = program.run("check", "-c", lb.settings_file)
    assert f'no listener uses the pool "{SHOWN}"\n' in done.stdout + done.stderr
