"""Backends with names: what a name server that fails, or is silent, does to a reload. Never does a name
that cannot be looked up keep the rest from working, and never does it take away what worked."""

import os
import re
import signal
import socket

import pytest

from lib import namespace, process
from lib.wait import wait_for

NAME = "back.example.test"
OTHER = "other.example.test"


def url(origin, name):
    return f"http://{name}:{origin.port}"


def reload(lb):
    with lb.log_contains("reloaded in"):
        lb.hup()
    wait_for(lambda: len(lb.workers()) == 1, "the end of the old worker")


def test_name_that_fails_keeps_its_addresses(tinylb, origin, directory):
    o = origin(name="a")
    names = namespace.names(directory)
    names.set(NAME)
    lb = tinylb(backends=[url(o, NAME)], prefix=names.prefix)
    assert lb.get("/").text == "a"
    names.set()
    for _ in range(2):
        with lb.log_contains(rf"warn: .*the name {NAME} cannot be looked up: .*former addresses"):
            reload(lb)
        assert lb.get("/").text == "a"


def test_new_name_that_fails_is_an_empty_place(tinylb, origin, directory):
    o = origin(name="a")
    names = namespace.names(directory)
    names.set(NAME)
    lb = tinylb(backends=[url(o, NAME)], prefix=names.prefix)
    lb.write(lb.settings.replace(f'{{ url = "{url(o, NAME)}"; }}',
                                 f'{{ url = "{url(o, NAME)}"; }}, {{ url = "{url(o, OTHER)}"; }}'))
    assert OTHER in lb.settings
    with lb.log_contains(rf"warn: .*the name {OTHER} cannot be looked up: (?!.*former)"):
        reload(lb)
    assert {lb.get("/").text for _ in range(10)} == {"a"}


def test_other_port_is_another_backend(tinylb, origin, directory):
    """What was found belongs to a host and a port: a name moved to another one is looked up, or empty."""
    a, b = origin(name="a"), origin(name="b")
    names = namespace.names(directory)
    names.set(NAME)
    lb = tinylb(backends=[url(a, NAME), b.url], prefix=names.prefix)
    names.set()
    lb.write(lb.settings.replace(url(a, NAME), url(b, NAME)))
    reload(lb)
    assert {lb.get("/").text for _ in range(10)} == {"b"}
    assert not lb.log_lines("former addresses")


def test_name_that_moves(tinylb, origin, directory):
    o = origin(name="a")
    names = namespace.names(directory)
    names.set(NAME, address="127.0.0.9")
    lb = tinylb(backends=[url(o, NAME)], prefix=names.prefix)
    assert lb.get("/").status == 502
    names.set(NAME)
    reload(lb)
    assert lb.get("/").text == "a"


@pytest.fixture
def silence():
    """A name server that never answers."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for last in range(80, 120):
        try:
            s.bind((f"127.0.0.{last}", 53))
            break
        except PermissionError:
            s.close()
            pytest.skip("may not be a name server")
        except OSError:
            continue
    with s:
        yield s.getsockname()[0]


def test_next_reload_does_not_wait_for_a_silent_name_server(tinylb, origin, directory, silence):
    a, b = origin(name="a"), origin(name="b")
    names = namespace.names(directory, silence)
    lb = tinylb(backends=[a.url], prefix=names.prefix)
    lb.write(lb.settings.replace(a.url, url(a, OTHER)))
    with lb.log_contains("resolver gen 2 .* was started"):
        lb.hup()
    lb.write(lb.settings.replace(url(a, OTHER), b.url))
    reload(lb)
    assert lb.get("/").text == "b"
    assert not any("resolver" in line for line in lb.log_lines("error"))


def test_mistake_does_not_end_a_lookup(tinylb, origin, directory, silence):
    """Neither the reload under way nor, at the first start, the program."""
    a = origin(name="a")
    names = namespace.names(directory, silence)
    names.set(NAME)
    lb = tinylb(backends=[url(a, OTHER)], prefix=names.prefix, start=False)
    good = lb.settings
    lb.start(wait=False)
    lb.wait_log("resolver gen 1 .* was started")
    lb.write("workers = many;")
    with lb.log_contains("reload refused"):
        lb.hup()
    lb.write(good.replace(url(a, OTHER), url(a, NAME)))
    lb.hup()
    lb.wait_ready()
    assert lb.get("/").text == "a"


def test_lookup_cannot_gain_rights(tinylb, origin, directory, silence):
    a = origin(name="a")
    names = namespace.names(directory, silence)
    lb = tinylb(backends=[a.url], prefix=names.prefix)
    lb.write(lb.settings.replace(a.url, url(a, OTHER)))
    lb.hup()
    line = lb.wait_log("resolver gen 2 .* was started")[0]
    pid = int(re.search(r"\(pid (\d+)\)", line).group(1))
    wait_for(lambda: process.status(pid, "NoNewPrivs") == "1", "no_new_privs")


def test_killed_lookup_refuses_the_reload(tinylb, origin, directory, silence):
    a = origin(name="a")
    names = namespace.names(directory, silence)
    lb = tinylb(backends=[a.url], prefix=names.prefix)
    lb.write(lb.settings.replace(a.url, url(a, OTHER)))
    lb.hup()
    line = lb.wait_log("resolver gen 2 .* was started")[0]
    with lb.log_contains("reload refused: .*names"):
        os.kill(int(re.search(r"\(pid (\d+)\)", line).group(1)), signal.SIGKILL)
    assert lb.get("/").text == "a"
