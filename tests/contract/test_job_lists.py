"""What every JobStore promises of lists: what is in them, in which order, and where they go on."""

from datetime import timedelta

import msgspec
import pytest

from persistence.change import change_of
from persistence.cursor import Cursor
from persistence.job import JobOptions, JobState
from persistence.store import JobFilter, JobStore
from persistence.upload import Upload
from tests.contract.jobs import IMAGE, RESULT, after, dead, failure, job, moved, stored

pytestmark = pytest.mark.anyio


async def test_unfinished_jobs_come_oldest_first(store: JobStore) -> None:
    await stored(store, job("late", 3), job("b", 1), job("a", 1), job("claimed", 2), job("done", 0))
    claimed = job("claimed", 2).claimed(after(9))
    await moved(store, job("claimed", 2), claimed)
    running = job("done", 0).claimed(after(9))
    await moved(store, job("done", 0), running, running.completed(RESULT, after(10)))
    await dead(store, "dead", at=1)
    assert await store.unfinished() == [job("a", 1), job("b", 1), claimed, job("late", 3)]


async def test_dead_letters_come_newest_first_page_by_page(store: JobStore) -> None:
    letters = {name: await dead(store, name, at) for name, at in (("a", 1), ("b", 3), ("c", 2), ("d", 2), ("e", 5))}
    await stored(store, job("waiting"))
    expected = [letters[name] for name in "ebdca"]

    first = await store.dead_letters(limit=2)
    second = await store.dead_letters(after=first.next, limit=2)
    last = await store.dead_letters(after=second.next, limit=2)
    assert [*first.jobs, *second.jobs, *last.jobs] == expected
    assert last.next is None
    assert (await store.dead_letters(limit=5)).next is None


async def test_dead_letters_can_be_asked_for_by_code(store: JobStore) -> None:
    await dead(store, "slow", 1, "timeout")
    crashed = [await dead(store, name, at, "worker_crashed") for name, at in (("x", 2), ("y", 3))]
    page = await store.dead_letters(code="worker_crashed")
    assert list(page.jobs) == crashed[::-1]
    assert (await store.dead_letters(code="worker_crashed", limit=1)).jobs == (crashed[1],)
    assert (await store.dead_letters(code="nonsense")).jobs == ()


async def test_dead_letters_can_be_asked_for_by_owner(store: JobStore) -> None:
    mine = await dead(store, "x", 1, owner="ann")
    await dead(store, "y", 2, owner="bob")
    assert (await store.dead_letters(owner="ann")).jobs == (mine,)
    assert (await store.dead_letters(owner="ann", code="nonsense")).jobs == ()


async def test_a_page_goes_on_although_its_last_job_has_left_the_list(store: JobStore) -> None:
    oldest, newest = await dead(store, "a", 1), await dead(store, "b", 2)
    page = await store.dead_letters(limit=1)
    assert await store.replace(newest, newest.requeued(after(3)))
    assert (await store.dead_letters(after=page.next)).jobs == (oldest,)


async def test_a_code_that_no_error_can_have_finds_nothing(store: JobStore) -> None:
    letter = await dead(store, "a", at=1)
    assert (await store.dead_letters(code="\0")).jobs == ()
    assert (await store.dead_letters(after=Cursor(updated_at=after(0), id="\0"))).jobs == ()
    assert (await store.dead_letters()).jobs == (letter,)


async def test_kept_uploads_are_found_by_age_and_dropped_and_the_jobs_stay(store: JobStore) -> None:
    for number, (job_id, keep) in enumerate([("a", True), ("b", False), ("c", True), ("d", True)]):
        waiting = msgspec.structs.replace(job(job_id), options=JobOptions(keep_upload=keep))
        claimed = waiting.claimed(after(1))
        await store.add(waiting, Upload.of(IMAGE))
        await moved(store, waiting, claimed, claimed.completed(RESULT, after(10 + number)))
    await store.add(job("waiting"), Upload.of(IMAGE))
    assert await store.kept_uploads(after(13), None, 10) == ["a", "c"]
    assert await store.kept_uploads(after(99), None, 2) == ["a", "c"]
    assert await store.kept_uploads(after(99), timedelta(seconds=86), 10) == ["a", "c"]
    assert await store.image("b") is None
    assert await store.image("c") == IMAGE
    before = await store.get("c")
    assert await store.drop_upload("c")
    assert (await store.image("c"), await store.get("c")) == (None, before)
    assert await store.kept_uploads(after(99), None, 10) == ["a", "d"]
    for not_kept in ("c", "waiting", "unknown"):
        assert not await store.drop_upload(not_kept)
    assert await store.image("waiting") == IMAGE


async def test_finished_jobs_are_found_by_age_and_nothing_else_is(store: JobStore) -> None:
    ended = []
    for number, job_id in enumerate("abcd"):
        waiting = job(job_id)
        await store.add(waiting, Upload.of(IMAGE))
        if job_id == "b":
            claimed = await moved(store, waiting, waiting.claimed(after(1)))
            ended.append(await moved(store, claimed, claimed.completed(RESULT, after(10 + number))))
        else:
            ended.append(await moved(store, waiting, waiting.cancelled(after(10 + number))))
    await dead(store, "e", at=1)
    await store.add(job("f"), Upload.of(IMAGE))
    assert await store.finished(after(13), 10) == ended[:3]
    assert await store.finished(after(99), 2) == ended[:2]
    assert await store.finished(after(10), 10) == []


async def test_changes_come_in_the_order_of_their_moments_from_a_place_on(store: JobStore) -> None:
    # the longest that clients may send, in letters that take the most room in a notification
    words = JobOptions(tag="\U0001f9fe" * 200, metadata={"k": "\U0001f9fe" * 500})
    jobs = [
        job(name, created=moment, owner=owner) for name, moment, owner in (("c", 1, "x"), ("a", 2, "y"), ("b", 2, "x"))
    ]
    jobs[0] = msgspec.structs.replace(jobs[0], options=words)
    for each in jobs:
        await store.add(each, Upload.of(b"image"))
    claimed = jobs[0].claimed(after(3))
    assert await store.replace(jobs[0], claimed)
    given_up = claimed.dead_lettered(failure(), after(4))
    assert await store.replace(claimed, given_up)
    start = Cursor(updated_at=after(0), id="")
    expected = [change_of(each) for each in (jobs[1], jobs[2], given_up)]
    assert await store.changes(start, 10) == expected
    assert await store.changes(start, 2) == expected[:2]
    assert await store.changes(Cursor(updated_at=after(2), id="a"), 10) == expected[1:]
    assert await store.changes(start, 10, "x") == expected[1:]
    assert await store.changes(Cursor(updated_at=after(4), id="c"), 10) == []


async def test_a_list_is_newest_first_of_what_is_wanted_and_goes_on_where_it_ended(store: JobStore) -> None:
    jobs = [
        job(name, created=moment, owner=owner) for name, moment, owner in (("a", 1, "x"), ("b", 2, "y"), ("c", 2, "x"))
    ]
    for each in jobs:
        await store.add(each, Upload.of(b"image"))
    done = jobs[0].claimed(after(3)).completed(RESULT, after(4))
    assert await store.replace(jobs[0], jobs[0].claimed(after(3)))
    assert await store.replace(jobs[0].claimed(after(3)), done)
    page = await store.listed(JobFilter(), limit=2)
    assert [each.id for each in page.jobs] == ["c", "b"]
    assert page.next is not None
    rest = await store.listed(JobFilter(), page.next, 2)
    assert rest.jobs == (msgspec.structs.replace(done, result=None),)
    assert rest.next is None
    for wanted, ids in (
        (JobFilter(owner="x"), ["c", "a"]),
        (JobFilter(status=JobState.DONE), ["a"]),
        (JobFilter(owner="y", status=JobState.DONE), []),
        (JobFilter(created_after=after(1)), ["c", "b"]),
    ):
        assert [each.id for each in (await store.listed(wanted)).jobs] == ids


async def test_jobs_whose_time_is_over_are_found_oldest_first(store: JobStore) -> None:
    for name, seconds in (("a", 20), ("b", 10), ("c", None)):
        queued = msgspec.structs.replace(job(name), options=JobOptions(tag="t", expires_in=seconds))
        await store.add(queued, Upload.of(b"image"))
        assert await store.replace(queued, queued.cancelled(after(1)))
    assert [each.id for each in await store.expired(after(12), 9)] == ["b"]
    assert [each.id for each in await store.expired(after(99), 9)] == ["b", "a"]
    assert [each.id for each in await store.expired(after(99), 1)] == ["b"]
    assert len((await store.listed(JobFilter(tag="t"))).jobs) == 3
    assert (await store.listed(JobFilter(tag="u"))).jobs == ()
