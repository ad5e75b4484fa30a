"""What reaches a backend: that those who are measured do the same work, as far as they can."""

import socket

# What tinylb adds to a request as it is measured.
ALL = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id", "Via")
# What it does not pass on from clients that it has no reason to believe.
CLAIMS = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-IP", "X-Request-Id")
SAID = "said-by-the-client"


def received(bench, kind):
    """{name: [values]} of the request that a backend gets of one with all those claims; names in lower case"""
    with socket.create_server(("127.0.0.1", 0)) as backend:
        backend.settimeout(10)
        with bench.running(kind, backends=[f"127.0.0.1:{backend.getsockname()[1]}"]) as proxy:
            claims = "".join(f"{name}: {SAID}\r\n" for name in CLAIMS)
            with socket.create_connection(("127.0.0.1", proxy.port), 10) as client:
                client.sendall(f"GET /1 HTTP/1.1\r\nHost: here\r\n{claims}\r\n".encode())
                with _asked(backend) as peer:
                    head = _head(peer)
                    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
                    _head(client)
    found = {}
    for line in head.decode("latin-1").split("\r\n")[1:-2]:
        name, _, value = line.partition(":")
        found.setdefault(name.lower(), []).append(value.strip())
    return found


def _asked(backend):
    peer = backend.accept()[0]
    peer.settimeout(10)
    return peer


def _head(peer):
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        assert more, f"it ended behind {data!r}"
        data += more
    return data[: data.index(b"\r\n\r\n") + 4]


def _said(values):
    return [element.strip() for value in values for element in value.split(",")]


def check(bench, kind):
    """Raises where what it adds and what it passes on is not what its class says."""
    found = received(bench, kind)
    adds = [name for name in ALL if any(e != SAID for e in _said(found.get(name.lower(), [])))]
    passes = [name for name in CLAIMS if SAID in _said(found.get(name.lower(), []))]
    assert adds == [name for name in ALL if name in kind.adds], f"{kind.name} adds {adds}: {found}"
    assert passes == [name for name in CLAIMS if name in kind.passes], f"{kind.name} passes on {passes}: {found}"
