"""The JSON that clients see, apart from what is stored: Job -> JobView, Verdict -> AiHealthView."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from app.health import Grade
from app.http.problems import Problem, problem
from app.http.responses.options_view import OptionsView, options_view
from app.http.responses.pages import JobPageView, job_pages
from app.operations import HealthReport, QueueFigures
from app.results.lookup import Progress
from app.results.stored_run import Detail
from ocr_engine.formats.json import LineView, Share
from ocr_engine.result import ImageInfo, OcrModel, OcrTimings
from ocr_engine.workers.pool import WorkerInfo
from persistence.history.minute import Minute
from persistence.job import Job, JobError, JobState

Seconds = Annotated[float, Meta(ge=0)]


class JobView(Struct, frozen=True, kw_only=True):
    """A job as clients see it. The first six keys are never null."""

    id: str
    status: JobState
    timestamp: Annotated[datetime, Meta(description="When the job last changed (RFC 3339, UTC).")]
    text: Annotated[str, Meta(description="The confident lines in reading order; pages apart by a form feed.")]
    confidence: Annotated[Share, Meta(description="Mean confidence of the text, weighted by length.")]
    processing_time: Annotated[Seconds, Meta(description="Seconds that the recognition took.")]
    waiting_time: Annotated[Seconds, Meta(description="Seconds that the latest attempt waited for a worker.")]
    created_at: datetime
    attempts: Annotated[int, Meta(description="Attempts begun.")]
    lines: Annotated[tuple[LineView, ...], Meta(description="The lines of all pages, low-confidence ones flagged.")]
    pages: Annotated[tuple[JobPageView, ...], Meta(description="The pages that were read so far, or given up.")]
    pages_total: Annotated[int | None, Meta(description="Pages to be read; null until the file was opened.")]
    pages_done: Annotated[int, Meta(description="Pages that were read.")]
    failed_pages: Annotated[tuple[int, ...], Meta(description="Numbers of the pages that were given up.")]
    cached: Annotated[bool, Meta(description="Its result is that of an equal file, see `dedupe`.")]
    queue_position: Annotated[
        int, Meta(description="Which page in the queue its next one is, from 1; 0 where none of it waits.")
    ]
    eta_seconds: Annotated[
        Seconds | None,
        Meta(description="Until it may be through, at the present pace; 0 once it has ended, null without workers."),
    ]
    languages: Annotated[
        tuple[str, ...],
        Meta(description="BCP 47 tags that came with the upload; empty: the service's, or by what is read."),
    ]
    options: Annotated[OptionsView, Meta(description="What was asked with the upload.")]
    tag: Annotated[str, Meta(description="The client's own word for it.")]
    metadata: Annotated[Mapping[str, str], Meta(description="What the client sent with it.")]
    callback_url: Annotated[str, Meta(description="Told of its end; empty: nobody is.")]
    expires_at: Annotated[datetime | None, Meta(description="When it will be deleted; null: not known yet, or never.")]
    upload_until: Annotated[
        datetime | None, Meta(description="Until then, at most, the upload can be had again; null: it is not kept.")
    ]
    batch_id: str | None
    image: ImageInfo
    models: tuple[OcrModel, ...]
    timings: Annotated[OcrTimings | None, Meta(description="Seconds in each stage of the recognition.")]
    error: Annotated[Problem | None, Meta(description="Why the job is a dead letter; null otherwise.")]
    failures: Annotated[tuple[JobError, ...], Meta(description="Failed attempts, oldest first; of many the latest.")]


def job_view(job: Job) -> JobView:
    """A job that has ended as clients see it."""
    return progress_view(Progress(job=job))


def progress_view(progress: Progress, detail: Detail | None = None) -> JobView:
    """A job as clients see it, and how far it is; `detail`: else as was asked with the upload."""
    job = progress.job
    result = job.result
    pages = job_pages(job, words=(detail or job.options.detail) == "words")
    eta = progress.eta_seconds
    return JobView(
        id=job.id,
        status=job.status,
        timestamp=job.updated_at,
        text=result.text if result else "",
        confidence=round(result.confidence, 4) if result else 0.0,
        processing_time=round(result.timings.total, 4) if result else 0.0,
        waiting_time=round(job.wait_seconds, 4),
        created_at=job.created_at,
        attempts=job.attempt,
        lines=tuple(line for page in pages for line in page.lines),
        pages=pages,
        pages_total=job.pages_total or None,
        pages_done=job.pages_done,
        failed_pages=tuple(error.number for error in job.page_errors),
        cached=job.cached,
        queue_position=progress.queue_position,
        eta_seconds=None if eta is None else round(eta, 1),
        languages=job.options.languages,
        options=options_view(job.options),
        tag=job.options.tag,
        metadata=job.options.metadata,
        callback_url=job.options.callback_url,
        expires_at=progress.expires_at or job.expires_at,
        upload_until=progress.upload_until,
        batch_id=job.batch_id or None,
        image=job.image,
        models=result.models if result else (),
        timings=result.timings if result else None,
        error=problem(job.error.code, job.error.detail) if job.error else None,
        failures=job.failures,
    )


class ListedView(Struct, frozen=True, kw_only=True):
    """A job in a list: how far it is, and nothing of what was read."""

    id: str
    status: JobState
    timestamp: datetime
    created_at: datetime
    attempts: int
    pages_total: Annotated[int | None, Meta(description="Pages to be read; null until the file was opened.")]
    pages_done: int
    tag: str
    metadata: Mapping[str, str]
    image: ImageInfo
    error: Problem | None


def listed_view(job: Job) -> ListedView:
    """The job as a list shows it."""
    return ListedView(
        id=job.id,
        status=job.status,
        timestamp=job.updated_at,
        created_at=job.created_at,
        attempts=job.attempt,
        pages_total=job.pages_total or None,
        pages_done=job.pages_done,
        tag=job.options.tag,
        metadata=job.options.metadata,
        image=job.image,
        error=problem(job.error.code, job.error.detail) if job.error else None,
    )


class JobsView(Struct, frozen=True, kw_only=True):
    """A page of jobs, newest first."""

    items: list[ListedView]
    next: Annotated[str | None, Meta(description="`after` of the following page; null: nothing follows.")]


class DeadLettersView(Struct, frozen=True, kw_only=True):
    """A page of dead letters, newest first."""

    items: list[JobView]
    next: Annotated[str | None, Meta(description="`after` of the following page; null: nothing follows.")]


class RequeuedView(Struct, frozen=True, kw_only=True):
    """What a bulk requeue did."""

    requeued: int
    remaining: Annotated[bool, Meta(description="True where queue or quota was full before all were through.")]


class QueueView(Struct, frozen=True, kw_only=True):
    """How much work there is, and how fast it goes."""

    depth: Annotated[int, Meta(description="Pages that wait for a worker.")]
    active: Annotated[int, Meta(description="Pages that workers have.")]
    limit: int
    workers: Annotated[int, Meta(description="OCR processes, of all nodes.")]
    service_seconds: Annotated[Seconds, Meta(description="Mean seconds that a worker has spent on a page, lately.")]
    drain_seconds: Annotated[
        Seconds | None,
        Meta(description="Seconds until the work that is there now is through; null without workers for it."),
    ]


def queue_view(figures: QueueFigures) -> QueueView:
    """The queue as clients see it."""
    drain = figures.drain_seconds
    return QueueView(
        depth=figures.depth,
        active=figures.active,
        limit=figures.limit,
        workers=figures.workers,
        service_seconds=round(figures.service_seconds, 4),
        drain_seconds=None if drain is None else round(drain, 3),
    )


class MinuteView(Struct, frozen=True, kw_only=True):
    """The pages that ended in one minute."""

    begins: datetime
    pages_read: int
    pages_failed: Annotated[int, Meta(description="Given up.")]
    wait_seconds: Annotated[Seconds | None, Meta(description="Mean of the pages read; null without any.")]
    recognition_seconds: Annotated[Seconds | None, Meta(description="Likewise, in their workers.")]


class HistoryView(Struct, frozen=True, kw_only=True):
    """What ended lately."""

    minutes: list[MinuteView]


def history_view(history: Sequence[Minute]) -> HistoryView:
    """The history as clients see it."""

    def mean(seconds: float, pages: int) -> float | None:
        return round(seconds / pages, 4) if pages else None

    return HistoryView(
        minutes=[
            MinuteView(
                begins=each.begins,
                pages_read=each.pages_read,
                pages_failed=each.pages_failed,
                wait_seconds=mean(each.wait_seconds, each.pages_read),
                recognition_seconds=mean(each.recognition_seconds, each.pages_read),
            )
            for each in history
        ]
    )


class SystemView(Struct, frozen=True, kw_only=True):
    """How busy the machine is."""

    load_1m: float
    cpus: Annotated[int, Meta(description="CPUs that the service may use.")]
    memory_available_bytes: int


class AiHealthView(Struct, frozen=True, kw_only=True):
    """The verdict on a known sample, read by the real workers. The first four keys are never null."""

    status: Grade
    latency_seconds: Annotated[Seconds, Meta(description="From handing the sample in to its text, waiting included.")]
    sample_text: str
    average_confidence: Share
    expected_text: str
    similarity: Annotated[Share, Meta(description="Of the text read to the text expected.")]
    ocr_seconds: Annotated[Seconds, Meta(description="Seconds of the recognition alone.")]
    age_seconds: Annotated[Seconds, Meta(description="How old the verdict is: it is cached.")]
    worker: str
    queue: QueueView
    system: SystemView
    workers: list[WorkerInfo]
    error: Problem | None


def ai_health_view(report: HealthReport) -> AiHealthView:
    """The verdict as clients see it."""
    verdict = report.verdict
    return AiHealthView(
        status=verdict.grade,
        latency_seconds=round(verdict.latency_seconds, 4),
        sample_text=verdict.sample_text,
        average_confidence=round(verdict.confidence, 4),
        expected_text=verdict.expected_text,
        similarity=round(verdict.similarity, 4),
        ocr_seconds=round(verdict.ocr_seconds, 4),
        age_seconds=round(max(0.0, report.age_seconds), 3),
        worker=verdict.worker,
        queue=queue_view(report.queue),
        system=SystemView(
            load_1m=round(report.machine.load_1m, 2),
            cpus=report.machine.cpus,
            memory_available_bytes=report.machine.memory_available_bytes,
        ),
        workers=list(report.workers),
        error=problem(verdict.error.code, verdict.error.detail) if verdict.error else None,
    )


class LiveView(Struct, frozen=True):
    """The event loop answers."""

    status: str = "live"


class ReadyView(Struct, frozen=True, kw_only=True):
    """Whether work should be sent here, and if not, why."""

    status: str
    reasons: tuple[str, ...] = ()
