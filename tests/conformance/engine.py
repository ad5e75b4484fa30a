"""Runs cases against a proxy, each in many ways: whole, cut into pieces at every place, behind and
between good requests; and for responses also with a backend that ends too early."""

import asyncio
import random

from lib.message import ProtocolError
from lib.wait import SLOW

from . import judge
from .backend import AFTER, BEFORE, OTHER, Script
from .corpus import PAUSE, TOKEN, WAIT
from .wire import Answer, ClientLink, Ended, Silence

# Between two pieces: long enough for the proxy to have read the first alone.
GAP = 0.003 * SLOW

# How long a connection may be idle and still be expected to be there.
IDLE = 20

# Failures of another proxy's after which a case has failed.
ENOUGH = 5

# Connections of the backend after which it closes those that are idle.
MANY = 150

# Seconds in which another proxy answers if it will: it may wait for what never comes.
PEER_PATIENCE = 1.5

# Runs at once.
CREW = 64


class Variant:
    """One way to run a case."""

    def __init__(self, name, cuts=(), gap=GAP, before=False, after=False, stop=None, end=None):
        self.name = name
        self.cuts = cuts  # places where the bytes are cut into pieces
        self.gap = gap
        self.before = before  # behind a good request, in one write
        self.after = after  # and with a good one behind it
        self.stop = stop  # the backend ends after that many bytes
        self.end = end

    def __repr__(self):
        return self.name


WHOLE = Variant("whole")


class Failure:
    def __init__(self, case, variant, problems, observation, dangerous):
        self.case, self.variant, self.problems = case, variant, problems
        self.observation = observation
        self.dangerous = dangerous

    def __str__(self):
        return (f"{self.case.name} {self.variant} ({self.case.place})\n"
                f"  rule: {self.case.level} {'; '.join(self.case.refs)}\n"
                f"  want: {self.case.want.text}\n"
                + "".join(f"  but:  {p}\n" for p in self.problems) + f"  {self.observation}")


def places(size, most):
    """All places where that many bytes can be cut, or where they are too many, those at both ends and
    some of each stretch between."""
    if size - 1 <= most:
        return list(range(1, size))
    edge = most // 4
    step = (size - 2 * edge) / (most - 2 * edge)
    middle = [int(edge + i * step) for i in range(most - 2 * edge)]
    return sorted({*range(1, edge), *middle, *range(size - edge, size)} - {0})


def sizes(parts):
    return sum(len(p) for p in parts if isinstance(p, bytes))


def variants_of(case, quick, seed):
    """The ways to run a case; the quick ones are a few that another seed changes."""
    rng = random.Random(f"{case.name} {seed}")
    parts = case.send if case.kind == "request" else case.reply
    size = sizes(parts)
    # What is meant to be large is not cut everywhere.
    cuts = places(size, 600 if size < 4000 else 60)
    stops = list(range(size))if size < 4000 else places(size, 60)
    if quick:
        cuts = sorted(rng.sample(cuts, min(len(cuts), 5)))
        stops = sorted(rng.sample(stops, min(len(stops), 3)))
    step = max(1, size // 300)
    found = [Variant("whole"), Variant("drip", tuple(range(step, size, step)), 0 if quick else GAP)]
    found += [Variant(f"split={k}", (k,)) for k in cuts]
    if case.kind == "request":
        # a client that ends cancels what went before
        if not case.send_end:
            found.append(Variant("behind", before=True))
        if not case.send_end and not case.open:
            found.append(Variant("between", before=True, after=True))
    elif not case.greet and PAUSE not in parts and case.want.steps[0].kind != "tunnel":
        found += [Variant(f"stop-{end}={k}", stop=k, end=end) for k in stops for end in ("fin", "rst")]
    return found


def is_alone(case):
    """What a backend sends too much must find nobody else on that connection: such runs go one by one."""
    steps = [outcome.steps[0] for outcome in case.outcomes]
    if "private" in case.want.steps[0].flags:
        return True  # a request beside it must find no other connection
    surplus = any(step.kind == "pass" and step.flags & {"noreuse", "surplus"} for step in steps)
    return case.kind == "response" and bool(case.greet or surplus and not case.reply_end and not case.early)


def together(cases, most):
    """The cases in lists that can be run side by side."""
    batch = []
    for case in cases:
        if batch and (len(batch) == most or is_alone(case) or is_alone(batch[0])):
            yield batch
            batch = []
        batch.append(case)
    if batch:
        yield batch


def cutter(cuts):
    """Cuts parts that follow one another at places counted from the first."""
    at = 0

    def pieces(part):
        nonlocal at
        inner = [c - at for c in cuts if at < c < at + len(part)]
        at += len(part)
        return [part[a:b] for a, b in zip([0, *inner], [*inner, len(part)])]

    return pieces


def fill(parts, token):
    return [p.replace(TOKEN, token.encode()) if isinstance(p, bytes) else p for p in parts]


def good(token, end):
    return f"GET /{token}{end} HTTP/1.1\r\nHost: good\r\n\r\n".encode()


def method_of(parts):
    """The first word of a request, where it is one that changes what an answer is."""
    words = parts[0].split()
    return words[0].decode("latin-1") if words else ""


class World:
    """A proxy, and the backend behind it."""

    def __init__(self, loop, backend, address, strict=True, patience=None):
        self.loop = loop
        self.address = address
        self.backend = backend
        self.strict = strict
        self.patience = (3 if strict else PEER_PATIENCE) * SLOW if patience is None else patience
        self.tokens = 0
        self.witnesses = []
        self.runs = 0
        self.ran = {}  # token: (case, variant), of the present batch

    def close(self):
        for link in self.witnesses:
            link.close(True)
        self.backend.close()

    def token(self):
        self.tokens += 1
        token = f"t{self.tokens:07x}q"
        self.backend.seen[token] = []
        return token

    def connect(self):
        return ClientLink.connect(self.loop, self.address)

    # one run

    async def witness(self, o):
        """A request on another connection, which has been in use for long, gets its own answer."""
        link = self.witnesses.pop() if self.witnesses else self.connect()
        if self.loop.time() - link.since > IDLE:
            link.close(True)
            link = self.connect()
        link.send(good(o.token, OTHER))
        try:
            answer = await link.answer("GET", max(self.patience, 2))
            if isinstance(answer, Ended) and not self.strict:
                # closing an idle connection is anybody's right
                link.close(True)
                link = self.connect()
                link.send(good(o.token, OTHER))
                answer = await link.answer("GET", max(self.patience, 2))
        except ProtocolError as e:
            o.other = f"another connection got what is not HTTP: {e}"
            link.close(True)
            return
        self.look(o)
        if not o.is_answer_to(answer, OTHER):
            o.other = f"on another connection: {answer}"
        elif link.data:
            o.other = f"on another connection, unasked: {bytes(link.data)[:200]!r}"
        elif not answer.ends and not link.eof:
            link.since = self.loop.time()
            self.witnesses.append(link)
            return
        link.close(True)

    def look(self, o):
        o.seen = self.backend.seen[o.token]
        o.targets = {s.seq: s.request.target for s in o.seen if s.request}

    async def send(self, link, parts, variant):
        pieces = cutter(variant.cuts)
        first = True
        for part in parts:
            if part == WAIT:
                await link.any_head(self.patience / 3)
                continue
            if part == PAUSE:
                await asyncio.sleep(5 * GAP)
                continue
            for piece in pieces(part):
                if not first:
                    await asyncio.sleep(variant.gap)
                first = False
                link.send(piece)

    async def read(self, o, link, expected, methods, followed):
        """Reads answers until the one to the request after, or an end."""
        while True:
            if len(o.answers) >= expected and not followed:
                followed = True
                link.send(good(o.token, AFTER))
            method = methods[len(o.answers)] if len(o.answers) < len(methods) else "GET"
            answer = await link.answer(method, self.patience)
            if isinstance(answer, Silence) and not o.silent:
                o.silent = True
                link.finish()
                continue
            o.answers.append(answer)
            if isinstance(answer, (Ended, Silence)):
                o.ended = isinstance(answer, Ended)
                return
            self.look(o)
            if answer.ends:
                if not followed:  # it must not be heard
                    link.send(good(o.token, AFTER))
                o.ended = await link.end(self.patience)
                o.leftover = bytes(link.data)
                return
            if o.is_answer_to(answer, AFTER):
                return

    async def run_request(self, case, variant):
        o = judge.Observation(self.token(), method_of(case.send), variant.before)
        parts = fill(case.send, o.token)
        if variant.before:
            parts[0] = good(o.token, BEFORE) + parts[0]
        if variant.after:
            if isinstance(parts[-1], bytes):
                parts[-1] += good(o.token, AFTER)
            else:
                parts.append(good(o.token, AFTER))
        link = self.connect()
        try:
            await self.send(link, parts, variant)
            if case.send_end == "rst":
                await asyncio.sleep(GAP)
                link.close(True)
                o.answers, o.ended = [Ended(True)], True
            else:
                if case.send_end:
                    link.finish()
                methods = ["GET"] * variant.before + [o.method]
                expected = len(case.want.steps) + variant.before
                await self.read(o, link, expected, methods, variant.after or bool(case.send_end))
        except ProtocolError as e:
            o.fault = e
        finally:
            link.close(True)
        await self.witness(o)
        self.look(o)
        return o, judge.judge_request(case, o, self.strict)

    def make_script(self, case, variant, token):
        parts = fill(case.reply, token)
        end = case.reply_end
        if variant.stop is not None:
            parts, end = [b"".join(parts)[: variant.stop]], variant.end
        script = Script(parts, cutter(variant.cuts), end, case.early, variant.gap)
        steps = [outcome.steps[0] for outcome in ([case.want] if self.strict else case.outcomes)]
        script.tunnel = variant.stop is None and any(step.kind == "tunnel" for step in steps)
        if variant.stop is None and all(s.kind not in ("pass", "nothing") or "noreuse" in s.flags for s in steps):
            script.poison = token
        return script

    async def tunnel(self, o, link):
        """Sends through a tunnel and takes what comes."""
        text = f"ping {o.token}".encode()
        link.send(text)
        for _ in range(int(self.patience / 0.005)):
            if o.script.done.is_set() and text in o.script.link.data:
                break
            await asyncio.sleep(0.005)
        o.script.link.send(b"!")
        while not link.data.endswith(b"!") and await link.more(self.patience):
            pass
        o.tunnel = (bytes(link.data)[:-1], text in o.script.link.data)
        o.script.link.scripted = False
        o.script.link.close()

    async def finish_script(self, o):
        """Waits for the backend's part to end, and for its connection where that must end."""
        script = o.script
        if not script.link and not script.runs:
            return
        try:
            await asyncio.wait_for(script.done.wait(), self.patience)
        except asyncio.TimeoutError:
            pass
        link = script.link
        if script.poison and not link.ended_here and not link.eof:
            limit = self.loop.time() + (self.patience if self.strict else 5 * GAP)
            while not link.eof and self.loop.time() < limit:
                await asyncio.sleep(0.001)
        o.dirty = not link.ended_here and not link.eof

    async def run_response(self, case, variant):
        parts = case.send or [b"GET /" + TOKEN + b" HTTP/1.1\r\nHost: t\r\n\r\n"]
        o = judge.Observation(self.token(), method_of(parts))
        script = o.script = self.make_script(case, variant, o.token)
        self.backend.scripts[o.token] = script
        if case.greet:
            await self.backend.part_with_idle(self.patience)
            self.backend.greet = case.greet
        link = self.connect()
        try:
            await self.send(link, fill(parts, o.token), WHOLE)
            # a head that comes drop by drop is not heard of before its end
            answer = await link.answer(o.method, self.patience + 8 * variant.gap * len(variant.cuts))
            if isinstance(answer, Silence):
                answer = await self.after_silence(o, link)
            o.answers.append(answer)
            o.ended = isinstance(answer, Ended)
            if isinstance(answer, Answer) and answer.status == 101 and script.tunnel:
                await self.tunnel(o, link)
            self.backend.greet = b""
            if case.send_end:
                link.finish()
            if not script.tunnel:
                await self.finish_script(o)
                if isinstance(answer, Answer):
                    await self.after(case, o, link, answer)
        except ProtocolError as e:
            o.fault = e
        finally:
            self.backend.greet = b""
            link.close(True)
        await self.witness(o)
        self.look(o)
        # where it ended here, or by a later answer, it had been kept
        link = script.link
        o.kept = bool(link) and (not link.eof or link.ended_here or link.received > script.before)
        del self.backend.scripts[o.token]
        if variant.stop is not None:
            prefix = b"".join(fill(case.reply, o.token))[: variant.stop]
            return o, judge.judge_cut(case, o, prefix, variant.end == "rst", self.strict)
        return o, judge.judge_response(case, o, self.strict)

    async def after_silence(self, o, link):
        """The proxy waits for more: then the backend ends, and if that is not it, the client."""
        o.silent = True
        server = o.script.link
        if server and not server.ended_here:
            server.ended_here = True
            server.close()
            answer = await link.answer(o.method, self.patience)
            if not isinstance(answer, Silence):
                return answer
        link.finish()
        return await link.answer(o.method, self.patience)

    async def after(self, case, o, link, answer):
        if answer.status == 101 or (case.early and not answer.ends):
            return  # what comes now is no request
        if answer.ends:
            o.ended = await link.end(self.patience)
            o.leftover = bytes(link.data)
            return
        if "private" in case.want.steps[0].flags:
            await self.witness(o)
            numbers = [s.number for s in o.seen if s.request and s.request.target == f"/{o.token}{OTHER}"]
            o.shared = o.script.link is not None and o.script.link.number in numbers
        link.send(good(o.token, AFTER))
        following = await link.answer("GET", self.patience)
        o.silent |= isinstance(following, Silence)
        o.answers.append(following)
        self.look(o)

    # all runs of a case

    async def run_variant(self, case, variant, failures):
        self.runs += 1
        run = self.run_request if case.kind == "request" else self.run_response
        o, problems = await run(case, variant)
        self.ran[o.token] = (case, variant)
        if problems:
            failures.append(Failure(case, variant, problems, repr(o), judge.is_dangerous(o)))
        del self.backend.seen[o.token]

    def blame(self, failures):
        """Who left a connection dirty is told, and not who got it next."""
        for token in self.backend.reused & set(self.ran):
            case, variant = self.ran[token]
            text = "the backend's connection was used again, and must not be"
            failures[case].append(Failure(case, variant, [text], "", False))
        self.backend.reused.clear()
        self.ran.clear()
        self.backend.drop_poisoned()

    async def run_cases(self, cases, ways):
        """Runs cases side by side, each in the ways that ways(case) says; returns {case: [Failure]}."""
        if len(self.backend.links) > MANY:  # a proxy keeps no more than some
            await self.backend.part_with_idle(self.patience)
        failures = {case: [] for case in cases}
        queue = [(case, variant) for case in reversed(cases) for variant in reversed(ways(case))]

        async def work():
            while queue:
                case, variant = queue.pop()
                if not self.strict and len(failures[case]) >= ENOUGH:
                    continue
                await self.run_variant(case, variant, failures[case])

        crew = 1 if is_alone(cases[0]) else min(CREW, len(queue))
        await asyncio.gather(*(work() for _ in range(crew)))
        self.blame(failures)
        strays, self.backend.strays = self.backend.strays, []
        if strays:
            text = f"the backend saw what nobody sent: {strays}"
            for case in cases:
                failures[case].append(Failure(case, "(or a case beside it)", [text], "", True))
        return failures
