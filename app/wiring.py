"""Dependency wiring: settings in, a Service with all its components out."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from app import VERSION
from app.background import Background
from app.batches.archive import ArchiveLimits
from app.batches.batches import Batches
from app.batches.parcel import Parcels
from app.batches.refusals import Refusal
from app.batches.taking import Taking
from app.cluster.node_kind import NodeKind, kind_of
from app.cluster.shared_health import SharedHealth
from app.delivery.courier import CourierLimits
from app.delivery.streams import Streams
from app.health import AiHealth, Health, Thresholds
from app.http.access.keys import Keys
from app.http.problems import api_error
from app.jobs.admission import Admission, Limits
from app.jobs.cancellation import Cancellation
from app.jobs.capacity import Capacity
from app.jobs.dead_letters import DeadLetters
from app.jobs.events import Listeners
from app.jobs.incoming import Incoming
from app.jobs.intake import Intake
from app.jobs.kept_uploads import KeptUploads
from app.jobs.reading.costly_files import CostlyFiles
from app.jobs.reading.dispatcher import Dispatcher, DispatcherPauses
from app.jobs.reading.dispatchers import Dispatchers
from app.jobs.reading.files import Files
from app.jobs.reading.reader import Reader
from app.jobs.reading.readings import CANCEL_GRACE_SECONDS, Readings
from app.jobs.reading.retry import RetryPolicy
from app.jobs.retention import Retention
from app.jobs.waiting import MAX_WAITING_REQUESTS, Waiters
from app.operations import CHECK_SECONDS, Operations
from app.outside import Outside, webhooks_of
from app.results.equal_files import EqualFiles
from app.service import Service
from app.telemetry.observers import Observers
from config.settings import Settings
from ocr_engine.workers.allowance import MORE_TIME_FACTOR, WALL_FACTOR
from ocr_engine.workers.pool import ManagedPool
from persistence.patience import Patience
from persistence.queue import JobQueue
from persistence.store import JobStore
from samples import sample

if TYPE_CHECKING:  # asyncpg is an extra
    from persistence.postgres.nodes import NodeReports

FIRST_SERVICE_SECONDS = 1.0
"""Seconds a page is thought to take until the first one was measured."""

BATCHES_AT_ONCE = 4
"""Of the largest kind, that may be on their way in; they wait on the store's disk."""
BATCH_MEMORY_BYTES = 16_384
"""Of each file of a batch that are kept in memory while it comes."""


class Tuning(Struct, frozen=True, kw_only=True):
    """Pauses and limits that no operator needs to set; tests shorten them."""

    dispatcher: DispatcherPauses = DispatcherPauses()
    database: Patience = Patience()
    max_waiting_requests: int = MAX_WAITING_REQUESTS
    check_seconds: float = CHECK_SECONDS
    cancel_grace: float = CANCEL_GRACE_SECONDS
    courier: CourierLimits = CourierLimits()


class Opened(Struct, frozen=True, kw_only=True):
    """What had to be opened first, and is closed after the service."""

    store: JobStore
    queue: JobQueue
    reports: "NodeReports | None"
    """Where nodes hear of each other; None without neighbours."""
    pool: ManagedPool


def service_of(
    settings: Settings,
    opened: Opened,
    waiters: Waiters,
    observers: Observers,
    on_failure: Callable[[str], None],
    tuning: Tuning,
    keys: Keys | None,
    outside: Outside,
) -> Service:
    """The parts, wired."""
    kind = kind_of(settings)
    store, queue, pool = opened.store, opened.queue, opened.pool
    capacity = Capacity(
        workers=settings.max_workers if kind.reads else 0,
        first_guess=FIRST_SERVICE_SECONDS,
    )
    policy = RetryPolicy(
        max_attempts=settings.max_attempts,
        base_seconds=settings.retry_base_seconds,
        max_seconds=settings.retry_max_seconds,
    )
    limits = Limits(
        max_waiting_bytes=settings.max_waiting_bytes,
        min_free_disk=settings.min_free_disk_bytes,
        min_free_memory=settings.min_free_memory_bytes,
        max_jobs_per_key=settings.max_jobs_per_key,
    )
    admission = Admission(store, limits, quota_of=keys.max_jobs if keys else lambda _: None)
    readings = Readings(tuning.cancel_grace)
    files = Files(store, pool.forget)
    costly = CostlyFiles()
    streams = Streams(store)
    courier, webhooks = webhooks_of(settings, store.outbox, observers.of_deliveries, tuning.courier, keys, outside)
    events = Listeners(*observers.of_jobs, capacity, waiters, readings, files, costly, streams, courier)
    reader = Reader(store, pool, files, costly, settings.max_image_pages)
    dispatcher = Dispatcher(
        store,
        queue,
        reader,
        readings,
        policy,
        events,
        pauses=tuning.dispatcher,
        # a queue that others share gives them a unit whose handler has ended
        behind=0 if kind.has_neighbours else settings.max_workers,
    )
    dispatchers = Dispatchers(
        queue,
        dispatcher.handle,
        dispatcher.settle,
        pool,
        concurrency=settings.max_workers,
        drain_seconds=settings.drain_seconds,
        on_failure=on_failure,
    )
    background = Background()
    ai_health = _ai_health(settings, kind, opened, observers)
    operations = Operations(
        kind=kind,
        store=store,
        pool=pool,
        queue=queue,
        queue_limit=settings.queue_limit,
        dispatchers=dispatchers,
        background=background,
        admission=admission,
        capacity=capacity,
        ai_health=ai_health,
        streams=streams,
        metrics=observers.metrics,
        check_seconds=tuning.check_seconds,
    )
    intake = Intake(
        store,
        queue,
        policy,
        admission,
        events,
        _abandoned_seconds(settings, kind),
        settings.max_image_pages,
        timedelta(hours=settings.keep_uploads_hours),
        highest=keys.highest_priority if keys else lambda _: "high",
    )
    retention = Retention(store, _kept(settings), events)
    equal_files = EqualFiles(store, intake, retention, how_everything_is_read(settings))
    cancellation = Cancellation(store, queue, events)
    return Service(
        settings=settings,
        kind=kind,
        store=store,
        pool=pool,
        queue=queue,
        intake=intake,
        dead_letters=DeadLetters(store, queue, admission, events),
        cancellation=cancellation,
        events=events,
        retention=retention,
        equal_files=equal_files,
        kept_uploads=KeptUploads(store, timedelta(hours=settings.keep_uploads_hours), admission),
        incoming=Incoming(settings.max_incoming_bytes, settings.max_image_bytes),
        dispatchers=dispatchers,
        readings=readings,
        files=files,
        capacity=capacity,
        ai_health=ai_health,
        operations=operations,
        background=background,
        observers=observers,
        waiters=waiters,
        streams=streams,
        webhooks=webhooks,
        courier=courier,
        fetcher=outside.fetcher,
        batches=Batches(
            taking=Taking(
                store=store,
                queue=queue,
                intake=intake,
                equal_files=equal_files,
                admission=admission,
                parcels=_parcels(settings, store, admission),
                observers=observers,
                refusal_of=_refusal_of,
                callback_url=webhooks.callback_url,
                max_pixels=settings.max_image_pixels,
            ),
            store=store,
            queue=queue,
            cancellation=cancellation,
            capacity=capacity,
            events=events,
            waiters=waiters,
            streams=streams,
            retention=retention,
            max_wait_seconds=settings.max_wait_seconds,
        ),
    )


def _parcels(settings: Settings, store: JobStore, admission: Admission) -> Parcels:
    limits = ArchiveLimits(
        max_files=settings.max_batch_files,
        max_file_bytes=settings.max_image_bytes,
        max_bytes=settings.max_batch_bytes,
    )
    # a ZIP and what is in it
    largest = 2 * settings.max_batch_bytes
    return Parcels(store.staging, Incoming(BATCHES_AT_ONCE * largest, largest, BATCH_MEMORY_BYTES), admission, limits)


def _refusal_of(error: Exception) -> Refusal | None:
    named = api_error(error, 1)
    return Refusal(code=named.code, detail=named.detail) if named else None


def how_everything_is_read(settings: Settings) -> bytes:
    """All but a file and its options that decides what is read in it: this program, and its settings of OCR."""
    chosen = {name: getattr(settings, name) for name in settings.__struct_fields__ if name.startswith("ocr_")}
    return msgspec.json.encode({"version": VERSION, **chosen})


def _kept(settings: Settings) -> timedelta | None:
    return timedelta(days=settings.keep_finished_days) if settings.keep_finished_days else None


def _ai_health(settings: Settings, kind: NodeKind, opened: Opened, observers: Observers) -> Health:
    """The sample read by this node's workers; on a node without any, what the others say."""
    known = sample("health")
    if not kind.reads and opened.reports is not None:
        return SharedHealth(opened.reports, known.text)
    return AiHealth(
        opened.pool,
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
        on_verdict=observers.metrics.health_judged,
    )


def _abandoned_seconds(settings: Settings, kind: NodeKind) -> float:
    """Seconds after which no node can be at an attempt any more; 0 where there is one node only."""
    if not kind.has_neighbours:
        return 0.0
    return settings.job_timeout_seconds * MORE_TIME_FACTOR * WALL_FACTOR + settings.drain_seconds
