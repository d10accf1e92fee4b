"""What every store promises of batches."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from persistence.batches.batch import Batch, BatchFile, NewJob
from persistence.job import Job, JobOptions, JobState
from persistence.page import new_pages
from persistence.repeat import AlreadySubmitted, Repeat
from persistence.store import JobExists, JobStore, StoreError
from persistence.upload import IN_MEMORY_BYTES, Upload
from tests.contract.conftest import OpenStore
from tests.contract.jobs import RESULT, START, after, failure, job

pytestmark = pytest.mark.anyio

in_rows = pytest.mark.parametrize("new_store", ["sqlite", "postgres"], indirect=True)
"""Of what has nothing to do with where uploads are."""

IMAGE = Upload.of(b"image")
KEY = Repeat(owner="ann", key="k", fingerprint="f")
REFUSED = BatchFile(number=3, name="c.txt", code="unsupported_media_type", detail="not an image")


def members(batch_id: str, *, owner: str = "ann") -> list[Job]:
    """Two jobs of a batch."""
    return [
        msgspec.structs.replace(job(f"{batch_id}-{number}", owner=owner), batch_id=batch_id, batch_number=number)
        for number in (1, 2)
    ]


async def add(
    store: JobStore,
    batch_id: str = "batch",
    *,
    created: float = 0.0,
    owner: str = "ann",
    repeat: Repeat | None = None,
    uploads: tuple[Upload, Upload] = (IMAGE, IMAGE),
) -> list[Job]:
    """A batch of two jobs and a refused file."""
    jobs = members(batch_id, owner=owner)
    options = JobOptions(tag="t", callback_url="https://example.com/hook")
    batch = Batch(id=batch_id, owner=owner, created_at=after(created), files=3, jobs=2, unfinished=2, options=options)
    files = [BatchFile(number=each.batch_number, name=f"{each.id} \U0001f9fe.png", job_id=each.id) for each in jobs]
    new = [NewJob(job=each, upload=upload) for each, upload in zip(jobs, uploads, strict=True)]
    await store.batches.add(batch, [*files, REFUSED], new, repeat)
    return jobs


async def end(store: JobStore, queued: Job, status: JobState) -> Job:
    """The job, brought to its end."""
    if status is JobState.CANCELLED:
        ended = queued.cancelled(after(3))
        assert await store.replace(queued, ended)
        return ended
    claimed = queued.claimed(after(1))
    ended = (
        claimed.completed(RESULT, after(2)) if status is JobState.DONE else claimed.dead_lettered(failure(), after(3))
    )
    assert await store.replace(queued, claimed)
    assert await store.replace(claimed, ended)
    return ended


async def test_a_batch_and_its_jobs_are_there_together_and_durable(open_store: OpenStore) -> None:
    store = await open_store()
    jobs = await add(store, repeat=KEY)
    await store.close()
    store = await open_store()
    state = await store.batches.get("batch")
    assert state is not None
    assert (state.batch.owner, state.batch.created_at, state.batch.files, state.batch.unfinished) == (
        "ann",
        START,
        3,
        2,
    )
    assert (state.status, state.counts[JobState.QUEUED], state.last_unfinished) == (JobState.QUEUED, 2, "batch-2")
    assert [await store.get(each.id) for each in jobs] == jobs
    assert [await store.image(each.id) for each in jobs] == [b"image"] * 2
    files = await store.batches.files("batch", 0, 10)
    assert [(each.name, each.job_id, each.status) for each in files[:2]] == [
        ("batch-1 \U0001f9fe.png", "batch-1", JobState.QUEUED),
        ("batch-2 \U0001f9fe.png", "batch-2", JobState.QUEUED),
    ]
    assert files[2] == REFUSED
    assert [each.number for each in await store.batches.files("batch", 1, 1)] == [2]
    found = await store.submitted("ann", "k", START)
    assert found is not None
    assert found.job_id == "batch"
    await store.close()


async def test_large_and_small_files_are_kept_whole_whichever_way_they_were_gathered(
    store: JobStore, tmp_path: Path
) -> None:
    gathered = []
    for size in (7, IN_MEMORY_BYTES + 1):
        path = store.staging / f"upload-{size}"
        path.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
        gathered.append(Upload(size=size, file=path, password="secret"))
    whole = [upload.file.read_bytes() for upload in gathered if upload.file]
    first, second = await add(store, uploads=(gathered[0], gathered[1]))
    assert [await store.image(each.id) for each in (first, second)] == whole
    stored = await store.fetch(second.id, tmp_path / "copy")
    assert stored is not None
    assert (stored.path.read_bytes(), stored.password) == (whole[1], "secret")


async def test_what_cannot_be_stored_whole_is_not_stored_at_all(store: JobStore) -> None:
    await store.add(job("batch-2"), IMAGE)
    with pytest.raises(JobExists):
        await add(store, repeat=KEY)
    lost = Upload(size=3, file=store.staging / "lost")
    with pytest.raises(StoreError):
        await add(store, "other", uploads=(IMAGE, lost))
    assert [each.id for each in await store.unfinished()] == ["batch-2"]
    assert await store.batches.get("batch") is await store.batches.get("other") is None
    assert await store.submitted("ann", "k", START) is None


async def test_of_equal_keys_at_once_one_makes_a_batch(store: JobStore) -> None:
    adding = (add(store, f"batch-{number}", repeat=KEY) for number in range(4))
    outcomes = await asyncio.gather(*adding, return_exceptions=True)
    (listed,) = (await store.batches.listed("ann")).batches
    assert {each.job_id for each in outcomes if isinstance(each, AlreadySubmitted)} == {listed.batch.id}
    assert len(await store.unfinished()) == 2


@in_rows
@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ((JobState.DONE, JobState.DEAD_LETTER), JobState.DONE),
        ((JobState.DEAD_LETTER, JobState.CANCELLED), JobState.DEAD_LETTER),
        ((JobState.CANCELLED, JobState.DONE), JobState.DONE),
    ],
)
async def test_a_batch_ends_with_the_last_of_its_jobs(
    store: JobStore, ends: tuple[JobState, JobState], status: JobState
) -> None:
    first, second = await add(store)
    await end(store, second, ends[1])
    halfway = await store.batches.get("batch")
    assert halfway is not None
    assert (halfway.status, halfway.batch.unfinished, halfway.batch.ended_at) == (JobState.PROCESSING, 1, None)
    assert halfway.last_unfinished == first.id
    ended = await end(store, first, ends[0])
    state = await store.batches.get("batch")
    assert state is not None
    assert (state.status, state.batch.unfinished, state.last_unfinished) == (status, 0, "")
    assert state.batch.ended_at == ended.updated_at
    assert sum(state.counts.values()) == 2
    assert [each.status for each in await store.batches.files("batch", 0, 2)] == list(ends)


@in_rows
async def test_word_of_its_end_is_written_with_the_end_and_forgotten_with_the_batch(store: JobStore) -> None:
    first, second = await add(store)
    ended = [await end(store, first, JobState.DONE)]
    assert await store.outbox.of_subject("batch", "batch") == []
    ended.append(await end(store, second, JobState.DEAD_LETTER))
    (told,) = await store.outbox.of_subject("batch", "batch")
    assert (told.event, told.url, told.owner) == ("batch.done", "https://example.com/hook", "ann")
    data = msgspec.json.decode(told.data)
    assert (data["status"], data["tag"], data["url"]) == ("done", "t", "/batches/batch")
    assert {name: count for name, count in data["counts"].items() if count} == {"done": 1, "dead-letter": 1}
    again = ended[1].requeued(after(5))
    assert await store.replace(ended[1], again)
    await end(store, again, JobState.CANCELLED)
    assert [each.event for each in await store.outbox.of_subject("batch", "batch")] == ["batch.done"] * 2
    for each in ended[0], await store.get(second.id):
        assert each is not None
        assert await store.delete(each)
    assert await store.outbox.of_subject("batch", "batch") == []


@in_rows
async def test_jobs_that_end_at_once_end_their_batch(store: JobStore) -> None:
    jobs = await add(store)
    await asyncio.gather(*(end(store, each, JobState.DONE) for each in jobs))
    state = await store.batches.get("batch")
    assert state is not None
    assert (state.batch.unfinished, state.status, state.pages_done) == (0, JobState.DONE, 2)


@in_rows
async def test_the_last_page_of_a_file_ends_its_batch_and_a_requeue_begins_it_again(store: JobStore) -> None:
    first, second = await add(store)
    await end(store, first, JobState.DONE)
    claimed = second.claimed(after(1))
    opened = claimed.opened(1)
    (page,) = new_pages(opened, [1], after(1))
    assert await store.replace(second, claimed)
    assert await store.open_pages(claimed, opened, [page])
    reading = page.claimed(after(1))
    assert await store.replace_page(page, reading, after(1))
    assert await store.replace_page(reading, reading.given_up(failure()), after(4))
    state = await store.batches.get("batch")
    assert state is not None
    assert (state.batch.unfinished, state.batch.ended_at, state.pages_failed) == (0, after(4), 1)
    dead = await store.get(second.id)
    assert dead is not None
    assert await store.replace(dead, dead.requeued(after(5)))
    state = await store.batches.get("batch")
    assert state is not None
    assert (state.batch.unfinished, state.batch.ended_at, state.last_unfinished) == (1, None, second.id)


@in_rows
async def test_a_batch_that_was_cancelled_is_told_so_once_it_has_ended(store: JobStore) -> None:
    first, second = await add(store)
    await end(store, first, JobState.DONE)
    await store.batches.cancel("batch")
    state = await store.batches.get("batch")
    assert state is not None
    assert state.status is JobState.PROCESSING
    await end(store, second, JobState.CANCELLED)
    state = await store.batches.get("batch")
    assert state is not None
    assert state.status is JobState.CANCELLED


@in_rows
async def test_with_a_job_its_files_name_is_erased_and_with_the_last_one_the_batch(store: JobStore) -> None:
    jobs = [await end(store, each, JobState.DONE) for each in await add(store)]
    assert await store.delete(jobs[0])
    erased, kept, _ = await store.batches.files("batch", 0, 3)
    assert (erased.name, erased.status) == ("", None)
    assert kept.name
    assert not await store.was_deleted("batch")
    assert await store.delete(jobs[1])
    assert await store.batches.get("batch") is None
    assert await store.batches.files("batch", 0, 3) == []
    assert await store.was_deleted("batch", "ann")
    assert not await store.was_deleted("batch", "bob")


@in_rows
async def test_jobs_that_are_deleted_at_once_take_their_batch_along(store: JobStore) -> None:
    jobs = [await end(store, each, JobState.DONE) for each in await add(store)]
    assert all(await asyncio.gather(*map(store.delete, jobs)))
    assert await store.batches.get("batch") is None
    with pytest.raises(JobExists):
        await add(store)


@in_rows
async def test_batches_are_listed_newest_first_page_by_page_and_owner_by_owner(store: JobStore) -> None:
    for number, owner in enumerate(["ann", "bob", "ann", "ann"]):
        await add(store, f"batch-{number}", created=number, owner=owner)
    first = await store.batches.listed("ann", limit=2)
    assert [each.batch.id for each in first.batches] == ["batch-3", "batch-2"]
    rest = await store.batches.listed("ann", first.next, 2)
    assert ([each.batch.id for each in rest.batches], rest.next) == (["batch-0"], None)
    assert len((await store.batches.listed(None)).batches) == 4


@in_rows
async def test_what_is_unknown_is_no_batch(store: JobStore) -> None:
    for unknown in ("x", "", "\0"):
        assert await store.batches.get(unknown) is None
