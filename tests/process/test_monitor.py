"""The monitor is one process, watched over like a worker: killed, halted or replaced, it is there again, and
what it found stays. It ends with the master, whatever ends that."""

import os
import signal

from lib import process
from lib.tinylb import has_address_sanitizer
from lib.wait import SLOW, wait_for

CHECK = {"check": {"type": "http", "interval": "100ms", "fast_interval": "20ms"}}


def monitors(pid):
    return {p: process.title(p) for p in process.children(pid) if "monitor" in process.title(p)}


def monitor(lb, former=None):
    """The only one, when there is another than the former one."""
    def found():
        pids = [p for p in monitors(lb.pid) if p != former]
        return pids[0] if len(pids) == 1 and len(monitors(lb.pid)) == 1 else None

    return wait_for(found, "a monitor", 5 * SLOW)


def test_killed(tinylb, origin):
    a, b = origin(name="a"), origin(name="b")
    lb = tinylb(backends=[a.url, b.url], pool=CHECK)
    with lb.log_contains(f"{b.url} is down"):
        b.stop()
    first = monitor(lb)
    with lb.log_contains(r"error: monitor gen 1 .* was killed by SIGKILL; workers go on"):
        os.kill(first, signal.SIGKILL)
    monitor(lb, first)
    # What it knew is known still.
    assert {lb.get("/").text for _ in range(12)} == {"a"}
    with lb.log_contains(f"{b.url} is back"):
        b.start()
    assert len(lb.log_lines(f"{b.url} is down")) == 1


def test_halted(tinylb, origin):
    o = origin(name="a")
    lb = tinylb(backends=[o.url], pool=CHECK)
    first = monitor(lb)
    o.wait_requests(1)
    os.kill(first, signal.SIGSTOP)
    lb.wait_log(r"error: monitor gen 1 .* hangs: .*killing it")
    monitor(lb, first)


def test_halted_at_rest(tinylb, origin):
    """With nothing to do it is left alone, until a worker calls."""
    o = origin(name="a")
    lb = tinylb(backends=[o.url])
    first = monitor(lb)
    os.kill(first, signal.SIGSTOP)
    o.stop()
    assert lb.get("/").status == 502
    monitor(lb, first)
    lb.wait_log("monitor gen 1 .* hangs")


def test_who_takes_over_from_the_dead_is_heard(tinylb, origin):
    """As many calls of a worker, and of the one before it in the same place, are not the same calls."""
    o = origin(name="a")
    lb = tinylb(backends=[o.url], pool={"eject": {"failures": 0}})
    for times in 1, 2:
        o.stop()
        assert lb.get("/").status == 502
        lb.wait_log(f"{o.url} is down: it takes no connections", times)
        o.start()
        lb.wait_log(f"{o.url} is back", times)
        lb.deaths_expected = True
        os.kill(lb.worker, signal.SIGKILL)
        lb.wait_log(r"worker 0 gen 1 \(pid \d+\) is ready", times)


def test_many_backends_at_rest(tinylb, origin):
    """To have nothing to do after something was due is no hang, however many backends there are. The worker that is
    halted meanwhile is one, and tells that the master has looked."""
    def cut(conn, request):
        conn.reset()

    others = [(f"http://127.1.{i // 250}.{1 + i % 250}:1", 0) for i in range(1001)]
    lb = tinylb(backends=[origin(cut).url, *others], pool={"eject": {"failures": 0}}, timeouts={"hang": "4s"})
    lb.deaths_expected = True
    first = monitor(lb)
    assert lb.get("/").status == 502
    os.kill(lb.worker, signal.SIGSTOP)
    waiting = lb.client()
    lb.wait_log("worker 0 gen 1 .* because it hung")
    waiting.close()
    assert not lb.log_lines("monitor gen 1 .* hangs")
    assert monitor(lb) == first


def test_reload(tinylb, origin):
    o = origin(name="a")
    lb = tinylb(backends=[o.url], pool=CHECK)
    first = monitor(lb)
    lb.hup()
    second = monitor(lb, first)
    assert process.title(second) == "tinylb: monitor gen 2"
    assert not lb.log_lines("error: monitor")


def reload_until(lb, pattern, meanwhile):
    """Reloads again and again, as soon as each is done."""
    def again():
        number = len(lb.log_lines("reloaded in"))
        lb.hup()
        lb.wait_log("reloaded in", number + 1)
        meanwhile()
        return lb.log_lines(pattern)

    wait_for(again, pattern)


def test_an_ejection_ends_though_reloads_go_on(tinylb, origin):
    bad = origin(lambda conn, request: conn.reset())
    lb = tinylb(backends=[bad.url, origin(name="b").url],
                pool={"eject": {"failures": 1, "time": "300ms", "time_max": "300ms"}})
    wait_for(lambda: lb.get("/").status and lb.log_lines(f"{bad.url} is ejected"), "the ejection")
    reload_until(lb, f"{bad.url} is back", lambda: None)


def test_failed_checks_add_up_over_reloads(tinylb, origin):
    o = origin(name="a")
    lb = tinylb(backends=[o.url], pool={"check": {"type": "http", "interval": "20ms", "fast_interval": "20ms",
                                                  "fall": 20}})
    o.wait_requests(2)
    o.handler = lambda conn, request: conn.respond(500)
    reload_until(lb, f"{o.url} is down: 20 checks failed", lambda: o.wait_requests(o.count + 2))


def test_upgrade(tinylb, origin):
    lb = tinylb(backends=[origin(name="a").url], pool=CHECK)
    first = monitor(lb)
    with lb.log_contains("upgraded from tinylb"):
        lb.signal(signal.SIGUSR2)
    wait_for(lambda: list(monitors(lb.pid).values()) == ["tinylb: monitor gen 2"], "the new one's monitor")
    assert not process.exists(first)


def test_master_is_killed(tinylb, origin):
    lb = tinylb(backends=[origin(name="a").url], pool=CHECK)
    pid = monitor(lb)
    lb.expected_exit = -signal.SIGKILL
    os.kill(lb.pid, signal.SIGKILL)
    wait_for(lambda: not process.exists(pid), "its end")


def test_rights(tinylb, origin):
    lb = tinylb(backends=[origin(name="a").url], top={"user": "nobody"} if os.geteuid() == 0 else {})
    pid = monitor(lb)
    wait_for(lambda: process.state(pid) == "S", "it to rest")
    assert process.status(pid, "NoNewPrivs") == "1"
    if not has_address_sanitizer():
        wait_for(lambda: process.status(pid, "Seccomp") == "2", "a filter of system calls")
    assert process.status(pid, "Uid").split() == process.status(lb.worker, "Uid").split()


def test_rest(tinylb, origin):
    """It sleeps where there is nothing to check."""
    lb = tinylb(backends=[origin(name="a").url])
    pid = monitor(lb)

    def turns():
        return int(process.status(pid, "voluntary_ctxt_switches"))

    wait_for(lambda: process.state(pid) == "S", "it to rest")
    before = turns()
    for _ in range(50):
        assert lb.get("/").status == 200
    assert turns() == before
