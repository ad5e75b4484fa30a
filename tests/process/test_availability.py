"""Who serves: backends of lower priority numbers, others when too few of those are well, backups
last; who drains gets nothing new; and one that takes no connection is left alone for a moment."""

import os
import signal
import time

import pytest

from lib.ports import reserve_port
from lib.wait import wait_for


def nobody():
    return f"http://127.0.0.1:{reserve_port()}"


def counts(origins):
    return [o.count for o in origins]


def test_the_next_one_helps(tinylb, origin):
    """Each that is gone is found by one request, which goes elsewhere."""
    first, second, backup = (origin() for _ in range(3))
    lb = tinylb(backends=[{"url": first.url}, {"url": second.url, "priority": 1},
                          {"url": backup.url, "backup": True}], top={"log_level": "debug"})
    c = lb.client()
    assert c.get("/").status == 200 and first.count == 1
    first.stop()
    for _ in range(20):
        assert c.get("/").status == 200
    assert counts([second, backup]) == [20, 0]
    second.stop()
    for _ in range(20):
        assert c.get("/").status == 200
    assert backup.count == 20
    first.start()
    wait_for(lambda: c.get("/").status == 200 and first.count > 1, "the first serves again")


def test_all_drain(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[{"url": o.url, "drain": True}])
    assert lb.get("/").status == 503
    assert lb.access()[0].reason == "no-backend" and o.count == 0


def test_drain_by_reload(tinylb, origin):
    a, b = origin(), origin()
    lb = tinylb(backends=[a.url, b.url])
    c = lb.client()
    wait_for(lambda: c.get("/").status == 200 and a.count > 0 and b.count > 0)
    lb.write(lb.settings.replace(f'"{a.url}";', f'"{a.url}"; drain = true;'))
    lb.hup()
    lb.wait_log("reloaded")
    before = a.count
    c = lb.client()
    for _ in range(20):
        assert c.get("/").status == 200
    assert a.count == before


@pytest.mark.parametrize("count", [2, 3])
def test_who_takes_no_connection_is_left_alone(tinylb, origin, count):
    """Not each request finds out anew: attempts are far fewer than requests."""
    o = origin()
    lb = tinylb(backends=[o.url] + [nobody()] * (count - 1), pool={"panic": 50},
                top={"log_level": "debug"})
    c = lb.client()
    for _ in range(200):
        assert c.get("/").status == 200
    tried = len(lb.log_lines("Proxying request to")) - 200
    assert 0 < tried < 20


@pytest.mark.parametrize("how", ["appears", "is-back"])
def test_slow_start(tinylb, origin, how):
    """A tenth of its share at first, of a backend that a reload brings and of one that was gone. All of 100 requests
    would be 50 to each, and of these 9."""
    old, new = origin(), origin()
    backends = [old.url, new.url] if how == "is-back" else [old.url]
    lb = tinylb(backends=backends, pool={"slow_start": "10m"}, workers=1)
    c = lb.client()
    if how == "is-back":
        new.stop()
        wait_for(lambda: c.get("/").status == 200 and lb.log_lines(f"{new.url} is down"), "it is known to be gone")
        new.start()
        lb.wait_log(f"{new.url} is back")
    else:
        lb.write(lb.settings.replace(f'url = "{old.url}"; }}', f'url = "{old.url}"; }}, {{ url = "{new.url}"; }}'))
        with lb.log_contains("reloaded in"):
            lb.hup()
        c = lb.client()
    before = new.count
    for _ in range(100):
        assert c.get("/").status == 200
    assert new.count - before < 30


def test_connections_to_who_is_back_are_ramped(tinylb, origin):
    """Sixty requests at once, and no idle connection: one that was gone gets one connection at first, twice as many as
    soon as those are made, and so on. The others go to the other one. Without that it would have half of them."""
    old, new = origin(), origin()
    lb = tinylb(backends=[old.url, new.url], pool={"slow_start": "0s"}, workers=1)
    new.stop()
    wait_for(lambda: lb.get("/").status == 200 and lb.log_lines(f"{new.url} is down"), "it is known to be gone")
    refused = time.monotonic()
    os.kill(lb.worker, signal.SIGSTOP)
    try:
        new.start()
        lb.wait_log(f"{new.url} is back")
        wait_for(lambda: time.monotonic() - refused > 0.3, "the worker takes it for gone no more")
        clients = [lb.client() for _ in range(60)]
        for c in clients:
            c.send_request("GET", "/")
    finally:
        os.kill(lb.worker, signal.SIGCONT)
    assert {c.response().status for c in clients} == {200}
    assert 0 < new.count < 20
