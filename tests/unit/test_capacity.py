"""Retry-After follows the work that waits and the speed that was measured."""

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from app.jobs.capacity import Capacity
from ocr_engine.result import ImageInfo, OcrPage, OcrResult, OcrTimings
from persistence.job import Job, JobState

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job(pages: int, name: str = "a", media_type: str = "image/tiff") -> Job:
    image = ImageInfo(media_type=media_type, width=9, height=9, frames=pages, size=9)
    return Job(id=name, image=image, created_at=NOW, updated_at=NOW, due_at=NOW)


def done(job: Job, seconds: float) -> Job:
    pages = tuple(OcrPage(number=n, width=9, height=9, lines=()) for n in range(1, job.image.pages + 1))
    result = OcrResult(pages=pages, timings=OcrTimings(total=seconds))
    return msgspec.structs.replace(job, status=JobState.DONE, result=result)


def test_drain_time_is_jobs_over_workers_times_the_mean() -> None:
    assert Capacity(workers=2, first_guess=3.0).drain_seconds(5) == 9.0


def test_an_empty_queue_drains_at_once() -> None:
    assert Capacity(workers=2, first_guess=3.0).drain_seconds(0) == 0.0


def test_the_mean_moves_towards_what_is_measured() -> None:
    capacity = Capacity(workers=1, first_guess=10.0)
    for _ in range(60):
        capacity.learn(1.0)
    assert capacity.service_seconds == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("jobs", "seconds"), [(0, 1), (1, 1), (10, 5), (10**6, 3600)])
def test_retry_after_is_whole_seconds_between_one_and_an_hour(jobs: int, seconds: int) -> None:
    assert Capacity(workers=1, first_guess=0.5).retry_after(jobs) == seconds


def test_without_workers_nothing_drains_and_clients_ask_again_in_a_minute() -> None:
    capacity = Capacity(workers=0, first_guess=1.0)
    assert (capacity.drain_seconds(1), capacity.drain_seconds(0), capacity.retry_after(1)) == (None, 0.0, 60)


def test_the_nodes_together_drain_faster_than_one() -> None:
    capacity = Capacity(workers=1, first_guess=1.0)
    capacity.add_others([(3, 2.0)])
    assert (capacity.workers, capacity.service_seconds) == (4, 1.75)
    assert capacity.drain_seconds(8) == 3.5
    capacity.add_others([])
    assert capacity.drain_seconds(8) == 8.0


def test_a_file_of_many_pages_does_not_make_a_page_slow() -> None:
    capacity = Capacity(workers=1, first_guess=1.0)
    capacity.changed(job(50).claimed(NOW), done(job(50), 50.0))
    assert capacity.service_seconds == 1.0
    assert capacity.retry_after(1) == 1


def test_the_pages_that_are_left_of_a_file_are_waited_for() -> None:
    capacity = Capacity(workers=2, first_guess=1.0)
    long = job(50)
    capacity.accepted(long)
    assert capacity.drain_seconds(2) == 49.0
    capacity.claimed(long.claimed(NOW))
    for _ in range(30):
        capacity.page_read(long)
    assert capacity.drain_seconds(2) == 19.0
    capacity.changed(long.claimed(NOW), done(long, 50.0))
    assert capacity.drain_seconds(2) == 1.0


def test_one_long_file_leaves_the_other_workers_to_the_rest() -> None:
    capacity = Capacity(workers=2, first_guess=1.0)
    capacity.accepted(job(50))
    assert capacity.retry_after(3) == 3
    assert capacity.retry_after(99) == 74, "then both share what is left"
    capacity.accepted(job(50, "b"))
    assert capacity.retry_after(1) == 50
    capacity.accepted(job(11, "c"))
    assert capacity.drain_seconds(1) == 59.0


def test_an_attempt_that_is_given_back_begins_with_the_first_page_again() -> None:
    capacity = Capacity(workers=1, first_guess=1.0)
    claimed = job(3).claimed(NOW)
    capacity.claimed(claimed)
    capacity.page_read(claimed)
    capacity.changed(claimed, claimed.interrupted(NOW))
    assert capacity.drain_seconds(1) == 3.0


def test_a_file_that_is_read_is_asked_about_again_when_its_own_pages_are_through() -> None:
    capacity = Capacity(workers=2, first_guess=1.5)
    long, short = job(50).claimed(NOW), job(1, "b").claimed(NOW)
    for each in (long, short):
        capacity.claimed(each)
    capacity.page_read(long)
    assert (capacity.rest_of(long), capacity.rest_of(short)) == (74, 2)


@pytest.mark.parametrize("ending", [Job.cancelled, None])
def test_nobody_waits_for_the_pages_of_a_job_that_is_no_more(ending: Callable[[Job, datetime], Job] | None) -> None:
    capacity = Capacity(workers=1, first_guess=1.0)
    capacity.accepted(job(50))
    if ending is None:
        capacity.outcome_dropped(job(50))
    else:
        capacity.changed(job(50), ending(job(50), NOW))
    assert capacity.drain_seconds(1) == 1.0


def test_of_an_animation_one_frame_is_read() -> None:
    capacity = Capacity(workers=1, first_guess=1.0)
    capacity.accepted(job(50, media_type="image/gif"))
    assert capacity.drain_seconds(1) == 1.0


def test_a_file_that_waits_where_another_node_may_take_it_is_not_counted_for_ever() -> None:
    capacity = Capacity(workers=1, first_guess=1.0, alone=False)
    capacity.accepted(job(50))
    assert capacity.drain_seconds(1) == 1.0
    claimed = job(50).claimed(NOW)
    capacity.claimed(claimed)
    assert capacity.drain_seconds(1) == 50.0
    capacity.changed(claimed, claimed.interrupted(NOW))
    assert capacity.drain_seconds(1) == 1.0
