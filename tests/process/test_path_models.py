"""The models of how servers read paths (tests/lib/path_models.c) against the servers themselves."""

import ctypes
import http.client
import http.server
import json
import os
import shutil
import subprocess

import pytest

from lib.nginx import Nginx
from lib.ports import reserve_port
from lib.process import listening
from lib.wait import wait_for

PATHS = 400
MODELS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "lib", "path_models.c")

APACHE = """
ServerRoot {dir}
ServerName test
PidFile {dir}/pid
ErrorLog {dir}/error.log
DocumentRoot {dir}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule rewrite_module {modules}/mod_rewrite.so
RewriteEngine On
RewriteOptions InheritDownBefore
RewriteRule .* - [G]
Header always set X-Path "expr=%{{REQUEST_URI}}"
{servers}
"""

NODE = """
const paths = JSON.parse(require("fs").readFileSync(0));
const attempt = f => { try { return f(); } catch { return null; } };
console.log(JSON.stringify(paths.map(p => {
  const url = attempt(() => new URL(p, "http://host").pathname);
  return [url, url === null ? null : attempt(() => decodeURIComponent(url)), attempt(() => decodeURIComponent(p))];
})));
"""


class Models:
    def __init__(self, directory):
        library = os.path.join(directory, "path_models.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, MODELS], check=True)
        self.library = ctypes.CDLL(library)
        self.library.path_model_name.restype = ctypes.c_char_p
        self.library.path_model_read.restype = ctypes.c_long
        self.library.path_model_read.argtypes = [ctypes.c_uint, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p]
        self.library.path_model_invent.restype = ctypes.c_size_t
        self.library.path_model_invent.argtypes = [ctypes.POINTER(ctypes.c_uint64), ctypes.c_char_p, ctypes.c_size_t]
        self.numbers = {}
        while (name := self.library.path_model_name(len(self.numbers))) is not None:
            self.numbers[name.decode()] = len(self.numbers)

    def read(self, name, path):
        """What the server makes of a path; None: it refuses it."""
        out = ctypes.create_string_buffer(len(path) + 2)
        size = self.library.path_model_read(self.numbers[name], path, len(path), out)
        return out.raw[:size] if size >= 0 else None

    def paths(self):
        state = ctypes.c_uint64(7)
        out = ctypes.create_string_buffer(100)
        sizes = (self.library.path_model_invent(state, out, 100) for _ in range(PATHS))
        return sorted({ctypes.string_at(out, size) for size in sizes})


@pytest.fixture
def models(directory):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    return Models(directory)


def ask(port, path):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    c.putrequest("GET", path.decode("latin-1"), skip_accept_encoding=True)
    c.endheaders()
    r = c.getresponse()
    body = r.read()
    c.close()
    return r, body


def compare(models, name, read):
    """`read` is what the real server makes of a path; None: it refuses it, False: nothing is known."""
    different = [(path, real, models.read(name, path)) for path in models.paths()
                 if (real := read(path)) is not False and real != models.read(name, path)]
    assert not different, (name, len(different), different[:10])


@pytest.mark.plain("no program of ours takes part")
@pytest.mark.parametrize("name, more", [("nginx", ""), ("nginx, merge_slashes off", "merge_slashes off;")])
def test_nginx(models, directory, name, more):
    server = Nginx(directory, directory, "paths", more=more + ' location / { return 200 "$uri"; }').wait_ready()

    def read(path):
        r, body = ask(server.port, path)
        return body if r.status == 200 else None

    try:
        compare(models, name, read)
    finally:
        server.stop()


@pytest.mark.plain("no program of ours takes part")
def test_apache(models, directory):
    program = shutil.which("apache2", path=os.environ.get("PATH", "") + ":/usr/sbin")
    modules = "/usr/lib/apache2/modules"
    if program is None or not os.path.exists(modules):
        pytest.skip("Debian's apache2-bin is not installed")
    kinds = {"Apache": "AllowEncodedSlashes NoDecode", "Apache, AllowEncodedSlashes On": "AllowEncodedSlashes On",
             "Apache, MergeSlashes Off": "AllowEncodedSlashes NoDecode\nMergeSlashes Off"}
    ports = {name: reserve_port() for name in kinds}
    servers = "".join(f"Listen 127.0.0.1:{ports[n]}\n<VirtualHost 127.0.0.1:{ports[n]}>\n{kinds[n]}\nRewriteEngine On\n"
                      f"</VirtualHost>\n" for n in kinds)
    settings = os.path.join(directory, "apache.conf")
    with open(settings, "w", encoding="utf-8") as f:
        f.write(APACHE.format(dir=directory, modules=modules, servers=servers))
    apache = subprocess.Popen([program, "-f", settings, "-D", "FOREGROUND"], start_new_session=True)

    def read(port):
        def of(path):
            r, _ = ask(port, path)
            return r.headers["X-Path"].encode("latin-1") if r.status == 410 else None
        return of

    try:
        wait_for(lambda: apache.poll() is not None or all(listening(p) for p in ports.values()), "Apache listens")
        assert apache.poll() is None
        for name, port in ports.items():
            compare(models, name, read(port))
    finally:
        apache.terminate()
        apache.wait(10)


@pytest.mark.plain("no program of ours takes part")
def test_node(models):
    if shutil.which("node") is None:
        pytest.skip("there is no node")
    paths = models.paths()
    text = subprocess.run(["node", "-e", NODE], input=json.dumps([p.decode() for p in paths]), check=True,
                          capture_output=True, text=True).stdout
    real = dict(zip(paths, json.loads(text)))
    for i, name in enumerate(["Node, URL", "Node, URL and decoded", "decoded"]):
        # A host that is none is an exception, which the models do not know.
        compare(models, name, lambda path: False if real[path][i] is None else real[path][i].encode())


@pytest.mark.plain("no program of ours takes part")
def test_python(models):
    handler = http.server.SimpleHTTPRequestHandler.__new__(http.server.SimpleHTTPRequestHandler)
    handler.directory = "/"

    def read(path):
        text = path.decode()
        text = handler.translate_path("/" + text.lstrip("/") if text.startswith("//") else text)
        if "\ufffd" in text: # of octets that are no UTF-8
            return False
        return text.encode() if text.strip("/") else b"/"

    compare(models, "Python's http.server", read)
