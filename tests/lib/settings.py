"""The text of a settings file, from what a test says."""


def quote(text):
    """A string of the settings file."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def group(options):
    """{"connect": "1s", "count": 3} as the inside of a group."""
    def value(v):
        if isinstance(v, bool):
            return "true" if v else "false"
        if isinstance(v, dict):
            return "{ " + group(v) + " }"
        if isinstance(v, list):
            return "[ " + ", ".join(value(x) for x in v) + " ]"
        return str(v) if isinstance(v, int) else quote(v)

    return " ".join(f"{k} = {value(v)};" for k, v in options.items())


def make(backends, workers, seed, top, pool, listen, pools, listeners, log_level, timeouts, limits, access_log):
    """The text of a file, with what class Tinylb is given."""
    options = {"workers": workers, "seed": seed, "log_level": log_level,
               "access_log": "@DIR@/access.log" if access_log else "off"}
    options.update(top or {})
    timeouts = {"drain": "2s", **(timeouts or {})}
    pools = pools or {"app": (backends, pool or {})}
    listeners = listeners or [(a, next(iter(pools))) for a in listen]

    def backend(b):
        if isinstance(b, dict):
            return "{ " + group(b) + " }"
        url, weight = b if isinstance(b, tuple) else (b, None)
        return "{ " + group({"url": url, **({} if weight is None else {"weight": weight})}) + " }"

    lines = [group({k: v}) for k, v in options.items()]
    lines.append("timeouts = { " + group(timeouts) + " };")
    if limits:
        lines.append("limits = { " + group(limits) + " };")
    lines.append("listeners = (\n  " + ",\n  ".join(
        "{ " + group({"address": a, "pool": p}) + " }" for a, p in listeners) + " );")
    lines.append("pools = (\n  " + ",\n  ".join(
        "{ " + group({"name": n, **more}) + " backends = (\n    "
        + ",\n    ".join(backend(b) for b in members) + " ); }"
        for n, (members, more) in pools.items()) + " );")
    return "\n".join(lines) + "\n"
