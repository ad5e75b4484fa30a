"""What a request costs a program under load, counted and not timed: its system calls (strace) and its
instructions (valgrind's callgrind). Both are counted twice, for fewer and for more requests, and what the
difference has more is the requests': connecting, the start and the end of the program cancel out.

ask(n) has n requests answered before it returns, on as many connections whatever n is.
"""

import collections
import glob
import os
import re
import shutil
import signal
import subprocess

from lib import process
from lib.wait import SLOW, wait_for

# What must be installed, by Debian's names.
SYSCALLS_NEED, INSTRUCTIONS_NEED = "strace", "valgrind"

# A line of strace -c: share, seconds, microseconds a call, calls, errors if any, the name.
LINE = re.compile(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", re.M)


def missing(package):
    return not shutil.which(package)


def syscalls(pids, act):
    """The system calls of these processes, and of those that they make, while act() runs: {name: count}."""
    words = ["strace", "-c", "-f", *(f"-p{pid}" for pid in pids)]
    popen = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             text=True, start_new_session=True)

    def attached():
        if popen.poll() is not None:
            raise AssertionError(f"strace ended at once: {popen.stderr.read()}")
        return all(process.status(pid, "TracerPid") == str(popen.pid) for pid in pids)

    try:
        wait_for(attached, "strace is attached")
        act()
        popen.send_signal(signal.SIGINT)
        text = popen.communicate(timeout=10 * SLOW)[1]
    finally:
        if popen.poll() is None:
            popen.kill()
            popen.communicate()
    return {name: int(count) for count, name in LINE.findall(text) if name != "total"}


def syscalls_per_request(pids, ask, requests=4000):
    """{name: how many for each request}, the rarest left out; the sum of all is the cost."""
    counts = collections.Counter(syscalls(pids, lambda: ask(3 * requests)))
    counts.subtract(syscalls(pids, lambda: ask(requests)))
    return {name: count / (2 * requests) for name, count in counts.items() if count > 0}


def callgrind(directory):
    """The words in front of a program whose instructions are to be counted into files of a folder."""
    return ["valgrind", "-q", "--tool=callgrind", "--vgdb=no", "--trace-children=yes",
            f"--callgrind-out-file={directory}/callgrind.%p"]


def instructions(begin, act, directory):
    """Those of all processes of a program in its whole life, in which act() runs. begin(words) starts it
    with these words in front and returns what has a method stop(), which ends it as it would end itself."""
    os.makedirs(directory)
    running = begin(callgrind(directory))
    try:
        act()
    finally:
        running.stop()
    totals = [re.search(rb"^(?:totals|summary): (\d+)", process.read(path), re.M)
              for path in glob.glob(f"{directory}/callgrind.*")]
    assert totals and all(totals), f"callgrind wrote {len(totals)} files in {directory}"
    return sum(int(t.group(1)) for t in totals)


def instructions_per_request(begin, ask, directory, requests=2000):
    """How many for each request."""
    fewer = instructions(begin, lambda: ask(requests), os.path.join(directory, "fewer"))
    more = instructions(begin, lambda: ask(3 * requests), os.path.join(directory, "more"))
    return (more - fewer) / (2 * requests)
