"""A connection pool for a PostgreSQL server that may go away and come back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

import asyncpg

from persistence.patience import Patience
from persistence.store import StoreError, StoreFull
from persistence.tasks import Writes

T = TypeVar("T")

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

MAX_CONNECTIONS = 8

SESSION_SETTINGS = {
    # a node that vanished without a word must not keep its locks until somebody notices
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
"""What the server is asked for with each connection."""

SERVER_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,  # the connection was closed beneath us
    asyncpg.InternalClientError,  # lost in the middle of a transaction, asyncpg 0.32 may stumble over its own state
    asyncpg.OperatorInterventionError,  # shutting down, starting up, or in recovery after a crash
    asyncpg.TooManyConnectionsError,
)
"""The server cannot be reached, or stopped answering: what was asked for may or may not have been carried out."""

FAULTS = (*SERVER_AWAY, asyncpg.PostgresError)


async def connect(url: str, patience: Patience = Patience()) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection. Raises FAULTS."""
    return await asyncpg.connect(
        url, timeout=patience.connect, command_timeout=patience.command, server_settings=SESSION_SETTINGS
    )


class Connections:
    """A pool of connections; work is done on any of them, and again on another one where the first was lost."""

    def __init__(self, url: str, max_connections: int, patience: Patience) -> None:
        self._patience = patience
        self._pool = asyncpg.create_pool(
            url,
            min_size=0,  # while the server is away asyncpg would log each try to keep that many
            max_size=max_connections,
            command_timeout=patience.command,
            timeout=patience.connect,
            server_settings=SESSION_SETTINGS,
            init=self._note_connection,
            reset=_as_it_is,
        )
        self._alive: dict[int, Connection] = {}
        """By the server's process, which tells a connection apart from the others."""
        self._busy: set[int] = set()
        self._writes = Writes()
        self._closed = False

    @classmethod
    async def open(
        cls,
        url: str,
        max_connections: int = MAX_CONNECTIONS,
        patience: Patience = Patience(),
    ) -> Self:
        """Raises FAULTS where the server cannot be reached."""
        connections = cls(url, max_connections, patience)
        await connections._pool
        return connections

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What `work` gives. Raises StoreError."""
        return await self._retried(lambda connection, _: work(connection))

    async def write(self, work: Callable[[Connection, bool], Awaitable[T]]) -> T:
        """What `work` gives, done in one transaction, even if the caller is cancelled meanwhile. Raises StoreError.

        `work` is told whether an earlier try of its may have been committed although its answer was lost.
        """

        async def in_transaction(connection: Connection, again: bool) -> T:
            async with connection.transaction():
                return await self._answered(connection, work(connection, again))

        return await self._writes.carry_out(self._retried(in_transaction))

    async def write_alone(self, work: Callable[[Connection, bool], Awaitable[T]]) -> T:
        """As `write`, of a single statement: it is a transaction by itself, without two round trips around it."""
        return await self._writes.carry_out(self._retried(work))

    async def close(self) -> None:
        """Waits for writes under way. Twice is harmless."""
        if self._closed:
            return
        self._closed = True
        await self._writes.ended()
        try:
            await asyncio.wait_for(self._pool.close(), self._patience.connect)
        except FAULTS:
            self._pool.terminate()

    async def _retried(self, work: Callable[[Connection, bool], Awaitable[T]]) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience.retry
        again = False
        while True:
            try:
                # not by the pool's own time-out, which makes a task of each
                async with asyncio.timeout(self._patience.connect):
                    connection = await self._pool.acquire()
                try:
                    return await self._answered(connection, work(connection, again))
                finally:
                    await self._pool.release(connection)
            except SERVER_AWAY as error:
                if loop.time() >= deadline:
                    raise fault(error) from error
            except asyncpg.PostgresError as error:
                raise fault(error) from error
            again = True
            await asyncio.sleep(self._patience.retry_pause)

    async def _answered(self, connection: Connection, answer: Awaitable[T]) -> T:
        """The answer. After a time-out no connection that stood idle meanwhile is trusted either."""
        pid = connection.get_server_pid()
        self._busy.add(pid)
        try:
            return await answer
        except TimeoutError:
            # at once: neither its rollback nor its return to the pool would be answered
            connection.terminate()
            for idle in self._alive.keys() - self._busy:
                self._alive[idle].terminate()
            raise
        finally:
            self._busy.discard(pid)

    async def _note_connection(self, connection: Connection) -> None:
        pid = connection.get_server_pid()
        self._alive[pid] = connection

        def forget(_: Connection) -> None:
            self._alive.pop(pid, None)

        connection.add_termination_listener(forget)


async def _as_it_is(_: Connection) -> None:
    """asyncpg would ask for a reset after each piece of work: one round trip of every two that a read takes.

    There is nothing to reset: no work here sets, locks or listens beyond its transaction, and the end of that is seen
    to by asyncpg all the same. The contract tests look at each session when it comes back.
    """


def in_one_line(error: BaseException) -> str:
    """What to tell an operator in one line: time-outs have no words of their own, and a torn URL shows its password."""
    if isinstance(error, TimeoutError):
        return "it does not answer"
    if isinstance(error, ValueError) and not isinstance(error, asyncpg.InterfaceError):
        return "its URL cannot be read; `/`, `#`, `?`, `@` and `%` in a password are written as %2F, %23, %3F, %40, %25"
    return " ".join(str(error).split()) or type(error).__name__


def fault(error: BaseException) -> StoreError:
    """The error in the words of every store."""
    if isinstance(error, asyncpg.DiskFullError):
        return StoreFull(f"no room left for the database: {error}")
    if isinstance(error, SERVER_AWAY):
        return StoreError(f"the database cannot be reached: {in_one_line(error)}")
    return StoreError(f"the database failed: {error}")


def storable(name: str) -> bool:
    """False for what PostgreSQL's text cannot be, and so is the id of nothing: with NUL or half a surrogate pair."""
    return "\0" not in name and not any("\ud800" <= sign <= "\udfff" for sign in name)
