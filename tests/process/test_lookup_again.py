"""Names are looked up again while the program runs: addresses appear, move and vanish without a reload, and a
name server that fails takes nothing away."""

import os
import signal
import threading

from lib import namespace, process
from lib.ports import reserve_port
from lib.wait import wait_for

NAME = "back.example.test"
SOON = {"resolve": "100ms", "slow_start": "0s"}


def backend(port, **more):
    return {"url": f"http://{NAME}:{port}", **more}


def set_all(names, *addresses):
    with open(names.hosts, "w", encoding="ascii") as f:
        f.write("127.0.0.1 localhost\n" + "".join(f"{a} {NAME}\n" for a in addresses))


def answers(lb, count=12):
    return {lb.get("/").text for _ in range(count)}


def test_move(tinylb, origin, directory):
    """New requests go to the new address at once; one under way is finished; idle connections to the old one
    are not used."""
    port, held, go = reserve_port(), threading.Event(), threading.Event()

    def slow(conn, request):
        if request.target == "/slow":
            held.set()
            assert go.wait(20)
        return b"old"

    old = origin(slow, host="127.0.0.1", port=port)
    origin(name="new", host="127.0.0.2", port=port)
    names = namespace.names(directory)
    names.set(NAME)
    lb = tinylb(backends=[backend(port)], pool=SOON, prefix=names.prefix)
    assert answers(lb) == {"old"}
    client = lb.client()
    client.send_request("GET", "/slow")
    assert held.wait(20)
    assert answers(lb) == {"old"}
    with lb.log_contains(f"notice: http://{NAME}:{port} is at other addresses: 127.0.0.2:{port}"):
        names.set(NAME, address="127.0.0.2")
    asked = old.count
    assert answers(lb) == {"new"}
    assert old.count == asked
    go.set()
    assert client.response().text == "old"


def test_each_address(tinylb, origin, directory):
    port = reserve_port()
    for last in (1, 2, 3):
        origin(name=f"b{last}", host=f"127.0.0.{last}", port=port)
    names = namespace.names(directory)
    set_all(names, "127.0.0.1", "127.0.0.2")
    lb = tinylb(backends=[backend(port, addresses="each")], pool=SOON, prefix=names.prefix)
    wait_for(lambda: answers(lb) == {"b1", "b2"}, "both addresses")
    with lb.log_contains(f"notice: http://{NAME}:{port} is new, at 127.0.0.3:{port}"):
        set_all(names, "127.0.0.1", "127.0.0.2", "127.0.0.3")
    wait_for(lambda: answers(lb, 30) == {"b1", "b2", "b3"}, "the third")
    with lb.log_contains(rf"notice: http://{NAME}:{port} \(127.0.0.1:{port}\) is gone", times=1):
        set_all(names, "127.0.0.2", "127.0.0.3")
    assert answers(lb, 30) == {"b2", "b3"}


def test_session_stays_with_an_address(tinylb, origin, directory):
    port = reserve_port()
    for last in (1, 2, 3):
        origin(name=f"b{last}", host=f"127.0.0.{last}", port=port)
    names = namespace.names(directory)
    set_all(names, "127.0.0.1", "127.0.0.2", "127.0.0.3")
    lb = tinylb(backends=[backend(port, addresses="each")], pool={"balance": "sticky", **SOON}, prefix=names.prefix)
    sessions = {}
    for _ in range(30):
        answer = lb.get("/")
        sessions[answer.headers.all("set-cookie")[0].split(";")[0]] = answer.text
    assert sorted(sessions.values()) == ["b1", "b2", "b3"]
    for cookie, name in sessions.items():
        assert {lb.get("/", [("Cookie", cookie)]).text for _ in range(3)} == {name}


def test_empty_place_is_filled(tinylb, origin, directory):
    o = origin(name="a")
    names = namespace.names(directory)
    lb = tinylb(backends=[backend(o.port)], pool=SOON, prefix=names.prefix)
    assert lb.get("/").status in (502, 503)
    with lb.log_contains(f"http://{NAME}:{o.port} is new, at 127.0.0.1:{o.port}"):
        names.set(NAME)
    assert answers(lb) == {"a"}


def test_name_that_fails_keeps_its_addresses(tinylb, origin, directory):
    o = origin(name="a")
    names = namespace.names(directory)
    names.set(NAME)
    lb = tinylb(backends=[backend(o.port)], pool=SOON, prefix=names.prefix)
    with lb.log_contains(f"warn: the name {NAME} cannot be looked up: .*; its addresses stay in use"):
        names.set()
    assert answers(lb) == {"a"}
    with lb.log_contains(f"notice: the name {NAME} can be looked up again"):
        names.set(NAME)
    assert len(lb.log_lines("cannot be looked up")) == 1


def test_monitor_is_killed(tinylb, origin, directory):
    """The next one goes on with the addresses that there are."""
    port = reserve_port()
    origin(name="a", host="127.0.0.1", port=port)
    origin(name="b", host="127.0.0.2", port=port)
    names = namespace.names(directory)
    names.set(NAME)
    lb = tinylb(backends=[backend(port)], pool=SOON, prefix=names.prefix)
    (pid,) = wait_for(lambda: [p for p in process.children(lb.pid) if "monitor" in process.title(p)], "its title")
    with lb.log_contains("monitor gen 1 .* was started"):
        os.kill(pid, signal.SIGKILL)
    assert answers(lb) == {"a"}
    with lb.log_contains("is at other addresses"):
        names.set(NAME, address="127.0.0.2")
    assert answers(lb) == {"b"}
