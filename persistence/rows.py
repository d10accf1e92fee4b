"""A Job as the columns of the table `jobs`, which every SQL store has, a Page as those of `pages`, and back."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ocr_engine.result import ImageInfo, OcrResult
from persistence.change import JobChange
from persistence.job import Job, JobError, JobOptions, JobState
from persistence.outbox.delivery import Delivery, DeliveryAttempt, DeliveryState
from persistence.page import Page, PageState

COLUMNS = (
    "id", "owner", "traceparent", "status", "revision", "attempt", "created_at", "updated_at", "due_at", "started_at",
    "media_type", "width", "height", "frames", "image_bytes", "error_code", "failures", "result",
    "options", "paged", "pages_total", "pages_done", "pages_failed", "expires_at",
    "batch_id", "batch_number", "fingerprint",
)  # fmt: skip

LISTED_COLUMNS = tuple("NULL AS result" if column == "result" else column for column in COLUMNS)
"""As COLUMNS, without what was read."""

PAGE_COLUMNS = (
    "job_id", "number", "status", "revision", "attempt", "due_at", "started_at", "failures", "result",
)  # fmt: skip

CHANGE_COLUMNS = (
    "id", "owner", "status", "revision", "updated_at", "pages_total", "pages_done", "pages_failed", "error_code",
    "batch_id", "options",
)  # fmt: skip

DELIVERY_COLUMNS = (
    "id", "kind", "subject_id", "owner", "event", "data", "url", "host", "traceparent",
    "status", "revision", "attempt", "attempts", "created_at", "due_at", "claimed_until",
)  # fmt: skip

_attempts = msgspec.json.Decoder(tuple[DeliveryAttempt, ...])
_failures = msgspec.json.Decoder(tuple[JobError, ...])
_result = msgspec.json.Decoder(OcrResult)
_options = msgspec.json.Decoder(JobOptions)


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
        "failures": _text(job.failures),
        # of a paged job it is in the rows of its pages
        "result": _text(job.result) if job.result and not job.paged else None,
        "options": _text(job.options),
        "paged": job.paged,
        "pages_total": job.pages_total,
        "pages_done": job.pages_done,
        "pages_failed": job.pages_failed,
        "expires_at": job.expires_at,
        "batch_id": job.batch_id,
        "batch_number": job.batch_number,
        "fingerprint": job.fingerprint,
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
        options=_options.decode(row["options"]),
        paged=bool(row["paged"]),
        pages_total=row["pages_total"],
        pages_done=row["pages_done"],
        pages_failed=row["pages_failed"],
        expires_at=row["expires_at"],
        batch_id=row["batch_id"],
        batch_number=row["batch_number"],
        fingerprint=row["fingerprint"],
        result=_result.decode(row["result"]) if row["result"] else None,
    )


def change_from_row(row: Mapping[str, Any]) -> JobChange:
    """The change of the values of CHANGE_COLUMNS by name."""
    named = {column: row[column] for column in CHANGE_COLUMNS if column != "options"}
    named |= {"status": JobState(row["status"]), "error_code": row["error_code"] or ""}
    options = _options.decode(row["options"])
    return JobChange(**named, tag=options.tag, metadata=options.metadata)


def to_page_row(page: Page) -> dict[str, Any]:
    """The value of each of PAGE_COLUMNS, in the same forms."""
    return {
        "job_id": page.job_id,
        "number": page.number,
        "status": page.status.value,
        "revision": page.revision,
        "attempt": page.attempt,
        "due_at": page.due_at,
        "started_at": page.started_at,
        "failures": _text(page.failures),
        "result": _text(page.result) if page.result else None,
    }


def page_from_row(row: Mapping[str, Any]) -> Page:
    """The page of such values by name."""
    return Page(
        job_id=row["job_id"],
        number=row["number"],
        status=PageState(row["status"]),
        revision=row["revision"],
        attempt=row["attempt"],
        due_at=row["due_at"],
        started_at=row["started_at"],
        failures=_failures.decode(row["failures"]),
        result=_result.decode(row["result"]) if row["result"] else None,
    )


def to_delivery_row(delivery: Delivery) -> dict[str, Any]:
    """The value of each of DELIVERY_COLUMNS, in the same forms."""
    row = {column: getattr(delivery, column) for column in DELIVERY_COLUMNS}
    return row | {"status": delivery.status.value, "attempts": _text(delivery.attempts)}


def delivery_from_row(row: Mapping[str, Any]) -> Delivery:
    """The delivery of such values by name."""
    named = {column: row[column] for column in DELIVERY_COLUMNS}
    status, attempts = DeliveryState(row["status"]), _attempts.decode(row["attempts"])
    return Delivery(**{**named, "status": status, "attempts": attempts})


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
