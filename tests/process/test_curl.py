"""What people do with curl, done through tinylb."""

import gzip
import os
import shutil
import subprocess

import pytest

from lib.wait import DEADLINE

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")


def curl(*words, stdin=None, code=0):
    done = subprocess.run(["curl", "-q", "--silent", "--show-error", "--max-time", str(int(3 * DEADLINE)), *words],
                          input=stdin, capture_output=True, timeout=4 * DEADLINE, check=False)
    assert done.returncode == code, (done.returncode, done.stderr)
    return done.stdout


@pytest.fixture
def echo(tinylb, origin):
    o = origin(lambda c, r: c.respond(200, r.body, [("X-Method", r.method)]))
    return tinylb(backends=[o.url]), o


@pytest.fixture
def static(tinylb, nginx, directory):
    root = os.path.join(directory, "root")
    os.makedirs(root)
    with open(os.path.join(root, "file"), "wb") as f:
        f.write(bytes(range(256)) * 4000)
    servers = nginx(root, "a", "b")
    return tinylb(backends=[s.url for s in servers]), os.path.join(root, "file")


@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_get(static, version):
    lb, path = static
    with open(path, "rb") as f:
        assert curl(version, f"{lb.url}/file") == f.read()


@pytest.mark.parametrize("version", ["--http1.1", "--http1.0"])
def test_post_binary(echo, directory, version):
    """More than a megabyte: curl asks with Expect: 100-continue first."""
    lb, o = echo
    path = os.path.join(directory, "data")
    data = os.urandom(2_000_000)
    with open(path, "wb") as f:
        f.write(data)
    assert curl(version, "--data-binary", f"@{path}", lb.url) == data
    assert o.last.method == "POST"
    assert o.last.headers.tokens("expect") == (["100-continue"] if version == "--http1.1" else [])


def test_upload_of_unknown_length(echo):
    """-T - reads standard input and sends it chunked."""
    lb, o = echo
    data = os.urandom(300_000)
    assert curl("-T", "-", f"{lb.url}/up", stdin=data) == data
    assert o.last.method == "PUT" and o.last.framing == "chunked"


def test_upload_of_a_file(echo, directory):
    lb, o = echo
    path = os.path.join(directory, "file")
    with open(path, "wb") as f:
        f.write(b"content\n" * 1000)
    assert curl("-T", path, f"{lb.url}/up") == b"content\n" * 1000
    assert o.last.framing == "length"


def test_form(echo, directory):
    lb, o = echo
    path = os.path.join(directory, "file")
    with open(path, "wb") as f:
        f.write(b"x" * 5000)
    body = curl("-F", "name=value", "-F", f"file=@{path}", lb.url)
    assert b'name="name"' in body and b"x" * 5000 in body
    assert o.last.headers.one("content-type").startswith("multipart/form-data; boundary=")


def test_head(static):
    lb, _ = static
    text = curl("-I", f"{lb.url}/file").decode()
    assert text.startswith("HTTP/1.1 200 ") and "Content-Length: 1024000\r\n" in text


def test_ranges(static):
    lb, path = static
    with open(path, "rb") as f:
        data = f.read()
    assert curl("-r", "100-199", f"{lb.url}/file") == data[100:200]
    assert curl("-r", "-50", f"{lb.url}/file") == data[-50:]
    several = curl("-r", "0-9,100-109", f"{lb.url}/file")
    assert data[:10] in several and data[100:110] in several and b"Content-Range" in several
    assert curl("-r", "9999999-", "-o", "/dev/null", "-w", "%{http_code}", f"{lb.url}/file") == b"416"


def test_resume(static, directory):
    lb, path = static
    part = os.path.join(directory, "part")
    with open(path, "rb") as f:
        data = f.read()
    with open(part, "wb") as f:
        f.write(data[:300_000])
    curl("-C", "-", "-o", part, f"{lb.url}/file")
    with open(part, "rb") as f:
        assert f.read() == data


def test_conditional(static, directory):
    lb, path = static
    out = os.path.join(directory, "out")
    assert curl("-z", path, "-o", out, "-w", "%{http_code}", f"{lb.url}/file") == b"304"


def test_compressed(static):
    """The coding of the content is none of tinylb's business: it arrives as it was sent, chunked."""
    lb, path = static
    with open(path, "rb") as f:
        data = f.read()
    url = f"{lb.url}/-compressed-/file"
    assert curl("--compressed", url) == data
    assert gzip.decompress(curl("-H", "Accept-Encoding: gzip", url)) == data


def test_one_connection_for_many(static):
    lb, _ = static
    out = curl("-w", "%{num_connects} ", *[x for _ in range(5) for x in ("-o", "/dev/null", f"{lb.url}/file")])
    assert out.split() == [b"1", b"0", b"0", b"0", b"0"]


def test_parallel(static):
    lb, path = static
    out = curl("--parallel", "-w", "%{http_code} %{size_download}\n",
               *[x for _ in range(20) for x in ("-o", "/dev/null", f"{lb.url}/file")])
    assert out.splitlines() == [b"200 1024000"] * 20


def test_not_found_is_the_backends(static):
    lb, _ = static
    assert curl("-o", "/dev/null", "-w", "%{http_code}", f"{lb.url}/nothing") == b"404"
    assert lb.access()[0].reason == "done"


def test_as_a_proxy(echo):
    """curl -x speaks to it in absolute form; it is answered by the pool, not by the host named."""
    lb, o = echo
    curl("-x", lb.url, "http://elsewhere.invalid/path?q=1")
    assert o.last.target == "/path?q=1" and o.last.headers.one("host") == o.authority


def test_unix_socket(tinylb, origin, directory):
    o = origin(name="a")
    lb = tinylb(backends=[o.url], listen=("unix:@DIR@/http.sock",))
    assert lb.settings
    assert curl("--unix-socket", f"{directory}/http.sock", "http://x/") == b"a"
