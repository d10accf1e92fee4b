"""The composition root: the only place that names concrete classes. `app` serves any ASGI server."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.datastructures import State
from litestar.di import Provide

from app import journal
from app.access import Keys
from app.capacity import Capacity
from app.context import RequestFrame
from app.dead_letters import DeadLetters
from app.dispatcher import Dispatcher
from app.errors import on_exception
from app.gate import Gate, identified
from app.health import AiHealth, Health, Thresholds
from app.incoming import Incoming
from app.intake import Intake
from app.lifespan import (
    among_nodes,
    dispatching,
    hearing,
    opened_queue,
    opened_reports,
    opened_store,
    warm,
)
from app.measured_store import MeasuredStore
from app.metrics import Metrics
from app.no_workers import NoWorkers
from app.openapi import openapi_config
from app.pressure import Limits, Pressure
from app.queue import JobQueue
from app.quota import RateLimit
from app.retry import RetryPolicy
from app.routes import dead_letters, health, images, operations, web
from app.service import Service
from app.shared_health import SharedHealth
from app.start import told_plainly
from app.waiting import Waiters
from config import logging
from config.settings import Settings, SettingsError, load
from ocr_engine.options import EngineOptions
from ocr_engine.pool import Economy, ManagedPool, PoolEvent, ProcessOcrPool
from persistence.job import Job, JobState
from persistence.opening import shared
from persistence.store import JobStore
from samples import sample

if TYPE_CHECKING:
    from app.tracing import Tracing
    from persistence.pg_nodes import NodeReports

FIRST_SERVICE_GUESS = 1.0
"""Seconds a job is thought to take until the first one was measured."""


def create_app(
    settings: Settings,
    *,
    make_pool: Callable[[Settings], ManagedPool] | None = None,
    on_failure: Callable[[str], None] | None = None,
    tracing: "Tracing | None" = None,
) -> Litestar:
    """The service as an ASGI application. `make_pool` replaces the OCR processes (tests, benchmarks).

    `on_failure` is called when the service cannot go on; the default asks the process to stop. `tracing` is used in
    place of what the settings ask for. Raises BadKeyFile, and SettingsError where an extra is missing.
    """
    tracing = tracing or wanted_tracing(settings)

    @asynccontextmanager
    async def running(app: Litestar) -> AsyncIterator[None]:
        async with (
            told_plainly(),
            exported(tracing),
            opened_store(settings) as opened,
            opened_queue(settings) as queue,
            opened_reports(settings) as reports,
            warm(make_pool(settings) if make_pool else process_pool(settings, metrics)) as pool,
        ):
            waiters = Waiters()
            store = MeasuredStore(opened, store_used, waiters.ring)
            fail = on_failure or stop_process
            service = assemble(settings, store, queue, reports, pool, metrics, waiters, fail, tracing)
            async with dispatching(service), hearing(settings, waiters), among_nodes(service, reports):
                app.state.service = service
                yield

    def store_used(operation: str, seconds: float) -> None:
        metrics.store_used(operation, seconds)
        if tracing is not None:
            tracing.store_used(operation, seconds)

    metrics = Metrics(model=settings.ocr_model, backend=settings.ocr_backend)
    app = Litestar(
        route_handlers=routes(settings),
        state=State({"gate": gate(settings)}),
        cors_config=cors(settings),
        dependencies={"service": Provide(running_service, sync_to_thread=False)},
        exception_handlers={Exception: on_exception},
        lifespan=[running],
        openapi_config=openapi_config(),
        request_max_body_size=settings.max_image_bytes,
        logging_config=None,
    )
    app.asgi_handler = RequestFrame(app.asgi_handler, metrics.request_answered)
    if tracing is not None:
        app.asgi_handler = tracing.around(app.asgi_handler)
    return app


def wanted_tracing(settings: Settings) -> "Tracing | None":
    """Traces to the collector that the settings name; None, and nothing imported, without one. Raises SettingsError."""
    if not settings.otel_exporter_otlp_endpoint:
        return None
    try:
        from app.tracing import exporting_to
    except ImportError as error:
        fault = f"OTEL_EXPORTER_OTLP_ENDPOINT is set, but the extra `otel` is not installed: no {error.name}"
        raise SettingsError([fault]) from error
    return exporting_to(settings.otel_exporter_otlp_endpoint)


@asynccontextmanager
async def exported(tracing: "Tracing | None") -> AsyncIterator[None]:
    """At the end, what was traced until then is handed on."""
    try:
        yield
    finally:
        if tracing is not None:
            await asyncio.to_thread(tracing.close)


def gate(settings: Settings) -> Gate:
    """Keys and rate limits. Raises BadKeyFile."""
    return Gate(
        keys=Keys(Path(settings.api_keys_file)) if settings.api_keys_file else None,
        uploads=RateLimit(settings.uploads_per_minute) if settings.uploads_per_minute else None,
        reads=RateLimit(settings.reads_per_minute) if settings.reads_per_minute else None,
    )


def routes(settings: Settings) -> list[Router]:
    """What the node answers: a worker nothing but health and metrics."""
    if settings.role == "worker":
        return [open_routes(settings)]
    return [images.router, dead_letters.router, open_routes(settings), web.router]


def open_routes(settings: Settings) -> Router:
    """Health and operations, behind the keys where that is asked for; never counted against a rate."""
    probes = Router("/", route_handlers=[health.router], guards=[identified] if settings.protect_health else [])
    figures = Router("/", route_handlers=[operations.router], guards=[identified] if settings.protect_metrics else [])
    return Router("/", route_handlers=[probes, figures])


def cors(settings: Settings) -> CORSConfig | None:
    """Which pages of other origins may call the API; None: none."""
    origins = [origin.strip() for origin in settings.cors_origins.split(",") if origin.strip()]
    exposed = ["Location", "Preference-Applied", "Retry-After", "X-Request-ID"]
    return CORSConfig(allow_origins=origins, expose_headers=exposed) if origins else None


def process_pool(settings: Settings, metrics: Metrics) -> ManagedPool:
    """MAX_WORKERS real OCR processes; none on an API node."""
    if settings.role == "api":
        return NoWorkers()

    def pool_changed(event: PoolEvent) -> None:
        journal.pool_changed(event)
        metrics.pool_changed(event)

    return ProcessOcrPool(
        EngineOptions(
            model=settings.ocr_model,
            detection_model=settings.ocr_detection_model,
            recognition_model=settings.ocr_recognition_model,
            angle_model=settings.ocr_angle_model,
            characters=settings.ocr_characters,
            cache_dir=settings.ocr_cache_dir,
            backend=settings.ocr_backend,
            reading_order=settings.ocr_reading_order,
            min_confidence=settings.ocr_min_confidence,
            max_pixels=settings.max_image_pixels,
        ),
        workers=settings.max_workers,
        warm_up=sample("health").data,
        job_timeout=settings.job_timeout_seconds,
        start_timeout=settings.start_timeout_seconds,
        economy=Economy(
            max_jobs=settings.worker_max_jobs,
            max_memory=settings.worker_max_memory_bytes,
            address_space=settings.worker_address_space_bytes,
        ),
        on_event=pool_changed,
    )


def assemble(
    settings: Settings,
    store: JobStore,
    queue: JobQueue,
    reports: "NodeReports | None",
    pool: ManagedPool,
    metrics: Metrics,
    waiters: Waiters,
    on_failure: Callable[[str], None],
    tracing: "Tracing | None" = None,
) -> Service:
    """The parts, wired."""
    capacity = Capacity(workers=0 if settings.role == "api" else settings.max_workers, first_guess=FIRST_SERVICE_GUESS)
    policy = RetryPolicy(
        max_attempts=settings.max_attempts,
        base_seconds=settings.retry_base_seconds,
        max_seconds=settings.retry_max_seconds,
    )
    pressure = Pressure(
        store,
        Limits(
            max_waiting_bytes=settings.max_waiting_bytes,
            min_free_disk=settings.min_free_disk_bytes,
            min_free_memory=settings.min_free_memory_bytes,
            max_jobs_per_key=settings.max_jobs_per_key,
        ),
    )

    def job_changed(old: Job, job: Job) -> None:
        journal.job_changed(old, job)
        metrics.job_changed(old, job)
        if tracing is not None:
            tracing.job_changed(old, job)
        if job.status is JobState.DONE and job.result is not None:
            capacity.learn(job.result.timings.total)

    def outcome_dropped(job: Job) -> None:
        if tracing is not None:
            tracing.outcome_dropped(job)

    return Service(
        settings=settings,
        store=store,
        pool=pool,
        queue=queue,
        intake=Intake(
            store,
            queue,
            policy,
            pressure,
            abandoned_after=abandoned_after(settings),
            traceparent=tracing.traceparent if tracing is not None else lambda _job_id: "",
        ),
        dead_letters=DeadLetters(store, queue, pressure),
        pressure=pressure,
        incoming=Incoming(settings.max_incoming_bytes, settings.max_image_bytes),
        dispatcher=Dispatcher(store, pool, policy, on_change=job_changed, on_drop=outcome_dropped),
        capacity=capacity,
        ai_health=ai_health(settings, pool, reports, metrics),
        metrics=metrics,
        waiters=waiters,
        on_failure=on_failure,
    )


def ai_health(settings: Settings, pool: ManagedPool, reports: "NodeReports | None", metrics: Metrics) -> Health:
    """The sample read by this node's workers; on an API node, what the worker nodes say."""
    known = sample("health")
    if settings.role == "api" and reports is not None:
        return SharedHealth(reports, known.text)
    return AiHealth(
        pool,
        image=known.data,
        expected_text=known.text,
        thresholds=Thresholds(
            good_similarity=settings.health_good_similarity,
            acceptable_similarity=settings.health_acceptable_similarity,
            min_similarity=settings.health_min_similarity,
            good_confidence=settings.health_good_confidence,
            acceptable_confidence=settings.health_acceptable_confidence,
            min_confidence=settings.health_min_confidence,
            good_latency_seconds=settings.health_good_latency_seconds,
        ),
        cache_seconds=settings.health_cache_seconds,
        timeout_seconds=settings.health_timeout_seconds,
        on_verdict=metrics.health_judged,
    )


def abandoned_after(settings: Settings) -> float:
    """Seconds after which no node can be at an attempt any more; 0 where there is one node only."""
    return settings.job_timeout_seconds + settings.drain_seconds if shared(settings.database_url) else 0.0


def running_service(state: State) -> Service:
    """Litestar's provider of the `service` that routes ask for."""
    service: Service = state.service
    return service


def stop_process(reason: str) -> None:
    """Asks the server around us to stop; it drains as at any stop. `reason` was logged."""
    signal.raise_signal(signal.SIGTERM)


def settings_or_exit(overrides: Mapping[str, str] = MappingProxyType({})) -> Settings:
    """The settings of the environment, `overrides` on top; with any fault: all of them on stderr, exit code 2."""
    try:
        return load(overrides)
    except SettingsError as error:
        print("smart-queue-ocr: wrong settings", *error.faults, sep="\n  ", file=sys.stderr)
        raise SystemExit(2) from None


def __getattr__(name: str) -> Litestar:
    # made on demand: importing this module must neither read the environment nor take over the logs
    if name != "app":
        raise AttributeError(name)
    settings = settings_or_exit()
    logging.set_up(settings.log_level, settings.log_format)
    app = globals()["app"] = create_app(settings)
    return app
