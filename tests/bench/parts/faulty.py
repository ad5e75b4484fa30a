"""Backends that are killed, stopped, restarted and told to misbehave: Debian's nginx, node, the demo's."""

import os
import shutil
import signal
import subprocess

from lib import process
from lib.ports import reserve_port
from lib.tinylb import binary
from lib.wait import wait_for

SCRIPT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "peers", "backend.js")

NGINX = """
daemon off; pid {dir}/pid; error_log stderr; {user}
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ return 200 "{body}"; }} }}
}}
"""


class Backend:
    """One of them, with all its processes in a group of its own."""

    name = None
    graceful = signal.SIGTERM

    def __init__(self, directory):
        self.directory = os.path.join(directory, self.name)
        os.makedirs(self.directory)
        self.port = reserve_port()
        self.popen = None

    def words(self):
        raise NotImplementedError

    def start(self):
        with open(os.path.join(self.directory, "stderr"), "ab") as err:
            self.popen = subprocess.Popen(self.words(), stdin=subprocess.PIPE, stdout=err, stderr=err,
                                          cwd=self.directory, start_new_session=True)
        wait_for(lambda: process.listening(self.port), f"{self.name} listens")
        return self

    def signal(self, number):
        os.killpg(self.popen.pid, number)

    def kill(self):
        """All of it at once, as the kernel does it."""
        self.signal(signal.SIGKILL)
        self.popen.wait()
        wait_for(lambda: not process.listening(self.port), f"the end of {self.name}")

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def deploy(self):
        """Ends it as its makers mean it, and starts it again."""
        self.popen.send_signal(self.graceful)
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            pass
        self.end()
        self.start()

    def end(self):
        try:
            self.signal(signal.SIGKILL)
        except OSError:
            pass
        self.popen.wait()


class OfNginx(Backend):
    name = "nginx"
    graceful = signal.SIGQUIT

    def words(self):
        path = os.path.join(self.directory, "conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(NGINX.format(dir=self.directory, port=self.port, body="x" * 128,
                                 user="user root;" if os.geteuid() == 0 else ""))
        return [shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin"), "-p", self.directory, "-c", path,
                "-e", "stderr"]


class OfNode(Backend):
    name = "node"

    def words(self):
        return ["node", SCRIPT, str(self.port)]

    def tell(self, word):
        self.popen.stdin.write(word.encode() + b"\n")
        self.popen.stdin.flush()


class OfDemo(Backend):
    """A backend of `tinylb demo`; nobody asks the balancer before it."""

    name = "demo"

    def words(self):
        return [binary(), "demo", "--port", "0", "--backends", str(self.port), "--delay", "20ms"]


ALL = (OfNginx, OfNode, OfDemo)
