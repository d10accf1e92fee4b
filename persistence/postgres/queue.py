"""The queue that several nodes share: PgQueuer on the store's own PostgreSQL.

PgQueuer delivers, and delivers again what a dead node had. Attempts, dead letters and late outcomes are the store's
business, since no queue counts a job that kills its worker.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from loguru import logger
from pgqueuer.db import AsyncpgDriver
from pgqueuer.domain.types import QueueEntrypoint
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job as Entry
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from persistence.patience import Patience
from persistence.postgres import entry_table
from persistence.postgres.connection import Connections, connect, in_one_line
from persistence.queue import REDELIVERY_SECONDS, Ahead, Handler, Reservations, Unit, handle_safely
from persistence.store import StoreError
from persistence.tasks import end, every

ENGINE_STOP_SECONDS = 10.0
"""Longest wait at a stop for an engine whose database does not answer."""
COUNT_SECONDS = 1.0
"""How often the depth is counted; between two counts a node adds what it did itself."""
PRUNE_SECONDS = 600.0
"""Between two looks at what PgQueuer logged."""
LOG_KEPT_TIME = timedelta(hours=1)


OUTLOOK = """
    SELECT count(*) FILTER (WHERE execute_after <= now()) AS due,
        min(execute_after - now()) FILTER (WHERE execute_after > now()) AS eta
    FROM (
        (SELECT execute_after FROM pgqueuer WHERE entrypoint = ANY($1) AND status = 'queued'
            AND execute_after <= now() LIMIT 1)
        UNION ALL
        (SELECT execute_after FROM pgqueuer WHERE entrypoint = ANY($1) AND status = 'queued'
            AND execute_after > now() ORDER BY execute_after LIMIT 1)
    ) AS next
"""


@dataclass
class ExactQueries(Queries):
    """PgQueuer's statements, with as many entries at a time as there are workers.

    Its own minimum is two, of which a node with one worker would let one wait, although another node might be idle.
    And no statement is asked for what is known here: while all workers are busy, ten times a second, that they are.
    """

    max_entries: int = 1
    handled: Sized = ()
    """What the workers of this node are at."""
    _eta: timedelta | None = None

    async def dequeue(self, *arguments: Any, **options: Any) -> list[Entry]:
        """See Queries."""
        if len(self.handled) >= self.max_entries:
            return []
        return await super().dequeue(*arguments, **(options | {"global_concurrency_limit": self.max_entries}))

    async def eligible_queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """See Queries; any number above 0: to be looked again soon. The two questions after it are answered with it."""
        if len(self.handled) >= self.max_entries:
            return 1
        outlook: Mapping[str, Any] = (await self.driver.fetch(OUTLOOK, entrypoints))[0]
        self._eta = outlook["eta"]
        return int(outlook["due"])

    async def next_deferred_eta(self, entrypoints: list[QueueEntrypoint]) -> timedelta | None:
        """See Queries: of what was not due when it was asked for that."""
        return self._eta

    async def queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """See Queries: of one moment there is nothing between the two answers before."""
        return 0


class PgQueue:
    """JobQueue on PgQueuer. The bound of `reserve` is that of all nodes, but what others take in this second."""

    window: int | None = entry_table.QUEUE_WINDOW

    def __init__(
        self,
        url: str,
        connections: Connections,
        *,
        limit: int,
        lease: float,
        patience: Patience,
        redelivery_seconds: float,
    ) -> None:
        self._patience = patience
        self._redelivery_seconds = redelivery_seconds
        self._url = url
        self._connections = connections
        self._reservations = Reservations(limit)
        self._lease = lease
        self._depth = 0
        self._stopped = asyncio.Event()
        self._handling: dict[asyncio.Task[float | None], Entry] = {}
        self._names: list[str] = []
        self._loops = [
            asyncio.create_task(every(COUNT_SECONDS, self._count), name="queue-count"),
            asyncio.create_task(every(PRUNE_SECONDS, self._prune), name="queue-prune"),
            asyncio.create_task(every(lease / 3, self._renew_lease), name="queue-lease"),
        ]

    @classmethod
    @contextlib.asynccontextmanager
    async def opened(
        cls,
        url: str,
        *,
        limit: int,
        lease: float,
        patience: Patience = Patience(),
        redelivery_seconds: float = REDELIVERY_SECONDS,
    ) -> AsyncIterator[Self]:
        """The queue of the database that a store has migrated, closed at the end. Raises asyncpg's errors.

        A node that was not heard of for `lease` seconds has lost its jobs to the others.
        """
        # while the server is away it would log a traceback ten times a second; `queue.interrupted` tells of that
        logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)
        connections = await Connections.open(url, 2, patience)
        queue = cls(
            url,
            connections,
            limit=limit,
            lease=lease,
            patience=patience,
            redelivery_seconds=redelivery_seconds,
        )
        try:
            yield queue
        finally:
            for loop in queue._loops:
                await end(loop)
            await connections.close()

    def reserve(self) -> contextlib.AbstractContextManager[None]:
        """See JobQueue."""
        return self._reservations.hold(depth=self._depth, stopped=self._stopped.is_set())

    async def put_new(self, units: Iterable[Unit]) -> None:
        """See JobQueue."""
        self._depth += len(list(units))

    async def put(self, unit: Unit, *, delay: float = 0.0) -> bool:
        """See JobQueue."""
        if self._stopped.is_set():
            return False
        try:
            entered = await self._connections.write(lambda connection, _: entry_table.enqueue(connection, unit, delay))
        except StoreError as error:
            logger.bind(event="queue.put_failed", job_id=unit.job_id).warning(f"a rescue will queue it: {error}")
            return False
        self._depth += entered
        return entered

    async def discard(self, job_id: str) -> None:
        """See JobQueue."""
        with contextlib.suppress(StoreError):  # the entries are then delivered, for nothing
            await self._connections.write(lambda connection, _: entry_table.discard(connection, job_id))
            await self._count()

    async def run(self, handler: Handler, *, concurrency: int) -> None:
        """See JobQueue."""
        self._names = [f"dispatcher-{number}" for number in range(concurrency, 0, -1)]
        engine = asyncio.create_task(self._run_engine(handler, concurrency), name="queue-engine")
        try:
            await asyncio.shield(engine)
        except asyncio.CancelledError:
            # PgQueuer must not be cancelled itself: it would forget the entries that it holds
            self.stop()
            for task in self._handling:
                task.cancel()
            await asyncio.wait({engine}, timeout=ENGINE_STOP_SECONDS)
            # its entries come up again on another node, when the lease is over
            await end(engine)
            raise

    def stop(self) -> None:
        """See JobQueue."""
        self._stopped.set()

    def depth(self) -> int:
        """See JobQueue."""
        return self._depth

    async def ahead(self, job_id: str) -> Ahead | None:
        """See JobQueue."""
        with contextlib.suppress(StoreError):
            return await self._connections.read(lambda connection: entry_table.ahead(connection, job_id))
        return None

    async def _run_engine(self, handler: Handler, concurrency: int) -> None:
        while not self._stopped.is_set():
            try:
                # a connection of its own: on a pool the first check of the listener may come before the listener
                connection = await connect(self._url, self._patience)
                try:
                    await self._serve(
                        ExactQueries(AsyncpgDriver(connection), max_entries=concurrency, handled=self._handling),
                        handler,
                        concurrency,
                    )
                finally:
                    connection.terminate()
            except Exception as error:
                logger.bind(event="queue.interrupted").warning(
                    f"the queue is out of reach, trying again: {in_one_line(error)}"
                )
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopped.wait(), self._patience.reconnect_pause)

    async def _serve(self, queries: ExactQueries, handler: Handler, concurrency: int) -> None:
        manager = QueueManager(queries)

        @manager.entrypoint(entry_table.ENTRYPOINT)
        async def deliver(entry: Entry) -> None:
            await self._deliver(entry, handler)

        async def stop_with_us() -> None:
            await self._stopped.wait()
            manager.shutdown.set()

        stopping = asyncio.create_task(stop_with_us())
        batch = max(1, concurrency // 2)
        try:
            await manager.run(
                batch_size=batch,
                max_concurrent_tasks=max(2 * batch, concurrency),
                heartbeat_timeout=timedelta(seconds=self._lease),
                dequeue_timeout=timedelta(seconds=self._patience.poll),
                shutdown_on_listener_failure=True,
                log_aggregation_interval=timedelta(0),
            )
        finally:
            stopping.cancel()

    async def _deliver(self, entry: Entry, handler: Handler) -> None:
        """One delivery, in PgQueuer's own task. Returns: finished with. RetryRequested: to be delivered again."""
        if self._stopped.is_set() or entry.payload is None:
            raise RetryRequested
        self._depth = max(0, self._depth - 1)
        name = self._names.pop() if self._names else "dispatcher"
        unit = Unit.named(entry.payload.decode())
        task = asyncio.create_task(handle_safely(handler, unit, self._redelivery_seconds), name=name)
        self._handling[task] = entry
        try:
            await asyncio.wait({task})
        finally:
            del self._handling[task]
            self._names.append(name)
        if task.cancelled():
            raise RetryRequested(reason="the node stops")
        delay = task.result()
        if delay is not None:
            self._depth += 1
            raise RetryRequested(timedelta(seconds=max(0.0, delay)))

    async def _renew_lease(self) -> None:
        """Keeps other nodes from the jobs at hand, as PgQueuer does with a connection that it may lose.

        It has another one only when all of them have ended, and an alive node would be silent until then.
        """
        await self._renew_lease_of([*self._handling.values()])

    async def _prune(self) -> None:
        await self._connections.write(lambda connection, _: entry_table.prune(connection, LOG_KEPT_TIME))

    async def _renew_lease_of(self, entries: Sequence[Entry]) -> None:
        if entries:
            await self._connections.write(lambda connection, _: entry_table.hold(connection, entries))

    async def _count(self) -> None:
        self._depth = await self._connections.read(entry_table.depth)
