"""LISTEN and NOTIFY of changed jobs between nodes: sent with the transaction that stores it, never too early."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from persistence.change import JobChange, change_of
from persistence.job import Job
from persistence.patience import Patience
from persistence.postgres.connection import FAULTS, Connection, connect
from persistence.tasks import end

CHANNEL = "smart_queue_ocr_changed"
_change = msgspec.json.Decoder(JobChange)
CONNECTION_CHECK_SECONDS = 5.0
"""How often the connection is tried: a listener hears nothing of a connection whose other end has vanished."""
LISTEN_AGAIN_SECONDS = 1.0
"""Between two tries to listen again; those who wait look for themselves as often."""


def announced(parameter: int) -> str:
    """What a statement that changes a job returns to tell every listener of it, once its transaction is committed:
    its parameter of that number, an `announcement`. By itself it would be one round trip more for each change.
    """
    return f"pg_notify('{CHANNEL}', ${parameter})"


def announcement(job: Job) -> str:
    """The change that led to this job."""
    return msgspec.json.encode(change_of(job)).decode()


@asynccontextmanager
async def listening(
    url: str, on_change: Callable[[JobChange], None], on_doubt: Callable[[], None], patience: Patience = Patience()
) -> AsyncIterator[None]:
    """Within, `on_change` is told of every job that changes on any node; from the first line on where it can be.

    `on_doubt` is called where something may have been missed: when the connection was lost, each second until there is
    another one, and then once more.
    """
    listening_or_not = asyncio.Event()

    async def listen() -> None:
        while True:
            try:
                connection = await connect(url, patience)
                try:
                    await connection.add_listener(CHANNEL, lambda *said: on_change(_change.decode(str(said[-1]))))
                    on_doubt()
                    listening_or_not.set()
                    await _until_lost(connection)
                finally:
                    connection.terminate()
            except FAULTS:
                on_doubt()
            listening_or_not.set()
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    listener = asyncio.create_task(listen(), name="notifications")
    try:
        await listening_or_not.wait()
        yield
    finally:
        await end(listener)


async def _until_lost(connection: Connection) -> None:
    """Raises FAULTS."""
    lost = asyncio.Event()
    connection.add_termination_listener(lambda _: lost.set())
    while not lost.is_set():
        try:
            await asyncio.wait_for(lost.wait(), CONNECTION_CHECK_SECONDS)
        except TimeoutError:
            await connection.execute("SELECT 1")
    raise ConnectionResetError("the connection was closed")
