"""A client of event streams as browsers have it (WHATWG HTML, section 9.2): comes back with Last-Event-ID, until told
not to.
"""

import http.client
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tests.live_server import PATIENCE


class Event(Struct, frozen=True, kw_only=True):
    """One that was dispatched."""

    name: str
    data: dict[str, object]
    id: str


class EventSource:
    """Reads the stream at `url`, which may be changed: a service that was started anew has another port."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.last_event_id = ""
        self.comments = 0
        self.connections = 0
        self.status = 0
        """Of the latest answer."""
        self._headers = dict(headers or {})

    def events(self) -> Iterator[Event]:
        """Those of one connection after the other, until an answer is no stream of events."""
        while True:
            yield from self.one_connection()
            if self.status != 200:
                return

    def one_connection(self) -> Iterator[Event]:
        """Up to the end of the stream."""
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE)
        try:
            again = {"Last-Event-ID": self.last_event_id} if self.last_event_id else {}
            connection.request("GET", parts.path, headers={"Accept": "text/event-stream", **self._headers, **again})
            answer = connection.getresponse()
            self.status = answer.status
            self.connections += 1
            if self.status == 200:
                assert answer.headers.get_content_type() == "text/event-stream"
                yield from self._dispatched(answer)
        finally:
            connection.close()

    def _dispatched(self, answer: http.client.HTTPResponse) -> Iterator[Event]:
        name, data, event_id = "message", "", self.last_event_id
        for line in answer:
            field, _, value = line.decode().rstrip("\n").partition(":")
            value = value.removeprefix(" ")
            if not field and not value:
                if data:
                    self.last_event_id = event_id
                    yield Event(name=name, data=msgspec.json.decode(data), id=event_id)
                name, data = "message", ""
            match field:
                case "":
                    self.comments += line.startswith(b":")
                case "event":
                    name = value
                case "data":
                    data += value
                case "id":
                    event_id = value
