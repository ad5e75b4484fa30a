"""Reads the files of cases. README describes their form; what is not of that form is an error here,
so that a slip of the pen cannot become a case that tests nothing."""

import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))

# Stands in the bytes where a run's own token goes: as long as that, so that places stay the same.
TOKEN = b"@TTTTTTT@"

LEVELS = ("must", "should", "ours")
REFERENCE = re.compile(r"RFC \d+ [\dA-Z.]+|CVE-\d+-\d+|GHSA-[0-9a-z-]+|[a-z][a-z0-9 -]*")
ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|\((\d+)\*((?:[^()\\]|\\.)*)\)|(.))", re.S)
SIMPLE = {"r": b"\r", "n": b"\n", "t": b"\t", "s": b" ", "0": b"\0", "\\": b"\\", "T": TOKEN}

# Between bytes: wait until a response came, an interim one or not; or for a moment.
WAIT, PAUSE = "wait", "pause"

KINDS = {
    "request": ("refuse", "break", "answer", "pass", "tunnel"),
    "response": ("bad", "cut", "pass", "tunnel", "nothing"),
}
OPTIONS = ("method", "minor", "target", "body", "framing", "status", "interim")
FLAGS = ("keep", "close", "noreuse", "mayreuse", "surplus", "private")
CHECKS = ("sees", "lacks", "trailer", "notrailer", "gets", "misses")


class CorpusError(Exception):
    """A file is not as README says."""


def unescape(text):
    """Text of a file as bytes."""
    out, at = [], 0
    for m in ESCAPE.finditer(text):
        out.append(text[at : m.start()].encode("latin-1"))
        at = m.end()
        if m.group(1):
            out.append(bytes.fromhex(m.group(1)))
        elif m.group(2):
            out.append(unescape(m.group(3)) * int(m.group(2)))
        elif m.group(4) in SIMPLE:
            out.append(SIMPLE[m.group(4)])
        else:
            raise CorpusError(f"unknown escape {m.group(0)!r}")
    return b"".join([*out, text[at:].encode("latin-1")])


class Step:
    """One answer that is expected, and what stands behind it at the backend."""

    def __init__(self, kind, statuses=(), options=None, flags=(), exact=False):
        self.kind = kind
        self.statuses = statuses  # of refuse, break and answer; 0: ended without an answer
        self.options = options or {}
        self.flags = set(flags)
        self.exact = exact  # the RFC demands just this status

    def __getitem__(self, name):
        return self.options.get(name)


class Outcome:
    """What may come of a case: steps one after another, and what the heads must and must not have."""

    def __init__(self, steps, text):
        self.steps = steps
        self.text = text
        self.checks = []  # (kind, name, "=" or "~" or "", value)


class Case:
    def __init__(self, kind, group, name, place):
        self.kind = kind  # "request" or "response"
        self.group = group
        self.name = f"{kind}s/{group}/{name}"
        self.place = place
        self.level = None
        self.refs = []
        self.send = []  # bytes, WAIT, PAUSE: what the client sends
        self.reply = []  # what the backend sends
        self.send_end = self.reply_end = None  # then "fin" or "rst"
        self.open = False  # what is sent behind belongs to it
        self.early = False  # the backend does not wait for the request's body
        self.greet = b""  # what it sends before any request
        self.want = None
        self.allow = []

    def __repr__(self):
        return self.name

    @property
    def outcomes(self):
        return [self.want, *self.allow]


def parse_outcome(kind, text):
    steps = []
    for part in text.split(" + "):
        words = part.split()
        if not words or words[0] not in KINDS[kind]:
            raise CorpusError(f"unknown outcome {part!r}")
        step = Step(words.pop(0))
        if step.kind in ("refuse", "break", "answer"):
            codes = words.pop(0)
            step.exact = codes.endswith("!")
            step.statuses = [0 if c == "-" else int(c) for c in codes.rstrip("!").split("|")]
        for word in words:
            name, equals, value = word.partition("=")
            if equals and name in OPTIONS:
                step.options[name] = unescape(value)
            elif word in FLAGS:
                step.flags.add(word)
            else:
                raise CorpusError(f"unknown word {word!r} in an outcome")
        steps.append(step)
    return Outcome(steps, text)


def parse_check(word, rest):
    m = re.fullmatch(r"(\S+?)(?:(:) ?(.*)| ~ (.*))?", rest)
    if not m or (word in ("lacks", "notrailer", "misses") and (m.group(2) or m.group(4))):
        raise CorpusError(f"bad check {word} {rest}")
    if m.group(2):
        return word, m.group(1), "=", unescape(m.group(3) or "")
    if m.group(4):
        return word, m.group(1), "~", m.group(4)
    return word, m.group(1), "", None


class Loader:
    def __init__(self, kind, path):
        self.kind = kind
        self.path = path
        self.group = os.path.basename(path).partition(".")[0]
        self.title = None
        self.cases = []
        self.direction = None
        self.outcome = None

    def line(self, text):
        word, _, rest = text.partition(" ")
        if word == "group":
            self.title = rest
        elif word == "case":
            if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", rest):
                raise CorpusError(f"bad name {rest!r}")
            self.cases.append(Case(self.kind, self.group, rest, f"{self.path}:{self.number}"))
            self.outcome = None
        elif not self.cases:
            raise CorpusError("nothing but group may stand before the first case")
        else:
            self.member(self.cases[-1], word, rest)

    def member(self, case, word, rest):
        if word in (">", ">>", "<", "<<"):
            self.direction = case.send if word[0] == ">" else case.reply
            self.direction.append(unescape(rest) + (b"\r\n" if len(word) == 1 else b""))
        elif word in (WAIT, PAUSE):
            self.direction.append(word)
        elif word == "end" and rest in ("fin", "rst"):
            if self.direction is case.send:
                case.send_end = rest
            else:
                case.reply_end = rest
        elif word == "rule":
            case.level, _, refs = rest.partition(" ")
            case.refs = [r.strip() for r in refs.split(";")]
        elif word in ("early", "open"):
            setattr(case, word, True)
        elif word == "greet":
            case.greet += unescape(rest)
        elif word in ("want", "allow"):
            self.outcome = parse_outcome(self.kind, rest)
            if word == "allow":
                case.allow.append(self.outcome)
            elif case.want:
                raise CorpusError("a second want")
            else:
                case.want = self.outcome
        elif word in CHECKS and self.outcome:
            self.outcome.checks.append(parse_check(word, rest))
        else:
            raise CorpusError(f"unknown line {word!r}")

    def load(self):
        with open(self.path, encoding="ascii") as f:
            for self.number, raw in enumerate(f, 1):
                text = raw.rstrip("\n").lstrip(" ")
                try:
                    if text and not text.startswith("#"):
                        self.line(text)
                except (CorpusError, ValueError, IndexError) as e:
                    raise CorpusError(f"{self.path}:{self.number}: {e}") from e
        for case in self.cases:
            check(case)
        return self


def check(case):
    """What every case must have."""
    def need(condition, text):
        if not condition:
            raise CorpusError(f"{case.place}: {case.name}: {text}")

    need(case.want, "no want")
    need(case.level in LEVELS, f"the level of its rule is none of {LEVELS}")
    need(case.refs and all(REFERENCE.fullmatch(r) for r in case.refs), f"bad references {case.refs}")
    need(any(r.startswith(("RFC", "CVE")) for r in case.refs) or case.level == "ours", "names no RFC and no CVE")
    need(case.allow or case.level != "ours", "a rule of our own says what else is allowed")
    if case.kind == "request":
        need(case.send and not case.reply, "a request case has bytes of the client alone")
    else:
        need(case.reply or case.reply_end or case.greet, "a response case has bytes of the backend")
    need(any(TOKEN in p for p in case.send if isinstance(p, bytes)) or not case.send or
         case.want.steps[0].kind != "pass", "its request has no token")


def merge(parts):
    """Joins bytes that follow one another."""
    out = []
    for part in parts:
        if isinstance(part, bytes) and out and isinstance(out[-1], bytes):
            out[-1] += part
        else:
            out.append(part)
    return out


def files(kind):
    folder = os.path.join(HERE, kind + "s")
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith(".cases")]


def load():
    """All cases, and the titles of their groups: ([Case], {(kind, group): title})."""
    cases, titles = [], {}
    for kind in ("request", "response"):
        for path in files(kind):
            loaded = Loader(kind, path).load()
            titles[kind, loaded.group] = loaded.title or loaded.group
            cases += loaded.cases
    names = [c.name for c in cases]
    twice = {n for n in names if names.count(n) > 1} if len(set(names)) != len(names) else ()
    if twice:
        raise CorpusError(f"names that stand twice: {sorted(twice)}")
    for case in cases:
        case.send, case.reply = merge(case.send), merge(case.reply)
    return cases, titles
