"""Unix sockets, to listen on and to reach backends by."""

import os
import signal
import socket
import threading

import pytest

from lib import process
from lib.wait import DEADLINE, wait_for


def test_listener(tinylb, origin, connect, directory):
    """A client on a unix socket has no address: nothing is said of it that is not known."""
    o = origin(name="a")
    lb = tinylb(backends=[o.url], listen=("unix:@DIR@/front.sock",))
    c = connect(f"{directory}/front.sock")
    for _ in range(3):
        assert c.get("/").text == "a"
    assert len(o.connections) == 1
    assert "x-forwarded-for" not in o.last.headers
    assert o.last.headers.one("x-forwarded-proto") == "http"
    assert lb.access(3)[0].client == "unix:"


@pytest.mark.parametrize("form", ["unix:{}", "http://unix:{}"])
def test_backend(tinylb, origin, directory, form):
    o = origin(path=f"{directory}/back.sock", name="a")
    lb = tinylb(backends=[form.format(o.path)])
    c = lb.client()
    for i in range(3):
        assert c.request("POST", "/x", body=b"y").text == "a"
    assert len(o.connections) == 1 and o.last.body == b"y" and o.last.target == "/x"
    assert o.last.headers.one("x-forwarded-for") == "127.0.0.1"
    assert o.last.headers.one("host")
    assert o.path in lb.access(3)[0].backend


def test_both(tinylb, origin, connect, directory):
    """Large bodies both ways."""
    o = origin(lambda c, r: r.body, path=f"{directory}/back.sock")
    tinylb(backends=[o.url], listen=("unix:@DIR@/front.sock",), workers=2)
    data = os.urandom(3_000_000)
    c = connect(f"{directory}/front.sock")
    assert c.request("POST", "/", body=data).body == data


def test_backend_is_away(tinylb, origin, directory):
    o = origin(name="a")
    lb = tinylb(backends=[f"unix:{directory}/nobody.sock", o.url])
    c = lb.client()
    for _ in range(10):
        assert c.get("/").text == "a"
    alone = tinylb(backends=[f"unix:{directory}/nobody.sock"])
    assert alone.get("/").status == 502


def test_backend_comes_back(tinylb, origin, directory):
    o = origin(path=f"{directory}/back.sock", name="a")
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").text == "a"
    o.stop()
    wait_for(lambda: c.get("/").status == 502)
    o.start()
    assert c.get("/").text == "a"


def test_beside_tcp(tinylb, origin, connect, directory):
    o = origin(name="a")
    lb = tinylb(backends=[o.url], listen=("unix:@DIR@/front.sock", "127.0.0.1:@PORT@"), workers=2)
    assert connect(f"{directory}/front.sock").get("/").text == "a"
    assert lb.get("/").text == "a"


def test_path_is_free_after_the_end(tinylb, origin, connect, directory):
    """A socket left behind, by an orderly end or a kill, does not keep the next start from it."""
    o = origin(name="a")
    settings = {"backends": [o.url], "listen": ("unix:" + directory + "/front.sock",)}
    lb = tinylb(**settings)
    lb.stop()
    lb = tinylb(**settings)
    lb.expected_exit = -signal.SIGKILL
    lb.deaths_expected = True
    lb.kill()
    tinylb(**settings)
    assert connect(f"{directory}/front.sock").get("/").text == "a"


def test_path_of_another_program_is_left_alone(tinylb, origin, directory):
    """Somebody listens there: tinylb refuses to start and takes nothing away."""
    path = f"{directory}/taken.sock"
    with socket.socket(socket.AF_UNIX) as s, socket.socket(socket.AF_UNIX) as c:
        s.bind(path)
        s.listen()
        lb = tinylb(backends=[origin().url], listen=(f"unix:{path}",), start=False)
        lb.expected_exit = 1
        lb.start(wait=False)
        assert lb.wait_exit() == 1
        assert path in lb.log()
        c.connect(path)


def test_file_is_no_socket(tinylb, origin, directory):
    """A file under that name is not deleted."""
    path = f"{directory}/file"
    with open(path, "w", encoding="ascii") as f:
        f.write("precious")
    lb = tinylb(backends=[origin().url], listen=(f"unix:{path}",), start=False)
    lb.expected_exit = 1
    lb.start(wait=False)
    assert lb.wait_exit() == 1
    with open(path, encoding="ascii") as f:
        assert f.read() == "precious"


def reload(lb, refused=False):
    before = len(lb.log_lines("reload refused" if refused else "reloaded in"))
    lb.hup()
    lb.wait_log("reload refused" if refused else "reloaded in", before + 1)


def test_path_that_was_removed_is_back_after_a_reload(tinylb, origin, connect, directory):
    path = f"{directory}/front.sock"
    o = origin(lambda c, r: (go.wait(DEADLINE) if r.target == "/slow" else None, b"a")[1])
    go = threading.Event()
    lb = tinylb(backends=[o.url], listen=("unix:@DIR@/front.sock", "127.0.0.1:@PORT@"), workers=2,
                timeouts={"drain": "30s"})
    before = len(process.descriptors(lb.pid))
    slow = connect(path)
    slow.send_request("GET", "/slow")
    o.wait_requests(1)
    for _ in range(2):
        os.unlink(path)
        reload(lb)
        for _ in range(8):
            with connect(path) as c:  # one that stays is waited for when its worker drains
                assert c.get("/").text == "a"
    inode = os.lstat(path).st_ino
    reload(lb)
    assert os.lstat(path).st_ino == inode
    with connect(path) as c:
        assert c.get("/").text == "a"
    go.set()
    with slow:
        assert slow.response().text == "a"
    wait_for(lambda: len(lb.workers()) == 2, "the end of the old workers")
    wait_for(lambda: process.listening_unix(path) == 1, "the end of the old sockets")
    # What belongs to a generation is let go of when its last worker is buried, a moment after its end.
    wait_for(lambda: len(process.descriptors(lb.pid)) == before, "nothing left of the old generations")
    lb.term()
    assert lb.wait_exit() == 0
    assert not os.path.exists(path)


def test_path_that_somebody_took_refuses_a_reload(tinylb, origin, directory):
    path = f"{directory}/front.sock"
    lb = tinylb(backends=[origin(name="a").url], listen=("unix:@DIR@/front.sock", "127.0.0.1:@PORT@"))
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        s.listen()
        reload(lb, refused=True)
        assert lb.log_lines(f"cannot listen on unix:{path}: something listens there already")
        assert lb.get("/").text == "a"
    lb.term()
    assert lb.wait_exit() == 0
    assert os.path.exists(path)


def test_reload_that_fails_takes_no_new_path_along(tinylb, origin, connect, directory):
    """The path is bound anew and the reload refused after that: the next one does it all again."""
    path = f"{directory}/front.sock"
    lb = tinylb(backends=[origin(name="a").url], listen=("unix:@DIR@/front.sock", "127.0.0.1:@PORT@"))
    good = lb.settings
    os.unlink(path)
    lb.write(good.replace('log_level = "debug";', 'log_level = "debug"; log = "/nonexistent/log";'))
    reload(lb, refused=True)
    assert lb.get("/").text == "a"
    lb.write(good)
    reload(lb)
    assert connect(path).get("/").text == "a"
