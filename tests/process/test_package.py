"""The life of the Debian package: built, checked, installed, started by its unit's own command line as its
own user on a port below 1024, edited, reloaded, rotated, removed, purged, and nothing of it is left.

No systemd is needed: what the unit says is done here by setpriv and a notification socket.
"""

import glob
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from lib import process
from lib.client import Client
from lib.wait import DEADLINE, wait_for

from test_install import build_folder

SETTINGS = "/etc/tinylb/tinylb.conf"
LOGS = "/var/log/tinylb"
UNIT = "lib/systemd/system/tinylb.service"


def run(*words, **more):
    return subprocess.run(words, capture_output=True, text=True, check=False, **more)


def root(*words, **more):
    """Runs a command as root."""
    return run(*([] if os.geteuid() == 0 else ["sudo", "-n"]), *words, **more)


def good(done):
    assert done.returncode == 0, f"{done.args}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def is_installed():
    return "installed" in run("dpkg-query", "-W", "-f=${db:Status-Status}", "tinylb").stdout


def needs_a_free_machine():
    """Skips where the package cannot be installed, or is in use."""
    if os.geteuid() != 0 and run("sudo", "-n", "true").returncode != 0:
        pytest.skip("installing a package needs root, or sudo without a password")
    if is_installed() and not os.environ.get("CI"):
        pytest.skip("a tinylb package is installed here, and this test would remove it")


@pytest.fixture(scope="module")
def package():
    """The .deb, built from what a source archive would hold."""
    for tool in ("dpkg-buildpackage", "dh", "lintian"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    env["DEB_BUILD_OPTIONS"] = "nocheck"  # they have run
    good(run("make", "-C", build_folder(), "deb", env=env))
    (deb,) = glob.glob(os.path.join(build_folder(), "deb", "tinylb_*.deb"))
    return deb


def unit_of(package, directory):
    good(run("dpkg-deb", "-x", package, directory))
    return os.path.join(directory, UNIT)


class Unit:
    """What a unit file says."""

    def __init__(self, path):
        self.lines = []
        with open(path, encoding="utf-8") as f:
            for line in f:
                if "=" in line and not line.startswith("#"):
                    self.lines.append(tuple(line.rstrip("\n").split("=", 1)))

    def all(self, key):
        return [v for k, v in self.lines if k == key]

    def get(self, key):
        return self.all(key)[-1]


class Service:
    """Does for one service what its unit asks of systemd."""

    def __init__(self, directory):
        self.unit = Unit("/" + UNIT)
        self.directory = directory
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(os.path.join(directory, "notify"))
        os.chmod(os.path.join(directory, "notify"), 0o777)
        self.notify.settimeout(DEADLINE)
        self.messages = []
        self.process = None

    def start(self):
        unit = self.unit
        user = unit.get("User")
        capability = unit.get("AmbientCapabilities").replace("CAP_", "").lower()
        runtime = "/run/" + unit.get("RuntimeDirectory")
        good(root("install", "-d", "-o", user, "-g", unit.get("Group"), runtime))
        words = [] if os.geteuid() == 0 else ["sudo", "-n"]
        words += ["env", "-i", "PATH=/usr/bin:/usr/sbin", f"NOTIFY_SOCKET={self.directory}/notify"]
        words += ["setpriv", f"--reuid={user}", f"--regid={unit.get('Group')}", "--init-groups"]
        words += [f"--{kind}=-all,+{capability}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
        words += ["--no-new-privs", "sh", "-c", f"umask {unit.get('UMask')}; exec \"$0\" \"$@\""]
        words += unit.get("ExecStart").split()
        with open(os.path.join(self.directory, "stderr"), "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_message("READY=1")

    @property
    def pid(self):
        """MainPID: the master itself, not a sudo in front of it."""
        pid = self.process.pid
        while "tinylb" not in process.title(pid) or "sudo" in process.title(pid):
            (pid,) = process.children(pid)
        return pid

    def wait_message(self, wanted):
        """Waits for a notification that the service sends, in the order in which they come."""
        while True:
            while self.messages:
                if wanted in self.messages.pop(0).split("\n"):
                    return
            try:
                self.messages.append(self.notify.recv(4096).decode())
            except TimeoutError:
                raise AssertionError(f"no {wanted} came; it said: {self.log()}") from None

    def reload(self):
        """Runs the ExecReload lines; the first that fails ends it, as with systemd."""
        for line in self.unit.all("ExecReload"):
            done = root(*line.replace("$MAINPID", str(self.pid)).split())
            if done.returncode != 0:
                return done
        return done

    def stop(self):
        if self.process and self.process.poll() is None:
            good(root("kill", f"-{signal.SIGTERM.value}", str(self.pid)))
            self.process.wait(DEADLINE)
        return self.process and self.process.returncode

    def log(self):
        with open(os.path.join(self.directory, "stderr"), encoding="utf-8") as f:
            return f.read()


@pytest.fixture
def service(package, directory):
    """The package, installed, and a service that is not started yet; afterwards all is purged."""
    needs_a_free_machine()
    made = None
    try:
        good(root("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", package))
        if os.path.isdir("/run/systemd/system"):
            root("systemctl", "stop", "tinylb.service")
        made = Service(directory)
        yield made
    finally:
        if made:
            made.stop()
            made.notify.close()
        root("dpkg", "--purge", "tinylb")
        root("rm", "-rf", "/run/tinylb")


def low_port():
    """A port that only root, or who has the capability, may bind."""
    with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as f:
        if int(f.read()) < 1024:
            pytest.skip("anybody may bind low ports here")
    return next(p for p in range(1023, 512, -1) if process.listening(p) == 0)


def write(path, text):
    good(root("tee", path, input=text))


def get(port, target="/"):
    with Client(("127.0.0.1", port)) as client:
        return client.get(target)


def settings_for(port, url):
    return f"""
workers = 2;
access_log = "{LOGS}/access.log";
listeners = ( {{ address = "*:{port}"; pool = "app"; }} );
pools = ( {{ name = "app"; backends = ( {{ url = "{url}"; }} ); }} );
"""


def test_lintian(package):
    """No error and no warning."""
    (changes,) = glob.glob(os.path.join(os.path.dirname(package), "*.changes"))
    good(run("lintian", "--allow-root", "--fail-on", "error,warning", changes))


def test_dependencies(package):
    """libevent's core, as new as the one it was built with; no library beside that and libconfig."""
    depends = good(run("dpkg-deb", "-f", package, "Depends"))
    built_with = good(run("dpkg-query", "-W", "-f=${Version}", "libevent-core-2.1-7"))
    assert f"libevent-core-2.1-7 (>= {built_with})" in depends
    names = set(re.findall(r"([a-z0-9.+-]+)(?: \([^)]*\))?(?:,|$)", depends, re.M))
    assert names == {"adduser", "libc6", "libconfig9", "libevent-core-2.1-7"}


def test_unit_is_confined(package, directory):
    """At most 2.5 on the scale of systemd-analyze, where 10 is a service that may do everything."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    unit = unit_of(package, directory)
    words = ("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=25")
    done = run(*words, os.path.basename(unit), cwd=os.path.dirname(unit))
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd-analyze cannot look at a file")
    good(done)
    assert "Overall exposure level for tinylb.service" in done.stdout


def test_installed_files(service):
    """A user of its own without a home or a shell, logs for adm's eyes, settings that are in order."""
    user = good(run("getent", "passwd", "tinylb")).strip().split(":")
    assert user[5:] == ["/nonexistent", "/usr/sbin/nologin"]
    assert good(root("stat", "-c", "%U:%G %a", LOGS)).strip() == "tinylb:adm 750"
    conffiles = good(run("dpkg-query", "-W", "-f=${Conffiles}", "tinylb"))
    assert re.findall(r"^ (\S+)", conffiles, re.M) == ["/etc/logrotate.d/tinylb", SETTINGS]
    good(run("/usr/sbin/tinylb", "check"))
    for page in ("man8/tinylb.8.gz", "man5/tinylb.conf.5.gz"):
        assert os.path.exists("/usr/share/man/" + page)
    verified = run("systemd-analyze", "verify", "/" + UNIT)
    assert "tinylb" not in verified.stderr, verified.stderr


def test_life(service, origin):
    first, second = origin(lambda c, r: b"first"), origin(lambda c, r: b"second")
    port = low_port()
    with open(SETTINGS, encoding="utf-8") as f:
        shipped = f.read()

    # As it comes, but for the port, it starts, though none of its backends may be there.
    write(SETTINGS, shipped.replace("8080", str(port)))
    service.start()
    assert get(port).status in (200, 404, 502, 503)

    # It runs as its own user, with no right but that to low ports.
    bind_only = 1 << 10
    for pid in (service.pid, *process.children(service.pid)):
        assert good(run("ps", "-o", "user=", "-p", str(pid))).strip() == "tinylb"
        for kind in ("CapPrm", "CapEff", "CapBnd"):
            assert int(process.status(pid, kind), 16) & ~bind_only == 0, f"{kind} of {process.title(pid)}"

    # New settings are taken over; wrong ones are refused and change nothing.
    write(SETTINGS, settings_for(port, first.url))
    good(service.reload())
    service.wait_message("READY=1")
    assert wait_for(lambda: get(port).status == 200) and get(port).body == b"first"
    write(SETTINGS, settings_for(port, second.url) + "no_such_option = 1;\n")
    refused = service.reload()
    assert refused.returncode == 1 and "no_such_option" in refused.stderr
    assert get(port).body == b"first"
    write(SETTINGS, settings_for(port, second.url))
    good(service.reload())
    service.wait_message("READY=1")
    wait_for(lambda: get(port).body == b"second")

    # The same package over it keeps what was edited.
    # The new one is not started here: no systemd does so for this process.
    (deb,) = glob.glob(os.path.join(build_folder(), "deb", "tinylb_*.deb"))
    good(root("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i", deb))
    with open(SETTINGS, encoding="utf-8") as f:
        assert second.url in f.read()
    assert get(port).body == b"second"

    # It becomes the new program where the package's script has a systemd to tell it so.
    pid = service.pid
    assert good(root("readlink", f"/proc/{pid}/exe")).strip() == "/usr/sbin/tinylb (deleted)"
    good(root("kill", "-USR2", str(pid)))
    service.wait_message("READY=1")
    assert service.pid == pid and get(port).body == b"second"
    assert good(root("readlink", f"/proc/{pid}/exe")).strip() == "/usr/sbin/tinylb"

    assert service.stop() == 0
    service.wait_message("STOPPING=1")

    # Removed, the settings and the logs stay; purged, nothing does.
    good(root("dpkg", "--remove", "tinylb"))
    assert not os.path.exists("/usr/sbin/tinylb")
    assert os.path.exists(SETTINGS) and good(root("ls", LOGS)).strip() == "access.log"
    purged = root("dpkg", "--purge", "tinylb")
    good(purged)
    assert "warning" not in purged.stderr.lower(), purged.stderr
    for path in ("/etc/tinylb", "/etc/logrotate.d/tinylb", LOGS, "/" + UNIT, "/usr/share/doc/tinylb"):
        assert not os.path.exists(path), path
    assert run("getent", "passwd", "tinylb").returncode == 2
    assert run("getent", "group", "tinylb").returncode == 2
    assert run("dpkg-query", "-W", "tinylb").returncode == 1
    left = glob.glob("/etc/systemd/**/tinylb*", recursive=True)
    left += glob.glob("/var/lib/systemd/deb-systemd-helper-enabled/**/tinylb*", recursive=True)
    assert left == []


def test_logrotate(service, origin):
    """A rotated log is the workers' no more: they go on in a new one, which has its rights."""
    if not os.path.exists("/usr/sbin/logrotate"):
        pytest.skip("logrotate is not installed")
    if os.path.isdir("/run/systemd/system"):
        pytest.skip("systemd would send the signal to a service of its own")
    port = low_port()
    pid_file = "/run/tinylb/tinylb.pid"
    write(SETTINGS, settings_for(port, origin().url) + f'pid_file = "{pid_file}";\n')
    service.start()
    assert get(port, "/before").status == 200
    path = f"{LOGS}/access.log"
    wait_for(lambda: "/before" in good(root("cat", path)))
    good(root("/usr/sbin/logrotate", "--force", "--state", f"{service.directory}/state",
              "/etc/logrotate.d/tinylb"))

    def reopened():
        get(port, "/after")
        return "/after" in good(root("cat", path))

    wait_for(reopened)
    assert "/before" in good(root("cat", path + ".1"))
    assert good(root("stat", "-c", "%U:%G %a", path)).strip() == "tinylb:adm 640"
