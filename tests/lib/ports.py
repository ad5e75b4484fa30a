"""Ports that the kernel chose and that stay ours for the life of the test process.

A port is reserved by a socket that is bound with SO_REUSEADDR and never listens. The kernel gives such
a port to nobody who asks for any port, and as the source of no connection; but who names it, with
SO_REUSEADDR, gets it. So tests that run side by side cannot meet on a port, and a port on which nobody
listens refuses connections for as long as the test likes.
"""

import errno
import socket

_reserved = []


def _bind_any():
    try:
        s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", 0))
        return s
    except OSError as e:
        if e.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", 0))
    return s


def reserve_port():
    """A port that no other test has."""
    s = _bind_any()
    _reserved.append(s)
    return s.getsockname()[1]


def has_ipv6():
    """True where the loopback has ::1."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False
