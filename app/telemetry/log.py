"""Log lines of jobs and workers: one an event, with the figures that belong to it."""

from typing import TYPE_CHECKING, assert_never

from loguru import logger

from app.delivery.courier import DeliveryEvents
from app.jobs.events import JobEvents
from ocr_engine.result import OcrResult
from ocr_engine.workers.pool import PoolEvent
from persistence.job import Job, JobState
from persistence.outbox.delivery import Delivery, DeliveryAttempt, DeliveryState
from persistence.page import Page, PageState

if TYPE_CHECKING:
    from loguru import Logger

HTTP_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""What metrics and traces call by its name; a client may send any word."""
PROBE_PATHS = ("/health/", "/metrics")
"""Paths that probes ask for all day."""


class JobLog(JobEvents):
    """One line of the log an event."""

    def accepted(self, job: Job) -> None:
        """See JobEvents."""
        if job.cached:
            _of(job, event="job.cached").info("job accepted, and done with the result of an equal file")
            return
        _of(job, event="job.accepted", media_type=job.image.media_type, bytes=job.image.size).info("job accepted")

    def claimed(self, job: Job) -> None:
        """See JobEvents."""
        logger.bind(event="job.claimed", job_id=job.id, attempt=job.attempt).debug("job claimed")

    def opened(self, job: Job) -> None:
        """See JobEvents."""
        logger.bind(event="job.opened", job_id=job.id, pages=job.pages_total).info("file opened, its pages queued")

    def page_claimed(self, job: Job, page: Page) -> None:
        """See JobEvents."""
        logger.bind(event="page.claimed", job_id=job.id, page=page.number, attempt=page.attempt).debug("page claimed")

    def page_changed(self, job: Job, old: Page, page: Page) -> None:
        """See JobEvents."""
        log = logger.bind(job_id=job.id, page=page.number, attempt=page.attempt)
        if page.result is not None:
            log.bind(event="page.done", wait_seconds=round(page.wait_seconds, 3), **_figures(page.result)).info(
                "page read"
            )
            return
        if len(page.failures) == len(old.failures):
            log.bind(event="page.put_back").warning("page put back into the queue")
            return
        failure = page.failures[-1]
        log = log.bind(code=failure.code, worker=failure.worker)
        if page.status is PageState.FAILED:
            log.bind(event="page.failed").error(f"page given up: {failure.detail}")
        else:
            log.bind(event="page.retried", due_at=page.due_at).warning(f"attempt failed: {failure.detail}")

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        log = _of(job, attempt=job.attempt)
        match job.status:
            case JobState.DONE:
                pages = {"pages": job.pages_done, "failed_pages": job.pages_failed}
                figures = pages if job.result is None else _figures(job.result)
                log.bind(event="job.done", wait_seconds=round(job.wait_seconds, 3), **figures).info("job done")
            case JobState.QUEUED if len(job.failures) > len(old.failures):
                failure = job.failures[-1]
                log.bind(event="job.retried", code=failure.code, worker=failure.worker, due_at=job.due_at).warning(
                    f"attempt failed: {failure.detail}"
                )
            case JobState.QUEUED:
                log.bind(event="job.put_back").warning("job put back into the queue")
            case JobState.DEAD_LETTER:
                failure = job.failures[-1]
                log.bind(event="job.dead_lettered", code=failure.code, worker=failure.worker).error(
                    f"job given up: {failure.detail}"
                )
            case JobState.CANCELLED:
                log.bind(event="job.cancelled").info("job cancelled")
            case JobState.PROCESSING:
                raise ValueError("an attempt begins with `claimed`")
            case _:
                assert_never(job.status)

    def outcome_dropped(self, job: Job, *, wanted: bool) -> None:
        """See JobEvents."""
        log = logger.bind(event="job.outcome_dropped", job_id=job.id)
        if wanted:
            log.warning("the job was changed by somebody else meanwhile; this outcome is dropped")
        else:
            log.info("the job was cancelled or erased meanwhile; this outcome is dropped")

    def requeued(self, job: Job) -> None:
        """See JobEvents."""
        logger.bind(event="job.requeued", job_id=job.id).info("dead letter queued again")

    def deleted(self, job: Job) -> None:
        """See JobEvents; of jobs that expired `jobs.expired` gives the number."""
        if job.status is JobState.DEAD_LETTER:
            logger.bind(event="job.deleted", job_id=job.id).info("dead letter deleted")


class DeliveryLog(DeliveryEvents):
    """One line of the log an attempt; never the URL, which may hold a token."""

    def attempted(self, delivery: Delivery, attempt: DeliveryAttempt, outcome: str) -> None:
        """See DeliveryEvents."""
        log = logger.bind(
            delivery_id=delivery.id,
            job_id=delivery.subject_id,
            host=delivery.host,
            attempt=delivery.attempt,
            answer=attempt.status,
            seconds=attempt.seconds,
        )
        why = attempt.error or f"answered {attempt.status}"
        match delivery.status:
            case DeliveryState.DELIVERED:
                log.bind(event="webhook.delivered").info("webhook delivered")
            case DeliveryState.PENDING:
                log.bind(event="webhook.retried", code=outcome, due_at=delivery.due_at).warning(
                    f"webhook failed: {why}"
                )
            case DeliveryState.FAILED:
                log.bind(event="webhook.failed", code=outcome).error(f"webhook given up: {why}")
            case _:
                assert_never(delivery.status)


def _of(job: Job, **figures: object) -> "Logger":
    """With the job's id, and the trace's where its request was part of one."""
    trace = {"trace_id": job.traceparent.split("-")[1]} if job.traceparent else {}
    return logger.bind(job_id=job.id, **trace, **figures)


def _figures(result: OcrResult) -> dict[str, object]:
    return {
        "worker": result.worker,
        "ocr_seconds": round(result.timings.total, 3),
        "lines": sum(len(page.lines) for page in result.pages),
        "confidence": round(result.confidence, 3),
    }


def pool_changed(event: PoolEvent) -> None:
    """Logs what happened to a worker."""
    log = logger.bind(event=f"worker.{event.kind}", worker=event.worker, pid=event.pid)
    match event.kind:
        case "started":
            log.bind(start_seconds=round(event.seconds, 3)).info("worker warm and ready")
            if event.detail:
                log.bind(event="worker.note").warning(event.detail)
        case "recycled":
            log.info(f"worker recycled {event.detail}")
        case "died":
            log.bind(cause=event.cause).warning("worker died")
        case "output":
            log.warning(f"worker wrote: {event.detail}")
        case "start_failed":
            log.error(f"worker could not be started: {event.detail}")
        case "given_up":
            log.critical(f"worker given up: {event.detail}")
        case _:
            assert_never(event.kind)
