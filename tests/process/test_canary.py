"""New settings run in a few workers first, and are rolled back where they do clearly worse than the old ones."""

import os
import re
import signal
import threading
import time

import pytest
from lib.crowd import Crowd
from lib.load import answer, gets_in
from lib.ports import reserve_port
from lib.wait import DEADLINE, wait_for

class Load(Crowd):
    """One connection for each request, so that all workers have their share; counts what came back."""

    def __init__(self, lb, clients=3):
        super().__init__(clients)
        self.lb, self.statuses, self.lost = lb, [], []

    def run(self):
        while not self.over.is_set():
            try:
                with self.lb.client() as c:
                    self.statuses.append(c.get("/", [("Connection", "close")]).status)
            except Exception as e:  # pylint: disable=broad-exception-caught
                self.lost.append(repr(e))


def fail_with(status):
    return lambda conn, _request: conn.respond(status, b"broken")


def answer_late(conn, _request):
    time.sleep(0.1)  # that is what is to be noticed
    conn.respond(200, b"late")


@pytest.fixture
def balancer(tinylb, origin):
    def make(watch="1s", workers=3, **more):
        good = origin(name="good")
        lb = tinylb(backends=[good.url], workers=workers, top={"reload": {"canary": 1, "watch": watch}}, **more)
        lb.good, lb.first = good, lb.settings
        return lb

    return make


def reload_to(lb, url):
    lb.write(lb.first.replace(lb.good.url, url))
    lb.hup()


def test_good_settings_go_on(balancer, origin):
    lb = balancer()
    other = origin(name="other")
    with Load(lb) as load:
        reload_to(lb, other.url)
        lb.wait_log("watching the new settings in 1 of 3 workers for 1000 ms")
        lb.wait_log("the new settings do as well as the old ones: of [1-9]")
        lb.wait_log("reloaded in")
    assert set(load.statuses) == {200} and not load.lost
    assert lb.get().text == "other"


def test_both_serve_while_watched(balancer, origin):
    """The old settings in two of three slots, the new ones in the third, and there alone."""
    lb = balancer(watch="30s")
    reload_to(lb, origin(name="other").url)
    lb.wait_log("watching the new settings")
    found = [lb.get().text for _ in range(90)]
    assert 10 <= found.count("other") <= 50 and set(found) == {"good", "other"}


def test_5xx_roll_back(balancer, origin):
    lb = balancer(watch="30s")
    with Load(lb) as load:
        reload_to(lb, origin(fail_with(500), name="broken").url)
        line = lb.wait_log(r"reload rolled back: of \d+ requests with the new settings \d+ were answered with 5xx, "
                           r"of \d+ with the old ones 0; generation 1 goes on")
        before = load.statuses.count(500)
        assert before > 0 and line
        wait_for(lambda: len(lb.workers()) == 3, "the end of the canary")
        seen = len(load.statuses)
        wait_for(lambda: len(load.statuses) > seen + 50, "more requests")
        assert 500 not in load.statuses[seen + 3:]
    assert not load.lost
    assert {generation for _, generation in lb.workers()} == {1}


def test_connect_errors_roll_back(balancer):
    """Beside backends that refuse there is one that answers: no request fails, and yet it is worse. Each that
    refuses is left alone for a while, so one of them would not be enough to tell."""
    lb = balancer(watch="30s")
    with Load(lb) as load:
        refusing = "".join(f', {{ url = "http://127.0.0.1:{reserve_port()}"; }}' for _ in range(20))
        second = f'{{ url = "{lb.good.url}"; weight = 256; }}{refusing}'
        lb.write(re.sub(r"\{ url = \"[^\"]*\"; \}", second, lb.settings, count=1))
        lb.hup()
        lb.wait_log("reload rolled back: .* could not connect to a backend")
    assert not load.lost


def test_latency_rolls_back(balancer, origin):
    lb = balancer(watch="30s")
    with Load(lb, clients=6):
        wait_for(lambda: len(lb.access_lines()) > 100, "requests to compare with")
        reload_to(lb, origin(answer_late, name="slow").url)
        lb.wait_log(r"reload rolled back: .* took more than \d+ ms, of")


def test_dead_canary_is_a_refusal(balancer, origin):
    lb = balancer(watch="30s")
    lb.deaths_expected = True
    reload_to(lb, origin(name="other").url)
    lb.wait_log("watching the new settings")
    os.kill(lb.workers()[0, 2], signal.SIGKILL)
    lb.wait_log("reload refused: worker 0 was killed by SIGKILL; generation 1 goes on")
    assert {lb.get().text for _ in range(30)} == {"good"}


@pytest.mark.parametrize("workers", [1, 3])
def test_hung_canary_rolls_back(balancer, origin, workers):
    """Whoever waits for it is served by the old worker."""
    lb = balancer(watch="1h", workers=workers, timeouts={"hang": "0s"})
    reload_to(lb, origin(name="other").url)
    lb.wait_log("watching the new settings")
    canary = lb.workers()[0, 2]
    os.kill(canary, signal.SIGSTOP)
    assert {lb.get().text for _ in range(30)} == {"good"}
    lb.wait_log("reload rolled back: worker 0 hangs with the new settings; generation 1 goes on")
    os.kill(canary, signal.SIGCONT)


def test_newer_settings_need_not_wait(balancer, origin):
    lb = balancer(watch="1h")
    reload_to(lb, origin(name="other").url)
    lb.wait_log("watching the new settings")
    third = origin(name="third")
    lb.write(lb.first.replace(lb.good.url, third.url).replace("1h", "1s"))
    lb.hup()
    lb.wait_log("reloading anew: generation 2 was still being watched")
    lb.wait_log("no request came with the new settings: nothing speaks against them")
    lb.wait_log("reloaded in")
    assert {lb.get().text for _ in range(10)} == {"third"}


def test_one_worker_is_compared_with_before(balancer, origin):
    lb = balancer(watch="30s", workers=1)
    for _ in range(60):
        assert lb.get().status == 200
    reload_to(lb, origin(fail_with(503), name="broken").url)
    lb.wait_log("watching the new settings in 1 of 1 workers")
    while not lb.log_lines("rolled back"):
        lb.get()
    wait_for(lambda: lb.get().text == "good", "the old worker accepts again")


def test_stop_while_watched(balancer, origin):
    lb = balancer(watch="1h")
    reload_to(lb, origin(name="other").url)
    lb.wait_log("watching the new settings")
    lb.term()
    assert lb.wait_exit() == 0


def test_start_that_fails_after_the_watch(balancer, origin):
    """The old workers accept again where they had stopped for the watch."""
    lb = balancer()
    lb.deaths_expected = True
    log = os.path.join(lb.directory, "other.log")
    lb.write(f'log = "{log}"; ' + lb.first)
    lb.hup()
    lb.wait_log("watching the new settings")
    os.unlink(log)
    os.mkdir(log)
    lb.wait_log("reload refused: cannot open the log .*; generation 1 goes on")
    assert {lb.get().text for _ in range(30)} == {"good"}


def test_lame_duck_while_watched(balancer, origin):
    """It serves everybody, though the workers with new settings end at once."""
    lb = balancer(watch="1h", timeouts={"lame_duck": "60s"})
    reload_to(lb, origin(name="other").url)
    lb.wait_log("watching the new settings")
    lb.term()
    lb.wait_log("serving on until then")
    wait_for(lambda: len(lb.workers()) == 3, "the end of the canary")
    assert {lb.get().text for _ in range(30)} == {"good"}
    lb.term()
    assert lb.wait_exit() == 0


def test_nobody_is_left_alone_while_watched(tinylb, origin):
    """An old worker accepts on where a new one does not: at sockets that were dealt out anew, and at an address
    that is not in the new settings."""
    lb = tinylb(backends=[origin(name="x").url], workers=4, listen=("127.0.0.1:@PORT@", "127.0.0.1:@PORT2@"))
    first = lb.settings
    lb.write(first.replace("workers = 4", "workers = 2"))
    with lb.log_contains("generation 2, 2 workers"):
        lb.hup()
    watched = 'reload = { canary = 1; watch = "1h"; }; ' + first.replace("workers = 4", "workers = 3")
    lb.write(watched)
    with lb.log_contains("watching the new settings"):
        lb.hup()
    assert {lb.get().text for _ in range(60)} == {"x"}
    lb.write(watched.replace(f'{{ address = "127.0.0.1:{lb.port}"; pool = "app"; }},', "").replace("= 3", "= 2"))
    with lb.log_contains("watching the new settings"):
        lb.hup()
    assert {lb.get().text for _ in range(60)} == {"x"}


def test_settings_that_are_replaced_again_and_again(tinylb, origin):
    """Workers that were watched finish what they have, and those of two generations at a time at the most."""
    release = threading.Event()

    def handler(conn, _request):
        release.wait(DEADLINE)
        conn.respond(200, b"x")

    lb = tinylb(backends=[origin(handler).url], workers=2, timeouts={"drain": "60s"},
                top={"reload": {"canary": 1, "watch": "1h"}})
    clients = []
    for generation in (2, 3):
        with lb.log_contains("watching the new settings"):
            lb.hup()
        canary = lb.workers()[0, generation]
        while canary not in {lb.worker_of(c) for c in clients}:
            clients.append(lb.client())
            clients[-1].send_request("GET", "/")
    with lb.log_contains("reload waits until an old generation has ended"):
        lb.hup()
    assert {g for _, g in lb.workers()} == {1, 2, 3}
    with lb.log_contains("watching the new settings"):
        release.set()
        for c in clients:
            assert c.response().text == "x"
            c.close()


def test_sockets_of_the_watched_alone(balancer):
    """With their workers they go; nobody gets onto them before that, to be lost then."""
    lb = balancer(watch="1h", workers=1)
    lb.write(lb.first.replace("canary = 1", "canary = 2").replace("workers = 1", "workers = 3"))
    lb.hup()
    lb.wait_log("watching the new settings in 2 of 3 workers")
    stopped = lb.workers()[1, 2]
    os.kill(stopped, signal.SIGSTOP)
    lb.write(lb.first)
    with lb.log_contains("watching the new settings in 1 of 1 workers"):
        lb.hup()
    clients = []
    got_in = [gets_in(("127.0.0.1", lb.port), clients) for _ in range(16)]
    assert set(got_in) == {True, False}
    for c in clients:
        assert answer(c).endswith(b"good")
    os.kill(stopped, signal.SIGCONT)
