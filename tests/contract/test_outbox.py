"""What every store promises of what is to be told to receivers outside."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from persistence.cursor import Cursor
from persistence.job import Job, JobOptions, JobState
from persistence.outbox.delivery import (
    KEPT_ATTEMPTS,
    MAX_ERROR_LETTERS,
    OF_IMAGE,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
)
from persistence.page import new_pages
from persistence.store import JobStore
from persistence.upload import Upload
from tests.contract.conftest import OpenStore
from tests.contract.jobs import RESULT, after, failure, job

pytestmark = [
    pytest.mark.anyio,
    # where images are is no matter here
    pytest.mark.parametrize("new_store", ["sqlite", "postgres"], indirect=True),
]

IMAGE = Upload.of(b"image")
URL = "https://hooks.example/ocr?x=1"


def called_back(job_id: str = "a", created: float = 0.0, owner: str = "ann", url: str = URL) -> Job:
    options = JobOptions(callback_url=url, tag="Grüße", metadata={"invoice": "'17\""})
    made = job(job_id, created, owner=owner)
    return msgspec.structs.replace(made, options=options, traceparent="00-1-2-01")


async def ended(store: JobStore, *jobs: Job) -> list[Job]:
    """The jobs, added and done, each a second after it was made."""
    done = []
    for each in jobs:
        await store.add(each, IMAGE)
        claimed = each.claimed(each.created_at)
        assert await store.replace(each, claimed)
        done.append(claimed.completed(RESULT, each.created_at))
        assert await store.replace(claimed, done[-1])
    return done


async def of_job(store: JobStore, job_id: str = "a") -> list[Delivery]:
    return await store.outbox.of_subject(OF_IMAGE, job_id)


async def claimed_by(store: JobStore, now: float = 10, until: float = 70, **but: Any) -> Delivery | None:
    return await store.outbox.claim(after(now), after(until), **but)


def tried(status: int = 500, at: float = 10) -> DeliveryAttempt:
    return DeliveryAttempt(at=after(at), seconds=0.25, status=status, error="\x00 broke" if not status else "")


async def test_the_end_of_a_job_and_word_of_it_are_stored_together(store: JobStore) -> None:
    (done,) = await ended(store, called_back())
    (delivery,) = await of_job(store)
    assert (delivery.event, delivery.owner, delivery.url, delivery.host) == ("image.done", "ann", URL, "hooks.example")
    assert (delivery.status, delivery.traceparent) == (DeliveryState.PENDING, "00-1-2-01")
    assert delivery.created_at == delivery.due_at == done.updated_at
    assert json.loads(delivery.data) == {
        "id": "a",
        "status": "done",
        "tag": "Grüße",
        "metadata": {"invoice": "'17\""},
        "error_code": None,
        "pages_done": 1,
        "pages_failed": 0,
        "url": "/images/a",
    }


async def test_nothing_is_told_of_a_job_without_a_receiver_nor_before_its_end(store: JobStore) -> None:
    await ended(store, job())
    waiting = called_back("b")
    await store.add(waiting, IMAGE)
    claimed = waiting.claimed(after(1))
    assert await store.replace(waiting, claimed)
    assert await store.replace(claimed, claimed.retried(failure(), after(2), after(2)))
    assert await of_job(store) == await of_job(store, "b") == []
    assert await claimed_by(store) is None


async def test_a_change_that_loses_tells_nothing(store: JobStore) -> None:
    waiting = called_back()
    await store.add(waiting, IMAGE)
    claimed = waiting.claimed(after(1))
    assert await store.replace(waiting, claimed)
    assert await store.replace(claimed, claimed.cancelled(after(2)))
    assert not await store.replace(claimed, claimed.completed(RESULT, after(2)))
    assert [each.event for each in await of_job(store)] == ["image.cancelled"]


async def test_a_dead_letter_that_is_sent_round_again_ends_twice_and_both_are_told(store: JobStore) -> None:
    waiting = called_back()
    await store.add(waiting, IMAGE)
    claimed = waiting.claimed(after(1))
    dead = claimed.dead_lettered(failure(), after(2))
    again = dead.requeued(after(3))
    for old, new in ((waiting, claimed), (claimed, dead), (dead, again), (again, again.cancelled(after(4)))):
        assert await store.replace(old, new)
    told = await of_job(store)
    assert [each.event for each in told] == ["image.dead_letter", "image.cancelled"]
    assert json.loads(told[0].data)["error_code"] == "timeout"
    assert len({each.id for each in told}) == 2
    assert not any("." in each.id for each in told)


async def test_the_last_page_of_a_file_tells_of_its_job_and_no_other_one_does(store: JobStore) -> None:
    paged = msgspec.structs.replace(called_back(), paged=True, pages_total=2)
    pages = new_pages(paged, (1, 2), after(0))
    await store.add(paged, IMAGE, pages)
    for page in pages:
        claimed = page.claimed(after(1))
        assert await store.replace_page(page, claimed, after(1))
        assert await of_job(store) == []
        assert await store.replace_page(claimed, claimed.completed(RESULT), after(2))
    (delivery,) = await of_job(store)
    assert json.loads(delivery.data)["pages_done"] == 2


async def test_a_job_that_has_ended_when_it_is_added_is_told(store: JobStore) -> None:
    waiting = called_back()
    await store.add(waiting.claimed(after(0)).completed(RESULT, after(1)), IMAGE)
    assert [each.event for each in await of_job(store)] == ["image.done"]


async def test_of_many_senders_at_once_each_claims_another_delivery(store: JobStore) -> None:
    await ended(store, *(called_back(f"job-{number}") for number in range(4)))
    claimed = await asyncio.gather(*(claimed_by(store) for _ in range(8)))
    found = [each for each in claimed if each]
    # of those that came while others held a row none waited: each asks again anyhow
    while more := await claimed_by(store):
        found.append(more)
    assert sorted(each.subject_id for each in found) == [f"job-{number}" for number in range(4)]


async def test_the_one_that_has_been_due_for_longest_is_claimed_first_and_none_before_it_is_due(
    store: JobStore,
) -> None:
    await ended(store, called_back("late", 5), called_back("early", 1))
    assert await claimed_by(store, now=0.5) is None
    first, second = await claimed_by(store), await claimed_by(store)
    assert first is not None
    assert second is not None
    assert (first.subject_id, second.subject_id) == ("early", "late")


async def test_what_is_claimed_is_free_again_when_the_claim_is_over_or_given_back(store: JobStore) -> None:
    await ended(store, called_back())
    first = await claimed_by(store, now=10, until=70)
    assert first is not None
    assert await claimed_by(store, now=69) is None
    second = await claimed_by(store, now=70, until=130)
    assert second is not None
    assert not await store.outbox.replace(first, first.delivered(tried(200)))  # the dead sender's word comes late
    assert await store.outbox.replace(second, second.released())
    assert await claimed_by(store, now=71) is not None


async def test_receivers_and_owners_that_have_their_share_are_passed_over(store: JobStore) -> None:
    await ended(
        store, called_back("a", 1), called_back("b", 2, "bob"), called_back("c", 3, url="https://other.example:8443/")
    )
    found = await claimed_by(store, but_receivers=[("ann", "hooks.example")])
    assert found is not None
    assert found.subject_id == "b"
    found = await claimed_by(store, but_receivers=[("ann", "hooks.example"), ("bob", "hooks.example")])
    assert found is not None
    assert found.subject_id == "c"
    assert await claimed_by(store, but_owners=["ann"]) is None


async def test_attempts_are_on_record_the_latest_of_very_many(store: JobStore) -> None:
    await ended(store, called_back())
    for number in range(KEPT_ATTEMPTS + 2):
        found = await claimed_by(store, now=number + 10, until=number + 11)
        assert found is not None
        attempt = DeliveryAttempt(at=after(number), seconds=0.5, error="\x00 no\ud83e" + "x" * 2 * MAX_ERROR_LETTERS)
        attempt = msgspec.structs.replace(attempt, error=attempt.error.encode(errors="replace").decode())
        assert await store.outbox.replace(found, found.retried(attempt, after(number + 11)))
    (delivery,) = await of_job(store)
    assert delivery.attempt == KEPT_ATTEMPTS + 2
    assert len(delivery.attempts) == KEPT_ATTEMPTS
    assert delivery.attempts[-1].at == after(KEPT_ATTEMPTS + 1)
    assert len(delivery.attempts[-1].error) == MAX_ERROR_LETTERS


async def test_a_delivery_that_ended_is_claimed_no_more_until_it_is_sent_again(store: JobStore) -> None:
    await ended(store, called_back())
    found = await claimed_by(store)
    assert found is not None
    failed = found.failed(tried(410))
    assert await store.outbox.replace(found, failed)
    assert await claimed_by(store, now=1000) is None
    assert await store.outbox.replace(failed, failed.sent_again(after(1000)))
    again = await claimed_by(store, now=1000, until=1060)
    assert again is not None
    assert (again.id, again.attempt, again.attempts) == (found.id, 0, (tried(410),))
    assert await store.outbox.replace(again, again.delivered(tried(204, 1000)))
    (delivery,) = await of_job(store)
    assert (delivery.status, delivery.attempt) == (DeliveryState.DELIVERED, 1)
    assert [each.status for each in delivery.attempts] == [410, 204]


async def test_lists_are_newest_first_and_of_an_owner_and_a_state(store: JobStore) -> None:
    await ended(store, *(called_back(f"job-{number}", number, ("ann", "bob")[number % 2]) for number in range(5)))
    found = await claimed_by(store)
    assert found is not None
    assert await store.outbox.replace(found, found.failed(tried()))
    first = await store.outbox.listed(limit=2)
    second = await store.outbox.listed(limit=2, after=first.next)
    third = await store.outbox.listed(limit=2, after=second.next)
    named = [each.subject_id for page in (first, second, third) for each in page.deliveries]
    assert named == ["job-4", "job-3", "job-2", "job-1", "job-0"]
    assert third.next is None
    of_bob = await store.outbox.listed(owner="bob", limit=2)
    assert [each.subject_id for each in of_bob.deliveries] == ["job-3", "job-1"]
    assert of_bob.next is None
    given_up = await store.outbox.listed(status=DeliveryState.FAILED)
    assert [each.subject_id for each in given_up.deliveries] == ["job-0"]


async def test_a_place_or_id_that_no_answer_gave_leads_to_nothing(store: JobStore) -> None:
    await ended(store, called_back())
    for odd in ("\x00", "msg_"):
        assert await store.outbox.get(odd) is None
        place = Cursor(updated_at=after(-1), id=odd)
        assert (await store.outbox.listed(after=place)).deliveries == ()
    (delivery,) = await of_job(store)
    assert await store.outbox.get(delivery.id) == delivery


async def test_what_is_undelivered_is_counted(store: JobStore) -> None:
    nothing = await store.outbox.undelivered()
    assert (nothing.pending, nothing.oldest, nothing.failed) == (0, None, 0)
    await ended(store, *(called_back(f"job-{number}", number) for number in range(4)))
    for end in ("failed", "delivered"):
        found = await claimed_by(store)
        assert found is not None
        assert await store.outbox.replace(found, getattr(found, end)(tried()))
    left = await store.outbox.undelivered()
    assert (left.pending, left.oldest, left.failed) == (2, after(2), 1)


async def test_a_job_that_is_deleted_takes_its_deliveries_with_it(store: JobStore) -> None:
    (done, _) = await ended(store, called_back("a"), called_back("b", 1))
    found = await claimed_by(store)
    assert found is not None
    assert await store.delete(done)
    assert await of_job(store) == []
    assert not await store.outbox.replace(found, found.delivered(tried(200)))
    assert len(await of_job(store, "b")) == 1


async def test_what_is_to_be_told_outlives_the_process(open_store: OpenStore) -> None:
    store = await open_store()
    (done,) = await ended(store, called_back())
    assert done.status is JobState.DONE
    told = await of_job(store)
    await store.close()
    store = await open_store()
    assert await of_job(store) == told
    await store.close()
