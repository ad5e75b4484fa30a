"""Those who are measured: the floor, tinylb, and its peers of Debian, with settings from tests/bench/peers."""

import os
import re
import shutil
import signal
import subprocess

from lib import process
from lib.ports import reserve_port
from lib.tinylb import binary
from lib.wait import wait_for

from . import fields, meter

# Peers keep what memory they had once. As glibc does it otherwise, some give it back and take it again in each
# request, and on a virtual machine a fault for a page may cost a hundred times what it costs elsewhere.
KEEP_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.trim_threshold=1073741824:glibc.malloc.mmap_threshold=33554432:"
                                 "glibc.malloc.top_pad=1048576"}
PEERS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers")


class Proxy:
    """One of them, in a folder of its own. The class says what is particular."""

    name = package = program = settings = None
    # How a backend stands in its settings, what stands between two, and how many it can have.
    backend, between, most = "{}", "\n  ", None
    version_words = ("-v",)
    environment = KEEP_MEMORY
    # What reaches a backend beside what the client said, and of that what must not: parts/fields.py.
    adds, passes = fields.ALL, ()

    def __init__(self, directory, backends, workers=1, clients=1024, prefix=(), plain=False):
        """backends: HOST:PORT of each; clients: the most connections of clients there will be; prefix: words
        in front of the program; plain: as it is where nobody helps it, without the environment above"""
        self.directory = directory
        self.backends = backends[: self.most]
        self.workers, self.clients = workers, clients
        self.prefix = list(prefix)
        self.env = {**os.environ, **({} if plain else self.environment)}
        self.port = reserve_port()
        self.access_log = os.path.join(directory, "access.log")
        self.popen = None
        os.makedirs(directory)
        if self.settings:
            self.write()

    @classmethod
    def path(cls):
        """Of the program, or None."""
        return shutil.which(cls.program, path=os.environ.get("PATH", "") + ":/usr/sbin")

    @classmethod
    def version(cls):
        done = subprocess.run([cls.path(), *cls.version_words], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+[.\d]*", done.stdout + done.stderr)
        return found.group(0) if found else "?"

    @property
    def conf(self):
        return os.path.join(self.directory, "conf")

    def user(self):
        """The line that lets it stay what it is where root runs it."""
        return ""

    def write(self):
        """Writes its settings."""
        values = {"PORT": self.port, "DIR": self.directory, "WORKERS": self.workers, "CLIENTS": self.clients,
                  "DESCRIPTORS": 2 * self.clients + 100, "USER": self.user() if os.geteuid() == 0 else "",
                  "BACKENDS": self.between.join(self.backend.format(b) for b in self.backends)}
        with open(os.path.join(PEERS, self.settings), encoding="utf-8") as f:
            text = re.sub(r"@([A-Z]+)@", lambda m: str(values[m.group(1)]), f.read())
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text)

    def words(self):
        raise NotImplementedError

    @property
    def stdout(self):
        return os.path.join(self.directory, "stderr")

    def start(self):
        with open(self.stdout, "ab") as out, open(os.path.join(self.directory, "stderr"), "ab") as err:
            self.popen = subprocess.Popen(
                [*self.prefix, self.path(), *self.words()], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=self.directory, env=self.env, start_new_session=True)
        try:
            wait_for(self.is_ready, f"{self.name} listens", 30)
        except BaseException:
            self.stop()
            raise
        return self

    def is_ready(self):
        if self.popen.poll() is not None:
            said = process.read(os.path.join(self.directory, "stderr")).decode("utf-8", "replace")
            raise AssertionError(f"{self.name} ended at once: {said}")
        return process.listening(self.port)

    def pids(self):
        """Of all its processes."""
        return meter.tree(self.popen.pid)

    def busy_pids(self):
        """Of those that carry traffic: the last to be born."""
        return self.pids()[-self.workers :]

    def has_logged(self):
        return not self.settings or os.path.getsize(self.access_log) > 0

    def forget_log(self):
        """Empties the access log: what is measured next does not wait for the disk."""
        if os.path.exists(self.access_log):
            os.truncate(self.access_log, 0)

    def stop(self):
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except OSError:
            pass
        self.popen.wait()


class Floor(Proxy):
    name = program = "floor"
    most, environment = 1, {}
    adds, passes = (), fields.CLAIMS
    tools = None  # the folder of the program

    @classmethod
    def path(cls):
        return shutil.which(cls.program, path=cls.tools)

    def words(self):
        return [f"127.0.0.1:{self.port}", self.backends[0]]


class Tinylb(Proxy):
    name = program = "tinylb"
    settings, environment = "tinylb.conf", {}
    backend, between = '{{ url = "http://{}"; }}', ",\n  "
    version_words = ("version",)

    @classmethod
    def path(cls):
        return binary()

    def words(self):
        return ["-c", self.conf]

    def is_ready(self):
        return (super().is_ready() or 0) >= self.workers

    def busy_pids(self):
        """By their titles: the monitor is younger than they are, and carries nothing."""
        def workers():
            found = [pid for pid in self.pids() if process.title(pid).startswith("tinylb: worker")]
            return found if len(found) == self.workers else None
        return wait_for(workers, "workers")


class Haproxy(Proxy):
    name = program = package = "haproxy"
    settings = "haproxy.cfg"
    backend = "server s{0} {0}"

    @property
    def stdout(self):
        return self.access_log

    def words(self):
        # not -q: with that it closes its standard output, and the log with it
        return ["-W", "-db", "-f", self.conf]

    def busy_pids(self):
        # its workers are threads of one process
        return self.pids()[-1:]


class Nginx(Proxy):
    name = program = "nginx"
    package = "nginx-light"
    settings = "nginx.conf"
    backend, between = "server {};", "\n    "

    def user(self):
        return "user root;"

    def words(self):
        return ["-p", self.directory, "-c", self.conf, "-e", "stderr"]


class H2o(Proxy):
    name = program = package = "h2o"
    settings = "h2o.conf"
    backend, most = "proxy.reverse.url: http://{}/", 1
    adds = ("X-Forwarded-For", "X-Forwarded-Proto", "Via")
    passes = ("X-Forwarded-For", "X-Forwarded-Host", "X-Request-Id")
    version_words = ("--version",)

    def user(self):
        return "user: root"

    def words(self):
        return ["-m", "worker", "-c", self.conf]

    def busy_pids(self):
        return self.pids()[:1]


class Nghttpx(Proxy):
    name = program = "nghttpx"
    package = "nghttp2-proxy"
    settings = "nghttpx.conf"
    backend, between = "backend={}", "\n"
    adds = ("X-Forwarded-For", "X-Forwarded-Proto", "Via")
    passes = ("X-Forwarded-Host", "X-Real-IP", "X-Request-Id")

    def write(self):
        self.backends = [b.replace(":", ",") for b in self.backends]
        super().write()

    def words(self):
        return [f"--conf={self.conf}"]

    def busy_pids(self):
        return self.pids()[-1:]


ALL = (Floor, Tinylb, Haproxy, Nginx, H2o, Nghttpx)
BESIDE = ("floor", "tinylb")  # no peers
