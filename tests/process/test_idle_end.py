"""The end of connections on which nobody asks: orderly, not all at once, and so that a request which
crosses it is not answered with a reset."""

import socket
import threading
import time

import pytest

from lib.wait import SLOW, wait_for, wait_still

SECOND = 1.0


def idle_clients(lb, count):
    clients = [lb.client() for _ in range(count)]
    for c in clients:
        assert c.get("/").keeps_alive
    return clients


def end_of(client):
    """When the other side ended the connection; None for a reset."""
    client.sock.settimeout(30 * SLOW)
    try:
        assert client.sock.recv(1) == b""
    except ConnectionResetError:
        return None
    return time.monotonic()


def ends_of(clients):
    """When each of them ended; each is closed then, as its owner would."""
    ends = [None] * len(clients)

    def wait(i):
        ends[i] = end_of(clients[i])
        clients[i].close()

    threads = [threading.Thread(target=wait, args=(i,)) for i in range(len(clients))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert None not in ends, f"{ends.count(None)} were reset"
    return sorted(ends)


@pytest.mark.parametrize("signal_name", ["hup", "term"])
def test_idle_clients_leave_in_turns(tinylb, origin, signal_name):
    """All at once they would all come back at once. Half of timeouts.drain is for that."""
    lb = tinylb(backends=[origin().url], workers=2, timeouts={"drain": "4s"})
    clients = idle_clients(lb, 40)
    getattr(lb, signal_name)()
    ends = ends_of(clients)
    assert ends[-1] - ends[0] > 0.7 * SECOND
    # in no fifth of the two seconds more than half of them
    assert all(sum(e <= x < e + 0.4 for x in ends) <= 20 for e in ends)
    if signal_name == "hup":
        lb.wait_log("generation 1 has ended")
    else:
        assert lb.wait_exit() == 0
    assert not lb.log_lines("cut off|still busy")


def test_idle_client_asks_in_time(tinylb, origin):
    """It is idle for less than a second: its next request may be on its way, and is answered."""
    lb = tinylb(backends=[origin(name="x").url], timeouts={"drain": "4s"})
    c = lb.client()
    c.get("/")
    begin = time.monotonic()
    with lb.log_contains(r"reloaded in \d+ ms"):
        lb.hup()
    # long enough for a worker that would send it away
    wait_still(c.is_quiet, 0.3)
    c.send_request("GET", "/")
    if time.monotonic() - begin > SECOND:
        pytest.skip("too slow a machine")
    r = c.response()
    assert r.text == "x" and not r.keeps_alive and c.at_end()


def is_reset(sock):
    """Whether a reset has come: on this machine it comes within the call that caused it."""
    state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0 or state == 7  # TCP_CLOSE


@pytest.mark.rfc("9112 9.6")
@pytest.mark.parametrize("why", ["hup", "idle_client"])
def test_request_that_crosses_the_end(tinylb, origin, why):
    """It finds an orderly end: its sender knows that nothing was done, and asks again elsewhere."""
    o = origin()
    lb = tinylb(backends=[o.url], timeouts={"drain": "20s", **({why: "300ms"} if why != "hup" else {})})
    c = lb.client()
    c.get("/")
    if why == "hup":
        lb.hup()
    c.sock.settimeout(10 * SLOW)
    assert c.sock.recv(1, socket.MSG_PEEK) == b""
    c.send_request("GET", "/")
    assert not is_reset(c.sock)
    assert c.read_to_end() == b"" and o.count == 1
    c.close()
    if why == "hup":
        lb.wait_log("generation 1 has ended")


def test_silent_ones_are_not_waited_for(tinylb, origin):
    """Who does not notice that its idle connection has ended holds up nobody for long."""
    lb = tinylb(backends=[origin().url], timeouts={"drain": "60s"})
    c = lb.client()
    c.get("/")
    lb.hup()
    lb.wait_log("reloaded in")
    wait_for(lambda: len(lb.workers()) == 1, "the end of the old worker", 10 * SLOW)
    assert c.at_end()
