"""A program that sees other files than everybody else: words to put in front of it (Tinylb's `prefix`).

It gets a mount namespace of its own, in which files of the test stand in the place of the system's. It
takes root, and the right to mount, which not every container gives.
"""

import os
import shutil
import subprocess

import pytest


def _prefix(script):
    """The words that run a shell script in a new namespace, and then the program."""
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script + '\nexec "$@"', "sh"]
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("may not mount here")
    return words


class Names:
    """Which names there are, for one program: set() says so anew at any time."""

    def __init__(self, directory, nameserver):
        self.hosts = os.path.join(directory, "hosts")
        resolv = os.path.join(directory, "resolv.conf")
        self.set()
        with open(resolv, "w", encoding="ascii") as f:
            f.write(f"nameserver {nameserver}\noptions timeout:20 attempts:2\n")
        self.prefix = _prefix(f"mount --bind {self.hosts} /etc/hosts\nmount --bind {resolv} /etc/resolv.conf")

    def set(self, *names, address="127.0.0.1"):
        """In place: the program has this very file mounted."""
        with open(self.hosts, "w", encoding="ascii") as f:
            f.write(f"127.0.0.1 localhost\n{address} {' '.join(names)}\n" if names else "127.0.0.1 localhost\n")


def names(directory, nameserver="127.0.0.78"):
    """By default nobody is at the name server's address: what is not in the hosts file fails at once."""
    return Names(directory, nameserver)


def syslog_at(directory, path):
    """A /dev in which /dev/log leads to `path`."""
    dev = os.path.join(directory, "dev")
    os.makedirs(dev, exist_ok=True)
    return _prefix(f"mount -t tmpfs none {dev}\n"
                   f"cp -a /dev/null /dev/zero /dev/urandom /dev/random {dev}\n"
                   f"mkdir {dev}/shm\nln -s /proc/self/fd {dev}/fd\nln -s {path} {dev}/log\n"
                   f"mount --bind {dev} /dev")
