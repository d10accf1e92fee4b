"""The Prometheus metrics: every collector in one object that is passed in. See docs/operations.md."""

import math
import platform
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache

import psutil
from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from app import VERSION
from app.health import Grade, Verdict
from app.jobs.events import JobEvents
from app.telemetry.log import HTTP_METHODS
from app.telemetry.webhook_metrics import WebhookMetrics
from ocr_engine.errors import OcrError, PoolUnavailable
from ocr_engine.result import STAGES, OcrResult
from ocr_engine.workers.pool import PoolEvent, WorkerInfo, WorkerState
from persistence.job import Job, JobError, JobState
from persistence.outbox.port import Undelivered
from persistence.page import Page, PageState
from persistence.store import Backlog

WAIT_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
RECOGNITION_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 30, 60, 120)
REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
STORE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
CONFIDENCE_BUCKETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1)


class Gauges(Struct, frozen=True, kw_only=True):
    """What is measured at the moment of a scrape."""

    at: datetime
    ready: bool
    jobs: Mapping[JobState, int]
    backlog: Backlog
    queue_depth: int
    queue_limit: int
    free_bytes: int | None
    workers: tuple[WorkerInfo, ...]
    event_streams: int
    undelivered: Undelivered


class Metrics(JobEvents):
    """The service's collectors. Label sets are bounded: codes, states, types and routes come from tables of ours."""

    def __init__(self, *, model: str, backend: str, codes: Collection[str]) -> None:
        """`codes`: failures are counted under these; whatever else comes counts as `internal`."""
        self._codes = codes
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._build = Gauge(
            "ocr_build_info",
            "Always 1; the labels say what is running.",
            ["version", "python", "model", "backend"],
            registry=registry,
        )
        self._model = model
        self._runs_on(backend)

        self._ended = Counter(
            "ocr_jobs_ended_total",
            "Jobs that ended, by status and, for dead letters, error code.",
            ["status", "code"],
            registry=registry,
        )
        self._failed_attempts = Counter(
            "ocr_attempts_failed_total", "Attempts that failed, by error code.", ["code"], registry=registry
        )
        self._pages = Counter(
            "ocr_pages_ended_total", "Pages that were read or given up.", ["status"], registry=registry
        )
        self._wait = Histogram(
            "ocr_wait_seconds",
            "From when an attempt was due to when a dispatcher claimed it.",
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._recognition = Histogram(
            "ocr_recognition_seconds",
            "Recognition of one page inside its worker.",
            buckets=RECOGNITION_BUCKETS,
            registry=registry,
        )
        self._stages = Counter(
            "ocr_stage_seconds_total",
            "Seconds that recognitions spent in each stage.",
            ["stage"],
            registry=registry,
        )
        self._confidence = Histogram(
            "ocr_confidence_ratio",
            "Mean confidence of the text of pages that were read.",
            buckets=CONFIDENCE_BUCKETS,
            registry=registry,
        )
        self._ready = Gauge(
            "ocr_ready", "1 while the service should be sent work, as /health/ready says.", registry=registry
        )
        self._jobs = Gauge("ocr_jobs", "Jobs in the store, by status.", ["status"], registry=registry)
        self._queue_depth = Gauge("ocr_queue_depth", "Pages that wait for a worker.", registry=registry)
        self._queue_limit = Gauge("ocr_queue_limit", "Pages that may wait.", registry=registry)
        self._backlog_bytes = Gauge("ocr_backlog_bytes", "Bytes of images that have not been read.", registry=registry)
        self._oldest = Gauge(
            "ocr_oldest_job_age_seconds", "Age of the oldest unfinished job; 0 without one.", registry=registry
        )

        self._uploads = Counter(
            "ocr_uploads_total",
            "Uploads, by media type (as their bytes say, else unknown) and outcome: accepted, or the error code.",
            ["media_type", "outcome"],
            registry=registry,
        )
        self._upload_bytes = Counter("ocr_upload_bytes_total", "Bytes of accepted images.", registry=registry)
        self._requests = Histogram(
            "ocr_http_request_seconds",
            "HTTP requests, by method, route and status.",
            ["method", "route", "status"],
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        self._event_streams = Gauge(
            "ocr_event_streams", "Event streams that clients have open at this node.", registry=registry
        )
        self._store = Histogram(
            "ocr_store_seconds",
            "Operations of the store.",
            ["operation"],
            buckets=STORE_BUCKETS,
            registry=registry,
        )
        self._store_free = Gauge(
            "ocr_store_free_bytes",
            "Bytes left where images are stored; NaN where that cannot be told.",
            registry=registry,
        )

        self._workers = Gauge("ocr_workers", "OCR workers, by state.", ["state"], registry=registry)
        self._worker_memory = Gauge(
            "ocr_worker_resident_bytes", "Resident memory of each worker's process.", ["worker"], registry=registry
        )
        self._worker_events = Counter(
            "ocr_worker_events_total",
            "Processes of workers: started, output, died (with the cause), recycled, start_failed, given_up.",
            ["event", "cause"],
            registry=registry,
        )

        self._health = Gauge(
            "ocr_ai_health",
            "1 for the grade of the latest run of the sample, 0 for others.",
            ["grade"],
            registry=registry,
        )
        self._health_latency = Gauge(
            "ocr_ai_health_latency_seconds", "Latency of the latest run of the sample.", registry=registry
        )
        self._health_similarity = Gauge(
            "ocr_ai_health_similarity_ratio", "Text similarity of the latest run of the sample.", registry=registry
        )
        # found anew by its labels a series costs more than to count in it; these are counted for every job
        self._ended_as = cache(self._ended.labels)
        self._pages_of = cache(self._pages.labels)
        self._requests_of = cache(self._requests.labels)
        self._stage_of = cache(self._stages.labels)
        self._store_of = cache(self._store.labels)
        self._uploads_of = cache(self._uploads.labels)
        self.webhooks = WebhookMetrics(registry)
        self._expect_labels()

    def _expect_labels(self) -> None:
        # so that series exist, at 0, before the first event: rates and alerts need the step from 0 to 1
        for status in (JobState.DONE, JobState.CANCELLED):
            self._ended.labels(status, "")
        for ended in ("done", "failed"):
            self._pages.labels(ended)
        for code in attempt_codes():
            self._ended.labels(JobState.DEAD_LETTER, code)
            self._failed_attempts.labels(code)
        for event in ("started", "output", "recycled", "start_failed", "given_up"):
            self._worker_events.labels(event, "")
        for cause in ("crashed", "timeout", "out_of_memory", "interrupted"):
            self._worker_events.labels("died", cause)

    def accepted(self, job: Job) -> None:
        """See JobEvents."""
        self._uploads_of(job.image.media_type, "accepted").inc()
        self._upload_bytes.inc(job.image.size)

    def claimed(self, job: Job) -> None:
        """See JobEvents."""
        if not job.paged:
            self._wait.observe(job.wait_seconds)

    def page_claimed(self, job: Job, page: Page) -> None:
        """See JobEvents."""
        self._wait.observe(page.wait_seconds)

    def page_changed(self, job: Job, old: Page, page: Page) -> None:
        """See JobEvents."""
        self._count_failures(page.failures[len(old.failures) :])
        if page.status is PageState.FAILED:
            self._pages.labels("failed").inc()
        if page.result is not None:
            self._count_read(page.result)

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents."""
        if not job.paged:  # of a paged job they are its pages', and were counted
            self._count_failures(job.failures[len(old.failures) :])
            if job.status is JobState.DEAD_LETTER:
                self._pages.labels("failed").inc()
        if job.status.terminal:
            self._ended_as(job.status, self._known(job.error.code) if job.error else "").inc()
        if job.status is JobState.DONE and job.result is not None:
            self._count_read(job.result)

    def pool_changed(self, event: PoolEvent) -> None:
        """Counts what happened to a worker."""
        self._worker_events.labels(event.kind, event.cause or "").inc()
        if event.backend:
            self._runs_on(event.backend)

    def _runs_on(self, backend: str) -> None:
        self._build.clear()  # one at a time: `auto` becomes what was chosen
        self._build.labels(VERSION, platform.python_version(), self._model, backend).set(1)

    def upload_refused(self, media_type: str, code: str) -> None:
        """Counts a refused upload; `media_type` as its bytes say, or `unknown`."""
        self._uploads.labels(media_type, self._known(code)).inc()

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an HTTP request; `route` is the path's template, or `unmatched`."""
        known = method if method in HTTP_METHODS else "other"
        self._requests_of(known, route, status).observe(seconds)

    def store_used(self, operation: str, seconds: float) -> None:
        """Counts an operation of the store."""
        self._store_of(operation).observe(seconds)

    def health_judged(self, verdict: Verdict) -> None:
        """Shows the latest verdict on the sample."""
        for grade in Grade:
            self._health.labels(grade).set(grade is verdict.grade)
        self._health_latency.set(verdict.latency_seconds)
        self._health_similarity.set(verdict.similarity)

    def exposition(self, now: Gauges) -> bytes:
        """Everything in Prometheus' text format, with these gauges."""
        self._ready.set(now.ready)
        for status, count in now.jobs.items():
            self._jobs.labels(status).set(count)
        oldest = now.backlog.oldest
        self._backlog_bytes.set(now.backlog.image_bytes)
        self._oldest.set(max(0.0, (now.at - oldest).total_seconds()) if oldest else 0.0)
        self._event_streams.set(now.event_streams)
        self.webhooks.show(now.undelivered, now.at)
        self._queue_depth.set(now.queue_depth)
        self._queue_limit.set(now.queue_limit)
        self._store_free.set(math.nan if now.free_bytes is None else now.free_bytes)
        for state in WorkerState:
            self._workers.labels(state).set(sum(worker.state is state for worker in now.workers))
        for worker in now.workers:
            self._worker_memory.labels(worker.name).set(_resident(worker.pid))
        return generate_latest(self.registry)

    def _count_failures(self, failures: Sequence[JobError]) -> None:
        for failure in failures:
            self._failed_attempts.labels(self._known(failure.code)).inc()

    def _count_read(self, result: OcrResult) -> None:
        self._pages_of("done").inc()
        self._recognition.observe(result.timings.total)
        self._confidence.observe(result.confidence)
        for stage in STAGES:
            self._stage_of(stage).inc(getattr(result.timings, stage))

    def _known(self, code: str) -> str:
        return code if code in self._codes else "internal"


def attempt_codes(family: type[OcrError] = OcrError) -> set[str]:
    """The codes with which an attempt may fail: of every kind of OcrError that costs one."""
    if family is PoolUnavailable:  # the attempt is given back
        return set()
    return {family.code}.union(*(attempt_codes(kind) for kind in family.__subclasses__()))


def _resident(pid: int | None) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss) if pid else 0
    except psutil.Error:
        return 0
