"""The permit for memory that uploads under way may hold, all together and for each client."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class UploadMemoryFull(Exception):
    """Uploads that are being received take as much memory as they may."""


class UploadMemory:
    """The bodies that are being received, bounded all together: a stalled upload holds what it has sent in memory.

    One client may hold half of that, so that it cannot shut out the others.
    """

    def __init__(self, limit: int, largest: int = 0) -> None:
        """`limit` in bytes; a client may always hold `largest` of them: one image."""
        self._limit = limit
        self._share = max(limit // 2, largest)
        self._of_client: Counter[str] = Counter()
        self.bytes = 0
        """Held now."""

    @contextmanager
    def body(self, client: str) -> Iterator["Body"]:
        """A body to fill; its bytes count until the end of the block."""
        body = Body(lambda size: self._hold(client, size))
        try:
            yield body
        finally:
            self.bytes -= len(body.data)
            self._of_client[client] -= len(body.data)
            if not self._of_client[client]:
                del self._of_client[client]
            body.data.clear()  # at once, not when the last traceback of a failed request is gone

    def _hold(self, client: str, size: int) -> None:
        # what has come counts, not what was announced: to announce costs a client nothing
        if self.bytes + size > self._limit or self._of_client[client] + size > self._share:
            raise UploadMemoryFull
        self.bytes += size
        self._of_client[client] += size


class Body:
    """The image of an upload, as far as it has come."""

    def __init__(self, hold: Callable[[int], None]) -> None:
        self.data = bytearray()
        self._hold = hold

    def __iadd__(self, chunk: bytes | bytearray) -> "Body":
        """Raises UploadMemoryFull."""
        self._hold(len(chunk))
        self.data += chunk
        return self
