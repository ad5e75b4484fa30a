"""Real files from real servers: three of Debian's nginx serve /usr/share/doc, curl fetches it all
through tinylb, and every file is compared byte for byte.

Half is fetched one after the other on one connection, half on many at once.
"""

import filecmp
import os
import shutil
import subprocess
import urllib.parse

import pytest

from lib.wait import DEADLINE, SLOW, wait_for

ROOT = "/usr/share/doc"

# Whole packages are taken until there are this many files or bytes.
FILES = 8000 if SLOW == 1 else 1000
BYTES = 200 << 20 if SLOW == 1 else 20 << 20


def files():
    """Paths of regular files below ROOT, package after package."""
    found, size = [], 0
    for package in sorted(os.listdir(ROOT)):
        if len(found) >= FILES or size >= BYTES:
            break
        for folder, _, names in sorted(os.walk(os.path.join(ROOT, package))):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.isfile(path) and os.access(path, os.R_OK):
                    found.append(os.path.relpath(path, ROOT))
                    size += os.path.getsize(path)
    return found


def fetch(lb, paths, folder, *options):
    """Fetches all with one curl, into files with numbers for names."""
    os.makedirs(folder)
    config = os.path.join(folder, "config")
    with open(config, "w", encoding="utf-8") as f:
        for i, path in enumerate(paths):
            f.write(f'url = "{lb.url}/{urllib.parse.quote(path)}"\noutput = "{folder}/{i}"\n')
    done = subprocess.run(
        ["curl", "-q", "--silent", "--show-error", "--fail", "--http1.1", "--path-as-is", *options, "--config", config,
         "--write-out", "%{http_code} %{num_connects}\n"],
        capture_output=True, text=True, timeout=12 * DEADLINE, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    codes = [line.split() for line in done.stdout.splitlines()]
    assert [c for c, _ in codes] == ["200"] * len(paths)
    for i, path in enumerate(paths):
        assert filecmp.cmp(os.path.join(ROOT, path), f"{folder}/{i}", shallow=False), path
    return sum(int(n) for _, n in codes)


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_whole_tree(tinylb, nginx, directory):
    servers = nginx(ROOT, "a", "b", "c")
    lb = tinylb(backends=[s.url for s in servers], workers=2, log_level="notice")
    paths = files()
    assert len(paths) > 100, "too few files for a test"
    one = fetch(lb, paths[::2], os.path.join(directory, "one"))
    assert one == 1, f"curl needed {one} connections for requests one after the other"
    fetch(lb, paths[1::2], os.path.join(directory, "many"), "--parallel", "--parallel-max", "16")
    wait_for(lambda: sum(s.requests() for s in servers) >= len(paths), "the logs of the servers")
    counts = [s.requests() for s in servers]
    assert sum(counts) == len(paths)
    assert min(counts) > len(paths) / 3 * 0.7, counts
    lines = lb.access(len(paths))
    assert len(lines) == len(paths)
    assert {(x.status, x.reason) for x in lines} == {(200, "done")}
    sizes = sum(os.path.getsize(os.path.join(ROOT, p)) for p in paths)
    assert sum(x.bytes for x in lines) == sizes
