"""What /proc tells of the cost of processes: processor time, memory; and what machine this is."""

import os
import platform
import re
import time

from lib import process


def tree(pid):
    """A process and all that descend from it."""
    found = [pid]
    for p in found:
        found += process.children(p)
    return found


def cpu_ns(pids):
    """Processor time of all threads of these processes, in nanoseconds."""
    total = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            total += int((process.read(f"/proc/{pid}/task/{task}/schedstat") or b"0").split()[0])
    return total


def settled_cpu_ns(pids):
    """The same, when they have come to rest: what a load leaves them to do is done."""
    limit = time.monotonic() + 1
    last = cpu_ns(pids)
    while time.monotonic() < limit:
        time.sleep(0.02)
        now = cpu_ns(pids)
        # beside a timer, an idle program does nothing
        if now - last < 50_000:
            break
        last = now
    return cpu_ns(pids)


def _rollup(pid, *keys):
    text = process.read(f"/proc/{pid}/smaps_rollup").decode("latin-1")
    return sum(int(kb) for key, kb in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M) if key in keys) * 1024


def private_bytes(pids):
    """Memory that these processes share with nobody."""
    return sum(_rollup(pid, "Private_Clean", "Private_Dirty") for pid in pids)


def pss_bytes(pids):
    """Memory of these processes; what several share counts by shares."""
    return sum(_rollup(pid, "Pss") for pid in pids)


def machine():
    """Lines that tell what was measured on."""
    model = re.search(rb"^model name\s*:\s*(.*)$", process.read("/proc/cpuinfo"), re.M)
    name = model.group(1).decode() if model else platform.machine()
    kind = ", virtual" if b" hypervisor" in process.read("/proc/cpuinfo") else ""
    return f"{name}, {os.cpu_count()} processors{kind}; Linux {platform.release()}"
