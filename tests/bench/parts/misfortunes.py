"""What happens to backends, one after the other, while a client asks at a steady rate; and what that makes of it."""

import contextlib
import time

PAUSE = 3  # seconds in which one thing is seen
SOON = 0.25  # seconds that an answer takes at the most if nothing happens to it


def nothing(_):
    yield "nothing"


def kills(backends):
    for backend in backends:
        yield "kill -9"
        backend.kill()
        yield "restart"
        backend.start()


def stops(backends):
    for backend in backends:
        yield "SIGSTOP"
        backend.pause()
        yield "SIGCONT"
        backend.resume()


def told(name, word):
    def act(backends):
        node = next(b for b in backends if b.name == "node")
        yield name
        node.tell(word)
        yield name
        node.tell("fine")

    return act


def deploys(backends):
    for backend in backends:
        yield "deploy"
        backend.deploy()


# By the name of its first row. Each yields what the next thing is called, and then has it happen.
ALL = {"nothing": nothing, "kill": kills, "stop": stops, "slow": told("slow, 200 ms", "slow"),
       "500s": told("500s", "fail"), "resets": told("resets", "reset"), "deploy": deploys}


class Diary:
    """What was going on when."""

    def __init__(self):
        self.entries = []  # (from when on, what)

    def live(self, names, backends):
        # the client has its connections, and the programs have got used to it
        time.sleep(1)
        for name in names:
            for what in ALL[name](backends):
                # what happened last is seen for so long before the next thing is begun
                if self.entries:
                    time.sleep(PAUSE)
                self.entries.append((time.monotonic(), what))
        time.sleep(PAUSE)

    def of(self, result):
        """What a request met. What it was in the middle of when it happened is meant where that was soon."""
        when = result.due + min(result.seconds, SOON)
        return [what for since, what in self.entries if since <= when][-1]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0


class Row:
    """What became of the requests of one kind of misfortune."""

    def __init__(self):
        self.gets = self.posts = self.get_errors = self.post_errors = self.post_faults = self.twice = 0
        self.seconds = []
        self.kinds = {}

    def add(self, result, sent):
        """sent: how many times it went out to a backend"""
        bad = result.outcome != "200"
        self.seconds.append(result.seconds)
        if bad:
            key = f"{result.method} {result.outcome}"
            self.kinds[key] = self.kinds.get(key, 0) + 1
        if result.method == "GET":
            self.gets += 1
            self.get_errors += bad
            return
        self.posts += 1
        self.post_errors += bad
        self.post_faults += bad and not sent
        self.twice += sent > 1

    def figures(self):
        return [self.gets, self.get_errors, self.posts, self.post_errors, self.post_faults, self.twice,
                *(1000 * percentile(self.seconds, share) for share in (0.5, 0.99, 1))]


def judge(diary, results, sent):
    """{what happened: Row}, in the order in which it happened."""
    rows = {}
    for _, what in diary.entries:
        rows.setdefault(what, Row())
    for result in results:
        if result.due >= diary.entries[0][0]:
            row = rows[diary.of(result)]
            row.add(result, sent[result.number] if result.method == "POST" else 0)
    return rows


@contextlib.contextmanager
def alive(kinds, directory):
    backends = []
    try:
        for kind in kinds:
            backends.append(kind(directory))
            backends[-1].start()
        yield backends
    finally:
        for backend in backends:
            if backend.popen:
                backend.end()
