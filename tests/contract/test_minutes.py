"""What every store promises of what ended in each minute."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from ocr_engine.result import OcrTimings
from persistence.history.minute import MINUTE, Minute, minute_of
from persistence.job import Job
from persistence.page import new_pages
from persistence.store import JobStore
from persistence.upload import Upload
from tests.contract.conftest import OpenStore
from tests.contract.jobs import RESULT, START, after, dead, failure, job, moved, stored

pytestmark = pytest.mark.anyio

FIRST = minute_of(START)
TOOK = 1.25
"""Seconds of RESULT."""


async def read(store: JobStore, job_id: str, waited: float, at: float) -> Job:
    """An image that was read."""
    new = job(job_id)
    await stored(store, new)
    claimed = new.claimed(after(waited))
    return await moved(store, new, claimed, claimed.completed(RESULT, after(at)))


async def test_pages_are_counted_in_the_minute_in_which_they_end(store: JobStore) -> None:
    await read(store, "a", waited=2, at=10)
    await read(store, "b", waited=4, at=11)
    await read(store, "c", waited=1, at=125)
    await dead(store, "d", at=126)
    assert await store.minutes(FIRST) == [
        Minute(begins=FIRST, pages_read=2, wait_seconds=6, recognition_seconds=2 * TOOK),
        Minute(begins=FIRST + 2 * MINUTE, pages_read=1, pages_failed=1, wait_seconds=1, recognition_seconds=TOOK),
    ]
    assert [each.begins for each in await store.minutes(FIRST + MINUTE)] == [FIRST + 2 * MINUTE]


async def test_each_page_of_a_file_counts_once_and_its_job_not(store: JobStore) -> None:
    new = msgspec.structs.replace(job(), paged=True, pages_total=3)
    units = new_pages(new, range(1, 4), after(0))
    await store.add(new, Upload.of(b"file"), units)
    for page in units[:2]:
        claimed = page.claimed(after(3))
        assert await store.replace_page(page, claimed, after(3)) is not None
        done = claimed.completed(msgspec.structs.replace(RESULT, timings=OcrTimings(total=0.5)))
        assert await store.replace_page(claimed, done, after(5)) is not None
        assert await store.replace_page(claimed, done, after(6)) is None  # it comes too late
    claimed = units[2].claimed(after(3))
    assert await store.replace_page(units[2], claimed, after(3)) is not None
    again = claimed.retried(failure(), after(4))
    assert await store.replace_page(claimed, again, after(4)) is not None
    last = again.claimed(after(5))
    assert await store.replace_page(again, last, after(5)) is not None
    assert await store.replace_page(last, last.given_up(failure()), after(6)) is not None
    (minute,) = await store.minutes(FIRST)
    assert minute == Minute(begins=FIRST, pages_read=2, pages_failed=1, wait_seconds=6, recognition_seconds=1.0)


async def test_what_was_counted_stays_when_its_job_is_erased_and_after_opening_again(open_store: OpenStore) -> None:
    store = await open_store()
    assert await store.delete(await read(store, "a", waited=0, at=1))
    await store.close()
    store = await open_store()
    (minute,) = await store.minutes(FIRST)
    assert minute.pages_read == 1
    await store.close()


async def test_of_pages_that_end_at_once_each_is_counted(store: JobStore) -> None:
    await asyncio.gather(*(read(store, f"job-{number}", waited=0, at=1) for number in range(20)))
    (minute,) = await store.minutes(FIRST)
    assert minute.pages_read == 20


async def test_minutes_are_forgotten(store: JobStore) -> None:
    await read(store, "a", waited=0, at=1)
    await read(store, "b", waited=0, at=61)
    await store.forget_minutes(FIRST + timedelta(seconds=59))
    assert [each.begins for each in await store.minutes(FIRST)] == [FIRST + MINUTE]
