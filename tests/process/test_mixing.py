"""No answer ever reaches the wrong client.

Every request carries a token of its own, every answer carries the token of the request that it
answers, and every body is made of its token. Friendly clients and hostile ones share the program, its
workers and their kept connections to backends that are hostile too, for a bounded time:
TINYLB_TEST_MIXING=300 makes that five minutes."""

import itertools
import os
import random
import threading
import time
import zlib

from lib.client import Closed, ProtocolError, make_request
from lib.client import chunked as chunks
from lib.origin import Origin
from lib.wait import DEADLINE, SLOW

SECONDS = float(os.environ.get("TINYLB_TEST_MIXING") or 10)
FRIENDS, FOES = 8, 6


def content(token, size):
    """A body that is nobody else's."""
    return (f"<{token}>" * (size // (len(token) + 2) + 1)).encode()[:size]


class Backend:
    """Answers with the token of what it answers, in any framing; and misbehaves where it is asked to."""

    def __init__(self):
        self.seen = {}  # token: how often, of requests that must not be repeated
        self.faults = []
        self.reused = 0
        self.most = 0
        self.lock = threading.Lock()

    def handle(self, conn, request):
        if len(conn.origin.requests) > 1000:  # nobody looks at them
            with conn.origin.lock:
                conn.origin.requests.clear()
        token = request.headers.one("x-token")
        if request.path == "/early":
            conn.respond(200, b"early", [("X-Token", token)])
            conn.close()
            return
        body = conn.read_body()
        self.check(request, token, body)
        with self.lock:
            self.reused += request.index > 0
            self.most = max(self.most, request.index)
        self.answer(conn, request, token)

    def check(self, request, token, body):
        size, wanted = request.headers.one("x-size"), request.headers.one("x-sum")
        if token is None or request.path == "/smuggled":
            self.faults.append(f"nobody sent {request}")
        elif size is not None and (len(body) != int(size) or zlib.crc32(body) != int(wanted)):
            self.faults.append(f"the body of {token} is not what was sent: {body[:100]!r}")
        if request.method == "POST" and request.path != "/cut":
            with self.lock:
                self.seen[token] = self.seen.get(token, 0) + 1
                if self.seen[token] > 1:
                    self.faults.append(f"{token} was sent twice")

    def answer(self, conn, request, token):
        rng = random.Random(token)
        size = rng.choice([0, 10, 1000, 40000])
        body = content(token, size)
        headers = [("X-Token", token), ("X-Answer-Size", str(size))]
        if request.path == "/surplus":
            # in one piece: what comes later may find the connection in another's use, as any answer would
            raw = f"HTTP/1.1 200 Fine\r\nX-Token: {token}\r\nX-Answer-Size: 5\r\nContent-Length: 5\r\n\r\n<{token[:3]}>"
            conn.send(raw + "HTTP/1.1 200 Fine\r\nX-Token: evil\r\nContent-Length: 0\r\n\r\n")
        elif request.path == "/cut" and request.method != "HEAD":
            conn.head(200, [*headers, ("Content-Length", "100000")])
            conn.send(content(token, rng.randrange(3000)))
            conn.reset() if rng.random() < 0.5 else conn.close()
        elif request.path == "/garbage":
            conn.send(f"HTTP/1.1 200 Fine\r\nX-Token: {token}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")
        elif request.method == "HEAD":
            conn.respond(200, body, headers)
        elif rng.random() < 0.5:
            conn.respond_chunked([body[i : i + 5000] for i in range(0, size, 5000)], headers)
        else:
            conn.respond(200, body, headers)


class Crowd:
    """All clients, and what they found."""

    def __init__(self, lb):
        self.lb = lb
        self.until = time.monotonic() + SECONDS
        self.faults = []
        self.answers = 0
        self.attacks = 0
        self.numbers = itertools.count()
        self.lock = threading.Lock()

    @property
    def goes_on(self):
        return time.monotonic() < self.until and not self.faults

    def token(self):
        with self.lock:
            return f"t{next(self.numbers):08d}"

    def request(self, rng, token, path="/plain"):
        """(method, bytes) of a good request."""
        method = rng.choice(["GET", "GET", "POST", "POST", "HEAD", "PUT"])
        headers = [("X-Token", token)]
        if method not in ("POST", "PUT"):
            return method, make_request(method, path, headers)
        body = content(token, rng.choice([0, 1, 100, 5000]))
        headers += [("X-Size", str(len(body))), ("X-Sum", str(zlib.crc32(body)))]
        if rng.random() < 0.5:
            return method, make_request(method, path, headers, body)
        head = make_request(method, path, [*headers, ("Transfer-Encoding", "chunked")])
        return method, head + chunks([body[i : i + 700] for i in range(0, len(body), 700)])

    def check(self, token, method, r):
        """A whole answer with status 200 is that of this request."""
        got = r.headers.one("x-token")
        size = r.headers.one("x-answer-size")
        body = content(token, int(size)) if size and method != "HEAD" else b""
        if got != token or (size is not None and r.body != body):
            self.faults.append(f"{token} got the answer of {got}: {r} {r.body[:100]!r}")

    # friendly clients: each request is answered, rightly

    def friend(self, number):
        rng = random.Random(number)
        client = None
        while self.goes_on:
            client = client or self.lb.client()
            batch = [(t, *self.request(rng, t)) for t in (self.token() for _ in range(rng.choice([1, 1, 1, 4])))]
            client.send(b"".join(raw for _, _, raw in batch), rng.choice([None, None, 100]))
            for token, method, _ in batch:
                r = client.response(head=method == "HEAD")
                if r.status != 200:
                    self.faults.append(f"{token} got {r}")
                self.check(token, method, r)
            with self.lock:
                self.answers += len(batch)
            if rng.random() < 0.02:
                client.close()
                client = None

    # hostile clients: whatever they get, it is not another's

    def foe(self, number):
        rng = random.Random(1000 + number)
        attacks = [self.malformed, self.leaves, self.bad_backend, self.early, self.smuggles]
        while self.goes_on:
            token = self.token()
            with self.lb.client(timeout=DEADLINE) as client:
                self.lb.clients.remove(client)
                try:
                    rng.choice(attacks)(rng, client, token)
                except (Closed, OSError):
                    pass
            with self.lock:
                self.attacks += 1

    def take(self, client, token, method="GET"):
        r = client.response(head=method == "HEAD")
        if r.status == 200:
            self.check(token, method, r)
        return r

    def malformed(self, rng, client, token):
        bad = rng.choice(["X : y", "X\0: y", ": y", "Host: u", "Content-Length: 5, 6", "Transfer-Encoding: x"])
        good = self.request(rng, token)[1]
        smuggled = make_request("GET", "/smuggled")
        client.send(good.replace(b"\r\n\r\n", b"\r\n" + bad.encode() + b"\r\n\r\n", 1) + smuggled)
        r = client.response()
        if r.status < 400:
            self.faults.append(f"{token}: {bad!r} got {r}")

    def smuggles(self, rng, client, token):
        smuggled = make_request("GET", "/smuggled")
        framing = rng.choice([f"Content-Length: {len(smuggled) + 5}\r\nTransfer-Encoding: chunked",
                              "Transfer-Encoding: chunked\r\nTransfer-Encoding: x", "Transfer-Encoding : chunked",
                              "Content-Length: 0\r\nContent-Length: 9"])
        head = f"POST /plain HTTP/1.1\r\nHost: t\r\nX-Token: {token}\r\n{framing}\r\n\r\n0\r\n\r\n"
        client.send(head.encode() + smuggled)
        r = client.response()
        if r.status < 400:
            self.faults.append(f"{token}: {framing!r} got {r}")

    def leaves(self, rng, client, token):
        """Goes away in the middle of its request, or of the answer."""
        _, raw = self.request(rng, token)
        size = rng.choice([rng.randrange(1, len(raw)), len(raw)])
        client.send(raw[:size])
        if size == len(raw) and rng.random() < 0.5:
            client.reader.fill(rng.randrange(1, 2000))
        client.abort() if rng.random() < 0.5 else client.close()

    def bad_backend(self, rng, client, token):
        path = rng.choice(["/surplus", "/cut", "/garbage"])
        method, raw = self.request(rng, token, path)
        client.send(raw)
        r = client.response(head=method == "HEAD")
        if r.status != 200:
            return
        if r.headers.one("x-token") != token:
            self.faults.append(f"{token} got the answer of {r.headers.one('x-token')}")
        elif path == "/cut" and method != "HEAD":
            self.faults.append(f"{token}: what broke off came whole: {r}")

    def early(self, rng, client, token):
        """The answer comes before the request is whole, and the rest of it looks like a request."""
        rest = make_request("GET", "/smuggled")
        head = f"POST /early HTTP/1.1\r\nHost: t\r\nX-Token: {token}\r\nContent-Length: {len(rest) * 2}\r\n\r\n"
        client.send(head)
        r = client.response()
        if r.status == 200 and r.headers.one("x-token") != token:
            self.faults.append(f"{token} got the answer of {r.headers.one('x-token')}")
        client.send(rest * 2)
        if not client.at_end():
            self.faults.append(f"{token}: something came behind an early answer")

    def guard(self, work, number):
        try:
            work(number)
        except (AssertionError, Closed, ProtocolError, OSError) as e:
            self.faults.append(f"{work.__name__} {number}: {e!r}")


def test_no_answer_reaches_another(tinylb, scene):
    backend = Backend()
    origins = [Origin(backend.handle, read_body=False) for _ in range(2)]
    scene.origins += origins
    lb = tinylb(backends=[o.url for o in origins], workers=2, log_level="notice", access_log=False)
    pids = lb.worker_pids()
    crowd = Crowd(lb)
    threads = [threading.Thread(target=crowd.guard, args=(work, i), daemon=True)
               for work, count in ((crowd.friend, FRIENDS), (crowd.foe, FOES)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(SECONDS + 3 * DEADLINE)
    assert not crowd.faults, crowd.faults[:5]
    assert not backend.faults, backend.faults[:5]
    assert not any(t.is_alive() for t in threads)
    assert lb.worker_pids() == pids
    # it was a crowd, and connections were in use again and again
    assert crowd.answers > 50 * SECONDS / SLOW and crowd.attacks > 10 * SECONDS / SLOW
    assert backend.reused > crowd.answers / 2 and backend.most > 10
    print(f"{crowd.answers} answers, {crowd.attacks} attacks, {backend.reused} on kept connections")
