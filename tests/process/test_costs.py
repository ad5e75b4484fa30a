"""What a request costs a worker stays what is recorded: system calls, and instructions outside the
kernel. Both are counted and not timed, so they are the same on any machine, however busy."""

import os
import shutil

import pytest

from lib import costs
from lib import tinylb as program

RECORD = os.path.join(program.TOP, "tests/bench/costs")
MARGIN = 0.05

pytestmark = pytest.mark.bare("it counts what the program alone does")


def compare(what, kind, found, expected):
    change = found / expected - 1
    message = f"{kind}: {found:.2f} {what} a request, {change:+.1%} of the {expected:.2f} recorded in tests/bench/costs; "
    assert change <= MARGIN, message + "where it is worth that, `make costs` records it"
    assert change >= -MARGIN, message + "`make costs` records what was gained, for it not to be lost again"


@pytest.fixture(scope="module")
def record():
    if program.has_address_sanitizer():
        pytest.skip("with sanitizers requests cost something else")
    return costs.recorded(RECORD)


@pytest.mark.parametrize("kind", costs.KINDS)
def test_system_calls(directory, record, kind):
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    compare("system calls", kind, costs.syscalls_per_request(directory, kind), record[1][kind][0])


@pytest.mark.parametrize("kind", costs.KINDS)
def test_instructions(directory, record, kind):
    if not shutil.which("valgrind"):
        pytest.skip("needs valgrind")
    built = costs.built_with()
    if built != record[0]:
        pytest.skip(f"built with {built}, and instructions were recorded with {record[0]}")
    compare("instructions", kind, costs.instructions_per_request(directory, kind), record[1][kind][1])
