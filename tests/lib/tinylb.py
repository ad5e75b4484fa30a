"""The program under test, running.

    lb = tinylb(backends=[a.url, b.url], workers=2)      # made, started and ready
    lb.client().get("/")

It runs in the foreground in a process group and a directory of its own. What a test does not say is
chosen so that a failure tells most: log level debug, an access log, a fixed seed. Settings come from
keywords, or as text in which @PORT@ (@PORT2@, ...) and @DIR@ are filled in.

When it is stopped, everything that nobody asked for is a failure, whatever the clients saw: a wrong exit
code, a sanitizer's report, a core, a worker that died.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess

from . import process
from .accesslog import ACCESS_LINE, AccessLine
from .client import Client
from .ports import reserve_port
from .settings import make
from .wait import DEADLINE, SLOW, wait_end, wait_for

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What must never be in a log. Lines of sanitizers, of assert(3) and of valgrind.
REPORTS = re.compile(
    r"ERROR: (Address|Leak|Undefined)\w*|LeakSanitizer|runtime error:|AddressSanitizer"
    r"|Assertion .* failed|stack smashing|double free|corrupted size|==\d+== (Invalid|Conditional|Use of)"
)

# How the master reports the death of a worker that it did not ask for.
DEATHS = re.compile(r"error: worker \d+ .*(was killed|exited|could not start)")


def binary():
    """The absolute path of the program: $TINYLB, or the one built in the source folder."""
    path = os.environ.get("TINYLB") or os.path.join(TOP, "tinylb")
    if not os.path.isabs(path):
        raise RuntimeError(f"TINYLB must be an absolute path, not {path}")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"no program at {path}: build it, or set TINYLB to where it is")
    return path


def has_address_sanitizer():
    with open(binary(), "rb") as f:
        return b"__asan_init" in f.read()


def wrapper():
    """Words in front of the program: $TINYLB_WRAPPER, for example "valgrind -q"."""
    return shlex.split(os.environ.get("TINYLB_WRAPPER") or "")


def command(*words):
    """A command line of the program."""
    return [*wrapper(), binary(), *words]


def environment(**more):
    """The environment in which it runs."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("NOTIFY_", "JOURNAL_", "PYTEST"))}
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:detect_stack_use_after_return=1:exitcode=99")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.update(more)
    return env


def run(*words, deadline=None, **more):
    """Runs a command that ends by itself and returns what subprocess.run does, with text."""
    more.setdefault("env", environment())
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=deadline or DEADLINE, check=False, **more
    )


class Tinylb:
    def __init__(self, directory, backends=(), settings=None, workers=1, seed=7, top=None, pool=None,
                 listen=("127.0.0.1:@PORT@",), pools=None, listeners=None, log_level="debug",
                 timeouts=None, limits=None, access_log=True, words=None, args=(), env=None, prefix=(), pass_fds=()):
        """
        backends  URLs, or (URL, weight) pairs, or dicts of backend options
        top       dict of further top-level options, e.g. {"half_close": True}
        pool      dict of further options of the pool
        pools     instead of backends: {name: (backends, {options})}
        listeners instead of listen: [(address, pool name)]
        settings  instead of all of these: the text of the file
        words     instead of a file: the words of the command line
        args      more words of the command line
        prefix    words in front of the program, e.g. ["prlimit", "--nofile=64"]
        pass_fds  descriptors that it inherits, under the same numbers
        """
        self.directory = str(directory)
        self.settings_file = os.path.join(self.directory, "tinylb.conf")
        self.access_file = os.path.join(self.directory, "access.log")
        self.stderr_file = os.path.join(self.directory, "stderr")
        self.workers_wanted = workers
        self.ports = []
        self.words = words
        self.args = list(args)
        self.env = env or {}
        self.prefix = list(prefix)
        self.pass_fds = tuple(pass_fds)
        self.popen = None
        self.began = 0  # where its messages begin, behind those of an earlier start
        self.expected_exit = 0
        self.deaths_expected = False
        self.clients = []
        if words is None:
            if settings is None:
                settings = make(backends, workers, seed, top, pool, listen, pools, listeners, log_level, timeouts,
                                limits, access_log)
            self.write(settings)
        else:
            self.words = [self.fill(w) for w in words]
            self.settings = " ".join(self.words)

    # settings

    def fill(self, text):
        """Fills in @PORT@, @PORT2@ ... and @DIR@."""
        def port(m):
            number = int(m.group(1) or 1)
            while len(self.ports) < number:
                self.ports.append(reserve_port())
            return str(self.ports[number - 1])

        return re.sub(r"@PORT(\d*)@", port, text).replace("@DIR@", self.directory)

    def write(self, settings):
        """Writes the settings file (anew)."""
        self.settings = self.fill(settings)
        with open(self.settings_file, "w", encoding="utf-8") as f:
            f.write(self.settings)

    @property
    def port(self):
        return self.ports[0]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # life

    def start(self, wait=True):
        words = self.words if self.words is not None else ["-c", self.settings_file]
        with open(self.stderr_file, "ab") as err:
            self.began = os.fstat(err.fileno()).st_size
            self.popen = subprocess.Popen(
                [*self.prefix, *command(*words, *self.args)], stdin=subprocess.DEVNULL, stdout=err,
                stderr=err, cwd=self.directory, env=environment(**self.env), start_new_session=True,
                pass_fds=self.pass_fds)
        if wait:
            self.wait_ready()
        return self

    def _is_announced(self):
        """Whether the master has said that it is ready, a moment after the last worker began to listen: a
        signal before that is one to a program that starts. True where its messages cannot tell."""
        tells = self.words is None and re.search(r'^log_level = "(debug|info|notice)"', self.settings, re.M) \
            and not re.search(r"(^|\s)log = ", self.settings) \
            and os.path.isfile(self.stderr_file) \
            and process.descriptors(self.pid).get(2) == os.path.realpath(self.stderr_file)
        return not tells or b" is ready: pid " in process.read(self.stderr_file)[self.began:]

    def wait_ready(self, workers=None):
        """Waits until every worker listens on every address, and the master knows it."""
        wanted = self.workers_wanted if workers is None else workers

        def ready():
            if self.popen.poll() is not None:
                raise AssertionError(f"ended at once with {self.popen.returncode}:\n{self.log()}")
            return all(process.listening(p, self.pid) >= max(1, wanted) for p in self.ports) and all(
                process.listening_unix(p, self.pid) for p in re.findall(r'address = "unix:([^"]+)"', self.settings)) and self._is_announced()

        wait_for(ready, "every worker listens", 3 * DEADLINE)

    @property
    def pid(self):
        """The master."""
        return self.popen.pid

    def signal(self, number):
        os.kill(self.pid, number)

    def hup(self):
        self.signal(signal.SIGHUP)

    def term(self):
        self.signal(signal.SIGTERM)

    def usr1(self):
        self.signal(signal.SIGUSR1)

    def is_running(self):
        return self.popen is not None and self.popen.poll() is None

    def wait_exit(self, deadline=None):
        """Waits for the end of the master and returns its exit code."""
        ended = wait_end(self.pid, DEADLINE if deadline is None else deadline)
        wait_for(lambda: self.popen.poll() is not None, "the end of the master", deadline if ended else 0)
        return self.popen.returncode

    def workers(self):
        """{(slot, generation): pid} by the titles of the processes."""
        last = None
        while True:
            # a title can be read while it is being written, and between fork and the first one a
            # child shows its master's: so twice the same
            found = self._titled()
            if found == last:
                return found
            last = found

    def _titled(self):
        found = {}
        others = []
        for pid in process.children(self.pid):
            m = re.search(r"tinylb: worker (\d+) gen (\d+)", process.title(pid))
            if m:
                found[int(m.group(1)), int(m.group(2))] = pid
            else:
                others.append(pid)
        if not found and wrapper():
            # valgrind keeps titles to itself; the log tells, or else the order of birth has to do
            started = re.findall(r"worker (\d+) gen (\d+) \(pid (\d+)\) was started", self.log())
            found = {(int(slot), int(gen)): int(pid) for slot, gen, pid in started if int(pid) in others}
            if not started:
                found = {(slot, 0): pid for slot, pid in enumerate(others)}
        return found

    def worker_pids(self):
        return [pid for _, pid in sorted(self.workers().items())]

    @property
    def worker(self):
        """The only worker."""
        pids = self.worker_pids()
        assert len(pids) == 1, f"workers: {self.workers()}"
        return pids[0]

    def worker_of(self, client):
        """The worker that has the other end of a client's connection. As long as that waits to be accepted, or is
        on its way from one worker to another, none has."""

        def holder():
            inode = process.tcp_inode(self.port, client.name[1])
            for pid in self.worker_pids():
                if f"socket:[{inode}]" in process.descriptors(pid).values():
                    return pid
            return None

        return wait_for(holder, f"a worker that has the connection from {client.name}")

    def workers_of(self, clients):
        """For many clients at once: the tables of the system are read once."""
        inodes = process.tcp_inodes(self.port)
        holders = {target: pid for pid in self.worker_pids() for target in process.descriptors(pid).values()}
        return [holders[f"socket:[{inodes[c.name[1]]}]"] for c in clients]

    def processes(self):
        """Everything that belongs to it."""
        found, queue = [], [self.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += process.children(pid)
        return found

    def close_clients(self):
        for c in self.clients:
            with contextlib.suppress(OSError):
                c.close()
        self.clients = []

    def stop(self):
        """Stops it as an administrator would, and judges how it was."""
        if self.popen is None:
            return
        self.close_clients()
        problems = []
        if self.popen.poll() is None:
            self.term()
            try:
                self.wait_exit(5 * SLOW)
            except AssertionError:
                problems.append("was still there 5 s after TERM")
                self.term()
                with contextlib.suppress(AssertionError):
                    self.wait_exit(5 * SLOW)
        self.kill()
        if self.popen.returncode != self.expected_exit:
            problems.append(f"exit code {self.popen.returncode}, not {self.expected_exit}")
        problems += self.problems()
        assert not problems, "tinylb: " + "; ".join(problems)

    def kill(self):
        """Ends all that is left of its process group."""
        if self.popen is None:
            return
        with contextlib.suppress(OSError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

        def gone():
            try:
                os.killpg(self.popen.pid, 0)
            except OSError:
                return True
            return False

        with contextlib.suppress(AssertionError):
            wait_for(gone, deadline=5)

    def problems(self):
        """What nobody asked for: reports of sanitizers, cores, deaths."""
        found = []
        for name in os.listdir(self.directory):
            path = os.path.join(self.directory, name)
            if re.fullmatch(r"(vg)?core(\.\d+)?", name):
                found.append(f"a core: {path}")
            elif os.path.isfile(path) and os.path.getsize(path) < 1 << 27:
                m = REPORTS.search(process.read(path).decode("latin-1"))
                if m:
                    found.append(f"{name} has {m.group(0)!r}")
        if not self.deaths_expected:
            m = DEATHS.search(self.log())
            if m:
                found.append(f"a worker died: {m.group(0)!r}")
        return found

    # clients

    def client(self, address=None, **more):
        c = Client(address or ("127.0.0.1", self.port), **more)
        self.clients.append(c)
        return c

    def get(self, target="/", headers=(), **more):
        """One request on a connection of its own."""
        with self.client() as c:
            return c.get(target, headers, **more)

    # logs

    def log(self):
        """All messages so far."""
        return process.read(self.stderr_file).decode("utf-8", "replace")

    def log_lines(self, pattern):
        return [line for line in self.log().splitlines() if re.search(pattern, line)]

    def wait_log(self, pattern, times=1, deadline=None, start=0):
        """Waits until that many lines match."""
        def enough():
            lines = self.log()[start:].splitlines()
            return [line for line in lines if re.search(pattern, line)][: max(times, 0)]

        wait_for(lambda: len(enough()) >= times, f"{times} x /{pattern}/ in the log", deadline)
        return enough()

    @contextlib.contextmanager
    def log_contains(self, pattern, times=1, deadline=None):
        """The block must make the log gain at least that many matching lines; with times=0, none."""
        start = len(self.log())
        yield
        if times == 0:
            lines = [x for x in self.log()[start:].splitlines() if re.search(pattern, x)]
            assert not lines, f"unexpected in the log: {lines}"
        else:
            self.wait_log(pattern, times, deadline, start)

    def access_text(self):
        return process.read(self.access_file).decode("utf-8", "replace")

    def access_lines(self):
        """The whole access log; a line that is not as documented fails."""
        lines = []
        for text in self.access_text().splitlines(keepends=True):
            if text.endswith("\n"):
                m = ACCESS_LINE.fullmatch(text)
                assert m, f"not an access log line: {text!r}"
                lines.append(AccessLine(m))
        return lines

    def access(self, n=1, deadline=None):
        """Waits until the access log has n lines and returns all of them."""
        wait_for(lambda: len(self.access_lines()) >= n, f"line {n} of the access log", deadline)
        return self.access_lines()

    def describe(self):
        """For the report of a failed test."""
        log = self.log().splitlines()
        shown = log if len(log) <= 60 else log[:15] + [f"... {len(log) - 60} lines ..."] + log[-45:]
        access = self.access_text().splitlines()[-15:]
        return "\n".join([f"kept: {self.directory}", "--- settings", self.settings, "--- messages",
                          *shown, "--- access log", *access])
