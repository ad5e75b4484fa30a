"""Debian's nginx as a backend, run as the test's own process: real answers from a real server (ranges,
conditional requests, gzip) to hold tinylb's against."""

import os
import shutil
import signal
import subprocess

import pytest

from . import process
from .ports import reserve_port
from .wait import wait_for

CONFIG = """
daemon off; worker_processes {workers}; pid {dir}/pid; error_log {dir}/error.log notice; {user}
events {{ worker_connections {connections}; }}
http {{
  access_log {dir}/access.log; sendfile on; keepalive_requests 1000000; default_type text/plain;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi; client_max_body_size 0;
  server {{
    listen 127.0.0.1:{port} {listen}; root {root};
    add_header X-Server {name};
    location /-compressed-/ {{ gzip on; gzip_min_length 1; gzip_types *; gzip_proxied any; alias {root}/; }}
    location /-gzip-/ {{ gzip on; gzip_min_length 1; gzip_types *; alias {root}/; }}
    {more}
  }}
}}
"""


class Nginx:
    def __init__(self, directory, root, name, more="", listen="", connections=1024, workers=1):
        """more: what else is to stand in the server's block; @PORT@ is its own port
        listen: options of its socket; connections: of each worker"""
        self.name = name
        self.directory = os.path.join(directory, f"nginx-{name}")
        os.makedirs(self.directory)
        self.port = reserve_port()
        path = os.path.join(self.directory, "nginx.conf")
        user = "user root;" if os.geteuid() == 0 else ""
        with open(path, "w", encoding="utf-8") as f:
            f.write(CONFIG.format(dir=self.directory, port=self.port, root=root, name=name, user=user,
                                  more=more.replace("@PORT@", str(self.port)), listen=listen, connections=connections,
                                  workers=workers))
        with open(os.path.join(self.directory, "stderr"), "wb") as err:
            self.popen = subprocess.Popen([find(), "-p", self.directory, "-c", path, "-e", "stderr"],
                                          stdin=subprocess.DEVNULL, stdout=err, stderr=err, start_new_session=True)

    def wait_ready(self):
        def ready():
            assert self.popen.poll() is None, process.read(os.path.join(self.directory, "stderr"))
            return process.listening(self.port)

        wait_for(ready, f"nginx {self.name} listens")
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def requests(self):
        """How many it has logged."""
        return process.read(os.path.join(self.directory, "access.log")).count(b"\n")

    def stop(self):
        try:
            os.killpg(self.popen.pid, signal.SIGTERM)
        except OSError:
            pass
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()


def find():
    path = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if not path:
        pytest.skip("needs nginx")
    return path
