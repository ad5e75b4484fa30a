"""What a balancer has sent to its backends, read from the loopback device itself: no backend need live to tell.
Needs root.

    with Wire(ports, b"POST") as wire:
        ...
    wire.sent  # {number in the path: how many times it went out on a connection of its own}
"""

import collections
import ctypes
import re
import socket
import struct
import threading

SOL_PACKET, PACKET_STATISTICS = 263, 6
SO_ATTACH_FILTER, SO_RCVBUFFORCE = 26, 33
PACKET_OUTGOING = 4
NUMBER = re.compile(rb"[A-Z]+ /(\d+) ")

# Of what the kernel calls a filter: loads, jumps and returns (linux/filter.h).
LOAD_BYTE, LOAD_HALF_AT_X, LOAD_WORD_AT_X, LOAD_BYTE_AT_X = 0x30, 0x48, 0x40, 0x50
LOAD_IP_LENGTH, TO_X = 0xB1, 0x07
SHIFT_RIGHT, AND, ADD_X = 0x74, 0x54, 0x0C
EQUAL, RETURN = 0x15, 0x06


def request_filter(ports, word):
    """Lets segments to these ports pass that begin with a word of four letters."""
    content = 4 + len(ports)  # the steps that look at what is behind the header of TCP
    refuse = content + 8

    def equal(at, value, then, other):
        return EQUAL, then - at - 1, other - at - 1, value

    steps = [(LOAD_BYTE, 0, 0, 9), equal(1, socket.IPPROTO_TCP, 2, refuse), (LOAD_IP_LENGTH, 0, 0, 0),
             (LOAD_HALF_AT_X, 0, 0, 2)]
    for at, port in enumerate(ports, 4):
        steps.append(equal(at, port, content, at + 1 if port != ports[-1] else refuse))
    steps += [(LOAD_BYTE_AT_X, 0, 0, 12), (SHIFT_RIGHT, 0, 0, 2), (AND, 0, 0, 0x3C), (ADD_X, 0, 0, 0), (TO_X, 0, 0, 0),
              (LOAD_WORD_AT_X, 0, 0, 0), equal(content + 6, int.from_bytes(word, "big"), content + 7, refuse),
              (RETURN, 0, 0, 160), (RETURN, 0, 0, 0)]
    return b"".join(struct.pack("HBBI", *step) for step in steps), len(steps)


class Wire:
    def __init__(self, ports, word):
        self.sent = collections.Counter()
        self.seen = set()  # (source port, sequence number, request): what was repeated is one
        self.over = threading.Event()
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        code, length = request_filter(ports, word)
        self.code = ctypes.create_string_buffer(code)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                               struct.pack("HL", length, ctypes.addressof(self.code)))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        self.socket.bind(("lo", 0x0800))
        self.socket.settimeout(0.1)
        self.thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        _, dropped = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.socket.close()
        assert not dropped, f"{dropped} segments were not seen"

    def _read(self):
        while True:
            try:
                packet, address = self.socket.recvfrom(2048)
            except TimeoutError:
                if self.over.is_set():
                    return
                continue
            if address[2] != PACKET_OUTGOING:
                self._take(packet)

    def _take(self, packet):
        start = 4 * (packet[0] & 15)
        port, _, sequence = struct.unpack_from("!HHI", packet, start)
        found = NUMBER.match(packet, start + (packet[start + 12] >> 2 & 0x3C))
        if found and (port, sequence, found[1]) not in self.seen:
            self.seen.add((port, sequence, found[1]))
            self.sent[int(found[1])] += 1
