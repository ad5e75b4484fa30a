"""Reads the board of a running tinylb from outside: the memory that its master and workers share."""

import struct

from lib import process

HEADER = struct.Struct("<QIIIIII32x")
RETIRED = 96  # behind the header, and how many funerals there were, places used, and where rows are
CELLS = 40    # in a place: behind its pulse and what is not counted
REQUESTS = 1


def read(pid):
    for fd, target in process.descriptors(pid).items():
        if "tinylb-board" in target:
            with open(f"/proc/{pid}/fd/{fd}", "rb") as f:
                return f.read()
    raise AssertionError("the master has no board")


def total(pid, counter=REQUESTS):
    """What all workers have counted, the living and the dead."""
    memory = read(pid)
    magic, version, header_size, place_size, places, _, _ = HEADER.unpack_from(memory)
    assert magic == 0x6472616F626C7974 and version == 2, "the form of the board is another one"
    cells = [RETIRED] + [header_size + i * place_size + CELLS for i in range(places)]
    return sum(struct.unpack_from("<Q", memory, at + 8 * counter)[0] for at in cells)


