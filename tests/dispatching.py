"""Intake and dispatchers as `app/wiring.py` makes them, for tests that look at what is done with one unit."""

from typing import Any

from app.jobs.admission import Admission, Limits
from app.jobs.events import JobEvents, Listeners
from app.jobs.intake import Intake
from app.jobs.queueing.local_queue import LocalQueue
from app.jobs.reading.costly_files import CostlyFiles
from app.jobs.reading.dispatcher import Dispatcher
from app.jobs.reading.files import Files
from app.jobs.reading.reader import Reader
from app.jobs.reading.readings import Readings
from app.jobs.reading.retry import RetryPolicy
from ocr_engine.result import ImageInfo
from persistence.job import Job
from persistence.queue import JobQueue
from persistence.store import JobStore
from persistence.upload import Upload
from tests.scripted_pool import ScriptedPool

POLICY = RetryPolicy(max_attempts=3, base_seconds=0.001, max_seconds=0.01)
INFO = ImageInfo(media_type="image/png", width=1, height=1, frames=1, size=5)


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


def intake(store: JobStore, queue: LocalQueue | None = None, **options: Any) -> Intake:
    """One that has room for ten units."""
    limits = Limits(max_waiting_bytes=10**6, min_free_disk=0, min_free_memory=0, max_jobs_per_key=0)
    options = {"abandoned_seconds": 0.0, "max_pages": 100} | options
    return Intake(store, queue or LocalQueue(limit=10), POLICY, Admission(store, limits), JobEvents(), **options)


async def submitted(store: JobStore) -> Job:
    """A job of one page that waits."""
    return await intake(store).submit(Upload.of(b"image"), INFO)


async def stored(store: JobStore, job_id: str) -> Job:
    """The job as the store has it now."""
    job = await store.get(job_id)
    assert job is not None
    return job
