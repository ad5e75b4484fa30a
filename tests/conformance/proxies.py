"""Starts what is to be tested: tinylb, or another proxy with the configuration in this folder, each as
a process of our own in front of the runner's backend, on a port that the kernel chose."""

import os
import shutil
import signal
import subprocess
import tempfile

from lib import process
from lib.ports import reserve_port
from lib.tinylb import DEATHS, REPORTS, Tinylb
from lib.wait import wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


def configuration(name, values):
    """The file NAME.in here, with @MARK@ filled in."""
    with open(os.path.join(HERE, name + ".in"), encoding="utf-8") as f:
        text = f.read()
    for mark, value in values.items():
        text = text.replace(f"@{mark}@", str(value))
    return text


class Ours:
    """tinylb, with tinylb.conf.in."""

    name = "tinylb"
    strict = True

    def __init__(self, backend_port, directory=None):
        self.directory = directory or tempfile.mkdtemp(prefix="tinylb-conformance-")
        os.chmod(self.directory, 0o755)
        self.program = Tinylb(self.directory, settings=configuration("tinylb.conf", {"BACKEND": backend_port}))
        self.program.start()
        self.address = ("127.0.0.1", self.program.port)
        self.read = 0

    def problems(self):
        """What it said since the last call that it never ought to say."""
        with open(self.program.stderr_file, encoding="utf-8", errors="replace") as f:
            f.seek(self.read)
            text = f.read()
            self.read = f.tell()
        found = [m.group(0) for m in (REPORTS.search(text), DEATHS.search(text)) if m]
        if not self.program.is_running():
            found.append("it has ended")
        return found

    def stop(self):
        try:
            self.program.stop()
        except AssertionError as e:
            return [str(e)]
        finally:
            self.program.kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        return []


class Peer:
    """Another proxy, with a configuration of this folder."""

    strict = False

    def __init__(self, name, configured, words, backend_port):
        self.name = name
        self.directory = tempfile.mkdtemp(prefix=f"tinylb-conformance-{name}-")
        os.chmod(self.directory, 0o755)
        self.port = reserve_port()
        self.address = ("127.0.0.1", self.port)
        text = configuration(configured, {"PORT": self.port, "BACKEND": backend_port, "DIR": self.directory})
        if os.geteuid() != 0:
            text = "".join(line for line in text.splitlines(True) if not line.startswith("user "))
        path = os.path.join(self.directory, configured)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        with open(os.path.join(self.directory, "stderr"), "wb") as err:
            self.popen = subprocess.Popen([w.replace("@CONF@", path).replace("@DIR@", self.directory) for w in words],
                                          stdin=subprocess.DEVNULL, stdout=err, stderr=err, start_new_session=True)
        wait_for(self._ready, f"{name} listens")

    def _ready(self):
        assert self.popen.poll() is None, process.read(os.path.join(self.directory, "stderr"))
        return process.listening(self.port)

    def problems(self):
        return [] if self.popen.poll() is None else ["it has ended"]

    def stop(self):
        self.popen.send_signal(signal.SIGTERM)
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        shutil.rmtree(self.directory, ignore_errors=True)
        return []


def find(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def nginx(backend_port):
    words = [find("nginx"), "-p", "@DIR@", "-c", "@CONF@", "-e", "stderr"]
    return Peer("nginx", "nginx.conf", words, backend_port)


def haproxy(backend_port):
    words = [find("haproxy"), "-db", "-q", "-f", "@CONF@"]
    return Peer("haproxy", "haproxy.cfg", words, backend_port)


def version(name):
    """What a peer says of itself."""
    flag = "-v"
    out = subprocess.run([find(name), flag], capture_output=True, text=True, check=False)
    return (out.stdout + out.stderr).splitlines()[0]


STARTERS = {"tinylb": Ours, "nginx": nginx, "haproxy": haproxy}


class Elsewhere:
    """A proxy that somebody else runs."""

    strict = False

    def __init__(self, name, address):
        self.name, self.address = name, address

    def problems(self):
        return []

    def stop(self):
        return []
