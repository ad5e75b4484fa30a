"""What the service manager is told (sd_notify): when it is ready, reloads, and stops."""

import os
import re
import signal
import socket

import pytest

from lib.wait import DEADLINE


@pytest.fixture(params=["path", "abstract"])
def manager(request, directory):
    """The socket on which a service manager listens."""
    name = os.path.join(directory, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(name if request.param == "path" else "\0" + name)
        s.settimeout(DEADLINE)
        yield {"socket": s, "NOTIFY_SOCKET": name if request.param == "path" else "@" + name}


def told(manager):
    """The next message but those about the store of descriptors, which test_fdstore.py is about."""
    while True:
        message = dict(line.split("=", 1) for line in manager["socket"].recv(4096).decode().splitlines())
        if "FDNAME" not in message:
            return message


def environment(manager):
    return {"NOTIFY_SOCKET": manager["NOTIFY_SOCKET"]}


def test_ready_reloading_stopping(tinylb, origin, manager):
    lb = tinylb(backends=[origin().url], env=environment(manager), workers=2)
    first = told(manager)
    assert first["READY"] == "1" and re.fullmatch("Generation 1, 2 workers", first["STATUS"])
    lb.hup()
    reloading = told(manager)
    assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
    assert told(manager)["READY"] == "1"
    lb.term()
    assert told(manager)["STOPPING"] == "1"


def test_how_long_the_end_may_take(tinylb, origin, manager):
    """A manager that has been told so does not kill what still has time."""
    lb = tinylb(backends=[origin().url], env=environment(manager), timeouts={"drain": "7s", "lame_duck": "300ms"})
    told(manager)
    lb.term()
    lame = told(manager)
    assert lame["STOPPING"] == "1" and "lame duck" in lame["STATUS"]
    assert 7_300_000 < int(lame["EXTEND_TIMEOUT_USEC"]) < 20_000_000
    draining = told(manager)
    assert draining["STOPPING"] == "1" and "in flight" in draining["STATUS"]
    assert 7_000_000 < int(draining["EXTEND_TIMEOUT_USEC"]) < int(lame["EXTEND_TIMEOUT_USEC"])


def test_upgrade_is_a_reload_of_the_same_process(tinylb, origin, manager):
    """No other MAINPID is told, for there is none."""
    lb = tinylb(backends=[origin().url], env=environment(manager))
    assert told(manager)["READY"] == "1"
    lb.signal(signal.SIGUSR2)
    messages = [told(manager), told(manager)]
    assert messages[0]["RELOADING"] == "1" and messages[1]["READY"] == "1"
    assert messages[1]["STATUS"] == "Generation 2, 1 workers"
    assert "MAINPID" not in {**messages[0], **messages[1]}


def test_refused_reload_ends_too(tinylb, origin, manager):
    """Without READY a manager would wait for ever."""
    lb = tinylb(backends=[origin().url], env=environment(manager))
    assert told(manager)["READY"] == "1"
    lb.write("nonsense")
    lb.hup()
    assert told(manager)["RELOADING"] == "1"
    assert told(manager)["READY"] == "1"
