"""Somebody who has taken a worker over, and tries what the sandbox is there to stop.

    intruder = Intruder(directory)
    lb = tinylb(backends=[o.url], env=intruder.env)
    intruder.act("open")            # by the worker that accepts the next client
    lb.get("/")
    assert intruder.result == errno.EACCES

intruder.so is preloaded into the program; what it does stands in intruder.c. It also plays older kernels.
It is built beside the program by `make check` and `make check-process`.
"""

import ctypes
import mmap
import os

from . import tinylb
from .wait import wait_for

ACTS = ["nothing", "run", "open", "connect", "code", "signal"]


class Control(ctypes.Structure):
    """As in intruder.c."""

    _fields_ = [("act", ctypes.c_int64), ("result", ctypes.c_int64), ("port", ctypes.c_int64),
                ("landlock", ctypes.c_int64), ("filters", ctypes.c_int64), ("file", ctypes.c_char * 256)]


def library():
    return os.path.join(os.path.dirname(tinylb.binary()), "tests", "lib", "intruder.so")


def missing():
    """Why nothing can be preloaded here, or why there is no whole sandbox; None where all is well."""
    if tinylb.wrapper():
        return "the program runs in a wrapper"
    if tinylb.has_address_sanitizer():
        return "AddressSanitizer needs what the sandbox forbids"
    with open(tinylb.binary(), "rb") as f:
        if b".gcda\0" in f.read():
            return "a build that measures coverage has no sandbox"
    if not os.path.exists(library()):
        return f"there is no {library()}: `make check-process` builds it"
    return None


def landlock():
    """The version of Landlock that the kernel has; 0: none."""
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


class Intruder:
    def __init__(self, directory):
        self.path = os.path.join(directory, "intruder")
        self.mark = os.path.join(directory, "was-here")
        with open(self.path, "wb") as f:
            f.truncate(ctypes.sizeof(Control))
        os.chmod(self.path, 0o666)
        with open(self.path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), ctypes.sizeof(Control))
        self.control = Control.from_buffer(self.map)
        self.control.landlock, self.control.filters, self.control.file = -1, 1, self.mark.encode()

    @property
    def env(self):
        """For the program's environment."""
        return {"LD_PRELOAD": library(), "INTRUDER": self.path}

    def act(self, name, port=0):
        """What the worker that accepts the next client does."""
        self.control.port, self.control.result = port, -1
        self.control.act = ACTS.index(name)

    @property
    def result(self):
        """What came of it: 0, or an errno."""
        wait_for(lambda: self.control.result != -1, "the intruder's attempt")
        return self.control.result

    def was_here(self):
        """Whether a program was run."""
        return os.path.exists(self.mark)
