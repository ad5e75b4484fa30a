"""Holds what happened against what a case allows. Says in words what is wrong; nothing means right.

Of tinylb just the wanted outcome is right. Another proxy (strict=False) may do whatever the RFC lets
it: any of the outcomes, its own choice of an error's status where the RFC names none, an end without
an answer, or an end where the connection could have been kept."""

import re

from .backend import AFTER, BEFORE, CUT, FAULT, OTHER, TOKENS, WHOLE
from .corpus import TOKEN
from .wire import Answer, Bytes, Ended, Inspector, NeedMore, Silence
from lib.message import Closed, ProtocolError


# Methods that a proxy may repeat (RFC 9110 9.2.2).
REPEATABLE = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE")


class Observation:
    """One run of a case."""

    def __init__(self, token, method, before=False):
        self.token = token
        self.method = method
        self.before = before  # a good request went before
        self.answers = []
        self.ended = False  # the connection came to an end
        self.leftover = b""  # what came that is no answer
        self.silent = False  # something had to be waited for in vain
        self.fault = None  # what came is not HTTP
        self.seen = []  # at the backend
        self.targets = {}  # seq: target, of this token
        self.other = None  # what was wrong on another connection
        self.script = None
        self.tunnel = None  # bytes that came after a 101, and whether ours arrived
        self.dirty = False  # the backend's connection was still open at the end
        self.kept = False
        self.shared = False  # another client's request came on the backend's connection

    def own(self, kind):
        """What arrived for the case itself."""
        aside = {f"/{self.token}{end}" for end in (BEFORE, AFTER, OTHER)}
        return [s for s in self.seen if s.kind == kind and not (s.request and s.request.target in aside)]

    def count(self, end):
        return sum(1 for s in self.seen if s.kind == WHOLE and s.request.target == f"/{self.token}{end}")

    def is_answer_to(self, answer, end):
        return isinstance(answer, Answer) and not answer.cut and answer.status == 200 and (
            self.targets.get(answer.seq) == f"/{self.token}{end}")

    def __repr__(self):
        return f"answers {self.answers}{' then an end' if self.ended else ''}{' after a silence' if self.silent else ''}" + (
            f", left over {self.leftover[:200]!r}" if self.leftover else "") + f"; the backend saw {self.seen}"


def fill(value, token):
    return value.replace(TOKEN, token.encode()) if isinstance(value, bytes) else value.replace(TOKEN.decode(), token)


def check_headers(checks, where, headers, token):
    """The lines sees, lacks and so on; `where` says which words are about these headers."""
    wanted = {}
    for word, name, how, value in checks:
        if word not in where:
            continue
        got = headers.all(name)
        if word in ("lacks", "notrailer", "misses"):
            if got:
                yield f"{name} is there: {got}"
        elif how == "=":
            wanted.setdefault(name, []).append(fill(value, token).decode("latin-1"))
        elif how == "~" and not any(re.search(fill(value, token), v) for v in got):
            yield f"{name} is {got}, not like {value}"
        elif not how and not got:
            yield f"{name} is missing"
    for name, values in wanted.items():
        if headers.all(name) != values:
            yield f"{name} is {headers.all(name)}, not {values}"


def check_request(step, checks, method, request, token, strict):
    """A request as the backend understood it."""
    target = (step["target"] or b"/" + TOKEN).decode("latin-1")
    body = fill(step["body"] or b"", token)
    framing = step["framing"].decode() if step["framing"] else None
    if request.method != (step["method"] or method.encode()).decode():
        yield f"method {request.method}"
    if request.target != fill(target, token):
        yield f"target {request.target!r}"
    if step["minor"] and request.minor != int(step["minor"]):
        yield f"version 1.{request.minor}"
    if request.body != body:
        yield f"body {request.body[:200]!r}, not {body[:200]!r}"
    if framing and request.framing not in framing.split("|"):
        yield f"framing {request.framing}"
    if strict and not framing and not body and request.framing == "chunked":
        yield "chunked, of nothing"
    yield from check_headers(checks, ("sees", "lacks"), request.headers, token)
    yield from check_headers(checks, ("trailer", "notrailer"), request.trailers, token)


class RequestJudge:
    """One outcome of a request case."""

    def __init__(self, outcome, seen, strict):
        self.outcome, self.o, self.strict = outcome, seen, strict
        self.at = 0
        self.whole = seen.own(WHOLE)
        self.problems = []

    def take(self):
        answer = self.o.answers[self.at] if self.at < len(self.o.answers) else None
        self.at += 1
        return answer

    def say(self, text):
        self.problems.append(text)

    def judge(self):
        o = self.o
        if o.before and not o.is_answer_to(self.take(), BEFORE):
            self.say("the request before has not got its answer")
        for index, step in enumerate(self.outcome.steps):
            getattr(self, "step_" + step.kind.replace("break", "broken"))(step, index)
        if self.whole:
            self.say(f"the backend saw {len(self.whole)} requests more")
        faults = o.own(FAULT)
        if faults:
            self.say(f"the backend got what is not HTTP: {faults}")
        cuts = o.own(CUT)
        if len(cuts) > (1 if any(s.kind == "break" for s in self.outcome.steps) else 0):
            self.say(f"the backend saw requests that broke off: {cuts}")
        self.judge_end(self.outcome.steps[-1])
        return self.problems

    def step_pass(self, step, index):
        answer = self.take()
        request = self.whole.pop(0) if self.whole else None
        if request is None:
            self.say(f"no request reached the backend; the client got {answer}")
            return
        if not isinstance(answer, Answer) or answer.cut or answer.status != int(step["status"] or 200):
            self.say(f"the client got {answer}")
        elif answer.seq != request.seq:
            self.say(f"the client got the answer to {self.o.targets.get(answer.seq, 'something else')}")
        checks = self.outcome.checks if index == 0 else []
        method = self.o.method if index == 0 else "GET"
        self.problems += check_request(
            step, checks, method, request.request, self.o.token, self.strict)

    def step_refuse(self, step, _index):
        answer = self.take()
        ended = isinstance(answer, (Ended, Silence)) or (isinstance(answer, Answer) and answer.response is None)
        if answer is None:
            self.say("no answer")
        elif ended:
            if 0 not in step.statuses and (self.strict or step.exact):
                self.say(f"the client got {answer}")
        elif answer.seq is not None or answer.cut:
            self.say(f"the client got {answer}")
        elif answer.status not in step.statuses and (self.strict or step.exact or not 400 <= answer.status < 600):
            self.say(f"the client got {answer}")

    step_broken = step_answer = step_refuse

    def judge_end(self, step):
        """How the connection goes on."""
        o = self.o
        closes = step.kind in ("refuse", "break") or "close" in step.flags
        following = self.take()
        count = o.count(AFTER)
        if o.silent and self.strict:
            self.say("nothing came in time")
        if o.leftover:
            self.say(f"bytes came behind the last answer: {o.leftover[:200]!r}")
        if o.is_answer_to(following, AFTER):
            if closes and (self.strict or step.kind == "pass"):
                self.say("the connection was kept")
            if count != 1:
                self.say(f"the request after reached the backend {count} times")
            return
        if isinstance(following, Answer):
            self.say(f"the request after got {following}")
        if count:
            self.say("a request was taken from a connection that was to be closed")
        if not o.ended:
            self.say("the connection was not closed")
        elif not closes and self.strict:
            self.say("the connection was not kept")


def judge_request(case, o, strict):
    """The problems with the wanted outcome, or with none of the allowed ones."""
    common = [o.other] if o.other else []
    if o.fault:
        return [*common, f"the client got what is not HTTP: {o.fault}"]
    first = None
    for outcome in [case.want] if strict else case.outcomes:
        problems = RequestJudge(outcome, o, strict).judge()
        if not problems:
            return common
        first = first or problems
    return common + first


# --- responses ---


def check_response(step, checks, answer, token):
    r = answer.response
    body = step["body"] if step["body"] is not None else b"hello"
    status = int(step["status"] or 200)
    if r.status != status:
        yield f"status {r.status}, not {status}"
    if body != b"*" and bytes(r.body) != fill(body, token):
        yield f"body {r.body[:200]!r}, not {body[:200]!r}"
    if step["framing"] and r.framing not in step["framing"].decode().split("|"):
        yield f"framing {r.framing}"
    if step["interim"] is not None:
        got = ",".join(str(i.status) for i in r.interim)
        if got != step["interim"].decode():
            yield f"interim responses {got or 'none'}"
    foreign = [t for t in TOKENS.findall(r.head + r.body) if t != token.encode()]
    if foreign:
        yield f"the answer is another's: {foreign}"
    yield from check_headers(checks, ("gets", "misses"), r.headers, token)
    yield from check_headers(checks, ("trailer", "notrailer"), r.trailers, token)


def is_error(answer, strict):
    """An answer of the proxy's own that says that the backend failed."""
    return isinstance(answer, Answer) and not answer.cut and answer.status in (
        (502, 504) if strict else range(500, 600)) and answer.seq is None


def is_cut(answer, strict):
    if isinstance(answer, Answer) and answer.cut:
        return True
    return not strict and isinstance(answer, Ended)


def judge_step(step, checks, o, strict):
    answer = o.answers[0] if o.answers else None
    if step.kind == "bad":
        if not is_error(answer, strict) and (strict or not isinstance(answer, (Ended, Answer)) or
                                             (isinstance(answer, Answer) and answer.response)):
            yield f"the client got {answer}"
    elif step.kind == "cut":
        if not is_cut(answer, strict) and (strict or not is_error(answer, strict)):
            yield f"the client got {answer}"
    elif step.kind == "nothing":
        # the proxy wants the whole request first
        if o.own(WHOLE) or isinstance(answer, Answer) and answer.response and not 400 <= answer.status < 500:
            yield f"the client got {answer}"
    elif step.kind == "tunnel":
        if not isinstance(answer, Answer) or answer.status != 101:
            yield f"the client got {answer}"
        elif o.tunnel != (fill(step["body"] or b"", o.token), True):
            yield f"the tunnel carried {o.tunnel}"
    elif not isinstance(answer, Answer) or answer.cut:
        yield f"the client got {answer}"
    else:
        yield from check_response(step, checks, answer, o.token)


def judge_connections(step, o, strict):
    """How both connections go on, and that every answer is its own request's."""
    answer = o.answers[0] if o.answers else None
    following = o.answers[1] if len(o.answers) > 1 else None
    if o.leftover:
        yield f"bytes came behind the answer: {o.leftover[:200]!r}"
    if o.silent and (strict or step.kind == "pass"):
        yield "nothing came in time"
    if step.kind == "tunnel":
        return
    if o.is_answer_to(following, AFTER):
        if "close" in step.flags:
            yield "the connection was kept"
    elif isinstance(following, Answer):
        yield f"the request after got {following}"
    elif isinstance(answer, Answer) and answer.ends and not o.ended:
        yield "the connection was not closed"
    elif strict and step.kind == "pass" and "close" not in step.flags:
        yield "the connection was not kept"
    if "private" in step.flags and o.shared:
        yield "another client's request came on the backend's connection"
    if strict and o.dirty and (step.kind != "pass" or "noreuse" in step.flags):
        yield "the backend's connection was left open"
    if strict and step.kind == "pass" and not step.flags & {"noreuse", "mayreuse", "surplus"} and not o.kept:
        yield "the backend's connection was not kept"


def judge_seen(o, most):
    for fault in o.own(FAULT):
        yield f"the backend got what is not HTTP: {fault}"
    if len(o.own(WHOLE)) > most and o.method not in REPEATABLE:
        yield f"the backend saw {len(o.own(WHOLE))} requests"


def judge_response(case, o, strict):
    common = [o.other] if o.other else []
    common += judge_seen(o, 1)
    if strict and len(o.own(WHOLE)) > (3 if case.reply_end else 1):
        common.append(f"the backend saw {len(o.own(WHOLE))} requests")
    if o.fault:
        return [*common, f"the client got what is not HTTP: {o.fault}"]
    first = None
    if case.reply_end == "rst" and o.answers and (is_error(o.answers[0], strict) or is_cut(o.answers[0], strict)):
        return common  # a reset can destroy what went before it
    for outcome in [case.want] if strict else case.outcomes:
        step = outcome.steps[0]
        problems = [*judge_step(step, outcome.checks, o, strict), *judge_connections(step, o, strict)]
        if not problems:
            return common
        first = first or problems
    return common + first


def prefix_is(prefix, method, eof):
    """What a prefix of the backend's bytes is: "whole", "until close" (a head whose body ends with the
    connection), "odd" (whole for who forgives), or "part"."""
    inspector = Inspector(Bytes(prefix, eof))
    try:
        response = inspector.response(head=method == "HEAD")
    except (NeedMore, Closed):
        return "part"
    except ProtocolError:
        return "odd"
    return "until close" if response.framing == "close" else "whole"


def judge_cut(case, o, prefix, was_reset, strict):
    """The backend broke off after `prefix`: what is not whole must not look whole."""
    problems = [o.other] if o.other else []
    problems += judge_seen(o, 1)
    if strict and len(o.own(WHOLE)) > 3:
        problems.append(f"the backend saw {len(o.own(WHOLE))} requests")
    if o.fault:
        return [*problems, f"the client got what is not HTTP: {o.fault}"]
    answer = o.answers[0] if o.answers else None
    what = prefix_is(prefix, o.method, True)
    broken = is_error(answer, strict) or is_cut(answer, strict)
    if what == "part" or (what == "until close" and was_reset):
        fine = broken
    elif what == "until close":
        fine = is_whole(answer, prefix) or (broken and case.want.steps[0].kind != "pass")
    elif what == "odd":
        fine = True  # the wanted outcome says of the whole of it what is right
    else:
        fine = broken or is_whole(answer, prefix)
    if not strict and isinstance(answer, Answer) and answer.response and answer.response.framing == "close":
        fine = True  # an HTTP/1.0 client cannot tell, and nothing says that it must
    if not fine:
        problems.append(f"the client got {answer}")
    if isinstance(answer, Answer) and not answer.ends and answer.status != 101 and not case.early and not o.is_answer_to(
            o.answers[1] if len(o.answers) > 1 else None, AFTER):
        problems.append(f"the request after got {o.answers[1:]}")
    return problems


def is_whole(answer, prefix):
    """A whole answer with a body that came from these bytes."""
    if not isinstance(answer, Answer) or answer.cut:
        return False
    inspector = Inspector(Bytes(prefix, True))
    sent = inspector.response(head=answer.response.framing == "none")
    return sent.status == answer.status and (answer.response.framing == "none" or sent.body == answer.response.body)


def is_dangerous(o):
    """Whether another reader could understand, or did understand, something else: the backend got what
    is not HTTP or what was not meant for it, or an answer or somebody's login went astray."""
    smuggled = any(s.request.target.endswith("/smuggled") for s in o.own(WHOLE))
    return bool(o.other or o.own(FAULT) or smuggled or o.shared)
