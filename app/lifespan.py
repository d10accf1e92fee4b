"""What is opened at the start and closed at the stop, each an async context manager; `app/main.py` nests them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from loguru import logger

from app.cluster.node_kind import kind_of
from app.cluster.node_report import PUBLISH_SECONDS
from app.cluster.nodes import REFRESH_SECONDS, Node, default_name
from app.jobs.queueing.local_queue import LocalQueue
from app.service import Service
from config.settings import Settings
from ocr_engine.workers.pool import ManagedPool
from persistence.opening import open_store
from persistence.patience import Patience
from persistence.queue import JobQueue
from persistence.store import JobStore
from persistence.tasks import end

if TYPE_CHECKING:  # of extras
    from app.telemetry.tracing import Tracing
    from persistence.postgres.nodes import NodeReports


@asynccontextmanager
async def traces_exported(tracing: "Tracing | None") -> AsyncIterator[None]:
    """At the end, what was traced until then is handed on."""
    try:
        yield
    finally:
        if tracing is not None:
            await asyncio.to_thread(tracing.close)


@asynccontextmanager
async def opened_store(settings: Settings, patience: Patience) -> AsyncIterator[JobStore]:
    """The store, closed at the end. Raises StoreUnusable."""
    store = await open_store(settings.database_url, settings.image_store_url, patience)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def opened_queue(settings: Settings, patience: Patience) -> AsyncIterator[JobQueue]:
    """The queue beside the store: in this process, or in the database that nodes share."""
    if not kind_of(settings).has_neighbours:
        yield LocalQueue(limit=settings.queue_limit)
        return
    from persistence.postgres.queue import PgQueue  # needs the extra `cluster`

    async with PgQueue.opened(
        settings.database_url, limit=settings.queue_limit, lease=settings.queue_lease_seconds, patience=patience
    ) as queue:
        yield queue


@asynccontextmanager
async def opened_reports(settings: Settings, patience: Patience) -> AsyncIterator["NodeReports | None"]:
    """Where nodes hear of each other; None for a node that is alone."""
    if not kind_of(settings).has_neighbours:
        yield None
        return
    from persistence.postgres.nodes import NodeReports  # needs the extra `cluster`

    async with NodeReports.opened(settings.database_url, patience) as reports:
        yield reports


@asynccontextmanager
async def listening_to_other_nodes(service: Service, patience: Patience) -> AsyncIterator[None]:
    """The node hears of jobs that change on other nodes, where there are any."""
    if not service.kind.has_neighbours:
        yield
        return
    from persistence.postgres.notifications import listening  # needs the extra `cluster`

    url = service.settings.database_url
    async with listening(url, service.job_changed_elsewhere, service.changes_missed, patience):
        yield


@asynccontextmanager
async def reporting_to_other_nodes(service: Service, reports: "NodeReports | None") -> AsyncIterator[None]:
    """The node hears of the others, and tells them how it reads, where it does."""
    if reports is None:
        yield
        return
    own = service.ai_health if service.kind.reads else None
    node = Node(service.settings.node_name or default_name(), reports, service.capacity, own)
    loops = [
        service.background.every("node-report", PUBLISH_SECONDS, node.report),
        # what was learnt last is the best there is while the database is away
        service.background.every("node-refresh", REFRESH_SECONDS, node.refresh),
    ]
    try:
        yield
    finally:
        await asyncio.gather(*map(end, loops))
        await node.leave()


@asynccontextmanager
async def started_pool(pool: ManagedPool) -> AsyncIterator[ManagedPool]:
    """The pool with every worker warm, closed at the end. Raises PoolUnavailable."""
    try:
        await pool.start()
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def dispatching(service: Service) -> AsyncIterator[None]:
    """Unfinished jobs rescued and dispatchers at work; drained at the end."""
    await service.start()
    workers = len(service.pool.workers())
    days, hours = service.settings.keep_finished_days, service.settings.keep_uploads_hours
    kept = {"keep_finished_days": days, "keep_uploads_hours": hours}
    logger.bind(event="service.started", workers=workers, **kept).info(
        f"started; warm workers: {workers}; finished jobs are kept {f'for {days:g} days' if days else 'without end'}, "
        f"uploads {f'for {hours:g} hours more' if hours else 'until their job ends'}"
    )
    try:
        yield
    finally:
        await service.ai_health.close()
        await service.drain()
