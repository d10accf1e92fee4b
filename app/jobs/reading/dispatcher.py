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
from app.jobs.reading.piece import Piece, keep, load
from app.jobs.reading.reader import Reader
from app.jobs.reading.readings import Readings, Unwanted
from app.jobs.reading.retry import RetryPolicy, after_error, wait_until_due
from ocr_engine.errors import InternalError, OcrError, PoolUnavailable, WorkerCrashed
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
    ) -> None:
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

    async def handle(self, unit: Unit) -> float | None:
        """Runs one attempt of the unit, if there is one to run. A queue's Handler."""
        piece = await load(self._store, unit)
        if piece is not None and piece.orphaned:
            piece = await self._rescue(piece)
        if piece is None or not piece.waits:
            return None
        if (wait := wait_until_due(piece.attempted, self._policy, self._now())) > 0:
            return wait
        claimed = await self._claim(piece)
        if claimed is None:
            return None
        outcome = await self._attempt(claimed)
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

    async def _claim(self, piece: Piece) -> Piece | None:
        now = self._now()
        due_at = self._restated(piece.attempted.due_at)
        claiming = asyncio.create_task(
            keep(self._store, piece, piece.claimed(now, due_at), now), name=f"claim of {piece.job.id}"
        )
        try:
            kept = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            # carried out all the same, and after the next start it would pass for a crash, which costs an attempt
            with contextlib.suppress(TimeoutError, StoreError):
                kept = await asyncio.wait_for(claiming, self._pauses.last_write)
                if kept is not None:
                    kept.tell(self._events)
                    await self._put_back(kept.piece)
            raise
        if kept is None:
            return None
        # here, not in the task that wrote: what a listener notes of the attempt is this dispatcher's
        kept.tell(self._events)
        return kept.piece

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

    async def _write(self, old: Piece, new: Piece) -> bool:
        pause = self._pauses.write
        while True:
            try:
                kept = await keep(self._store, old, new, self._now())
            except StoreError as error:
                logger.bind(event="store.write_failed", job_id=new.job.id).error(
                    f"the outcome cannot be stored yet: {error}"
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, self._pauses.max_write)
                continue
            if kept is None:
                self._events.outcome_dropped(old.job)
            else:
                kept.tell(self._events)
            return kept is not None
