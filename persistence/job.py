"""The Job and its state machine: the verbs are the only ways in which it may change. Pure: no clock, no database."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec
from msgspec import Struct

from ocr_engine.result import ImageInfo, OcrResult

ANYBODY = ""
"""Owner of jobs while the service asks for no keys."""


class JobState(StrEnum):
    """Where a job stands. After a crash `queued` and `processing` jobs are run again; the others stay."""

    QUEUED = "queued"
    """Accepted and durable; waits for a worker, or for its next attempt to become due."""
    PROCESSING = "processing"
    """Claimed by a dispatcher; a worker has it or is about to."""
    DONE = "done"
    """Recognised, result stored. Final."""
    DEAD_LETTER = "dead-letter"
    """Given up: `error` says why. Waits for a person to requeue or delete it."""
    CANCELLED = "cancelled"
    """Cancelled by its owner before it was done. Final."""

    @property
    def terminal(self) -> bool:
        """True where nothing happens any more unless a person asks for it."""
        return self in (JobState.DONE, JobState.DEAD_LETTER, JobState.CANCELLED)


TRANSITIONS: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.QUEUED: frozenset({JobState.PROCESSING, JobState.CANCELLED}),
        JobState.PROCESSING: frozenset({JobState.DONE, JobState.QUEUED, JobState.DEAD_LETTER, JobState.CANCELLED}),
        JobState.DEAD_LETTER: frozenset({JobState.QUEUED}),
        JobState.DONE: frozenset(),
        JobState.CANCELLED: frozenset(),
    }
)


class IllegalTransition(Exception):
    """The table has no arrow from the job's state to the one asked for."""

    def __init__(self, job: "Job", target: JobState) -> None:
        super().__init__(f"job {job.id} is {job.status}; it cannot become {target}")


class JobError(Struct, frozen=True, kw_only=True):
    """Why one attempt failed."""

    code: str
    detail: str
    at: datetime
    attempt: int
    worker: str = ""


class Job(Struct, frozen=True, kw_only=True):
    """One image on its way to text. Changes only by the verbs below, each of which gives a new Job."""

    id: str
    owner: str = ANYBODY
    """Name of the API key that submitted it; empty where the service asks for none."""
    traceparent: str = ""
    """W3C trace context of the request that submitted it; empty where nobody traces."""
    status: JobState = JobState.QUEUED
    revision: int = 0
    """Counts every transition. The store compares it: `attempt` alone would not do, since an interrupted
    attempt is given back and its number is used again."""
    attempt: int = 0
    """Attempts begun that count; an interruption by a graceful stop gives its attempt back."""
    image: ImageInfo
    created_at: datetime
    updated_at: datetime
    due_at: datetime
    """Not before then may the next attempt begin."""
    started_at: datetime | None = None
    """When the latest attempt began."""
    failures: tuple[JobError, ...] = ()
    """Every failed attempt, oldest first."""
    result: OcrResult | None = None

    @property
    def error(self) -> JobError | None:
        """What made it a dead letter; None in every other state."""
        return self.failures[-1] if self.status is JobState.DEAD_LETTER else None

    @property
    def wait_seconds(self) -> float:
        """Seconds from when the latest attempt was due to when it began; 0 before the first one."""
        return max(0.0, (self.started_at - self.due_at).total_seconds()) if self.started_at else 0.0

    def claimed(self, now: datetime) -> "Job":
        """A dispatcher takes it: the attempt counts from here, so that a job which kills everything is counted too."""
        return self._become(JobState.PROCESSING, now, attempt=self.attempt + 1, started_at=now)

    def completed(self, result: OcrResult, now: datetime) -> "Job":
        """Its text was read."""
        return self._become(JobState.DONE, now, result=result)

    def retried(self, error: JobError, due_at: datetime, now: datetime) -> "Job":
        """An attempt failed and another one is allowed, at `due_at`."""
        return self._queued_again(JobState.PROCESSING, now, failures=(*self.failures, error), due_at=due_at)

    def dead_lettered(self, error: JobError, now: datetime) -> "Job":
        """An attempt failed and no other one is allowed."""
        return self._become(JobState.DEAD_LETTER, now, failures=(*self.failures, error))

    def interrupted(self, now: datetime) -> "Job":
        """A graceful stop took it from its worker: back to the queue, the attempt given back."""
        return self._queued_again(JobState.PROCESSING, now, attempt=self.attempt - 1, due_at=now)

    def requeued(self, now: datetime) -> "Job":
        """A person puts a dead letter back into the queue, with all attempts before it; its failures stay on record."""
        return self._queued_again(JobState.DEAD_LETTER, now, attempt=0, due_at=now)

    def cancelled(self, now: datetime) -> "Job":
        """Its owner does not want it any more."""
        return self._become(JobState.CANCELLED, now)

    def _queued_again(self, source: JobState, now: datetime, **changes: object) -> "Job":
        # two arrows lead back to `queued`, and the table alone cannot tell one verb's from the other's
        if self.status is not source:
            raise IllegalTransition(self, JobState.QUEUED)
        return self._become(JobState.QUEUED, now, **changes)

    def _become(self, status: JobState, now: datetime, **changes: object) -> "Job":
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(self, status)
        # `updated_at` never runs backwards, whatever the clock does
        moment = max(now, self.updated_at)
        return msgspec.structs.replace(self, status=status, revision=self.revision + 1, updated_at=moment, **changes)
