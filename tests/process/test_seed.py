"""The same seed replays the same picks; no two workers ever walk in step.

A failure that depends on who was picked must be repeatable: one worker, the same seed and the same
order of requests give the same picks, run after run. Yet each worker has a stream of its own, and a
worker that replaces a dead one does not play its predecessor's stream again.
"""

import os
import signal

from lib.wait import wait_for

NAMES = "abcd"


def start(tinylb, origins, **more):
    return tinylb(backends=[o.url for o in origins], **more)


def picks(client, n=120):
    client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n" * n)
    return "".join(client.response().text for _ in range(n))


def client_of_each(lb):
    """A connection to each worker: {slot: client}. The kernel decides who gets one."""
    slots = {pid: slot for (slot, _), pid in lb.workers().items()}
    found = {}
    for _ in range(200):
        c = lb.client()
        c.get("/")
        found.setdefault(slots[lb.worker_of(c)], c)
        if len(found) == len(slots):
            # the requests that found them are not part of any comparison
            return found
    raise AssertionError("the kernel gave some worker no connection")


def test_same_seed_same_picks(tinylb, origin):
    origins = [origin(name=n) for n in NAMES]
    runs = []
    for _ in range(3):
        lb = start(tinylb, origins, seed=42)
        runs.append(picks(lb.client()))
        lb.stop()
    assert runs[0] == runs[1] == runs[2]
    assert set(runs[0]) == set(NAMES)


def test_picks_do_not_depend_on_connections(tinylb, origin):
    """The order of requests decides, not which connections they come on."""
    origins = [origin(name=n) for n in NAMES]
    one = start(tinylb, origins, seed=42)
    many = start(tinylb, origins, seed=42)
    assert picks(one.client(), 40) == "".join(many.get("/").text for _ in range(40))


def test_other_seed_other_picks(tinylb, origin):
    origins = [origin(name=n) for n in NAMES]
    assert len({picks(start(tinylb, origins, seed=s).client()) for s in (1, 2, 3)}) == 3


def test_seed_0_is_new_each_time(tinylb, origin):
    origins = [origin(name=n) for n in NAMES]
    assert len({picks(start(tinylb, origins, seed=0).client()) for _ in range(3)}) == 3


def test_workers_have_streams_of_their_own(tinylb, origin):
    origins = [origin(name=n) for n in NAMES]
    lb = start(tinylb, origins, workers=3, seed=9)
    runs = [picks(c, 400) for c in client_of_each(lb).values()]
    for i, a in enumerate(runs):
        for b in runs[:i]:
            for shift in range(5):
                same = sum(x == y for x, y in zip(a[shift:], b))
                # a quarter by chance: 100 of 400, and 180 is nine standard deviations away
                assert same < 180, f"two workers agree in {same} of 400 picks"


def test_replacement_has_a_stream_of_its_own(tinylb, origin):
    origins = [origin(name=n) for n in NAMES]
    lb = start(tinylb, origins, seed=9)
    lb.deaths_expected = True
    first = picks(lb.client())
    dead = lb.worker
    os.kill(dead, signal.SIGKILL)
    wait_for(lambda: lb.worker_pids() not in ([], [dead]), "a new worker")
    assert picks(lb.client()) != first
