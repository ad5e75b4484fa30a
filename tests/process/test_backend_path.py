"""The path of a backend's URL is where the backend's part of a server begins: nothing above it can be asked for."""

from test_routes import SETTINGS

ABOVE = ["/..", "/../admin", "/%2e%2e/admin", "/..%2fadmin", "/x/../../admin", "/x/;/../../admin", "/x/%2f../../admin",
         "/..\\admin", "/x%5c..%5c..%5cadmin", "/..;/admin", "/%252e%252e/admin", "http://test/../admin", "/../public/x"]


def test_path_of_backend_url(tinylb, origin):
    """What stands above the path of a backend's URL is not asked for, whichever backend would be picked."""
    o = origin(name="o")
    pools = ", ".join(f'{{ name = "{name}"; backends = ( {urls} ); }}' for name, urls in [
        ("site", f'{{ url = "{o.url}"; }}, {{ url = "{o.url}/public"; weight = 0; }}'),
        ("api", f'{{ url = "{o.url}/public/"; }}'), ("wild", f'{{ url = "{o.url}"; }}')])
    lb = tinylb(settings=SETTINGS.format(routes='{ path = "/open"; pool = "wild"; }', pools=pools))
    with lb.client(("127.0.0.1", lb.ports[2])) as c:
        for target in ABOVE:
            r = c.get(target)
            assert r.status == 400 and "above" in r.text and r.keeps_alive, target
        assert o.count == 0
        for target in ("/", "/a/../b", "/a%2F..%2Fb", "/a;b/..c", "http://test?../..", "/x?../.."):
            assert c.get(target).status == 200, target
        assert c.request("OPTIONS", "*").status == 200
    with lb.client(("127.0.0.1", lb.ports[1])) as c:
        assert c.get("/only/x/../y").status == 200 and o.last.target == "/public/only/x/../y"
        assert c.get("/only/..%2f../x").status == 400
    with lb.client() as c: # its pool has no such URL
        assert c.get("/open/../../open/x").status == 200
        assert c.get("/x/../../x").status == 400
    assert lb.access()[0].reason == "bad-request"
