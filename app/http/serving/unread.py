"""The limit of unread answers: how much all clients together may leave unread, and who is given up for it."""

from collections import Counter
from typing import Protocol

from loguru import logger

from app.http.serving.log_throttle import LogThrottle

MAX_UNREAD_BYTES = 40_000_000
"""Of answers under way that the kernel does not hold for their clients; half of it for one client."""
CUT_BACK_TO = 0.9
"""Share of a bound that is left when it was overstepped, so that not each answer oversteps it again."""


class Reader(Protocol):
    """A connection whose client has to read before it is sent more."""

    @property
    def client_name(self) -> str:
        """Whose share it takes from: the key's name, or the address where none are set."""

    @property
    def unread(self) -> int:
        """Bytes that are still to be sent."""

    def give_up(self) -> None:
        """Ends it at once, with its answer incomplete."""


class Unread:
    """The readers with something before them. Whoever reads is soon out of it, whatever the others do."""

    def __init__(self, most: int = MAX_UNREAD_BYTES) -> None:
        self._most = most
        # a dict for its order: the first one waits for the longest
        self._readers: dict[Reader, tuple[str, int]] = {}
        self._of_client: Counter[str] = Counter()
        self._overstepped = LogThrottle()

    def has_more(self, reader: Reader) -> None:
        """It has to read. Where too much is unread, those that have been told so for the longest are given up.

        Not `reader` itself: a long answer alone is allowed.
        """
        self.has_read(reader)
        self._count(reader, reader.client_name)
        if self._of_client[reader.client_name] > self._most / 2:
            self._cut_back(self._most / 2, reader, reader.client_name)
        while self._of_client.total() > self._most:
            greediest = self._of_client.most_common(1)[0][0]
            if not self._cut_back(self._of_client[greediest] / 2, reader, greediest):
                return

    def has_read(self, reader: Reader) -> None:
        """Nothing is before it any more. Twice is harmless."""
        client, size = self._readers.pop(reader, ("", 0))
        self._of_client[client] -= size
        if self._of_client[client] <= 0:
            del self._of_client[client]

    def _count(self, reader: Reader, client: str) -> None:
        self._readers[reader] = client, reader.unread
        self._of_client[client] += reader.unread

    def _cut_back(self, bound: float, spared: Reader, client: str) -> bool:
        """Gives up the client's readers until little enough is left; False where there is none to give up."""
        for reader, (name, counted) in self._readers.items():
            if name == client:  # it may have read some
                self._readers[reader] = name, reader.unread
                self._of_client[name] += reader.unread - counted
        given_up = 0
        for reader in [each for each, (name, _) in self._readers.items() if name == client and each is not spared]:
            if self._of_client[client] <= bound * CUT_BACK_TO:
                break
            self.has_read(reader)
            reader.give_up()
            given_up += 1
        if given_up and self._overstepped.due():
            logger.bind(event="answers.unread", connections=given_up).warning(
                "too much of the answers is not read by their clients: those that wait for the longest are given up"
            )
        return given_up > 0
