"""What every JobStore promises of jobs that are done with the result of an equal file. One suite for all of them."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from persistence.batches.batch import OF_BATCH, Batch, BatchFile, NewJob
from persistence.job import IllegalTransition, Job, JobOptions, JobState
from persistence.repeat import Repeat
from persistence.store import EqualGone, JobStore
from persistence.upload import IN_MEMORY_BYTES, Upload
from tests.contract.jobs import RESULT, after, failure, job
from tests.contract.test_job_pages import ended, given_up, paged

pytestmark = pytest.mark.anyio

IMAGE = b"an image"
LARGE = IN_MEMORY_BYTES + 1


def marked(job_id: str, owner: str = "ann", mark: str = "f1", **options: Any) -> Job:
    asked = JobOptions(**options)
    return structs.replace(job(job_id, owner=owner), fingerprint=mark, options=asked)


async def done(store: JobStore, job_id: str, seconds: float = 10, owner: str = "ann", mark: str = "f1") -> Job:
    new = marked(job_id, owner, mark)
    claimed = new.claimed(after(1))
    await store.add(new, Upload.of(IMAGE))
    assert await store.replace(new, claimed)
    ended = claimed.completed(RESULT, after(seconds))
    assert await store.replace(claimed, ended)
    return ended


async def test_the_latest_job_of_a_fingerprint_that_is_done_is_found_and_only_its_owners(store: JobStore) -> None:
    await done(store, "a", 10)
    latest = await done(store, "b", 30)
    await done(store, "c", 20)
    await done(store, "d", 40, owner="bob")
    await done(store, "e", 40, mark="f2")
    await store.add(marked("waits"), Upload.of(IMAGE))
    assert await store.alike("ann", "f1") == latest
    assert (await store.alike("bob", "f1") or latest).id == "d"
    await done(store, "unmarked", mark="")
    for owner, mark in (("ann", ""), ("ann", "f3"), ("cem", "f1"), ("", "f1")):
        assert await store.alike(owner, mark) is None
    assert await store.delete(latest)
    assert (await store.alike("ann", "f1") or latest).id == "c"


async def test_an_answered_job_is_as_durable_as_any_and_outlives_its_equal(store: JobStore) -> None:
    equal = await done(store, "a")
    answered = marked("b", expires_in=60).answered_by(equal, after(20))
    repeat = Repeat(owner="ann", key="k", fingerprint="x")
    await store.add(answered, Upload.of(IMAGE), (), repeat, equal)
    assert await store.get("b") == answered
    assert (answered.cached, equal.cached, answered.result, answered.expires_at) == (True, False, RESULT, after(80))
    assert await store.delete(equal)
    assert await store.get("b") == answered
    assert await store.image("b") is None
    first = await store.submitted("ann", "k", after(0))
    assert first is not None
    assert first.job_id == "b"
    assert await store.unfinished() == []


async def test_the_pages_of_a_file_are_copied(store: JobStore) -> None:
    new, pages = await paged(store, 3)
    for page in pages:
        last = await ended(store, page)
    equal = await store.outline(new.id)
    assert equal is not None
    answered = job("b").answered_by(last, after(20))
    await store.add(answered, Upload.of(IMAGE), (), None, equal)
    assert await store.delete(last)
    found = await store.get("b")
    assert found is not None
    assert found.result is not None
    assert [page.number for page in found.result.pages] == [1, 2, 3]
    assert (found.cached, found.pages_done, found.pages_total) == (True, 3, 3)


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("size", [9, LARGE])
async def test_its_upload_is_stored_where_it_keeps_it(store: JobStore, tmp_path: Path, keeps: bool, size: int) -> None:
    equal = await done(store, "a")
    answered = marked("b", keep_upload=keeps).answered_by(equal, after(20))
    data = bytes(size)
    upload = Upload.of(data)
    if size == LARGE:
        file = store.staging / "upload"
        file.write_bytes(data)
        upload = Upload(size=size, file=file)
    await store.add(answered, upload, (), None, equal)
    assert await store.image("b") == (data if keeps else None)
    assert await store.kept_uploads(after(99), None, 9) == (["b"] if keeps else [])


async def test_a_job_that_is_not_as_it_was_answers_for_none(store: JobStore) -> None:
    equal = await done(store, "a")
    answered = marked("b", keep_upload=True).answered_by(equal, after(20))
    repeat = Repeat(owner="ann", key="k", fingerprint="x")
    assert await store.delete(equal)
    with pytest.raises(EqualGone):
        await store.add(answered, Upload.of(IMAGE), (), repeat, equal)
    assert await store.get("b") is None
    assert await store.image("b") is None
    assert await store.submitted("ann", "k", after(0)) is None


async def test_a_file_with_pages_that_were_given_up_answers_for_none(store: JobStore) -> None:
    new = structs.replace(job("a"), fingerprint="f1", paged=True, pages_total=2)
    units = [structs.replace(page) for page in (await paged(store, 2, "template"))[1]]
    await store.add(new, Upload.of(IMAGE), [structs.replace(page, job_id="a") for page in units])
    await ended(store, structs.replace(units[0], job_id="a"))
    last = await given_up(store, structs.replace(units[1], job_id="a"))
    assert (last.status, last.pages_failed) == ("done", 1)
    assert await store.alike("", "f1") is None


def test_only_a_new_job_is_answered_and_only_by_one_that_is_done() -> None:
    claimed = job("a").claimed(after(1))
    equal = claimed.completed(RESULT, after(2))
    for new, other in (
        (claimed, equal),
        (job("b"), job("c")),
        (job("b"), claimed.dead_lettered(failure(), after(2))),
        (equal, equal),
    ):
        with pytest.raises(IllegalTransition):
            new.answered_by(other, after(3))


def batch_of(*jobs: Job) -> tuple[Batch, list[BatchFile]]:
    options = JobOptions(callback_url="https://example.com/hook")
    count = len(jobs)
    batch = Batch(
        id="batch", owner="ann", created_at=after(30), files=count, jobs=count, unfinished=count, options=options
    )
    return batch, [BatchFile(number=each.batch_number, name="a.png", job_id=each.id) for each in jobs]


@pytest.mark.parametrize("size", [9, LARGE])
async def test_of_a_batch_those_files_are_done_at_once_whose_equals_are_still_there(store: JobStore, size: int) -> None:
    new, pages = await paged(store, 3)
    for page in pages:
        last = await ended(store, page)
    outline = await store.outline(new.id)
    assert outline is not None
    gone = await done(store, "gone")
    assert await store.delete(gone)
    equals = [await done(store, "image"), outline, gone]
    jobs = [
        structs.replace(marked(f"b{number}", keep_upload=number == 2), batch_id="batch", batch_number=number)
        for number in (1, 2, 3)
    ]
    members, data = [], bytes(size)
    for each, equal in zip(jobs, equals, strict=True):
        upload = Upload.of(data)
        if size == LARGE:
            file = store.staging / each.id
            file.write_bytes(data)
            upload = Upload(size=size, file=file)
        members.append(NewJob(job=each, upload=upload, equal=equal))
    assert await store.batches.add(*batch_of(*jobs), members) == {"b1", "b2"}
    assert await store.delete(equals[0])
    assert await store.delete(last)
    first, second = await store.get("b1"), await store.get("b2")
    assert first is not None
    assert (first, first.cached, first.result) == (members[0].answered, True, RESULT)
    assert second is not None
    assert second.result is not None
    assert (second.cached, second.pages_done, len(second.result.pages)) == (True, 3, 3)
    assert [each.id for each in await store.unfinished()] == ["b3"]
    assert [await store.image(each.id) for each in jobs] == [None, data, data]
    state = await store.batches.get("batch")
    assert state is not None
    assert (state.status, state.batch.unfinished, state.batch.ended_at) == (JobState.PROCESSING, 1, None)


async def test_a_batch_of_which_all_is_answered_has_ended_and_its_receiver_is_told(store: JobStore) -> None:
    equal = await done(store, "a")
    jobs = [structs.replace(marked(f"b{number}"), batch_id="batch", batch_number=number) for number in (1, 2)]
    members = [NewJob(job=each, upload=Upload.of(IMAGE), equal=equal) for each in jobs]
    assert await store.batches.add(*batch_of(*jobs), members) == {"b1", "b2"}
    state = await store.batches.get("batch")
    assert state is not None
    assert (state.status, state.batch.ends, state.batch.ended_at) == (JobState.DONE, 1, jobs[0].created_at)
    assert [each.event for each in await store.outbox.of_subject(OF_BATCH, "batch")] == ["batch.done"]
    assert await store.unfinished() == []
