"""The lists of what a check lets pass: tests/lint/*.allow, a line each: "WHAT REASON"."""


def read_allowed(path):
    """{what: reason} of such a file; lines that begin with "#" are comments."""
    allowed = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, reason = line.partition(" ")
            allowed[key] = reason.strip()
    return allowed


def not_needed(path, top, allowed, used):
    """A complaint for each entry that lets nothing pass: the list shrinks with what it excuses."""
    return [f"{path.relative_to(top)}: {key} is not needed" for key in sorted(set(allowed) - set(used))]
