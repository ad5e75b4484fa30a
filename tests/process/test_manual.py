"""The manual pages and the sample say what the program does: each option of the table stands in
tinylb.conf(5) with its type, range and default, and no other; every example loads."""

import os
import re
import subprocess

import pytest

from lib import tinylb as program

SECTIONS = {
    "Top level": "", "timeouts": "timeouts.", "limits": "limits.", "reload": "reload.",
    "listeners": "listeners.", "routes": "listeners.routes.", "answers": "listeners.routes.answer.",
    "pools": "pools.", "check": "pools.check.", "eject": "pools.eject.", "retry": "pools.retry.",
    "sticky": "pools.sticky.", "backends": "pools.backends.",
}


def read(*names):
    with open(os.path.join(program.TOP, *names), encoding="utf-8") as f:
        return f.read()


def plain(roff):
    """What the escapes of a page stand for."""
    for escape, text in (("\\(ha", "^"), ("\\(dq", '"'), ("\\(aq", "'"), ("\\&", ""), ("\\-", "-"), ("\\e", "\\")):
        roff = roff.replace(escape, text)
    return roff


def options_of_program():
    """{name: the words in which the page must give its type, range and default}."""
    options = {}
    done = program.run("check", "--options")
    assert done.returncode == 0
    for line in done.stdout.splitlines():
        name, kind, allowed, default, text = re.split(r" {2,}", line, maxsplit=4)
        assert text
        words = kind if allowed == "-" else f"{kind} ({allowed})"
        if default == "required":
            words += ", required"
        elif default != "-":
            words += f", default {default}"
        options[name] = words + "."
    return options


def options_of_page():
    options = {}
    prefix = None
    lines = plain(read("src", "tinylb.conf.5")).split(".Sh OPTIONS")[1].split(".Sh FILES")[0].splitlines()
    for i, line in enumerate(lines):
        if line.startswith(".Ss "):
            prefix = SECTIONS[line[4:]]
        elif line.startswith(".It Ic "):
            name = prefix + line[7:]
            assert name not in options, f"{name} is there twice"
            options[name] = lines[i + 1]
    return options


def test_every_option_is_described():
    assert options_of_page() == options_of_program()


def test_every_type_is_described():
    part = plain(read("src", "tinylb.conf.5")).split(".Sh FORMAT")[1].split(".Sh OPTIONS")[0]
    types = {t for line in re.findall(r"^\.It (.+)$", part, re.M) for t in line.split(" , ")}
    assert types == {re.match(r"\w+", words).group() for words in options_of_program().values()}


def blocks(name):
    """The literal blocks of a page."""
    found = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", read("src", name), re.M | re.S)
    return [plain(text) for text in found]


def check(directory, text):
    path = os.path.join(directory, "example.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return program.run("check", "-c", path)


def test_examples_load(directory):
    examples = [b for b in blocks("tinylb.conf.5") if "listeners" in b]
    assert len(examples) == 4
    with open(os.path.join(directory, "pools.conf"), "w", encoding="utf-8") as f:
        f.write('pools = ( { name = "a"; backends = ( { url = "http://a"; } ); } );\n')
    for text in examples:
        done = check(directory, text.replace('user = "tinylb"', 'user = "root"'))
        assert (done.returncode, done.stderr) == (0, ""), text


def test_readme_loads(directory):
    text = re.search(r"^( *)# three\.conf\n(.*?)\n\n", read("README"), re.M | re.S).group(2)
    done = check(directory, text)
    assert (done.returncode, done.stderr) == (0, "")


def test_sample_loads(directory):
    text = read("etc", "tinylb.conf")
    done = check(directory, text)
    assert (done.returncode, done.stderr) == (0, "")


def test_sample_shows_defaults(directory):
    """What is commented out there is what holds without it; the user alone is only an example."""
    text = read("etc", "tinylb.conf")
    shown = re.sub(r"^( *)# (?=\w+ = |  \w+ = |};)", r"\1", text, flags=re.M)
    shown = re.sub(r"^(user|group) = .*$", "", shown, flags=re.M)
    assert shown.count("\n  ") > text.count("\n  ")
    path = os.path.join(directory, "shown.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(shown)
    dumps = [program.run("check", "--dump", "-c", p) for p in (path, os.path.join(program.TOP, "etc", "tinylb.conf"))]
    assert [d.returncode for d in dumps] == [0, 0], dumps[0].stderr
    assert dumps[0].stdout == dumps[1].stdout


def test_every_word_of_the_command_line_is_described():
    page = plain(read("src", "tinylb.8"))
    words = set(re.findall(r"(?<!\w)-(-[a-z-]+)", program.run("--help").stdout))
    assert words
    described = set(re.findall(r"Fl (-[a-z-]+)", page))
    assert words <= described, words - described


def test_access_log_example():
    """The example of a line has the form that the tests read everywhere."""
    (line,) = [b for b in blocks("tinylb.8") if "GET /a" in b]
    assert program.ACCESS_LINE.fullmatch(line)


def test_every_reason_is_described():
    names = re.findall(r'\[REASON_\w+\] = "([^"]+)"', read("src", "exchange", "access_log.c"))
    assert names
    part = read("src", "tinylb.8").split(".Sh ACCESS LOG")[1].split(".Sh FILES")[0]
    assert sorted(re.findall(r"^\.It Ql (\S+)$", part, re.M)) == sorted(names)


@pytest.mark.parametrize("page", ["tinylb.8", "tinylb.conf.5"])
def test_page_is_well_formed(page):
    try:
        done = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", os.path.join(program.TOP, "src", page)],
            capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mandoc")
    assert done.stdout + done.stderr == ""
