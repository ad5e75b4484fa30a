"""The TCP sockets of this network namespace, asked of the kernel by their states (sock_diag(7)).

The tables in /proc/net hold every connection that was closed a minute ago as well: after some thousands
of them to read one takes longer than most tests."""

import socket
import struct

# Sets of states; OPEN are those that a process holds (all but TIME_WAIT, and those before accept).
ESTABLISHED, LISTEN = 1 << 1, 1 << 10
OPEN = ESTABLISHED | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 11

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")
# Behind a header: of struct inet_diag_msg the state, both ports and the inode.
_ANSWER = struct.Struct("=xBxx2s2s60xI")


def _messages(s):
    while True:
        data = s.recv(1 << 17)
        at = 0
        while at < len(data):
            size, kind, _, _, _ = _HEADER.unpack_from(data, at)
            if kind == _DONE:
                return
            if kind == _ERROR:
                number = struct.unpack_from("=i", data, at + _HEADER.size)[0]
                raise OSError(-number, "the kernel does not tell of its sockets")
            yield data, at + _HEADER.size
            at += (size + 3) & ~3


def tcp_sockets(states):
    """Of each socket in one of those states (near port, far port, inode), or OSError where the kernel cannot tell."""
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as s:
            request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, states)
            s.send(_HEADER.pack(_HEADER.size + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + request)
            for data, at in _messages(s):
                _, near, far, inode = _ANSWER.unpack_from(data, at)
                found.append((int.from_bytes(near, "big"), int.from_bytes(far, "big"), inode))
    return found
