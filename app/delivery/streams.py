"""Those who follow jobs by an open stream: who is told what, and how many there may be."""

import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from datetime import datetime, timedelta

from app import clock
from app.delivery.subscription import StreamLimits, Subscription
from app.jobs.events import JobEvents
from persistence.batches.batch import BatchState
from persistence.change import JobChange, change_of
from persistence.cursor import Cursor
from persistence.job import Job
from persistence.page import Page
from persistence.store import JobStore

OVERLAP = timedelta(seconds=5)
"""Changes may be stored in another order than their moments say, by as much as one write takes."""
CATCH_UP_JOBS = 200
"""Read at a time."""


class TooManyStreams(Exception):
    """One more may not be opened now."""


class Streams(JobEvents):
    """The open streams. They hear of jobs from this process, and through `told` from other nodes."""

    def __init__(
        self, store: JobStore, limits: StreamLimits = StreamLimits(), now: Callable[[], datetime] = clock.now
    ) -> None:
        self.limits = limits
        self._store = store
        self._now = now
        self._subscriptions: dict[Subscription, str] = {}
        self._of_client: Counter[str] = Counter()
        self._closed = False

    @property
    def count(self) -> int:
        """Streams that are open."""
        return len(self._subscriptions)

    def require_room(self, client: str) -> None:
        """Raises TooManyStreams where the client may not open another one."""
        if self._of_client[client] >= self.limits.of_client:
            raise TooManyStreams(f"you have {self.limits.of_client} event streams open, which is as many as you may")
        if self.count >= self.limits.streams:
            raise TooManyStreams("as many event streams are open as this service allows")

    async def of_job(
        self, client: str, job_id: str, look: Callable[[], Awaitable[Job | None]], seen: int = -1
    ) -> AsyncGenerator[JobChange | None, None]:
        """The job as it stands, unless its revision was `seen`, then each change up to its end. None: a sign of life;
        the first one says that from here on nothing is missed.

        What changes faster than it is taken is told as it stands then. Ends early at a stop, and where there is no room
        or `look` finds no job any more; never raises.
        """
        with contextlib.suppress(TooManyStreams), self._subscribed(client, lambda change: change.id == job_id) as own:
            own.doubt()
            yield None
            while True:
                if own.in_doubt:
                    with own.looking():
                        if (job := await look()) is None:
                            return
                        own.tell(change_of(job))
                for change in own.take():
                    if change.revision > seen:
                        seen = change.revision
                        yield change
                    if change.status.terminal:
                        return
                if own.ended or self._closed:
                    return
                if not await own.rung():
                    yield None

    async def of_owner(
        self, client: str, owner: str | None, seen: Cursor | None
    ) -> AsyncGenerator[JobChange | None, None]:
        """Each change of the owner's jobs (None: of all jobs) after the one that was `seen`, or from now on.

        What changes while nobody listens is told as it stands then, at least once. In all else as `of_job`.
        """
        start = seen or Cursor(updated_at=self._now(), id="")
        with (
            contextlib.suppress(TooManyStreams),
            self._subscribed(client, lambda change: owner in (None, change.owner)) as own,
        ):
            if seen is not None:
                own.doubt()
            last = start
            yield None
            while True:
                if own.in_doubt:
                    with own.looking():
                        async for missed in self._after(last, start, owner):
                            for change in missed:
                                own.tell(change)
                            for change in own.take():
                                last = max(last, _place(change), key=_order)
                                yield change
                for change in own.take():
                    last = max(last, _place(change), key=_order)
                    yield change
                if own.ended or self._closed:
                    return
                if not await own.rung():
                    yield None

    async def of_batch(
        self,
        client: str,
        batch_id: str,
        look: Callable[[], Awaitable[BatchState | None]],
        is_known: Callable[[BatchState], bool],
    ) -> AsyncGenerator[BatchState | None, None]:
        """The batch as it stands, unless that is known, then whenever it has changed, up to its end. In all else as
        `of_job`.
        """
        last = None
        with (
            contextlib.suppress(TooManyStreams),
            self._subscribed(client, lambda change: change.batch_id == batch_id) as own,
        ):
            own.doubt()
            yield None
            while True:
                if own.take() or own.in_doubt:
                    with own.looking():
                        if (state := await look()) is None:
                            return
                        if state != last:
                            if last is not None or not is_known(state):
                                yield state
                            last = state
                        if state.status.terminal:
                            return
                if own.ended or self._closed:
                    return
                if not await own.rung():
                    yield None

    async def _after(self, last: Cursor, start: Cursor, owner: str | None) -> AsyncGenerator[Sequence[JobChange], None]:
        """What changed after `last`, and shortly before it, but never before `start`; piece by piece."""
        early = Cursor(updated_at=last.updated_at - OVERLAP, id="")
        place = early if start.id or _order(early) > _order(start) else start
        while changes := await self._store.changes(place, CATCH_UP_JOBS, owner):
            yield [change for change in changes if _place(change) != start]
            place = _place(changes[-1])

    def told(self, change: JobChange) -> None:
        """A job has changed, here or on another node. More than once is harmless."""
        for subscription in self._subscriptions:
            if subscription.wants(change):
                subscription.tell(change)

    def doubt(self) -> None:
        """Changes may have been missed: what tells of them was out of reach."""
        for subscription in self._subscriptions:
            subscription.doubt()

    def close(self) -> None:
        """All streams end, and new ones as soon as they have told how things stand."""
        self._closed = True
        for subscription in self._subscriptions:
            subscription.end()

    def accepted(self, job: Job) -> None:
        """See JobEvents."""
        self.told(change_of(job))

    def claimed(self, job: Job) -> None:
        """See JobEvents."""
        self.told(change_of(job))

    def opened(self, job: Job) -> None:
        """See JobEvents."""
        self.told(change_of(job))

    def page_changed(self, job: Job, old: Page, page: Page) -> None:
        """See JobEvents."""
        if page.status.settled:
            self.told(change_of(job))

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        self.told(change_of(job))

    def requeued(self, job: Job) -> None:
        """See JobEvents."""
        self.told(change_of(job))

    @contextlib.contextmanager
    def _subscribed(self, client: str, wants: Callable[[JobChange], bool]) -> Iterator[Subscription]:
        """Raises TooManyStreams."""
        self.require_room(client)
        subscription = Subscription(wants, self.limits)
        self._subscriptions[subscription] = client
        self._of_client[client] += 1
        try:
            yield subscription
        finally:
            # at once, without an await: a stream whose client is gone is cancelled again at each
            del self._subscriptions[subscription]
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]


def _place(change: JobChange) -> Cursor:
    return Cursor(updated_at=change.updated_at, id=change.id)


def _order(cursor: Cursor) -> tuple[datetime, str]:
    return cursor.updated_at, cursor.id
