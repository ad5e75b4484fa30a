"""What goes on for months leaves nothing behind: no descriptor, no memory, no process, however often
settings were reloaded and however many exchanges there were."""

import os
import re

import pytest

from lib import process
from lib import tinylb as program
from lib.load import Load
from lib.wait import SLOW, wait_for

RELOADS = 200


def heap(pid):
    """Private memory in kilobytes, without what files lend to it. 0 with AddressSanitizer, which keeps
    what was freed: there it finds what was not freed, at the end of each process."""
    if program.has_address_sanitizer():
        return 0
    text = process.read(f"/proc/{pid}/smaps_rollup").decode()
    return int(re.search(r"^Pss_Anon:\s+(\d+) kB", text, re.M).group(1))


def zombies(pid):
    return [p for p in os.listdir("/proc") if p.isdigit() and process.parent(p) == pid and process.state(p) == "Z"]


@pytest.mark.bare("it measures the memory of the program alone")
def test_reloads_leave_nothing_behind(tinylb, origin, directory):
    pid_file = os.path.join(directory, "pid")
    lb = tinylb(backends=[origin(name="x").url], top={"pid_file": pid_file}, log_level="notice", timeouts={"drain": "10s"})
    done = 0

    def reload(times):
        nonlocal done
        for _ in range(times):
            start = os.path.getsize(lb.stderr_file)
            lb.hup()
            done += 1
            wait_for(lambda: b"reloaded in" in process.read(lb.stderr_file)[start:], f"reload {done}")
        wait_for(lambda: len(lb.workers()) == 1, "one worker")

    def descriptors():
        return [len(process.descriptors(pid)) for pid in (lb.pid, lb.worker)]

    def rest():
        # what belongs to a generation is let go of when its last worker is buried, a moment after its end
        wait_for(lambda: descriptors() == before, "nothing left of the old generations")

    before = descriptors()
    reload(20)
    rest()
    memory, worker_memory = heap(lb.pid), heap(lb.worker)
    # with AddressSanitizer memory is not compared, and a reload takes three times as long
    reload(40 if program.has_address_sanitizer() else RELOADS - 20)
    rest()
    # 180 generations with a leak of as little as 360 bytes in each would show.
    assert heap(lb.pid) <= memory + 64 and heap(lb.worker) <= worker_memory + 64
    assert not zombies(lb.pid)
    assert process.read(pid_file) == b"%d\n" % lb.pid and lb.get("/").text == "x"
    assert max(int(n) for n in re.findall(r"reloaded in (\d+) ms", lb.log())) < 5000
    lb.term()
    assert lb.wait_exit() == 0 and not os.path.exists(pid_file)


@pytest.mark.bare("it measures the memory of the program alone")
def test_exchanges_leave_nothing_behind(tinylb, nginx, directory):
    """10,000 of them, on kept connections and on new ones, with bodies that need buffers."""
    body = b"b" * 70000
    with open(os.path.join(directory, "index.html"), "wb") as f:
        f.write(body)
    lb = tinylb(backends=[nginx(directory, "n")[0].url], log_level="notice", access_log=False)
    address = ("127.0.0.1", lb.port)

    def exchange(kept, fresh):
        with Load(address, body, kept=True) as a, Load(address, body) as b:
            for load, count in ((b, fresh), (a, kept)):
                wait_for(lambda load=load, count=count: load.served >= count, f"{count} exchanges", 60 * SLOW)
        assert not a.lost and not b.lost
        wait_for(lambda: process.established(lb.port)[0] == 0, "the end of the connections")

    exchange(1500, 500)
    memory, descriptors = heap(lb.worker), len(process.descriptors(lb.worker))
    exchange(6000, 2000)
    assert heap(lb.worker) <= memory + 128
    # One more may be a connection to the backend.
    wait_for(lambda: len(process.descriptors(lb.worker)) <= descriptors + 1, "nothing left of the exchanges")
