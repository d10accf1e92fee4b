"""A Job as a row of the table `jobs`, and back."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from ocr_engine.result import ImageInfo, OcrResult
from persistence.job import Job, JobError, JobState

COLUMNS = (
    "id, owner, traceparent, status, revision, attempt, created_at, updated_at, due_at, started_at, "
    "media_type, width, height, frames, image_bytes, error_code, failures, result"
)

_failures = msgspec.json.Decoder(tuple[JobError, ...])
_result = msgspec.json.Decoder(OcrResult)


def to_row(job: Job) -> dict[str, object]:
    """The columns' values by name."""
    return {
        "id": job.id,
        "owner": job.owner,
        "traceparent": job.traceparent,
        "status": job.status.value,
        "revision": job.revision,
        "attempt": job.attempt,
        "created_at": to_text(job.created_at),
        "updated_at": to_text(job.updated_at),
        "due_at": to_text(job.due_at),
        "started_at": to_text(job.started_at) if job.started_at else None,
        "media_type": job.image.media_type,
        "width": job.image.width,
        "height": job.image.height,
        "frames": job.image.frames,
        "image_bytes": job.image.size,
        "error_code": job.error.code if job.error else None,
        "failures": msgspec.json.encode(job.failures).decode(),
        "result": msgspec.json.encode(job.result).decode() if job.result else None,
    }


def from_row(row: tuple[Any, ...]) -> Job:
    """The job of a row that was selected by COLUMNS."""
    (
        job_id, owner, traceparent, status, revision, attempt, created_at, updated_at, due_at, started_at,
        media_type, width, height, frames, image_bytes, _, failures, result,
    ) = row  # fmt: skip
    return Job(
        id=job_id,
        owner=owner,
        traceparent=traceparent,
        status=JobState(status),
        revision=revision,
        attempt=attempt,
        image=ImageInfo(media_type=media_type, width=width, height=height, frames=frames, size=image_bytes),
        created_at=datetime.fromisoformat(created_at),
        updated_at=datetime.fromisoformat(updated_at),
        due_at=datetime.fromisoformat(due_at),
        started_at=datetime.fromisoformat(started_at) if started_at else None,
        failures=_failures.decode(failures),
        result=_result.decode(result) if result else None,
    )


def to_text(moment: datetime) -> str:
    """UTC with six decimals always, so that texts sort as moments do."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
