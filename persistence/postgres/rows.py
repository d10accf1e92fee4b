"""A Job as a row of PostgreSQL's table `jobs`, and back."""

import asyncpg
import msgspec

from ocr_engine.result import ImageInfo, OcrResult
from persistence.job import Job, JobError, JobState

COLUMNS = (
    "id, owner, traceparent, status, revision, attempt, created_at, updated_at, due_at, started_at, "
    "media_type, width, height, frames, image_bytes, error_code, failures, result"
)

_failures = msgspec.json.Decoder(tuple[JobError, ...])
_result = msgspec.json.Decoder(OcrResult)


def to_values(job: Job) -> tuple[object, ...]:
    """The values of COLUMNS, in their order."""
    image = job.image
    return (
        job.id, job.owner, job.traceparent, job.status.value, job.revision, job.attempt,
        job.created_at, job.updated_at, job.due_at, job.started_at,
        image.media_type, image.width, image.height, image.frames, image.size,
        job.error.code if job.error else None,
        msgspec.json.encode(job.failures).decode(),
        msgspec.json.encode(job.result).decode() if job.result else None,
    )  # fmt: skip


def from_record(record: asyncpg.Record) -> Job:
    """The job of a row that was selected by COLUMNS."""
    return Job(
        id=record["id"],
        owner=record["owner"],
        traceparent=record["traceparent"],
        status=JobState(record["status"]),
        revision=record["revision"],
        attempt=record["attempt"],
        image=ImageInfo(
            media_type=record["media_type"],
            width=record["width"],
            height=record["height"],
            frames=record["frames"],
            size=record["image_bytes"],
        ),
        created_at=record["created_at"],
        updated_at=record["updated_at"],
        due_at=record["due_at"],
        started_at=record["started_at"],
        failures=_failures.decode(record["failures"]),
        result=_result.decode(record["result"]) if record["result"] else None,
    )
