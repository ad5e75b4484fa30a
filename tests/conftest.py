"""Fixtures of the tests of the real program. tests/TESTING tells how to run and read them."""

import contextlib
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import tinylb as program  # noqa: E402
from lib.client import Client  # noqa: E402
from lib.nginx import Nginx  # noqa: E402
from lib.origin import Origin  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--tinylb", help="the program to test (an absolute path; default: $TINYLB)")
    parser.addoption("--wrapper", help="words in front of it (default: $TINYLB_WRAPPER)")
    parser.addoption("--keep", action="store_true", help="keep the folders of all tests")


def pytest_configure(config):
    # Through the environment, so that pytest-xdist's processes have them too.
    for option, variable in (("--tinylb", "TINYLB"), ("--wrapper", "TINYLB_WRAPPER")):
        value = config.getoption(option)
        if value:
            os.environ[variable] = value
    config.addinivalue_line("markers", "rfc(section): the rule that a test is about")
    config.addinivalue_line("markers", "bare(reason): why it cannot run with words in front of the program")
    config.addinivalue_line("markers", "plain(reason): why sanitizers would show nothing more")


def pytest_runtest_setup(item):
    bare = item.get_closest_marker("bare")
    if bare and program.wrapper():
        pytest.skip(f"not with TINYLB_WRAPPER: {bare.args[0]}")
    plain = item.get_closest_marker("plain")
    if plain and program.has_address_sanitizer():
        pytest.skip(f"not with sanitizers: {plain.args[0]}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.failed = True
        for text in getattr(item, "descriptions", list)():
            report.sections.append(("tinylb", text))


@contextlib.contextmanager
def folder(failed):
    path = tempfile.mkdtemp(prefix="tinylb-test-")
    os.chmod(path, 0o755)
    yield path
    if failed():
        print(f"kept: {path}")
    else:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def directory(request):
    """A folder of the test's own; kept, and named, only where the test failed."""
    with folder(lambda: getattr(request.node, "failed", False) or request.config.getoption("--keep")) as path:
        yield path


class Scene:
    """Everything a test started. It ends in the order clients, program, backends, so that nothing that
    happens while it ends can be taken for a fault."""

    def __init__(self, directory):
        self.directory = directory
        self.clients, self.programs, self.origins, self.servers = [], [], [], []

    def close(self):
        problems = []
        for c in self.clients:
            with contextlib.suppress(OSError):
                c.close()
        for lb in self.programs:
            lb.close_clients()
        for lb in self.programs:
            try:
                lb.stop()
            except AssertionError as e:
                problems.append(str(e))
            finally:
                lb.kill()
        for s in self.servers:
            s.stop()
        for o in self.origins:
            o.stop()
            problems += [f"origin {o.name}: {fault!r}" for fault in o.faults]
        assert not problems, "; ".join(problems)


@pytest.fixture
def scene(request, directory):
    s = Scene(directory)
    request.node.descriptions = lambda: [lb.describe() for lb in s.programs]
    yield s
    try:
        s.close()
    except AssertionError:
        request.node.failed = True
        raise


@pytest.fixture
def tinylb(scene):
    """Makes, and unless start=False starts, the program: tinylb(backends=[...], ...). See Tinylb."""

    def make(start=True, **settings):
        number = len(scene.programs)
        path = scene.directory if number == 0 else os.path.join(scene.directory, str(number))
        os.makedirs(path, exist_ok=True)
        lb = program.Tinylb(path, **settings)
        scene.programs.append(lb)
        return lb.start() if start else lb

    return make


@pytest.fixture
def origin(scene):
    """Makes a backend: origin(handler, ...). See Origin."""

    def make(*args, **more):
        o = Origin(*args, **more)
        scene.origins.append(o)
        return o

    return make


@pytest.fixture(scope="module")
def shared_by_all(request):
    before = request.session.testsfailed
    with folder(lambda: request.session.testsfailed > before or request.config.getoption("--keep")) as path:
        s = Scene(path)
        s.origins.append(Origin())
        s.programs.append(program.Tinylb(path, backends=[s.origins[0].url]))
        try:
            s.programs[0].start()
            yield s
        finally:
            s.close()


@pytest.fixture
def shared(request, shared_by_all):
    """(program, its only backend) for those many tests of a file that ask for little and leave all as it
    was. Counts and logs go on from one to the next."""
    lb, o = shared_by_all.programs[0], shared_by_all.origins[0]
    request.node.descriptions = lambda: [lb.describe()]
    usual = o.handler
    yield lb, o
    o.handler = usual
    lb.close_clients()
    assert not lb.problems() and not o.faults, (lb.problems(), o.faults)


@pytest.fixture
def nginx(scene):
    """Starts servers of files: nginx(root, "a", "b"). See Nginx."""

    def make(root, *names):
        servers = [Nginx(scene.directory, root, name) for name in names]
        scene.servers += servers
        return [s.wait_ready() for s in servers]

    return make


@pytest.fixture
def connect(scene):
    """A raw client of any address: connect(("127.0.0.1", port))."""

    def make(address, **more):
        c = Client(address, **more)
        scene.clients.append(c)
        return c

    return make
