"""A server that answers everything and closes connections that are idle for so long, without a word about
that in its answers, as servers in Go do (IdleTimeout).

    /usr/bin/python3 tests/lib/idling.py PORT LIMIT DELAY      (seconds; the delay is that of answers)
"""

import asyncio
import re
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Connection(asyncio.Protocol):
    def __init__(self, limit, delay):
        self.limit, self.delay = limit, delay
        self.waiting = b""
        self.timer = None

    def connection_made(self, transport):
        self.transport = transport
        self._idle()

    def _idle(self):
        self.timer = asyncio.get_running_loop().call_later(self.limit, self.transport.close)

    def data_received(self, data):
        self.timer.cancel()
        self.waiting += data
        head, end, rest = self.waiting.partition(b"\r\n\r\n")
        m = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        length = int(m.group(1)) if m else 0
        if end and len(rest) >= length:
            self.waiting = rest[length:]
            asyncio.get_running_loop().call_later(self.delay, self._answer)

    def _answer(self):
        self.transport.write(ANSWER)
        self._idle()

    def connection_lost(self, exc):
        self.timer.cancel()


async def serve(port, limit, delay):
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(limit, delay), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
