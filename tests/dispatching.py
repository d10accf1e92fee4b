"""Dispatchers as `app/wiring.py` makes them, for tests that look at what one does with a unit."""

from typing import Any

from app.jobs.events import JobEvents, Listeners
from app.jobs.queueing.local_queue import LocalQueue
from app.jobs.reading.costly_files import CostlyFiles
from app.jobs.reading.dispatcher import Dispatcher
from app.jobs.reading.files import Files
from app.jobs.reading.reader import Reader
from app.jobs.reading.readings import Readings
from app.jobs.reading.retry import RetryPolicy
from persistence.queue import JobQueue
from persistence.store import JobStore
from tests.scripted_pool import ScriptedPool


def dispatcher_of(
    store: JobStore,
    pool: ScriptedPool,
    policy: RetryPolicy,
    events: JobEvents,
    *,
    queue: JobQueue | None = None,
    readings: Readings | None = None,
    max_pages: int = 100,
    **options: Any,
) -> Dispatcher:
    """One that tells `events`, and puts the pages that it finds into `queue`."""
    files = Files(store, pool.forget)
    readings, costly = readings or Readings(), CostlyFiles()
    return Dispatcher(
        store,
        queue or LocalQueue(limit=1000),
        Reader(store, pool, files, costly, max_pages),
        readings,
        policy,
        Listeners(events, readings, files, costly),
        **options,
    )
