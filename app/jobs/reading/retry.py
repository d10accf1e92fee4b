"""The retry policy: after a failed attempt another one, and when, or the dead letter. Pure."""

from datetime import datetime, timedelta

from msgspec import Struct

from app.jobs.reading.piece import Piece
from ocr_engine.errors import JobTimeout, OcrError
from persistence.job import Job, JobError
from persistence.page import Page


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """How often, and after what wait."""

    max_attempts: int
    base_seconds: float
    max_seconds: float

    def wait(self, attempt: int, jitter: float) -> timedelta:
        """The wait after a failed `attempt` (from 1): doubling, capped, and with `jitter` (0 to 1) its half to whole.

        Exponential back-off with "equal jitter": M. Brooker, "Exponential Backoff And Jitter", AWS, 2015.
        """
        ceiling = min(self.max_seconds, self.base_seconds * 2.0 ** min(attempt - 1, 60))
        return timedelta(seconds=ceiling / 2 * (1 + jitter))


def wait_until_due(attempted: Job | Page, policy: RetryPolicy, now: datetime) -> float:
    """Seconds until the next attempt may begin; 0 or less: now.

    A wait longer than any back-off means that the clock was set back: nothing is made to wait for it.
    """
    wait = (attempted.due_at - now).total_seconds()
    return wait if wait <= policy.max_seconds else 0.0


def is_worth_another(error: OcrError, attempt: int, max_attempts: int, *, timed_out: bool) -> bool:
    """Whether another try may help after the `attempt` (from 1) that ended with the error.

    Who was too slow gets more time once; who is too slow a second time, `timed_out` before, would be again.
    """
    slow_again = isinstance(error, JobTimeout) and timed_out
    return error.retriable and attempt < max_attempts and not slow_again


def after_error(piece: Piece, error: OcrError, policy: RetryPolicy, now: datetime, jitter: float) -> Piece:
    """What was claimed as it stands after `error`: queued for another attempt, or given up."""
    attempt = piece.attempted.attempt
    failure = JobError(code=error.code, detail=error.detail, at=now, attempt=attempt, worker=error.worker)
    if is_worth_another(error, attempt, policy.max_attempts, timed_out=piece.timed_out):
        return piece.retried(failure, now + policy.wait(attempt, jitter), now)
    return piece.given_up(failure, now)
