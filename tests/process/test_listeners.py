"""Several addresses, several pools: each listener's requests go to its own pool and to no other."""

import collections
import os

from lib import process
from lib.wait import wait_for


def test_each_to_its_pool(tinylb, origin):
    origins = {n: origin(name=n) for n in ("a1", "a2", "b1")}
    lb = tinylb(
        pools={"a": ([origins["a1"].url, origins["a2"].url], {}), "b": ([origins["b1"].url], {})},
        listeners=[("127.0.0.1:@PORT@", "a"), ("127.0.0.1:@PORT2@", "b"), ("127.0.0.1:@PORT3@", "a")], workers=2)
    seen = []
    for port in lb.ports:
        c = lb.client(("127.0.0.1", port))
        seen.append({c.get("/").text for _ in range(30)})
    assert seen == [{"a1", "a2"}, {"b1"}, {"a1", "a2"}]


def test_one_socket_a_worker_and_address(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=3, listen=("127.0.0.1:@PORT@", "127.0.0.1:@PORT2@"))
    assert [process.listening(p) for p in lb.ports] == [3, 3]
    # each worker holds its own, and listens on nobody else's
    for port in lb.ports:
        holders = collections.Counter()
        for pid in lb.worker_pids():
            mine = process.descriptors(pid).values()
            holders.update(i for i in process.listening_inodes(port) if f"socket:[{i}]" in mine)
        assert sorted(holders.values()) == [1, 1, 1]


def test_pool_may_be_left_out_where_there_is_one(tinylb, origin):
    o = origin(name="a")
    lb = tinylb(settings=f'''
        workers = 1;
        listeners = ( {{ address = "127.0.0.1:@PORT@"; }} );
        pools = ( {{ name = "only"; backends = ( {{ url = "{o.url}"; }} ); }} );''')
    assert lb.get("/").text == "a"


def test_without_a_file(tinylb, origin):
    """tinylb --listen ADDRESS URL... needs no settings file."""
    origins = [origin(name=n) for n in "abc"]
    lb = tinylb(words=["--listen", "127.0.0.1:@PORT@", *[o.url for o in origins]])
    c = lb.client()
    assert {c.get("/").text for _ in range(60)} == {"a", "b", "c"}


def test_without_a_file_two_addresses(tinylb, origin):
    o = origin(name="a")
    lb = tinylb(words=["--listen", "127.0.0.1:@PORT@", "--listen", "127.0.0.1:@PORT2@", o.url])
    for port in lb.ports:
        assert lb.client(("127.0.0.1", port)).get("/").text == "a"


def test_same_backend_in_two_pools(tinylb, origin):
    """Pools share nothing: a host policy of the one is not the other's, and connections are not
    either."""
    o = origin()
    lb = tinylb(pools={"a": ([o.url], {"host": "preserve"}), "b": ([o.url + "/sub"], {})},
                listeners=[("127.0.0.1:@PORT@", "a"), ("127.0.0.1:@PORT2@", "b")])
    a, b = (lb.client(("127.0.0.1", p)) for p in lb.ports)
    for _ in range(5):
        a.get("/x", host="h.example")
        assert (o.last.headers.one("host"), o.last.target) == ("h.example", "/x")
        b.get("/x", host="h.example")
        assert (o.last.headers.one("host"), o.last.target) == (o.authority, "/sub/x")


def test_one_worker_per_processor(tinylb, origin):
    lb = tinylb(backends=[origin().url], workers=0)
    count = len(os.sched_getaffinity(0))
    wait_for(lambda: len(lb.workers()) == count, "a worker for each processor")
    assert lb.get("/").status == 200
