"""Memory that runs short at a moment of the test's choice, in a process of the program.

    memory = ShortMemory(directory)
    lb = tinylb(backends=[o.url], env=memory.env)
    memory.arm(lb.worker, 3)        # the third allocation from now fails
    ...
    memory.disarm()
    assert memory.hits == 0, memory.where

short_memory.so is preloaded into the program; what it does, and what the members mean, stands in
short_memory.c. It is built beside the program by `make check` and `make check-process`.
"""

import ctypes
import mmap
import os
import subprocess

from . import tinylb
from .wait import Timeout, wait_for


class Control(ctypes.Structure):
    """As in short_memory.c."""

    _fields_ = [("pid", ctypes.c_int64), ("children", ctypes.c_int64), ("left", ctypes.c_int64),
                ("for_good", ctypes.c_int64), ("seen", ctypes.c_int64), ("hits", ctypes.c_int64),
                ("live", ctypes.c_int64), ("spared", ctypes.c_char * 64), ("where", ctypes.c_char * 640)]


def library():
    return os.path.join(os.path.dirname(tinylb.binary()), "tests", "lib", "short_memory.so")


def missing():
    """Why memory cannot be made short here; None where it can."""
    if tinylb.wrapper():
        return "allocations are the wrapper's: they cannot be made to fail"
    if tinylb.has_address_sanitizer():
        return "allocations are AddressSanitizer's: they cannot be made to fail"
    if not os.path.exists(library()):
        return f"there is no {library()}: `make check-process` builds it"
    return None


class ShortMemory:
    def __init__(self, directory):
        self.file = os.path.join(directory, "memory")
        with open(self.file, "wb") as f:
            f.truncate(ctypes.sizeof(Control))
        os.chmod(self.file, 0o666)
        with open(self.file, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), ctypes.sizeof(Control))
        self.control = Control.from_buffer(self.map)

    @property
    def env(self):
        """For the program's environment."""
        return {"LD_PRELOAD": library(), "SHORT_MEMORY": self.file}

    def watch(self, pid):
        """Counts the blocks of a process; its next allocation or release brings .live up to date."""
        self.control.left = self.control.for_good = self.control.children = 0
        self.control.pid = pid

    def arm(self, pid, k, for_good=False, children=False, spared=""):
        """Lets the k-th allocation of a process fail: from now on, or of each that it starts from now
        on, though not those within the libraries and functions whose names are in `spared`."""
        self.control.pid = 0
        self.control.seen = self.control.hits = 0
        self.control.where = b""
        self.control.spared = spared.encode()
        self.control.for_good, self.control.children, self.control.left = for_good, children, k
        self.control.pid = pid

    def disarm(self):
        """Returns whether an allocation had failed."""
        self.control.left = self.control.for_good = 0
        return self.hits > 0

    @property
    def hits(self):
        return self.control.hits

    @property
    def seen(self):
        return self.control.seen

    @property
    def live(self):
        return self.control.live

    @property
    def where(self):
        """Who asked for the first that failed, innermost first."""
        names = {os.path.basename(tinylb.binary()): tinylb.binary()}
        words = []
        for word in self.control.where.decode().split():
            name, _, offset = word.rpartition("+")
            if name in names:
                r = subprocess.run(["addr2line", "-f", "-e", names[name], offset], capture_output=True,
                                   text=True, check=False)
                word = r.stdout.split("\n")[0] or word
            words.append(word)
        return " < ".join(words)

    def wait_live(self, most, when):
        """Waits until no more than that many blocks live."""
        try:
            wait_for(lambda: self.live <= most)
        except Timeout:
            raise AssertionError(f"{self.live} blocks, not {most}, {when}: {self.where}") from None
