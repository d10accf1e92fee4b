"""A Job as the columns of the table `jobs`, which every SQL store has, and back."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ocr_engine.result import ImageInfo, OcrResult
from persistence.job import Job, JobError, JobState

COLUMNS = (
    "id", "owner", "traceparent", "status", "revision", "attempt", "created_at", "updated_at", "due_at", "started_at",
    "media_type", "width", "height", "frames", "image_bytes", "error_code", "failures", "result",
)  # fmt: skip

_failures = msgspec.json.Decoder(tuple[JobError, ...])
_result = msgspec.json.Decoder(OcrResult)


def to_row(job: Job) -> dict[str, Any]:
    """The value of each of COLUMNS; moments as datetimes, failures and result as JSON."""
    return {
        "id": job.id,
        "owner": job.owner,
        "traceparent": job.traceparent,
        "status": job.status.value,
        "revision": job.revision,
        "attempt": job.attempt,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "due_at": job.due_at,
        "started_at": job.started_at,
        "media_type": job.image.media_type,
        "width": job.image.width,
        "height": job.image.height,
        "frames": job.image.frames,
        "image_bytes": job.image.size,
        "error_code": job.error.code if job.error else None,
        "failures": msgspec.json.encode(job.failures).decode(),
        "result": msgspec.json.encode(job.result).decode() if job.result else None,
    }


def from_row(row: Mapping[str, Any]) -> Job:
    """The job of such values by name."""
    return Job(
        id=row["id"],
        owner=row["owner"],
        traceparent=row["traceparent"],
        status=JobState(row["status"]),
        revision=row["revision"],
        attempt=row["attempt"],
        image=ImageInfo(
            media_type=row["media_type"],
            width=row["width"],
            height=row["height"],
            frames=row["frames"],
            size=row["image_bytes"],
        ),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        due_at=row["due_at"],
        started_at=row["started_at"],
        failures=_failures.decode(row["failures"]),
        result=_result.decode(row["result"]) if row["result"] else None,
    )
