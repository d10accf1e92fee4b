"""One trace a job, from the request that brought it to the worker that read it. Needs the extra `otel`.

A job carries its request's W3C trace context (`Job.traceparent`) through queue, crash and restart. An attempt's span is
begun and ended by stored transitions, so that a trace never tells of a change that was not kept; an attempt whose
outcome was dropped ends as that. No span holds a path, an address, a key, a line of text or anything else that a client
sent.
"""

import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app import VERSION
from app.jobs.events import JobEvents
from app.telemetry.log import HTTP_METHODS, PROBE_PATHS
from ocr_engine.result import STAGES, OcrResult
from persistence.job import Job, JobState
from persistence.page import Page, PageState

_W3C = TraceContextTextMapPropagator()
_attempt: ContextVar[tuple[str, Span] | None] = ContextVar("attempt", default=None)
"""The attempt that a dispatcher is at, by the job's id; never reset, since the next claim replaces it."""


def exporting_to(endpoint: str) -> "Tracing":
    """Tracing to the collector whose OTLP/HTTP base URL this is, in batches, by a thread of its own."""
    return Tracing(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))


class Tracing(JobEvents):
    """The tracer of one service."""

    def __init__(self, processor: SpanProcessor) -> None:
        """`processor` is handed every span that has ended."""
        resource = Resource.create({SERVICE_VERSION: VERSION})
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):  # OTEL_SERVICE_NAME is not set
            resource = resource.merge(Resource({SERVICE_NAME: "smart-queue-ocr"}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("smart-queue-ocr", VERSION)

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application with a span around every request but probes; a trace that the client began is continued."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or scope["path"].startswith(PROBE_PATHS):
                await app(scope, receive, send)
                return
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            method = scope["method"] if scope["method"] in HTTP_METHODS else "_OTHER"
            with self._tracer.start_as_current_span(
                method, context=_W3C.extract(headers), kind=SpanKind.SERVER, record_exception=False
            ) as span:

                async def watched(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        span.set_attribute("http.response.status_code", message["status"])
                        if message["status"] >= 500:
                            span.set_status(StatusCode.ERROR)
                    await send(message)

                span.set_attribute("http.request.method", method)
                try:
                    await app(scope, receive, watched)
                finally:
                    route = str(scope.get("path_template") or "unmatched")
                    span.set_attribute("http.route", route)
                    span.update_name(f"{method} {route}")

        return traced

    def traceparent(self) -> str:
        """The W3C trace context of the request under way; empty without a request."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get("traceparent", "")

    def store_used(self, operation: str, seconds: float) -> None:
        """A span for an operation that has just ended, where a request or an attempt is under way."""
        if trace.get_current_span().is_recording():
            ended = time.time_ns()
            self._tracer.start_span(f"store {operation}", start_time=ended - round(seconds * 1e9)).end(ended)

    def accepted(self, job: Job) -> None:
        """See JobEvents: the request's span knows its job from here on."""
        trace.get_current_span().set_attribute("ocr.job_id", job.id)

    def claimed(self, job: Job) -> None:
        """See JobEvents: begins the attempt's span; of a file of several pages each page has its own."""
        if not job.paged:
            self._begin(job, job)

    def opened(self, job: Job) -> None:
        """See JobEvents: ends the span of the attempt that opened the file."""
        here = _attempt.get()
        if here is not None and here[0] == job.id:
            here[1].set_attribute("ocr.status", "opened")
            here[1].set_attribute("ocr.pages", job.pages_total)
            here[1].end()

    def page_claimed(self, job: Job, page: Page) -> None:
        """See JobEvents: begins the attempt's span."""
        self._begin(job, page)

    def page_changed(self, job: Job, old: Page, page: Page) -> None:
        """See JobEvents: ends the attempt's span with its outcome."""
        if old.status is PageState.PROCESSING:
            self._end(job, old, page, ended=None)

    def changed(self, old: Job, job: Job) -> None:
        """See JobEvents: ends the attempt's span with its outcome."""
        if job.paged or job.status is JobState.CANCELLED:
            return  # by a request; an attempt under way ends when its outcome is dropped
        if old.status is JobState.PROCESSING:
            self._end(job, old, job, ended=job.updated_at)

    def outcome_dropped(self, job: Job, *, wanted: bool) -> None:
        """See JobEvents: ends the attempt's span without an outcome."""
        here = _attempt.get()
        if here is not None and here[0] == job.id:
            here[1].set_attribute("ocr.status", "dropped")
            here[1].end()

    def close(self) -> None:
        """Hands on what has not been exported yet; blocks for some seconds at most where nobody answers."""
        self._provider.shutdown()

    def _begin(self, job: Job, attempted: Job | Page) -> None:
        span = self._begun(job, attempted)
        context.attach(trace.set_span_in_context(span))
        _attempt.set((job.id, span))

    def _begun(self, job: Job, attempted: Job | Page) -> Span:
        assert attempted.started_at is not None
        parent = _W3C.extract({"traceparent": job.traceparent})
        begun = _nanoseconds(attempted.started_at)
        attempt = self._tracer.start_span(
            "attempt",
            context=parent,
            kind=SpanKind.CONSUMER,
            start_time=begun,
            attributes={
                "ocr.job_id": job.id,
                "ocr.page": attempted.number if isinstance(attempted, Page) else 1,
                "ocr.attempt": attempted.attempt,
                "ocr.wait_seconds": attempted.wait_seconds,
                "ocr.media_type": job.image.media_type,
                "ocr.image_bytes": job.image.size,
            },
        )
        self._tracer.start_span("wait", context=parent, start_time=_nanoseconds(attempted.due_at)).end(begun)
        return attempt

    def _end(self, job: Job, old: Job | Page, new: Job | Page, ended: datetime | None) -> None:
        """`ended`: when the change was stored, where that is known."""
        here, now = _attempt.get(), datetime.now(UTC)
        if here is not None and here[0] == job.id and here[1].is_recording():
            span, at = here[1], now
        else:  # begun by a process that died
            span, at = self._begun(job, old), ended or now
        span.set_attribute("ocr.status", new.status)
        if new.result is not None:
            span.set_attribute("ocr.confidence", new.result.confidence)
            self._add_recognition(span, new.result, ended or now)
        if len(new.failures) > len(old.failures):
            span.set_attribute("error.type", new.failures[-1].code)
            span.set_status(StatusCode.ERROR)
        span.end(_nanoseconds(at))

    def _add_recognition(self, attempt: Span, result: OcrResult, ended: datetime) -> None:
        # measured inside the worker, placed from its end; a stage's span is the sum over all pages
        begun = ended - timedelta(seconds=result.timings.total)
        inside = trace.set_span_in_context(attempt)
        recognition = self._tracer.start_span(
            "recognition",
            context=inside,
            start_time=_nanoseconds(begun),
            attributes={"ocr.worker": result.worker, "ocr.pages": len(result.pages)},
        )
        inside = trace.set_span_in_context(recognition)
        for stage in STAGES:
            after = begun + timedelta(seconds=getattr(result.timings, stage))
            self._tracer.start_span(stage, context=inside, start_time=_nanoseconds(begun)).end(_nanoseconds(after))
            begun = after
        recognition.end(_nanoseconds(ended))


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6) * 1000
