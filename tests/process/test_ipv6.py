"""IPv6 on either side, and one socket for both families where every address is meant."""

import pytest

from lib.ports import has_ipv6

pytestmark = pytest.mark.skipif(not has_ipv6(), reason="no IPv6")


def test_listener(tinylb, origin):
    o = origin(name="a")
    lb = tinylb(backends=[o.url], listen=("[::1]:@PORT@",))
    c = lb.client(("::1", lb.port))
    assert c.get("/", host=f"[::1]:{lb.port}").text == "a"
    assert o.last.headers.one("x-forwarded-for") == "::1"
    assert o.last.headers.one("x-forwarded-host") == f"[::1]:{lb.port}"
    assert lb.access()[0].client == f"[::1]:{c.name[1]}"


def test_listener_is_not_on_ipv4(tinylb, origin):
    lb = tinylb(backends=[origin().url], listen=("[::1]:@PORT@",))
    with pytest.raises(ConnectionRefusedError):
        lb.client()


@pytest.mark.parametrize("form", ["*:@PORT@", ":@PORT@"])
def test_every_address(tinylb, origin, form):
    """IPv4 clients are named as such, not as ::ffff:127.0.0.1."""
    o = origin(name="a")
    lb = tinylb(backends=[o.url], listen=(form,), workers=2)
    four, six = lb.client(), lb.client(("::1", lb.port))
    assert four.get("/").text == "a"
    assert o.last.headers.one("x-forwarded-for") == "127.0.0.1"
    assert six.get("/").text == "a"
    assert o.last.headers.one("x-forwarded-for") == "::1"
    assert {x.client for x in lb.access(2)} == {f"127.0.0.1:{four.name[1]}", f"[::1]:{six.name[1]}"}


def test_backend(tinylb, origin):
    o = origin(host="::1", name="a")
    lb = tinylb(backends=[o.url])
    c = lb.client()
    for _ in range(3):
        assert c.get("/").text == "a"
    assert o.last.headers.one("host") == f"[::1]:{o.port}"
    assert len(o.connections) == 1
    assert lb.access(3)[0].backend == o.url


def test_both(tinylb, origin):
    o = origin(lambda c, r: r.body, host="::1")
    lb = tinylb(backends=[o.url], listen=("[::1]:@PORT@",), workers=2)
    c = lb.client(("::1", lb.port))
    data = b"z" * 1_000_000
    assert c.request("PUT", "/", body=data).body == data


def test_backend_is_away(tinylb, origin):
    gone = origin(host="::1", start=False)
    o = origin(name="a")
    lb = tinylb(backends=[gone.url, o.url])
    c = lb.client()
    for _ in range(10):
        assert c.get("/").text == "a"
