"""What follows a failed attempt."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.jobs.reading.piece import Piece
from app.jobs.reading.retry import RetryPolicy, after_error
from ocr_engine.errors import EngineError, InvalidImage, JobTimeout, OcrError, WorkerCrashed
from ocr_engine.result import ImageInfo
from persistence.job import Job, JobError, JobState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POLICY = RetryPolicy(max_attempts=3, base_seconds=2.0, max_seconds=10.0)
IMAGE = ImageInfo(media_type="image/png", width=1, height=1, frames=1, size=1)


def processing(attempt: int) -> Job:
    return Job(
        id="j", image=IMAGE, status=JobState.PROCESSING, attempt=attempt, created_at=NOW, updated_at=NOW, due_at=NOW
    )


@pytest.mark.parametrize("error", [JobTimeout("slow"), WorkerCrashed("gone"), EngineError("odd")])
def test_what_a_retry_can_mend_is_queued_again_after_a_wait(error: OcrError) -> None:
    job = after_error(Piece(job=processing(1)), error, POLICY, NOW, jitter=1.0).job
    assert job.status is JobState.QUEUED
    assert job.due_at == NOW + timedelta(seconds=2)
    assert job.attempt == 1
    assert job.error is None
    assert [failure.code for failure in job.failures] == [error.code]


def test_an_invalid_image_is_never_retried() -> None:
    job = after_error(Piece(job=processing(1)), InvalidImage("broken"), POLICY, NOW, jitter=0.5).job
    assert job.status is JobState.DEAD_LETTER
    assert job.error is not None
    assert job.error.code == "invalid_image"


def test_the_last_attempt_ends_in_the_dead_letters() -> None:
    job = after_error(Piece(job=processing(3)), JobTimeout("slow"), POLICY, NOW, jitter=0.5).job
    assert job.status is JobState.DEAD_LETTER
    assert job.error is not None
    assert (job.error.code, job.error.attempt) == ("timeout", 3)


def failed(code: str, attempt: int) -> JobError:
    return JobError(code=code, detail="", at=NOW, attempt=attempt)


@pytest.mark.parametrize(
    ("failures", "attempt", "again"),
    [
        ((), 1, True),
        ((failed("worker_crashed", 1),), 2, True),
        ((failed("timeout", 1),), 2, False),
        ((failed("timeout", 1), failed("worker_crashed", 2)), 3, False),
        ((failed("timeout", 1), failed("timeout", 2)), 1, True),  # requeued
    ],
)
def test_who_is_too_slow_has_more_time_once_and_then_ends(
    failures: tuple[JobError, ...], attempt: int, again: bool
) -> None:
    piece = Piece(job=msgspec.structs.replace(processing(attempt), failures=failures))
    policy = msgspec.structs.replace(POLICY, max_attempts=10)
    job = after_error(piece, JobTimeout("slow"), policy, NOW, jitter=0.5).job
    assert job.status is (JobState.QUEUED if again else JobState.DEAD_LETTER)
    assert piece.timed_out is not again


def test_the_worker_where_it_happened_is_on_record() -> None:
    error = WorkerCrashed("gone")
    error.worker = "worker-2"
    assert after_error(Piece(job=processing(1)), error, POLICY, NOW, jitter=0.5).job.failures[0].worker == "worker-2"


def test_waits_double_up_to_the_limit_and_jitter_takes_at_most_half() -> None:
    assert [POLICY.wait(attempt, jitter=1.0).total_seconds() for attempt in (1, 2, 3, 4, 5)] == [2, 4, 8, 10, 10]
    assert POLICY.wait(2, jitter=0.0).total_seconds() == 2
    assert POLICY.wait(10_000, jitter=1.0).total_seconds() == 10
