"""The port JobQueue: what every queue of job ids promises."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from loguru import logger

from persistence.store import StoreError

Handler = Callable[[str], Awaitable[float | None]]
"""What is done with one id. None: finished with. Seconds: deliver it again then. An exception: again soon."""

REDELIVERY_SECONDS = 1.0
"""Pause before an id is delivered again whose handler raised."""


class QueueFull(Exception):
    """No room for another job."""


class QueueStopped(Exception):
    """The queue takes nothing more: the service is stopping."""


class Reservations:
    """Places of a queue that are held for jobs while these are stored."""

    def __init__(self, limit: int) -> None:
        """`limit`: ids that may wait, and places that may be held, all together."""
        self._limit = limit
        self._held = 0

    @contextlib.contextmanager
    def hold(self, *, depth: int, stopped: bool) -> Iterator[None]:
        """One more place beside the `depth` ids that wait. Raises QueueFull, or QueueStopped where it is `stopped`."""
        if stopped:
            raise QueueStopped
        if depth + self._held >= self._limit:
            raise QueueFull
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1


class JobQueue(Protocol):
    """Delivers ids at least once, and an id to one handler at a time: it comes again when that handler has ended, or
    has died together with its process. The store holds the truth: an id twice is harmless, a rescue finds a lost one.
    """

    def reserve(self) -> contextlib.AbstractContextManager[None]:
        """Holds a place for one job while it is stored. Raises QueueFull or QueueStopped before anything is done."""

    async def put_new(self, job_id: str) -> None:
        """As `put`, for a job that was stored this moment: a queue in the store's own database has its id by then."""

    async def put(self, job_id: str, *, delay: float = 0.0) -> bool:
        """Delivers the id, not before `delay` seconds have passed. Never refuses: `reserve` is the bound.

        False where there was nothing to do, the queue having the id or taking nothing more.
        """

    async def discard(self, job_id: str) -> None:
        """Frees the place of an id that waits, delayed or not, as well as it can: nobody is at the job any more."""

    async def run(self, handler: Handler, *, concurrency: int) -> None:
        """Drives `concurrency` named dispatchers until `stop`; cancelled, it cancels handlers and waits for them."""

    def stop(self) -> None:
        """Delivers nothing more; handlers at work may finish, then `run` returns. Before `run`, or twice: harmless."""

    def depth(self) -> int:
        """Ids that wait, delayed ones included; those being handled are not.

        Of a shared queue as it was seen last, a second ago at most.
        """

    def ahead(self, job_id: str) -> int:
        """Ids that are delivered before this one, at most: all that wait, where the queue does not know better."""


async def handle_safely(handler: Handler, job_id: str, redelivery_seconds: float) -> float | None:
    """What the handler answers; where it raises: that the id comes again in so many seconds."""
    try:
        return await handler(job_id)
    except StoreError as error:
        # an outage, and no fault of the program: a line and no traceback
        logger.bind(event="job.handler_failed", job_id=job_id).error(f"the job is delivered again: {error}")
        return redelivery_seconds
    except Exception:
        logger.bind(event="job.handler_failed", job_id=job_id).exception(
            "a dispatcher failed; the job is delivered again"
        )
        return redelivery_seconds
