"""Reads the board of a running tinylb from outside: the memory that its master and workers share."""

import struct

from lib import process

HEADER = struct.Struct("<QIIIIII32x")
RETIRED = 96  # behind the header, and how many funerals there were, places used, and where rows are
CELLS = 40    # in a place: behind its pulse and what is not counted
TAKEN = 32    # likewise; what was passed to it is in the last line but one
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


def waiting(pid):
    """How many connections workers were passed by siblings and have not taken yet, by place."""
    memory = read(pid)
    _, _, header_size, place_size, places, _, _ = HEADER.unpack_from(memory)

    def word(place, at):
        return struct.unpack_from("<I", memory, header_size + place * place_size + at)[0]

    return [word(i, place_size - 2 * LINE) - word(i, TAKEN) for i in range(places)]


# What rows.h keeps of each backend and each pool.

ROOM = struct.Struct("<I4xQQ")  # which one, where, how long; behind funerals and places used
ROWS = struct.Struct("<Q6I")
ROWS_MAGIC = 0x73776F72626C7974
PAGE, BANK, LINE = 4096, 16, 64
IN_FLIGHT, CONNECTIONS = range(2)  # gauges
# Counts of a backend, and states of its health.
COUNTS = ("requests", "answers", "5xx", "connect failed", "cut", "timed out", "bad response")
STATES = ("ready", "ejected", "down", "refusing", "empty")
WHOLE = (1 << 64) - 1


def row_key(pool, url, ordinal=0):
    """What the row of a backend is found by; that of a pool: with no URL."""
    value = 0xCBF29CE484222325
    for byte in pool.encode() + bytes([0]) + url.encode() + bytes([0, ordinal]):
        value = (value ^ byte) * 0x100000001B3 & WHOLE
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & WHOLE
    value = (value ^ value >> 27) * 0x94D049BB133111EB & WHOLE
    return value ^ value >> 31 or 1


class Rows:
    """All of them, as they were at a moment."""

    def __init__(self, pid):
        self.memory = read(pid)
        room, at, _ = ROOM.unpack_from(self.memory, 72)
        assert room, "there are no rows on the board"
        magic, self.rows, self.pools, self.columns, self.cells_size, self.pool_size, alarms = ROWS.unpack_from(
            self.memory, at)
        assert magic == ROWS_MAGIC, "the form of the rows is another one"
        self.banks = -(-self.columns // BANK)
        sizes = {"header": 256, "health": 8 * self.rows, "keys": 8 * (self.rows + self.pools),
                 "taken": 4 * self.columns, "alarms": alarms * self.columns,
                 "gauges": 2 * self.banks * self.rows * LINE, "pool": self.columns * self.pools * self.pool_size,
                 "retired": self.rows * self.cells_size, "cells": self.columns * self.rows * self.cells_size}
        self.at = {}
        for name, size in sizes.items():
            self.at[name] = at
            at += -(-size // PAGE) * PAGE
        self.keys = self._unpack(f"<{self.rows}Q", self.at["keys"])
        self.pool_keys = self._unpack(f"<{self.pools}Q", self.at["keys"] + 8 * self.rows)

    def _unpack(self, form, at):
        return struct.unpack_from(form, self.memory, at)

    def row(self, pool, url, ordinal=0):
        return self.keys.index(row_key(pool, url, ordinal))

    def gauge(self, kind, row):
        """Of each column."""
        found = []
        for bank in range(self.banks):
            found += self._unpack("<16I", self.at["gauges"] + LINE * ((kind * self.banks + bank) * self.rows + row))
        return found[: self.columns]

    def sum(self, kind):
        """Over all rows and columns."""
        return sum(sum(self.gauge(kind, row)) for row in range(self.rows))

    def health(self, row):
        """(state, share, epoch)"""
        word = self._unpack("<Q", self.at["health"] + 8 * row)[0]
        return STATES[word >> 56], word >> 40 & 0xFFFF, word & (1 << 40) - 1

    def counts(self, row):
        """All that was ever counted, by name."""
        cells = [self.at["retired"] + row * self.cells_size]
        cells += [self.at["cells"] + (column * self.rows + row) * self.cells_size for column in range(self.columns)]
        found = [self._unpack(f"<{len(COUNTS)}Q", at) for at in cells]
        return dict(zip(COUNTS, map(sum, zip(*found))))

    def pool(self, pool):
        """Of each column: (since when the first waits, how many wait, how many are in flight)"""
        return [self._unpack("<QII", self.at["pool"] + (column * self.pools + pool) * self.pool_size)
                for column in range(self.columns)]
