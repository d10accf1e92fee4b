"""What every JobStore promises. One suite for all implementations."""

import asyncio
from datetime import timedelta, timezone

import anyio.lowlevel
import msgspec
import pytest

from persistence.job import Job, JobOptions, JobState
from persistence.store import Backlog, JobExists, JobStore, StoreError, Taken
from persistence.upload import IN_MEMORY_BYTES, Upload
from tests.contract.conftest import OpenStore
from tests.contract.jobs import IMAGE, RESULT, START, after, dead, failure, job, moved, stored

pytestmark = pytest.mark.anyio

# durable


async def test_what_was_stored_is_there_after_opening_again(open_store: OpenStore) -> None:
    first = await open_store()
    waiting, claimed = job("waiting"), job("claimed").claimed(after(1))
    await stored(first, waiting, job("claimed"))
    await moved(first, job("claimed"), claimed)
    await first.close()

    second = await open_store()
    assert await second.get("waiting") == waiting
    assert await second.get("claimed") == claimed
    assert await second.image("waiting") == IMAGE
    await second.close()


async def test_a_read_sees_every_write_that_returned_before(store: JobStore) -> None:
    current = job()
    await stored(store, current)
    for second in range(50):
        claimed = current.claimed(after(second))
        assert await store.replace(current, claimed)
        assert await store.get("a") == claimed
        current = claimed.interrupted(after(second))
        assert await store.replace(claimed, current)
        assert await store.get("a") == current


async def test_a_write_whose_caller_is_cancelled_is_carried_out(open_store: OpenStore) -> None:
    first = await open_store()
    writing = asyncio.create_task(first.add(job(), Upload.of(IMAGE)))
    await anyio.lowlevel.checkpoint()  # lets it begin
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await first.close()

    second = await open_store()
    assert await second.image("a") == IMAGE
    await second.close()


# add, get, image


async def test_an_unknown_id_has_no_job_and_no_image(store: JobStore) -> None:
    assert await store.get("nobody") is None
    assert await store.image("nobody") is None


def begun(found: Job) -> Job:
    return found.claimed(after(1))


async def test_a_small_image_may_come_with_its_job_when_that_is_taken_and_no_other_does(store: JobStore) -> None:
    new = job()
    await stored(store, new, job("large", size=IN_MEMORY_BYTES + 1))
    unknown = msgspec.structs.replace(job("unknown"), pages_total=0)
    await stored(store, unknown)
    large = job("large", size=IN_MEMORY_BYTES + 1)
    images = [taken.image for taken in [await store.take(each, begun) for each in ("a", "large", "unknown")] if taken]
    assert images in ([IMAGE, None, None], [None, None, None])
    for each in (new, large, unknown):
        assert await store.get(each.id) == begun(each)


async def test_a_job_is_taken_as_its_taker_begins_it_or_left_as_it_is(store: JobStore) -> None:
    new = job()
    await stored(store, new)
    assert await store.take("nobody", begun) is None
    assert await store.take("a\0", begun) is None
    assert await store.take("a", lambda _: None) == Taken(before=new, after=None)
    assert await store.get("a") == new
    taken = await store.take("a", begun)
    assert taken is not None
    assert (taken.before, taken.after) == (new, begun(new))
    assert await store.get("a") == begun(new)
    assert not await store.replace(new, new.cancelled(after(2)))


async def test_of_several_who_take_a_job_one_has_it(store: JobStore) -> None:
    await stored(store, job())

    def if_it_waits(found: Job) -> Job | None:
        return begun(found) if found.status is JobState.QUEUED else None

    takers = await asyncio.gather(*(store.take("a", if_it_waits) for _ in range(5)))
    assert sum(taken is not None and taken.after is not None for taken in takers) == 1


async def test_an_image_comes_back_byte_for_byte(store: JobStore) -> None:
    big = bytes(range(256)) * 8192
    await store.add(job("big"), Upload.of(big))
    await store.add(job("empty"), Upload.of(b""))
    assert await store.image("big") == big
    assert await store.image("empty") == b""


async def test_adding_a_known_id_raises_and_changes_nothing(store: JobStore) -> None:
    await stored(store, job())
    with pytest.raises(JobExists):
        await store.add(job(created=9.0), Upload.of(b"another image"))
    assert await store.get("a") == job()
    assert await store.image("a") == IMAGE
    assert (await store.counts())[JobState.QUEUED] == 1


async def test_every_field_of_a_job_comes_back_exactly(store: JobStore) -> None:
    east = timezone(timedelta(hours=5, minutes=30))
    new = msgspec.structs.replace(job(), created_at=after(0).astimezone(east))
    await stored(store, new)
    first = new.claimed(after(1))
    again = first.retried(failure("worker_crashed"), after(7.000001), after(2))
    second = again.claimed(after(8))
    done = second.completed(RESULT, after(9))
    for old, changed in ((new, first), (first, again), (again, second), (second, done)):
        assert await store.replace(old, changed)
        assert await store.get("a") == changed
    final = await store.get("a")
    assert final is not None
    assert final.result == RESULT


# replace


async def test_one_of_many_claims_at_once_wins(store: JobStore) -> None:
    new = job()
    await stored(store, new)
    claims = [new.claimed(after(n)) for n in range(20)]
    won = await asyncio.gather(*(store.replace(new, claim) for claim in claims))
    assert won.count(True) == 1
    assert await store.get("a") == claims[won.index(True)]


async def test_replacing_an_unknown_job_is_false(store: JobStore) -> None:
    assert not await store.replace(job(), job().claimed(after(1)))
    assert await store.get("a") is None


async def test_a_stale_copy_never_wins(store: JobStore) -> None:
    new = job()
    await stored(store, new)
    claimed = new.claimed(after(1))
    cancelled = await moved(store, new, claimed, claimed.cancelled(after(2)))
    assert not await store.replace(claimed, claimed.completed(RESULT, after(3)))
    assert not await store.replace(new, new.claimed(after(3)))
    assert await store.get("a") == cancelled


async def test_a_stale_copy_does_not_win_when_its_attempt_number_has_come_round_again(store: JobStore) -> None:
    new = job()
    await stored(store, new)
    late = new.claimed(after(1))
    given_back = late.interrupted(after(2))
    current = await moved(store, new, late, given_back, given_back.claimed(after(3)))
    assert (late.attempt, late.status) == (current.attempt, current.status)
    assert not await store.replace(late, late.completed(RESULT, after(4)))
    assert await store.get("a") == current


async def test_a_lost_replace_keeps_the_image(store: JobStore) -> None:
    new = job()
    await stored(store, new)
    claimed = new.claimed(after(1))
    assert not await store.replace(claimed, claimed.completed(RESULT, after(2)))
    assert await store.image("a") == IMAGE


async def test_an_image_lives_until_its_job_is_done_or_cancelled(store: JobStore) -> None:
    await stored(store, job("done"), job("cancelled"), job("retried"))
    claimed = {name: job(name).claimed(after(1)) for name in ("done", "cancelled", "retried")}
    for name, each in claimed.items():
        await moved(store, job(name), each)
        assert await store.image(name) == IMAGE
    await moved(store, claimed["done"], claimed["done"].completed(RESULT, after(2)))
    await moved(store, claimed["cancelled"], claimed["cancelled"].cancelled(after(2)))
    await moved(store, claimed["retried"], claimed["retried"].retried(failure(), after(3), after(2)))
    assert await store.image("done") is None
    assert await store.image("cancelled") is None
    assert await store.image("retried") == IMAGE


async def test_a_dead_letter_keeps_its_image_for_another_round(store: JobStore) -> None:
    letter = await dead(store, "a", at=2)
    assert await store.image("a") == IMAGE
    await moved(store, letter, letter.requeued(after(3)))
    assert await store.image("a") == IMAGE


# lists and figures


async def test_counts_has_every_state(store: JobStore) -> None:
    assert await store.counts() == dict.fromkeys(JobState, 0)
    await stored(store, job("a"), job("b"), job("c"))
    await moved(store, job("b"), job("b").claimed(after(1)))
    await moved(store, job("c"), job("c").cancelled(after(1)))
    await dead(store, "d", at=1)
    assert await store.counts() == {
        JobState.QUEUED: 1,
        JobState.PROCESSING: 1,
        JobState.DONE: 0,
        JobState.DEAD_LETTER: 1,
        JobState.CANCELLED: 1,
    }


async def test_counts_are_right_after_many_ends_requeues_and_erasures_at_once(store: JobStore) -> None:
    async def life(number: int) -> JobState | None:
        old = job(f"job-{number}")
        await store.add(old, Upload.of(IMAGE))
        failed = old.claimed(after(1)).dead_lettered(failure(), after(2))
        ways: list[list[Job]] = [
            [old.claimed(after(1)).completed(RESULT, after(2))],
            [failed],
            [failed, failed.requeued(after(3))],
            [failed, failed.requeued(after(3)), failed.requeued(after(3)).cancelled(after(4))],
            [old.cancelled(after(1))],
        ]
        for new in ways[number % len(ways)]:
            assert await store.replace(old, new)
            old = new
        if number % 3 == 0 and old.status.terminal:
            assert await store.delete(old)
            return None
        return old.status

    states = await asyncio.gather(*map(life, range(60)))
    assert await store.counts() == {state: states.count(state) for state in JobState}


async def test_the_backlog_is_what_has_not_ended(store: JobStore) -> None:
    assert await store.backlog() == Backlog(jobs=0, image_bytes=0, oldest=None)
    await stored(store, job("a", size=100), job("b", size=20), job("c", size=3))
    await moved(store, job("b", size=20), job("b", size=20).claimed(after(1)))
    await moved(store, job("c", size=3), job("c", size=3).cancelled(after(1)))
    assert await store.backlog() == Backlog(jobs=2, image_bytes=120, oldest=START)


async def test_the_backlog_of_one_owner_is_told_apart(store: JobStore) -> None:
    await stored(store, job("a", size=100, owner="ann"), job("b", size=20, owner="bob"), job("c", size=3, owner="ann"))
    assert await store.backlog("ann") == Backlog(jobs=2, image_bytes=103, oldest=START)
    assert await store.backlog("nobody") == Backlog(jobs=0, image_bytes=0, oldest=None)


# dead letters


# delete


async def test_a_deleted_job_is_gone_with_its_image_and_remembered_as_deleted(store: JobStore) -> None:
    letter = await dead(store, "a", at=1)
    assert not await store.was_deleted("a")
    assert await store.delete(letter)
    assert await store.get("a") is None
    assert await store.image("a") is None
    assert await store.was_deleted("a")
    assert not await store.was_deleted("nobody")
    assert not await store.delete(letter)


async def test_a_deleted_job_is_remembered_for_its_owner(store: JobStore) -> None:
    mine = job(owner="ann")
    await store.add(mine, Upload.of(IMAGE))
    cancelled = await moved(store, mine, mine.cancelled(after(1)))
    assert await store.delete(cancelled)
    assert await store.was_deleted("a", "ann")
    assert not await store.was_deleted("a", "bob")


async def test_an_upload_stays_for_the_hours_that_its_job_asked_for(store: JobStore) -> None:
    for job_id, hours in (("short", 1.0), ("long", 100.5), ("as all", None)):
        waiting = msgspec.structs.replace(job(job_id), options=JobOptions(keep_upload=True, keep_hours=hours))
        claimed = waiting.claimed(after(1))
        await store.add(waiting, Upload.of(IMAGE))
        await moved(store, waiting, claimed, claimed.completed(RESULT, after(10)))

    async def due(hours: float, kept: float | None) -> set[str]:
        moment = after(10) + timedelta(hours=hours)
        return {*await store.kept_uploads(moment, None if kept is None else timedelta(hours=kept), 10)}

    assert await due(0.9, 24) == set()
    assert await due(1.1, 24) == {"short"}
    assert await due(24.1, 24) == {"short", "as all"}
    assert await due(100.4, 24) == {"short", "as all"}
    assert await due(100.6, 24) == {"short", "as all", "long"}
    assert await due(0.1, 0) == {"as all"}
    assert await due(0.1, None) == {"short", "as all", "long"}


async def test_the_id_of_a_deleted_job_stays_taken(store: JobStore) -> None:
    await store.delete(await dead(store, "a", at=1))
    with pytest.raises(JobExists):
        await store.add(job(), Upload.of(IMAGE))
    assert await store.get("a") is None


async def test_a_job_that_changed_meanwhile_is_not_deleted(store: JobStore) -> None:
    letter = await dead(store, "a", at=1)
    requeued = await moved(store, letter, letter.requeued(after(2)))
    assert not await store.delete(letter)
    assert await store.get("a") == requeued
    assert not await store.was_deleted("a")


async def test_a_job_that_is_not_terminal_cannot_be_deleted(store: JobStore) -> None:
    await stored(store, job())
    with pytest.raises(ValueError, match="queued"):
        await store.delete(job())
    assert await store.get("a") == job()


# check, close


async def test_a_check_leaves_no_trace(store: JobStore) -> None:
    await stored(store, job())
    before = (await store.get("a"), await store.counts(), await store.unfinished())
    await store.check()
    await store.check()
    assert (await store.get("a"), await store.counts(), await store.unfinished()) == before
    assert not await store.was_deleted("")


async def test_closing_twice_is_harmless_and_a_closed_store_says_so(open_store: OpenStore) -> None:
    store = await open_store()
    await store.close()
    await store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.get("a")
    with pytest.raises(StoreError, match="closed"):
        await store.add(job(), Upload.of(IMAGE))
