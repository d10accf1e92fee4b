"""What every JobStore promises of the pages of a job. One suite for all implementations."""

import asyncio
import itertools
from pathlib import Path

import msgspec
import pytest

from ocr_engine.result import OcrResult
from persistence.job import Job, JobOptions, JobState
from persistence.page import Page, PageState, new_pages
from persistence.store import JobStore
from persistence.upload import IN_MEMORY_BYTES, Upload
from tests.contract.conftest import OpenStore
from tests.contract.jobs import RESULT, after, failure, job

pytestmark = pytest.mark.anyio

IMAGE = b"a file of several pages"


def read(number: int) -> OcrResult:
    page = msgspec.structs.replace(RESULT.pages[0], number=number)
    return msgspec.structs.replace(RESULT, pages=(page,))


async def paged(store: JobStore, pages: int, job_id: str = "a") -> tuple[Job, list[Page]]:
    new = msgspec.structs.replace(job(job_id), paged=True, pages_total=pages)
    units = new_pages(new, range(1, pages + 1), after(0))
    await store.add(new, Upload.of(IMAGE), units)
    return new, list(units)


async def begun(store: JobStore, page: Page) -> Page:
    claimed = page.claimed(after(1))
    assert await store.replace_page(page, claimed, after(1)) is not None
    return claimed


async def ended(store: JobStore, page: Page) -> Job:
    """The job as it is after the page was read."""
    claimed = await begun(store, page)
    change = await store.replace_page(claimed, claimed.completed(read(page.number)), after(2))
    assert change is not None
    return change.after


async def given_up(store: JobStore, page: Page) -> Job:
    claimed = await begun(store, page)
    change = await store.replace_page(claimed, claimed.given_up(failure()), after(2))
    assert change is not None
    return change.after


async def stored(store: JobStore, job_id: str = "a") -> Job:
    found = await store.get(job_id)
    assert found is not None
    return found


async def test_every_field_of_a_page_comes_back_exactly(store: JobStore) -> None:
    new, [first, second] = await paged(store, 2)
    assert await store.page("a", 1) == (new, first)
    steps = [first, first.claimed(after(1))]
    steps.append(steps[-1].retried(failure("worker_crashed"), after(7.000001)))
    steps.append(steps[-1].claimed(after(8)))
    steps.append(steps[-1].interrupted(after(9)))
    for old, changed in itertools.pairwise(steps):
        assert await store.replace_page(old, changed, after(9)) is not None
        found = await store.page("a", 1)
        assert found is not None
        assert found[1] == changed
    assert await store.unsettled("a") == [steps[-1], second]
    assert await store.page("a", 3) is None
    assert await store.page("nobody", 1) is None


async def test_a_page_that_was_read_is_there_after_opening_again_and_only_the_others_are_left(
    open_store: OpenStore,
) -> None:
    first = await open_store()
    _, pages = await paged(first, 3)
    await ended(first, pages[1])
    being_read = await begun(first, pages[0])
    await first.close()

    second = await open_store()
    found = await stored(second)
    assert found.result is not None
    assert [page.number for page in found.result.pages] == [2]
    assert (found.status, found.pages_done, found.pages_left) == (JobState.PROCESSING, 1, 2)
    assert await second.unsettled("a") == [being_read, pages[2]]
    await second.close()


async def test_the_first_page_begins_the_job_and_the_last_one_ends_it(store: JobStore) -> None:
    new, pages = await paged(store, 2)
    claimed = pages[0].claimed(after(1))
    change = await store.replace_page(pages[0], claimed, after(1))
    assert change is not None
    assert (change.before, change.after.status) == (new, JobState.PROCESSING)
    assert change.after.started_at == after(1)
    change = await store.replace_page(claimed, claimed.completed(read(1)), after(2))
    assert change is not None
    assert (change.before.status, change.after.status) == (JobState.PROCESSING, JobState.PROCESSING)
    done = await ended(store, pages[1])
    assert (done.status, done.pages_done, done.attempt) == (JobState.DONE, 2, 1)
    found = await stored(store)
    assert found.result is not None
    assert [page.number for page in found.result.pages] == [1, 2]
    assert found.result.timings.total == 2 * RESULT.timings.total
    assert msgspec.structs.replace(found, result=None) == done
    assert await store.image("a") is None


async def test_two_pages_that_end_at_once_end_the_job_once(store: JobStore) -> None:
    for round_ in range(10):
        name = f"job-{round_}"
        _, pages = await paged(store, 2, name)
        claimed = [await begun(store, page) for page in pages]
        outcomes = (store.replace_page(page, page.completed(read(page.number)), after(2)) for page in claimed)
        changes = await asyncio.gather(*outcomes)
        ends = [change.after.status for change in changes if change is not None]
        assert sorted(ends) == [JobState.DONE, JobState.PROCESSING]
        assert (await stored(store, name)).pages_done == 2


async def test_an_outline_is_the_job_with_the_numbers_of_its_pages_in_place_of_what_was_read(store: JobStore) -> None:
    _, pages = await paged(store, 4)
    await ended(store, pages[2])
    await given_up(store, pages[1])
    await ended(store, pages[0])
    whole, outline = await stored(store), await store.outline("a")
    assert outline == msgspec.structs.replace(whole, result=None, read_pages=(1, 3))
    assert [error.number for error in outline.page_errors] == [2]
    # in the order that is asked for; of what was not read nothing
    found = await store.page_results("a", [3, 2, 1, 4, 99])
    assert [msgspec.json.decode(each, type=OcrResult) for each in found] == [read(3), read(1)]
    assert await store.page_results("a", []) == await store.page_results("\0", [1]) == []
    assert await store.outline("nobody") is None


async def test_the_outline_of_an_image_has_its_result(store: JobStore) -> None:
    await store.add(job("a"), Upload.of(IMAGE))
    claimed = job("a").claimed(after(1))
    assert await store.replace(job("a"), claimed)
    assert await store.replace(claimed, claimed.completed(RESULT, after(2)))
    assert await store.outline("a") == await stored(store)


async def test_one_of_many_claims_of_a_page_at_once_wins(store: JobStore) -> None:
    _, [page, _] = await paged(store, 2)
    claims = [page.claimed(after(n)) for n in range(8)]
    won = await asyncio.gather(*(store.replace_page(page, claim, after(9)) for claim in claims))
    assert sum(change is not None for change in won) == 1
    found = await store.page("a", 1)
    assert found is not None
    assert found[1] in claims


async def test_a_late_outcome_of_a_page_changes_nothing(store: JobStore) -> None:
    _, [page, _] = await paged(store, 2)
    late = await begun(store, page)
    back = late.interrupted(after(2))
    assert await store.replace_page(late, back, after(2)) is not None
    again = await begun(store, back)
    before = await stored(store)
    assert (late.attempt, late.status) == (again.attempt, again.status)
    assert await store.replace_page(late, late.completed(read(1)), after(3)) is None
    assert await stored(store) == before
    assert (await store.page("a", 1) or [None])[-1] == again


async def test_a_bad_page_fails_alone_and_the_upload_is_kept_for_another_round(store: JobStore) -> None:
    _, pages = await paged(store, 3)
    await given_up(store, pages[1])
    for page in (pages[0], pages[2]):
        last = await ended(store, page)
    assert (last.status, last.pages_done, last.pages_failed, last.error) == (JobState.DONE, 2, 1, None)
    found = await stored(store)
    assert [error.number for error in found.page_errors] == [2]
    assert found.page_errors[0].code == "timeout"
    assert await store.image("a") == IMAGE

    again = found.requeued(after(5))
    assert await store.replace(found, again)
    (left,) = await store.unsettled("a")
    assert (left.number, left.status, left.attempt, left.due_at) == (2, PageState.QUEUED, 0, after(5))
    assert len(left.failures) == 1, "its record stays"
    assert (await ended(store, left)).status is JobState.DONE
    whole = await stored(store)
    assert whole.result is not None
    assert ([page.number for page in whole.result.pages], whole.page_errors) == ([1, 2, 3], ())
    assert await store.image("a") is None


async def test_a_job_none_of_whose_pages_could_be_read_is_a_dead_letter(store: JobStore) -> None:
    _, pages = await paged(store, 2)
    await given_up(store, pages[0])
    dead = await given_up(store, pages[1])
    assert dead.status is JobState.DEAD_LETTER
    assert (await store.dead_letters(code="timeout")).jobs == (dead,)
    assert await store.replace(dead, dead.requeued(after(5)))
    assert [page.number for page in await store.unsettled("a")] == [1, 2]
    assert await store.image("a") == IMAGE


async def test_a_cancelled_job_keeps_what_was_read_and_forgets_the_other_pages(store: JobStore) -> None:
    _, pages = await paged(store, 3)
    await ended(store, pages[0])
    being_read = await begun(store, pages[1])
    found = await stored(store)
    assert await store.replace(found, found.cancelled(after(3)))
    assert await store.unsettled("a") == []
    assert await store.replace_page(being_read, being_read.completed(read(2)), after(4)) is None
    assert await store.replace_page(pages[2], pages[2].claimed(after(4)), after(4)) is None
    after_all = await stored(store)
    assert after_all.result is not None
    assert (after_all.status, [page.number for page in after_all.result.pages]) == (JobState.CANCELLED, [1])


async def test_a_file_that_is_opened_gets_its_pages_in_one_step(store: JobStore) -> None:
    unopened = msgspec.structs.replace(job(), pages_total=0, options=JobOptions(pages="2-"))
    await store.add(unopened, Upload.of(IMAGE))
    claimed = unopened.claimed(after(1))
    assert await store.replace(unopened, claimed)
    opened = claimed.opened(2)
    pages = new_pages(opened, [2, 3], after(2))
    stale = unopened.claimed(after(9)).opened(2)
    assert not await store.open_pages(unopened, stale, pages)
    assert await store.unsettled("a") == []
    assert await store.open_pages(claimed, opened, pages)
    assert await stored(store) == opened
    assert await store.unsettled("a") == list(pages)


async def test_pages_left_counts_pages_not_files(store: JobStore) -> None:
    assert await store.pages_left() == 0
    _, pages = await paged(store, 5)
    await store.add(job("b"), Upload.of(IMAGE))
    await store.add(msgspec.structs.replace(job("c"), pages_total=0), Upload.of(IMAGE))
    await ended(store, pages[0])
    await given_up(store, pages[1])
    await begun(store, pages[2])
    assert await store.pages_left() == 5


async def test_the_pages_of_a_deleted_job_are_gone(store: JobStore) -> None:
    _, pages = await paged(store, 2)
    await given_up(store, pages[0])
    dead = await given_up(store, pages[1])
    assert await store.delete(dead)
    assert await store.page("a", 1) is None


async def test_thousands_of_pages_are_stored_and_counted(store: JobStore) -> None:
    _, pages = await paged(store, 2000)
    assert len(await store.unsettled("a")) == 2000
    await ended(store, pages[1999])
    assert await store.pages_left() == 1999


# uploads


def staged(store: JobStore, data: bytes, password: str = "") -> Upload:
    file = store.staging / "received"
    file.write_bytes(data)
    return Upload(size=len(data), file=file, password=password)


LARGE = bytes(range(256)) * (3 * IN_MEMORY_BYTES // 256) + b"end"


async def test_a_large_upload_comes_back_byte_for_byte_after_opening_again(
    open_store: OpenStore, tmp_path: Path
) -> None:
    first = await open_store()
    await first.add(job(size=len(LARGE)), staged(first, LARGE, password="secret"))
    assert list(first.staging.iterdir()) == [], "it is the store's own now"
    await first.close()

    second = await open_store()
    found = await second.fetch("a", tmp_path / "target")
    assert found is not None
    assert (found.path.read_bytes() == LARGE, found.password) == (True, "secret")
    assert await second.image("a") == LARGE
    await second.close()


async def test_a_small_upload_is_fetched_into_the_file_that_is_named(store: JobStore, tmp_path: Path) -> None:
    await store.add(job(), Upload(size=len(IMAGE), data=IMAGE, password="secret"))
    found = await store.fetch("a", tmp_path / "target")
    assert found is not None
    assert (found.path, found.password) == (tmp_path / "target", "secret")
    assert found.path.read_bytes() == IMAGE
    assert await store.fetch("nobody", tmp_path / "none") is None


@pytest.mark.parametrize(("code", "kept"), [("password_required", ""), ("worker_crashed", "secret")])
async def test_a_password_that_was_the_wrong_one_is_not_kept_for_another_try(
    store: JobStore, tmp_path: Path, code: str, kept: str
) -> None:
    await store.add(job(), Upload(size=len(IMAGE), data=IMAGE, password="secret"))
    claimed = job().claimed(after(1))
    assert await store.replace(job(), claimed)
    assert await store.replace(claimed, claimed.dead_lettered(failure(code), after(2)))
    found = await store.fetch("a", tmp_path / "target")
    assert found is not None
    assert (found.path.read_bytes(), found.password) == (IMAGE, kept)


async def test_a_large_upload_lives_until_its_job_is_done_or_deleted(store: JobStore, tmp_path: Path) -> None:
    for name in ("done", "cancelled", "deleted"):
        await store.add(job(name, size=len(LARGE)), staged(store, LARGE))
    claimed = {name: job(name).claimed(after(1)) for name in ("done", "deleted")}
    for name, each in claimed.items():
        assert await store.replace(job(name), each)
    assert await store.replace(claimed["done"], claimed["done"].completed(RESULT, after(2)))
    assert await store.replace(job("cancelled"), job("cancelled").cancelled(after(2)))
    dead = claimed["deleted"].dead_lettered(failure(), after(2))
    assert await store.replace(claimed["deleted"], dead)
    assert await store.image("deleted") == LARGE
    assert await store.delete(dead)
    for name in ("done", "cancelled", "deleted"):
        assert await store.fetch(name, tmp_path / name) is None
    await store.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size == len(LARGE)] == []
