"""make install puts everything where a system looks for it, and takes it away again; what is installed
finds its settings without being told, and leans on libevent and libconfig alone."""

import os
import re
import subprocess

import pytest

from lib import tinylb as program

SETTINGS = """
listeners = ( { address = "127.0.0.1:8080"; pool = "app"; } );
pools = ( { name = "app"; backends = ( { url = "http://127.0.0.1:8001"; } ); } );
"""


def build_folder():
    """The configured build folder of the program: $TINYLB_BUILD, or where the program is."""
    return os.environ.get("TINYLB_BUILD") or os.path.dirname(program.binary())


def make(folder, *words):
    done = subprocess.run(["make", "-C", folder, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def files_below(folder):
    return sorted(
        os.path.relpath(os.path.join(where, name), folder)
        for where, _, names in os.walk(folder)
        for name in names
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A build of its own for a prefix of its own, installed. Where things are is the question, and not how
    fast they are."""
    top = tmp_path_factory.mktemp("install")
    build = top / "build"
    build.mkdir()
    words = ["--prefix", top / "usr", "--sysconfdir", top / "etc"]
    words += ["--with-systemdsystemunitdir=" + str(top / "units"), "--disable-dependency-tracking", "CFLAGS=-O0"]
    configure = subprocess.run(
        [os.path.join(source_folder(), "configure"), *words],
        cwd=build, capture_output=True, text=True, check=False,
    )
    assert configure.returncode == 0, configure.stderr
    make(build, "-j2", "install")
    return top


def source_folder():
    """Where the build folder has its sources from: not this checkout where that is configured itself."""
    with open(os.path.join(build_folder(), "Makefile"), encoding="utf-8") as f:
        return re.search(r"^abs_top_srcdir = (.*)$", f.read(), re.M).group(1)


def test_destdir(tmp_path):
    """DESTDIR comes before every path, and uninstall leaves no file."""
    make(build_folder(), "install", f"DESTDIR={tmp_path}")
    found = files_below(tmp_path)
    for name in ("sbin/tinylb", "man/man8/tinylb.8", "man/man5/tinylb.conf.5", "etc/tinylb/tinylb.conf"):
        assert any(f.endswith(name) for f in found), f"{name} is not among {found}"
    make(build_folder(), "uninstall", f"DESTDIR={tmp_path}")
    assert files_below(tmp_path) == []


def test_settings_are_kept(tmp_path):
    """Installing again does not touch settings that somebody wrote; nor does uninstall."""
    make(build_folder(), "install", f"DESTDIR={tmp_path}")
    (settings,) = tmp_path.rglob("tinylb.conf")
    settings.write_text("# mine\n" + SETTINGS)
    make(build_folder(), "install", f"DESTDIR={tmp_path}")
    assert settings.read_text().startswith("# mine\n")
    make(build_folder(), "uninstall", f"DESTDIR={tmp_path}")
    assert settings.read_text().startswith("# mine\n")


def test_installed_program_finds_its_settings(installed):
    """The prefix is compiled in: the program reads the settings below its own sysconfdir."""
    settings = installed / "etc/tinylb/tinylb.conf"
    command = [installed / "usr/sbin/tinylb", "check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sample = settings.read_text()
    settings.write_text("no_such_option = 1;\n" + sample)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    settings.write_text(sample)
    assert done.returncode == 1
    assert f"{settings}:1:" in done.stderr


def test_unit_names_what_is_installed(installed):
    unit = (installed / "units/tinylb.service").read_text()
    assert f"ExecStart={installed}/usr/sbin/tinylb -c {installed}/etc/tinylb/tinylb.conf\n" in unit
    assert not re.search("@[a-z]+@", unit)


def test_libraries(installed):
    """At run time it needs the C library, libevent's core and libconfig."""
    done = subprocess.run(
        ["readelf", "-d", installed / "usr/sbin/tinylb"], capture_output=True, text=True, check=True
    )
    needed = re.findall(r"\(NEEDED\).*\[(\S+?)\.so", done.stdout)
    assert set(needed) <= {"libc", "libm", "libevent_core-2.1", "libconfig"}


def test_version(installed):
    done = subprocess.run(
        [installed / "usr/sbin/tinylb", "--version"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    with open(os.path.join(source_folder(), "configure.ac"), encoding="utf-8") as f:
        version = re.search(r"AC_INIT\(\[tinylb\], \[(.*?)\]", f.read()).group(1)
    assert done.stdout.startswith(f"tinylb {version}")
