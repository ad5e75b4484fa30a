"""A line of the access log."""

import re

ACCESS_LINE = re.compile(
    r'(?P<time>\S+) (?P<client>\S+) "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}|-)'
    r" (?P<bytes>\d+) (?P<backend>\S+) (?P<connect>-|\d+(?:\.\d+)?)/(?P<response>-|\d+(?:\.\d+)?)/(?P<total>\d+(?:\.\d+)?)"
    r" (?P<reason>\S+) (?P<id>[!#-\[\]-~]+) (?P<tries>\d+)\n"
)


class AccessLine:
    def __init__(self, match):
        self.text = match.group(0)
        self.time, self.client, self.request = match.group("time", "client", "request")
        self.status = int(match.group("status"))  # 0: the client got none
        self.bytes = int(match.group("bytes"))
        self.backend = match.group("backend")
        self.connect, self.response, self.total = match.group("connect", "response", "total")
        self.reason = match.group("reason")
        self.id = match.group("id")
        self.tries = int(match.group("tries"))

    def __repr__(self):
        return self.text.rstrip()
