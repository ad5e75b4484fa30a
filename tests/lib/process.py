"""What /proc says of processes and sockets."""

import contextlib
import os
import re

from .diag import ESTABLISHED, LISTEN, OPEN, tcp_sockets


def read(path):
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def exists(pid):
    """True for a process that runs; a zombie does not."""
    return state(pid) not in ("", "Z", "X")


def _stat(pid):
    text = read(f"/proc/{pid}/stat").decode("latin-1")
    return text.rpartition(")")[2].split()


def state(pid):
    fields = _stat(pid)
    return fields[0] if fields else ""


def parent(pid):
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def children(pid):
    """The living children of a process, oldest first."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = _stat(name)
            if fields and int(fields[1]) == pid and fields[0] not in "ZX":
                found.append((int(fields[19]), int(name)))
    return [p for _, p in sorted(found)]


def title(pid):
    """What ps shows: the command line, which the program overwrites with its title."""
    return read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode("latin-1").strip()


def status(pid, key):
    """A line of /proc/PID/status: status(pid, "VmRSS") is kilobytes, others are text."""
    m = re.search(rf"^{key}:\s*(.*)$", read(f"/proc/{pid}/status").decode("latin-1"), re.M)
    if not m:
        return None
    value = m.group(1)
    return int(value.split()[0]) if value.endswith(" kB") else value


def reset_peak(pid):
    """Lets VmHWM begin anew at what is used now."""
    with open(f"/proc/{pid}/clear_refs", "w") as f:
        f.write("5")


def descriptors(pid):
    """What the descriptors of a process are: {number: "socket:[1234]"}."""
    found = {}
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                pass
    except OSError:
        pass
    return found


def cpu_seconds(pid):
    fields = _stat(pid)
    ticks = int(fields[11]) + int(fields[12]) if fields else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def listening(port, pid="self"):
    """How many sockets listen on a port, of any address and either family, where that process is."""
    return len(listening_inodes(port, pid))


def _table(pid, states):
    """tcp_sockets() of the namespace of a process, from its tables."""
    found = []
    for table in ("tcp", "tcp6"):
        for line in read(f"/proc/{pid}/net/{table}").decode("latin-1").splitlines()[1:]:
            fields = line.split()
            if states >> int(fields[3], 16) & 1:
                near, far = (int(x.rpartition(":")[2], 16) for x in fields[1:3])
                found.append((near, far, int(fields[9])))
    return found


def _namespace(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/net")
    except OSError:
        return ""


def _sockets(states, pid="self"):
    if _namespace(pid) == _namespace("self"):
        with contextlib.suppress(OSError):
            return tcp_sockets(states)
    return _table(pid, states)


def listening_inodes(port, pid="self"):
    """The inodes of the sockets that listen on a port."""
    return [inode for near, _, inode in _sockets(LISTEN, pid) if near == port]


def tcp_inodes(port):
    """The inodes of the connections of a port, by the port of the other end."""
    return {far: inode for near, far, inode in _sockets(OPEN) if near == port}


def tcp_inode(near, far):
    """The inode of the socket with these ports."""
    return tcp_inodes(near).get(far)


def listening_unix(path, pid="self"):
    """How many sockets listen on a path."""
    count = 0
    for line in read(f"/proc/{pid}/net/unix").decode("latin-1").splitlines()[1:]:
        fields = line.split(None, 7)
        # __SO_ACCEPTCON
        if len(fields) == 8 and fields[7] == path and int(fields[3], 16) & 0x10000:
            count += 1
    return count


def established(port):
    """How many connections there are whose near or far end is a port, counted once for each end that
    is on this machine: (near, far)."""
    found = _sockets(ESTABLISHED)
    return sum(near == port for near, _, _ in found), sum(far == port for _, far, _ in found)
