"""What every store promises of uploads that are sent again."""

import asyncio

import pytest

from persistence.repeat import REPEAT_TIME, AlreadySubmitted, Repeat
from persistence.store import JobExists, JobStore
from persistence.upload import Upload
from tests.contract.conftest import OpenStore
from tests.contract.jobs import START, after, job

pytestmark = pytest.mark.anyio

IMAGE = Upload.of(b"image")
KEY = Repeat(owner="ann", key="k", fingerprint="f")


async def test_a_key_stands_for_its_job_and_nothing_is_kept_of_a_second_one(store: JobStore) -> None:
    await store.add(job("a"), IMAGE, repeat=KEY)
    with pytest.raises(AlreadySubmitted) as caught:
        await store.add(job("b"), IMAGE, repeat=Repeat(owner="ann", key="k", fingerprint="other"))
    assert (caught.value.job_id, caught.value.fingerprint) == ("a", "f")
    assert await store.get("b") is None
    assert await store.image("b") is None
    found = await store.submitted("ann", "k", START)
    assert found is not None
    assert (found.job_id, found.fingerprint) == ("a", "f")


async def test_keys_are_their_owners_own(store: JobStore) -> None:
    await store.add(job("a"), IMAGE, repeat=KEY)
    await store.add(job("b"), IMAGE, repeat=Repeat(owner="bob", key="k", fingerprint="f"))
    assert await store.submitted("eve", "k", START) is None


async def test_of_equal_keys_at_once_one_makes_a_job_and_the_others_are_told_of_it(store: JobStore) -> None:
    adding = (store.add(job(f"job-{number}"), IMAGE, repeat=KEY) for number in range(8))
    outcomes = await asyncio.gather(*adding, return_exceptions=True)
    (winner,) = await store.unfinished()
    assert outcomes.count(None) == 1
    assert {each.job_id for each in outcomes if isinstance(each, AlreadySubmitted)} == {winner.id}
    assert len(outcomes) == 8


async def test_what_fails_with_a_key_leaves_the_key_free(store: JobStore) -> None:
    await store.add(job("a"), IMAGE)
    with pytest.raises(JobExists):
        await store.add(job("a"), IMAGE, repeat=KEY)
    assert await store.submitted("ann", "k", START) is None
    await store.add(job("b"), IMAGE, repeat=KEY)


async def test_a_key_is_forgotten_after_a_day_and_outlives_its_job(store: JobStore) -> None:
    cancelled = job("a").cancelled(after(1))
    await store.add(job("a"), IMAGE, repeat=KEY)
    assert await store.replace(job("a"), cancelled)
    assert await store.delete(cancelled)
    with pytest.raises(AlreadySubmitted):
        await store.add(job("b", created=REPEAT_TIME.total_seconds()), IMAGE, repeat=KEY)
    await store.add(job("c", created=REPEAT_TIME.total_seconds() + 1), IMAGE, repeat=KEY)
    assert await store.forget_repeats(after(REPEAT_TIME.total_seconds())) == 0
    assert await store.forget_repeats(after(REPEAT_TIME.total_seconds() + 2)) == 1
    assert await store.submitted("ann", "k", START) is None


async def test_keys_are_durable(open_store: OpenStore) -> None:
    store = await open_store()
    await store.add(job("a"), IMAGE, repeat=KEY)
    await store.close()
    store = await open_store()
    assert await store.submitted("ann", "k", START) is not None
    await store.close()
