"""A backend that cannot be reached costs no request as long as another can, or another address of the
same name."""

import os
import shutil
import subprocess

import pytest

from lib.ports import has_ipv6, reserve_port
from lib.wait import DEADLINE, wait_for


def nobody():
    """A URL at which nobody listens."""
    return f"http://127.0.0.1:{reserve_port()}"


def test_alone(tinylb):
    url = nobody()
    lb = tinylb(backends=[url])
    r = lb.get("/")
    assert r.status == 502
    line = lb.access()[0]
    assert line.backend == url and line.reason == "connect-failed" and line.connect == "-"
    lb.wait_log("cannot connect.*refused")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_is_tried(tinylb, origin, method):
    """Nothing was sent, so any method may go elsewhere, with its body."""
    o = origin(lambda c, r: b"got " + r.body)
    lb = tinylb(backends=[nobody(), o.url, nobody()])
    c = lb.client()
    for i in range(30):
        body = b"body %d" % i if method == "POST" else None
        r = c.request(method, "/", body=body)
        assert r.status == 200 and r.body == b"got " + (body or b"")
    assert o.count == 30
    assert all(x.backend == o.url for x in lb.access(30))


def test_all_down(tinylb):
    lb = tinylb(backends=[nobody() for _ in range(5)])
    c = lb.client()
    for _ in range(3):
        assert c.get("/").status == 502


def test_weight_0_is_no_way_out(tinylb, origin):
    """A backend taken out by its weight gets nothing, not even when all others are gone."""
    o = origin()
    lb = tinylb(backends=[nobody(), (o.url, 0)])
    assert lb.get("/").status == 502
    assert o.count == 0


def test_it_comes_back(tinylb, origin):
    o = origin()
    lb = tinylb(backends=[o.url])
    c = lb.client()
    assert c.get("/").status == 200
    o.stop()
    wait_for(lambda: c.get("/").status == 502)
    o.start()
    assert c.get("/").status == 200


def test_body_sent_before_the_connection_failed(tinylb, origin):
    """A large body that is on its way already goes to the other backend whole."""
    o = origin(lambda c, r: str(len(r.body)).encode())
    lb = tinylb(backends=[nobody(), o.url])
    c = lb.client()
    for _ in range(10):
        assert c.request("POST", "/", body=b"x" * 500_000).body == b"500000"


def test_connections_reset_at_once(tinylb, origin):
    """A backend that accepts and resets before it reads."""
    bad = origin(start=False)
    good = origin(name="good")

    def serve(conn):
        conn.reset()
        conn.ended.set()

    bad._serve = serve
    bad.start()
    lb = tinylb(backends=[bad.url, good.url])
    c = lb.client()
    for _ in range(20):
        assert c.get("/").text == "good"


# --- names with several addresses ---


def with_hosts(directory, text):
    """Words in front of the program that give it an /etc/hosts of its own."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare for a hosts file of its own")
    path = os.path.join(directory, "hosts")
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    script = 'mount --bind "$0" /etc/hosts && exec "$@"'
    prefix = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, path]
    if subprocess.run([*prefix, "true"], check=False, capture_output=True, timeout=DEADLINE).returncode != 0:
        pytest.skip("no mount namespaces here")
    return prefix


@pytest.mark.parametrize("listens", ["127.0.0.1", "::1"])
def test_addresses_of_a_name_are_tried_in_turn(tinylb, origin, directory, listens):
    """localhost is ::1 and 127.0.0.1 on many machines, and servers listen on either."""
    if listens == "::1" and not has_ipv6():
        pytest.skip("no IPv6")
    prefix = with_hosts(directory, "::1 several.test\n127.0.0.1 several.test\n127.0.0.2 several.test\n")
    o = origin(host=listens)
    lb = tinylb(backends=[f"http://several.test:{o.port}"], prefix=prefix)
    c = lb.client()
    for method in ("GET", "POST") * 5:
        assert c.request(method, "/", body=b"x" if method == "POST" else None).status == 200
    assert o.last.headers.one("host") == f"several.test:{o.port}"
    assert all(x.status == 200 for x in lb.access(10))


def test_none_of_the_addresses_works(tinylb, directory):
    prefix = with_hosts(directory, "127.0.0.2 several.test\n127.0.0.3 several.test\n")
    lb = tinylb(backends=[f"http://several.test:{reserve_port()}"], prefix=prefix)
    assert lb.get("/").status == 502


def test_name_that_is_not_found(tinylb, origin):
    """One unknown name does not keep the others from being served; the log names it."""
    o = origin()
    lb = tinylb(backends=["http://no-such-name.invalid:80", o.url])
    lb.wait_log("no-such-name.invalid")
    c = lb.client()
    for _ in range(10):
        assert c.get("/").status == 200
    assert o.count == 10
