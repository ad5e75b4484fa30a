"""`tinylb check` tells every mistake in settings at once, and the command line answers for itself.

Exit codes: 0 fine, 1 the settings are wrong, 2 the command line is wrong. What is fine goes to standard
output, what is wrong to standard error.
"""

import os
import re
import socket
import subprocess

import pytest

from lib import tinylb as program

GOOD = """
listeners = ( { address = "127.0.0.1:8080"; } );
pools = ( { name = "app"; backends = ( { url = "http://127.0.0.1:8001"; } ); } );
"""

# One mistake a line, and what must be said about it.
MISTAKES = [
    ("worker = 2;", 'there is no option worker; did you mean "workers"?'),
    ('workers = "4";', 'workers = "4": must be an integer, 0 to 256; write it without quotes: 4'),
    ('user = "no such user";', 'user = "no such user": this system has no such user'),
    ('host = "presrve";', 'host = "presrve": must be one of backend, preserve; did you mean "preserve"?'),
    ("half_close = 1;", "half_close = 1: must be true or false, without quotes"),
    ("timeouts = { connect = 5;", 'timeouts.connect = 5: a duration needs a unit (ms, s, m, h): "5s"'),
    ('drain = "2d"; };', 'timeouts.drain = "2d": must be a duration'),
    ("limits = { header_count = 257; };", "limits.header_count = 257: must be 1 to 256"),
    ('listeners = ( { address = "localhost:80"; pool = "app"; },', 'listeners.address = "localhost:80": before'),
    ('{ address = ":80"; pool = "ap"; },', 'listeners.pool = "ap": there is no such pool; did you mean "app"?'),
    ('{ address = "*:80"; pool = "app"; } );', 'the listener "*:80" is there already: FILE:10'),
    ('pools = ( { name = "app"; balance = "two_chioces";', 'pools.balance = "two_chioces": must be one of random,'),
    ('backends = ( { url = "https://a"; },', 'pools.backends.url = "https://a": this version speaks only http'),
    ('{ url = "http://a"; weight = 257; } ); },', "pools.backends.weight = 257: must be 0 to 256"),
    ('{ name = "app"; backends = (); } );', "pools.backends = ( ... ): must not be empty"),
]


@pytest.fixture
def check(directory):
    """Writes settings and checks them: (exit code, output, errors), the file's name being FILE."""
    path = os.path.join(directory, "t.conf")

    def run(text, *words):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = program.run("check", "-c", path, *words)
        return done.returncode, done.stdout.replace(path, "FILE"), done.stderr.replace(path, "FILE")

    return run


def test_good(check):
    assert check(GOOD) == (0, "FILE: settings are fine (1 listener, 1 pool, 1 backend)\n", "")


def test_every_mistake_in_one_run(check):
    code, out, errors = check("\n".join(text for text, _ in MISTAKES))
    assert (code, out) == (1, "")
    for number, (_, said) in enumerate(MISTAKES, 1):
        assert re.search(rf"^FILE:{number}: {re.escape(said)}", errors, re.M), (said, errors)
    assert errors.endswith("mistakes in FILE\n")


def test_syntax(check):
    code, _, errors = check('workers = 2;\nlog = ( "stderr", )\n\nseed = 3;\n')
    assert code == 1
    assert errors.startswith("FILE:2: syntax error: look here and on the line before")


def test_warnings_are_allowed(check):
    code, out, errors = check(GOOD.replace("} ); }", "weight = 0; } ); }"))
    assert code == 0 and out
    assert errors.startswith("FILE:3: warning: every backend of this pool has weight 0")


def test_no_file(directory):
    done = program.run("check", "-c", os.path.join(directory, "none.conf"))
    assert done.returncode == 1
    assert "none.conf: cannot read the settings: No such file or directory" in done.stderr


def test_same_by_option(directory):
    path = os.path.join(directory, "t.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(GOOD)
    for words in (["-t", "-c", path], ["-tc", path], ["--test", "--config", path]):
        done = program.run(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert "settings are fine" in done.stdout


def test_touches_no_socket_and_looks_up_no_name(check):
    """An address that is taken and a name that is none are fine: that shows when it runs."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        text = GOOD.replace("8080", str(s.getsockname()[1])).replace("127.0.0.1:8001", "no-such-name.invalid")
        assert check(text)[0] == 0


def test_dump_loads_again(check):
    code, first, errors = check(GOOD, "--dump")
    assert (code, errors) == (0, "")
    assert check(first, "--dump") == (0, first, "")
    for line in ('host = "backend";', '  response = "1m";', '  header_size = "32k";', 'access_log = "off";'):
        assert line in first.splitlines()
    assert '{ url = "http://127.0.0.1:8001"; weight = 1; ' in first


def test_dump_of_words(check):
    """A command line is turned into a file."""
    done = program.run("check", "--dump", "--listen", ":8080", "http://a:8001", "http://b:8002/")
    assert done.returncode == 0
    assert 'address = "*:8080"' in done.stdout or 'address = ":8080"' in done.stdout
    assert check(done.stdout, "--dump") == (0, done.stdout, "")


def test_full_disk(directory):
    path = os.path.join(directory, "t.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(GOOD)
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            program.command("check", "-c", path), stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "cannot write" in done.stderr


# Words of the command line, and what must be said about them.
USAGE = [
    (["chek"], "there is no command chek: did you mean check?"),
    (["--deamon"], "there is no option --deamon: did you mean --daemon?"),
    (["--pidfile=x"], "there is no option --pidfile=x: did you mean --pid-file?"),
    (["-x"], "there is no option -x"),
    (["-c"], "an argument is missing after -c"),
    (["--listen"], "an argument is missing after --listen"),
    (["--daemon=yes"], "no argument may follow --daemon"),
    (["--listen", ":0"], "--listen needs backends"),
    (["http://a"], "backends need an address to listen on: tinylb --listen :8080 http://a:8001"),
    (["--listen", ":0", "-c", "x", "http://a"], "--listen and -c FILE cannot be used together"),
    (["check", "x.conf"], "there is no use for the word x.conf: a file comes after -c"),
    (["--dump"], "--dump belongs to a check: tinylb check --dump"),
    (["check", "--daemon"], "--daemon has nothing to do with a check"),
]


@pytest.mark.parametrize("words, said", USAGE, ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_usage(words, said):
    done = program.run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"tinylb: {said}")
    assert done.stderr.endswith("see: tinylb --help\n")


def test_wrong_words_are_wrong_settings():
    done = program.run("--listen", "8080", "https://a", "b")
    assert done.returncode == 1
    assert done.stderr.count("the command line: ") == 3


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_help(words):
    done = program.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    for text in ("tinylb check", "tinylb demo", "--listen", "--daemon", "--pid-file", "--version"):
        assert text in done.stdout


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["version"]])
def test_version(words):
    done = program.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"tinylb \d+\.\d+\.\d+\S* \(libevent 2\.\d+\.\d+\S*\)\n", done.stdout)


def test_without_settings():
    """The very first thing somebody types."""
    default = re.search(r"settings in FILE \((.*)\)", program.run("--help").stdout).group(1)
    if os.path.exists(default):
        pytest.skip(f"there are settings in {default}")
    done = program.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"tinylb: there are no settings: {default} does not exist")
    assert "tinylb demo" in done.stderr and "tinylb --listen" in done.stderr


@pytest.mark.parametrize("written,message", [
    ('"10.0.0.1/8"', r'trusted = "10\.0\.0\.1/8": the address has bits set behind those that count'),
    ('[ "10.0.0.0/8", "nonsense" ]', r'trusted = "nonsense": must be an IP address, a network or unix:'),
    ('[ "10.0.0.0/33" ]', "behind the slash goes the number of bits"),
    ('( "::1", 5 )', "trusted = 5: must be networks in quotes"),
    ("true", "trusted = true: must be networks in quotes"),
    ('{ a = "::1"; }', "must be networks in quotes"),
])
def test_bad_networks(check, written, message):
    code, _, errors = check(GOOD + f"trusted = {written};\n")
    assert code == 1 and re.search(message, errors), errors


@pytest.mark.parametrize("written,dumped", [
    ("[ ]", "trusted = [ ];"),
    ('"unix:"', 'trusted = [ "unix:" ];'),
    ('( "::1", "10.1.0.0/16", "10.0.0.0/8", "192.0.2.1/32" )', 'trusted = [ "10.0.0.0/8", "192.0.2.1", "::1" ];'),
])
def test_good_networks(check, written, dumped):
    code, first, errors = check(GOOD + f"trusted = {written};\n", "--dump")
    assert code == 0 and dumped in first.splitlines(), (first, errors)
    assert check(first, "--dump") == (0, first, "")
