"""The port JobQueue: what every queue promises. It holds units of work, by name only."""

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Protocol, Self

from loguru import logger
from msgspec import Struct

from persistence.job import ANYBODY, Job, Priority
from persistence.store import StoreError

REDELIVERY_SECONDS = 1.0
"""Pause before a unit is delivered again whose handler raised."""

STEPS: Mapping[Priority, int] = {"high": 1, "normal": 4, "low": 16}
"""How far each goes on in virtual time with a unit: the reciprocal of its share."""


class Unit(Struct, frozen=True):
    """What one worker is busy with at a time: a page of a job, or a job that has no pages of its own (yet)."""

    job_id: str
    page: int = 0
    """0: the job itself, which is an image of one page, or a file that is to be opened."""
    owner: str = ANYBODY
    """Between owners, and then between an owner's jobs, workers are shared fairly."""

    priority: Priority = "normal"
    """Of its job: high ones get four times the turns of normal ones, these four times those of low ones."""

    @classmethod
    def of(cls, job: Job, page: int = 0) -> Self:
        """The job's unit, or one of its pages."""
        return cls(job.id, page, job.owner, job.options.priority)

    @property
    def name(self) -> str:
        """Says the same in one word; not whose it is."""
        return f"{self.job_id}/{self.page}" if self.page else self.job_id

    @classmethod
    def named(cls, name: str) -> Self:
        """The unit of that name."""
        job_id, separator, page = name.rpartition("/")
        return cls(job_id, int(page)) if separator and page.isdecimal() else cls(name)


Handler = Callable[[Unit], Awaitable[float | None]]
"""What is done with one unit. None: finished with. Seconds: deliver it again then. An exception: again soon."""


class Ahead(Struct, frozen=True, kw_only=True):
    """What is delivered before a job's units."""

    first: int
    """Units before its next one, at most."""
    last: int
    """Units before its last one, its own among them; as well as the queue can tell."""


class QueueFull(Exception):
    """No room for more work."""


class QueueStopped(Exception):
    """The queue takes nothing more: the service is stopping."""


class Reservations:
    """Places of a queue that are held for work while it is stored."""

    def __init__(self, limit: int) -> None:
        """`limit`: units that may wait, and places that may be held, all together."""
        self._limit = limit
        self._held = 0

    @contextlib.contextmanager
    def hold(self, *, depth: int, stopped: bool) -> Iterator[None]:
        """One more place beside the `depth` units that wait. Raises QueueFull, or QueueStopped where `stopped`."""
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
    """Delivers units at least once, and one to one handler at a time: it comes again when that handler has ended, or
    has died together with its process. The store holds the truth: a unit twice is harmless, a rescue finds a lost one.

    Fair: whoever has little to do is served first, whatever others have piled up. Owners take turns, and so do the
    jobs of an owner; the pages of a job come in their order. Each priority has its turns, longer or shorter ones: none
    starves.
    """

    window: int | None
    """How many units of a job wait here at a time, the store giving the next one when one is claimed; None: all."""

    def reserve(self) -> contextlib.AbstractContextManager[None]:
        """Holds a place for one unit while it is stored. Raises QueueFull or QueueStopped before anything is done."""

    async def put_new(self, units: Iterable[Unit]) -> None:
        """As `put`, for units that were stored this moment: a queue in the store's own database has them by then."""

    async def put(self, unit: Unit, *, delay: float = 0.0) -> bool:
        """Delivers the unit, not before `delay` seconds have passed. Never refuses: `reserve` is the bound.

        False where there was nothing to do, the queue having the unit or taking nothing more.
        """

    async def discard(self, job_id: str) -> None:
        """Frees the places of a job's units that wait, delayed or not, as well as it can: nobody wants them now."""

    async def run(self, handler: Handler, *, concurrency: int) -> None:
        """Drives `concurrency` named dispatchers until `stop`; cancelled, it cancels handlers and waits for them."""

    def stop(self) -> None:
        """Delivers nothing more; handlers at work may finish, then `run` returns. Before `run`, or twice: harmless."""

    def depth(self) -> int:
        """Units that wait, delayed ones included; those being handled are not.

        Of a shared queue as it was seen last, a second ago at most, with the pages that wait for a place in it.
        """

    async def ahead(self, job_id: str) -> Ahead | None:
        """What comes before the units of the job that wait; None where none does, or it cannot be told now."""


async def handle_safely(handler: Handler, unit: Unit, redelivery_seconds: float) -> float | None:
    """What the handler answers; where it raises: that the unit comes again in so many seconds."""
    try:
        return await handler(unit)
    except StoreError as error:
        # an outage, and no fault of the program: a line and no traceback
        logger.bind(event="job.handler_failed", job_id=unit.job_id).error(f"the job is delivered again: {error}")
        return redelivery_seconds
    except Exception:
        logger.bind(event="job.handler_failed", job_id=unit.job_id).exception(
            "a dispatcher failed; the job is delivered again"
        )
        return redelivery_seconds
