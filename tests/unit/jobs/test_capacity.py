"""Retry-After follows the work that waits and the speed that was measured."""

from datetime import UTC, datetime

import msgspec
import pytest

from app.jobs.capacity import Capacity
from ocr_engine.result import ImageInfo, OcrPage, OcrResult, OcrTimings
from persistence.job import Job
from persistence.page import Page

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def job() -> Job:
    image = ImageInfo(media_type="image/png", width=9, height=9, frames=1, size=9)
    return Job(id="a", image=image, created_at=NOW, updated_at=NOW, due_at=NOW)


def test_drain_time_is_pages_over_workers_times_the_mean() -> None:
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


def test_a_page_of_a_file_counts_like_an_image_and_what_was_read_before_does_not_count_again() -> None:
    capacity = Capacity(workers=1, first_guess=1.0)
    result = OcrResult(pages=(OcrPage(number=1, width=9, height=9),), timings=OcrTimings(total=2.0))
    claimed = job().claimed(NOW)
    capacity.changed(claimed, claimed.completed(result, NOW))
    assert capacity.service_seconds == pytest.approx(1.2)
    page = Page(job_id="a", number=1, due_at=NOW).claimed(NOW)
    capacity.page_changed(job(), page, page.completed(result))
    assert capacity.service_seconds == pytest.approx(1.36)
    read = msgspec.structs.replace(job(), result=result)
    capacity.changed(read, read.cancelled(NOW))
    assert capacity.service_seconds == pytest.approx(1.36)
