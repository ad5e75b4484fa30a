"""Where settings come from, and what becomes of them in the running program. What each option does is
tested with the behaviour that it changes."""

import os
import time

import pytest

from lib import tinylb as program
from lib.wait import SLOW, wait_for

MANY = 10000


def listening(lb, text):
    lb.write(text)
    return lb.start()


def test_include(tinylb, origin):
    """An included file is found from the folder of the settings, wherever the program was started."""
    app = origin(name="app")
    lb = tinylb(start=False, settings="")
    os.mkdir(os.path.join(lb.directory, "parts"))
    with open(os.path.join(lb.directory, "parts", "pools.conf"), "w", encoding="utf-8") as f:
        f.write(f'pools = ( {{ name = "app"; backends = ( {{ url = "{app.url}"; }} ); }} );\n')
    listening(lb, 'workers = 1;\nlisteners = ( { address = "127.0.0.1:@PORT@"; } );\n@include "parts/pools.conf"\n')
    assert lb.get().status == 200


def test_without_a_file(tinylb, origin):
    """Several addresses, several backends, no file."""
    names = {"a", "b"}
    urls = [origin(name=name).url for name in names]
    lb = tinylb(words=["--listen", "127.0.0.1:@PORT@", "--listen", "127.0.0.1:@PORT2@", *urls])
    seen = set()
    for port in lb.ports:
        with lb.client(("127.0.0.1", port)) as c:
            seen |= {c.get("/").text for _ in range(30)}
    assert seen == names


def test_relative_paths_start_from_the_settings(tinylb, origin, directory):
    lb = tinylb(start=False, backends=[origin(name="a").url],
                top={"access_log": "./access.log", "pid_file": "run.pid"})
    os.mkdir(os.path.join(directory, "elsewhere"))
    lb.prefix = ["env", "-C", os.path.join(directory, "elsewhere")]
    lb.start()
    lb.get()
    with open(os.path.join(directory, "run.pid"), encoding="utf-8") as f:
        assert int(f.read()) == lb.pid
    wait_for(lambda: lb.access_text() != "", "a line in the access log")


def test_wrong_settings_do_not_start(tinylb):
    lb = tinylb(start=False, settings='listeners = ( { address = "1"; } );\nworker = 1;\n')
    lb.expected_exit = 1
    lb.start(wait=False)
    assert lb.wait_exit() == 1
    assert f"{lb.settings_file}:1: listeners.address = \"1\": the port is missing" in lb.log()
    assert f"{lb.settings_file}:2: there is no option worker" in lb.log()


def test_mistakes_of_a_reload_go_to_the_log(tinylb, origin):
    """Each with file and line, like those of a check; and what is in force stays."""
    lb = tinylb(backends=[origin(name="a").url])
    good = lb.settings
    lb.write("workres = 1;\n" + good + '\nlimits = { header_size = "1T"; };\n')
    lb.hup()
    lb.wait_log(r"tinylb\.conf:1: there is no option workres; did you mean \"workers\"\?")
    lb.wait_log(r"tinylb\.conf:\d+: limits\.header_size = \"1T\": must be a size")
    assert lb.get().status == 200


def test_name_that_is_none(tinylb, origin):
    """A name that cannot be looked up is named with its line; the other backends serve."""
    lb = tinylb(backends=[("http://no-such-name.invalid:1", 0), origin(name="a").url])
    lb.wait_log(r"tinylb\.conf:\d+: backend http://no-such-name\.invalid:1: the name no-such-name\.invalid cannot")
    assert lb.get().status == 200


@pytest.mark.parametrize("host", ["10.{0}.{1}.1", "h{0}-{1}.example.com"])
def test_ten_thousand_backends(directory, host):
    """A large file is read in well below a second."""
    path = os.path.join(directory, "large.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write('listeners = ( { address = ":80"; } );\npools = ( { name = "a"; backends = (\n')
        f.write(",\n".join(f'{{ url = "http://{host.format(i >> 8, i & 255)}"; }}' for i in range(MANY)))
        f.write(" ); } );\n")
    start = time.monotonic()
    done = program.run("check", "-c", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{MANY} backends" in done.stdout
    # Far above what it takes, far below what comparing each with each would take.
    assert time.monotonic() - start < 5 * SLOW
