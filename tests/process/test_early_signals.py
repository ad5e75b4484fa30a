"""Signals that come while the program is still starting, or while a reload is under way, are neither
lost nor fatal: what they ask for is done when its time has come."""

import signal

import pytest

from lib import process
from lib.wait import wait_for


def start_and_signal(lb, number):
    """Sends the signal as soon as it no longer kills: when the master blocks it in order to wait for
    it, long before any worker is ready."""
    lb.start(wait=False)
    bit = 1 << (number - 1)

    def is_blocked():
        return int(process.status(lb.pid, "SigBlk") or "0", 16) & bit

    wait_for(is_blocked, "the master takes signals")
    lb.signal(number)


@pytest.mark.bare("it sees by the mask of signals how far the start is")
def test_hup(tinylb, origin):
    """Who changes the settings and sends HUP must not end up with the old ones."""
    lb = tinylb(backends=[origin().url], start=False)
    start_and_signal(lb, signal.SIGHUP)
    lb.wait_log("reloaded")
    wait_for(lambda: list(lb.workers()) == [(0, 2)], "the next generation alone")
    assert lb.get("/").status == 200


def test_hups_without_pause(tinylb, origin):
    """After a storm of HUPs the last settings are in force, at once and not when some limit has passed."""
    a, b = origin(name="a"), origin(name="b")
    lb = tinylb(backends=[a.url])
    for _ in range(5):
        lb.hup()
    lb.write(lb.settings.replace(a.url, b.url))
    lb.hup()
    wait_for(lambda: lb.get("/").text == "b", "the new settings")


@pytest.mark.bare("it sees by the mask of signals how far the start is")
def test_term(tinylb, origin):
    lb = tinylb(backends=[origin().url], start=False)
    start_and_signal(lb, signal.SIGTERM)
    assert lb.wait_exit() == 0


@pytest.mark.bare("it sees by the mask of signals how far the start is")
def test_int(tinylb, origin):
    lb = tinylb(backends=[origin().url], start=False)
    start_and_signal(lb, signal.SIGINT)
    assert lb.wait_exit() == 0


@pytest.mark.bare("it sees by the mask of signals how far the start is")
def test_usr1(tinylb, origin):
    lb = tinylb(backends=[origin().url], start=False)
    start_and_signal(lb, signal.SIGUSR1)
    lb.wait_ready()
    assert lb.get("/").status == 200
    assert len(lb.access()) == 1
