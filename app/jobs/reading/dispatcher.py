"""The handler of queued units: claims one, has it read by a worker, stores the outcome."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import datetime

from loguru import logger
from msgspec import Struct

from app import clock
from app.jobs.events import JobEvents
from app.jobs.reading.piece import Piece, Taken, keep, take
from app.jobs.reading.reader import Reader
from app.jobs.reading.readings import Readings, Unwanted
from app.jobs.reading.retry import RetryPolicy, after_error, wait_until_due
from ocr_engine.errors import InternalError, OcrError, PoolUnavailable, WorkerCrashed
from persistence.job import JobState
from persistence.queue import JobQueue, Unit
from persistence.store import JobStore, StoreError


class DispatcherPauses(Struct, frozen=True, kw_only=True):
    """In seconds."""

    again: float = 1.0
    """Before a unit is tried again that met a store or a pool which could not serve it."""
    write: float = 0.2
    """Before an outcome that could not be stored is tried again; doubles up to `max_write`."""
    max_write: float = 5.0
    last_write: float = 5.0
    """How long a stop waits for an outcome that cannot be stored; the unit is then read again after the restart."""


class Dispatcher:
    """The handler that the queue drives, MAX_WORKERS of it at a time."""

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        reader: Reader,
        readings: Readings,
        policy: RetryPolicy,
        events: JobEvents,
        now: Callable[[], datetime] = clock.now,
        restated: Callable[[datetime], datetime] = clock.restated,
        jitter: Callable[[], float] = random.random,
        pauses: DispatcherPauses = DispatcherPauses(),
        behind: int = 0,
    ) -> None:
        """`behind`: how many outcomes at a time may be stored while the dispatcher goes on; only where the queue needs
        no word of their end.
        """
        self._store = store
        self._queue = queue
        self._reader = reader
        self._readings = readings
        self._policy = policy
        self._events = events
        self._now = now
        self._restated = restated
        self._jitter = jitter
        self._pauses = pauses
        self._behind = behind
        self._writing: set[asyncio.Task[bool]] = set()
        self._fault: BaseException | None = None
        """Of ours, that kept an outcome from being stored behind: dispatchers die of it, as where it is not behind."""

    async def handle(self, unit: Unit) -> float | None:
        """Runs one attempt of the unit, if there is one to run. A queue's Handler."""
        if self._fault is not None:
            raise self._fault
        begun = await self._begin(unit)
        if not isinstance(begun, Piece):
            return begun
        claimed, outcome = begun, await self._attempt(begun)
        if not outcome.waits and not outcome.opened and len(self._writing) < self._behind:
            self._record_behind(claimed, outcome)
            return None
        if not await self._record(claimed, outcome):
            return None
        if outcome.opened:
            await self._queue.put_new(Unit.of(outcome.job, page.number) for page in outcome.opened)
        if not outcome.waits:
            return None
        interrupted = len(outcome.attempted.failures) == len(claimed.attempted.failures)
        return self._pauses.again if interrupted else wait_until_due(outcome.attempted, self._policy, self._now())

    async def _rescue(self, piece: Piece) -> Piece | None:
        """The orphan after an attempt that nobody will end: a queue delivers no unit whose handler lives.

        The attempt counts: the page may be what killed the process. None where somebody else was faster.
        """
        error = WorkerCrashed("the service stopped abruptly while this image was being read")
        settled = after_error(piece, error, self._policy, self._now(), self._jitter())
        kept = await keep(self._store, piece, settled, self._now())
        if kept is None:
            return None
        kept.tell(self._events)
        return kept.piece

    async def settle(self) -> None:
        """Returns when no outcome is being stored behind, or `last_write` later; units of these are then read again."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=self._pauses.last_write)
        for task in self._writing:
            task.cancel()

    async def _begin(self, unit: Unit) -> Piece | float | None:
        """The unit with its attempt begun; seconds until it may be; None where there is none to begin."""
        waits: list[float] = []

        def begun(piece: Piece) -> Piece | None:
            if not piece.waits:
                return None
            now = self._now()
            waits[:] = [wait_until_due(piece.attempted, self._policy, now)]
            return None if waits[0] > 0 else piece.claimed(now, self._restated(piece.attempted.due_at))

        taken = await self._take(unit, begun)
        if taken is not None and taken.found.orphaned and await self._rescue(taken.found):
            taken = await self._take(unit, begun)
        if taken is None:
            return None
        if taken.begun is not None:
            # here, not in the task that wrote: what a listener notes of the attempt is this dispatcher's
            taken.begun.tell(self._events)
            return taken.begun.piece
        return waits[0] if waits and waits[0] > 0 else None

    async def _take(self, unit: Unit, begun: Callable[[Piece], Piece | None]) -> Taken | None:
        taking = asyncio.create_task(take(self._store, unit, begun, self._now()), name=f"claim of {unit.name}")
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            # carried out all the same, and after the next start it would pass for a crash, which costs an attempt
            with contextlib.suppress(TimeoutError, StoreError):
                taken = await asyncio.wait_for(taking, self._pauses.last_write)
                if taken is not None and taken.begun is not None:
                    taken.begun.tell(self._events)
                    await self._put_back(taken.begun.piece)
            raise

    async def _attempt(self, piece: Piece) -> Piece:
        """What this attempt leaves. Cancelled (the drain deadline), it puts the unit back first."""
        try:
            return await self._readings.run(piece.job.id, self._reader.read(piece))
        except asyncio.CancelledError:
            await self._put_back(piece)
            raise
        except (StoreError, PoolUnavailable, Unwanted):
            # not its fault: the attempt is given back (to an unwanted one in vain: the store knows better)
            return piece.interrupted(self._now())
        except OcrError as error:
            return after_error(piece, error, self._policy, self._now(), self._jitter())
        except Exception as error:
            logger.bind(event="job.internal_error", job_id=piece.job.id).exception("unexpected error in an attempt")
            fault = InternalError(f"{type(error).__name__}: {error}")
            return after_error(piece, fault, self._policy, self._now(), self._jitter())

    async def _put_back(self, piece: Piece) -> None:
        """Gives the attempt back that a stop ends, if the store takes that soon; the unit is read again anyhow."""
        name = f"outcome of {piece.job.id}"
        writing = asyncio.create_task(self._write(piece, piece.interrupted(self._now())), name=name)
        await asyncio.wait({writing}, timeout=self._pauses.last_write)
        writing.cancel()

    async def _record(self, old: Piece, new: Piece) -> bool:
        """Stores the outcome, whatever happens to this task meanwhile; False where another change had won."""
        writing = asyncio.create_task(self._write(old, new), name=f"outcome of {new.job.id}")
        try:
            stored = await asyncio.shield(writing)
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(writing, self._pauses.last_write)
            raise
        return stored

    def _record_behind(self, old: Piece, new: Piece) -> None:
        """Stores the outcome while its worker gets the next unit."""

        async def written() -> bool:
            await asyncio.sleep(0)  # the next unit's claim goes first: a worker waits for that
            return await self._write(old, new)

        writing = asyncio.create_task(written(), name=f"outcome of {new.job.id}")
        self._writing.add(writing)
        writing.add_done_callback(self._written_behind)

    def _written_behind(self, writing: asyncio.Task[bool]) -> None:
        self._writing.discard(writing)
        if not writing.cancelled() and (fault := writing.exception()) is not None:
            self._fault = fault
            logger.bind(event="job.internal_error").opt(exception=fault).error(
                f"the {writing.get_name()} is not stored"
            )

    async def _write(self, old: Piece, new: Piece) -> bool:
        pause = self._pauses.write
        while True:
            try:
                kept = await keep(self._store, old, new, self._now())
                stored = None if kept else await self._store.outline(old.job.id)
            except StoreError as error:
                logger.bind(event="store.write_failed", job_id=new.job.id).error(
                    f"the outcome cannot be stored yet: {error}"
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._pauses.max_write)
                continue
            if kept is None:
                wanted = stored is not None and stored.status is not JobState.CANCELLED
                self._events.outcome_dropped(old.job, wanted=wanted)
            else:
                kept.tell(self._events)
            return kept is not None
