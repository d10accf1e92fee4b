"""What is told of a job's change: enough to say how far it is, and small enough for a notification."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from persistence.job import Job, JobState


class JobChange(Struct, frozen=True, kw_only=True):
    """A job as one change has left it."""

    id: str
    owner: str
    status: JobState
    revision: int
    """Of two changes of one job that with the higher one is the later."""
    updated_at: datetime
    pages_total: int
    pages_done: int
    pages_failed: int
    error_code: str = ""
    """Of a dead letter; empty otherwise."""
    batch_id: str = ""
    """Of the batch that it is part of; empty otherwise."""
    tag: str = ""
    metadata: Mapping[str, str] = {}
    """Both are the client's own words; they are short enough for a notification of PostgreSQL (8000 bytes)."""


def change_of(job: Job) -> JobChange:
    """The change that led to this job."""
    return JobChange(
        id=job.id,
        owner=job.owner,
        status=job.status,
        revision=job.revision,
        updated_at=job.updated_at,
        pages_total=job.pages_total,
        pages_done=job.pages_done,
        pages_failed=job.pages_failed,
        error_code=job.error.code if job.error else "",
        batch_id=job.batch_id,
        tag=job.options.tag,
        metadata=job.options.metadata,
    )
