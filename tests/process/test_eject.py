"""A backend that fails requests is left out by all workers for a while, and what fails is tried elsewhere."""

import socket
import threading

import pytest

from lib.wait import wait_for

SOON = {"slow_start": "0s"}


def eject(**more):
    return {"eject": {"failures": 5, "time": "300ms", **more}, **SOON}


def failing(origin, bad):
    def handler(conn, request):
        if bad.is_set():
            conn.reset()
            return None
        return b"b"

    return origin(handler)


def test_resets(tinylb, origin):
    """Five in a row, whichever worker saw them; it comes back."""
    bad = threading.Event()
    a, b = origin(name="a"), failing(origin, bad)
    lb = tinylb(backends=[a.url, b.url], workers=2, pool=eject(time="1s"))
    bad.set()
    with lb.log_contains(rf"warn: {b.url} is ejected for 1 s: \d+ failures in a row \(closed before the end"):
        for _ in range(40):
            with lb.client() as c:
                assert c.get("/").text == "a"
    seen = b.count
    assert {lb.get("/").text for _ in range(20)} == {"a"}
    assert b.count == seen
    bad.clear()
    lb.wait_log(f"notice: {b.url} is back")
    wait_for(lambda: lb.get("/").text == "b", "it to get requests again")


@pytest.mark.parametrize("status", [500, 999])
def test_status(tinylb, origin, status):
    """By option only. What is beyond 599 counts as 5xx."""
    def handler(conn, request):
        conn.respond(status, b"no")

    a, b, c, d = origin(name="a"), origin(handler), origin(name="c"), origin(handler)
    lb = tinylb(pools={"on": ([a.url, b.url], eject(on_5xx=True, time="1h", time_max="1h")),
                       "off": ([c.url, d.url], eject(time="1h", time_max="1h"))},
                listeners=[("127.0.0.1:@PORT@", "on"), ("127.0.0.1:@PORT2@", "off")])
    wait_for(lambda: lb.get("/").status and lb.log_lines(f"{b.url} is ejected for 3600 s: .*status of 500"),
             "its ejection")
    assert {lb.get("/").status for _ in range(20)} == {200}
    other = lb.client(("127.0.0.1", lb.ports[1]))
    wait_for(lambda: other.get("/").status == status and d.count > 12, "many failures")
    assert not lb.log_lines(f"{d.url} is ejected")


def test_not_all_of_a_pool(tinylb, origin):
    """Of two that fail one is ejected, and one alone never is."""
    bad = threading.Event()
    bad.set()
    b = [failing(origin, bad) for _ in range(3)]
    lb = tinylb(pools={"two": ([b[0].url, b[1].url], eject(time="1h", time_max="1h")),
                       "one": ([b[2].url], eject(time="1h", time_max="1h"))},
                listeners=[("127.0.0.1:@PORT@", "two"), ("127.0.0.1:@PORT2@", "one")])
    one = lb.client(("127.0.0.1", lb.ports[1]))
    wait_for(lambda: lb.get("/").status == 502 and one.get("/").status == 502
             and len(lb.log_lines("fails requests, and is not ejected")) >= 2, "that no more are ejected")
    assert len(lb.log_lines("is ejected for")) == 1
    assert not lb.log_lines(f"{b[2].url} is ejected")


def test_refusing(tinylb, origin):
    """A connection that fails is tried once more, and then all workers know; without checks it is tried until it
    is there again."""
    a, b = origin(name="a"), origin(name="b")
    lb = tinylb(backends=[a.url, b.url], pool=SOON)
    b.stop()
    with lb.log_contains(rf"warn: {b.url} is down: it takes no connections: Connection refused"):
        for _ in range(20):
            assert lb.get("/").text == "a"
    with lb.log_contains(rf"notice: {b.url} is back"):
        b.start()
    wait_for(lambda: lb.get("/").text == "b", "it to get requests again")


def test_reload_that_failed(tinylb, origin):
    """One that wanted more room for its backends, and came to nothing, leaves nothing behind: the next one knows who
    is ejected, and that nobody is new."""
    bad = threading.Event()
    a, b = origin(name="a"), failing(origin, bad)
    lb = tinylb(backends=[a.url, b.url], pool={"eject": {"time": "1h", "time_max": "1h"}})
    good = lb.settings
    with socket.create_server(("127.0.0.1", 0)) as taken:
        more = "".join(f', {{ url = "http://127.0.0.1:{1 + i}"; }}' for i in range(100))
        lb.write(good.replace("listeners = (", f'listeners = ( {{ address = "127.0.0.1:{taken.getsockname()[1]}"; '
                              'pool = "app"; },').replace(f'"{b.url}"; }}', f'"{b.url}"; }}{more}'))
        with lb.log_contains("reload refused: .*cannot listen"):
            lb.hup()
    bad.set()
    wait_for(lambda: lb.get("/").text == "a" and lb.log_lines(f"{b.url} is ejected for 3600 s"), "its ejection")
    bad.clear()
    lb.write(good)
    with lb.log_contains("reloaded in"):
        lb.hup()
    seen = b.count
    assert {lb.get("/").text for _ in range(20)} == {"a"}
    assert b.count == seen


def asks_for_a_100(c):
    c.send("POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    assert c.response().status == 408


def stops_within_a_body(c):
    c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhe")
    assert c.response().status == 408


def stops_until_the_backend_closes(c):
    c.send("POST /close HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhe")
    assert c.response().status == 502


def stops_until_the_backend_is_overloaded(c):
    c.send("POST /overload HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhe")
    assert c.response().status == 503


def resets_within_a_body(c):
    c.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhe")
    c.abort()


def breaks_a_chunk(c):
    c.send("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")
    assert c.response().status == 400


def leaves(c):
    c.send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n")
    c.abort()


def offers_what_the_backend_does_not_read(c):
    """As docker's daemon, it switches to its own protocol whenever there is an Upgrade."""
    c.send("POST /switch HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n")
    assert c.response().status == 502


def has_a_host_that_makes_the_response_too_long(c):
    c.send(f"GET /moved HTTP/1.1\r\nHost: {'h' * 200}.test\r\n\r\n")
    assert c.response().status == 502


DEEDS = [asks_for_a_100, stops_within_a_body, stops_until_the_backend_closes, stops_until_the_backend_is_overloaded,
         resets_within_a_body, breaks_a_chunk, leaves, offers_what_the_backend_does_not_read,
         has_a_host_that_makes_the_response_too_long]


def test_a_client_alone_ejects_nothing(tinylb, origin):
    """What it does not send, or does not wait for, is no backend's fault."""
    def handler(conn, request):
        if request.target == "/close":
            conn.reader.exactly(2)
            conn.close()
        elif request.target == "/overload":
            conn.respond(503, b"no", [("Connection", "close")])
        elif request.target == "/fine":
            conn.respond(200, b"fine")
        elif request.target == "/switch":
            conn.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        elif request.target == "/moved":
            conn.respond(302, b"", [("Location", f"http://{conn.origin.authority}/{'x' * 190}")] * 250)
        else:
            conn.wait_end()

    origins = [origin(handler, read_body=False) for _ in range(2)]
    lb = tinylb(backends=[o.url for o in origins], timeouts={"response": "200ms"}, limits={"header_size": "64k"},
                pool=eject(failures=1, on_5xx=True, time="1h", time_max="1h"))
    for deed in DEEDS:
        for _ in range(4):
            with lb.client() as c:
                deed(c)
    lb.access(4 * len(DEEDS))
    assert not lb.log_lines("is ejected")
    assert {lb.get("/fine").text for _ in range(8)} == {"fine"}
    assert [o.count > 0 for o in origins] == [True, True]
