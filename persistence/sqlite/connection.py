"""A SQLite connection and the one thread that may touch it."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from sqlite_utils import Database

from persistence.store import StoreError, StoreFull

T = TypeVar("T")

BUSY_SECONDS = 5.0
"""How long work waits for another program (a backup, an operator's shell) that holds the file locked, from when it was
asked for: of many that wait in line, none waits longer than the first."""

WAL_WAITING_BYTES = 4 * 1024 * 1024
"""So much may wait in the write-ahead log for its place in the file."""

WAL_KEPT_BYTES = 64 * 1024 * 1024
"""The write-ahead log is cut back to this after a burst of big images had made it longer."""


def connect_writer(path: Path) -> Database:
    """The connection that writes; creates the file where there is none. Raises sqlite3.Error."""
    db = _connect(path, "rwc")
    try:
        for pragma in (
            # of a new file only. Measured: a job's changes write each a dozen pages of tables and indexes, which makes
            # its instructions .94 of those with 16384; with 4096 images of 200 kB and more cost more
            "page_size = 8192",
            "journal_mode = WAL",
            "synchronous = FULL",  # fsync at every commit: NORMAL may lose the last ones with the power
            "foreign_keys = ON",
            # statements that may fail half-way keep what they undo by in memory, or a full temporary folder would
            # refuse uploads while the database has room: https://sqlite.org/tempfiles.html, 2.3
            "temp_store = MEMORY",
            "secure_delete = ON",  # what is deleted is overwritten; costs 1.5 ms for 1 MB
            f"journal_size_limit = {WAL_KEPT_BYTES}",
        ):
            db.execute(f"PRAGMA {pragma}")
        (page_bytes,) = db.execute("PRAGMA page_size").fetchone()
        db.execute(f"PRAGMA wal_autocheckpoint = {WAL_WAITING_BYTES // page_bytes}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def connect_reader(path: Path) -> Database:
    """A connection that cannot write, not even by mistake. Raises sqlite3.Error."""
    return _connect(path, "ro")


def connect_inspector(path: Path) -> Database:
    """A connection that leaves neither the file nor its folder changed; for a file that nobody writes meanwhile."""
    log = path.with_name(path.name + "-wal")
    # without a log to read `immutable` spares the folder an empty one; with it the log would be overlooked
    return _connect(path, "ro" if log.exists() else "ro&immutable=1")


def _connect(path: Path, mode: str) -> Database:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,  # until the first work, which sets its own
        isolation_level=None,  # no implicit transactions: BEGIN and COMMIT stand where they are meant
        check_same_thread=True,
    )
    return Database(connection, execute_plugins=False)


@contextmanager
def transaction(db: Database) -> Iterator[None]:
    """All or nothing. Takes the write lock at once: one taken later can fail without waiting (SQLITE_BUSY_SNAPSHOT)."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        # SQLite has already rolled back by itself after some errors, a full disk among them
        if db.conn.in_transaction:
            db.execute("ROLLBACK")
        raise


class OwnedConnection:
    """Runs work on a connection, one piece at a time, in the thread that opened it, off the event loop."""

    def __init__(self, thread: ThreadPoolExecutor, db: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._thread = thread
        self._db = db
        self._clock = clock
        self.patience = BUSY_SECONDS
        self._waits = -1.0
        """Seconds that SQLite was last told to wait for a lock; less than 0 before that."""

    @classmethod
    async def open(cls, name: str, connect: Callable[[], Database]) -> Self:
        """`connect` runs in the new thread, which is called `name`; what it raises, this raises."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        try:
            return cls(thread, await asyncio.wrap_future(thread.submit(connect)))
        except BaseException:
            thread.shutdown(wait=False)
            raise

    async def run(self, work: Callable[[Database], T]) -> T:
        """What `work` gives. It is carried out even if the caller is cancelled meanwhile. Raises StoreError."""
        loop = asyncio.get_running_loop()
        # the caller's alone: cancelled, it leaves the work as it is. The thread's own future would have to be shielded,
        # which costs more than most of the work here
        answer: asyncio.Future[T] = loop.create_future()
        try:
            self._thread.submit(self._carry_out, work, self._clock() + self.patience, loop, answer)
        except RuntimeError as error:
            raise StoreError("the store is closed") from error
        return await answer

    def run_later(self, work: Callable[[Database], None]) -> None:
        """Behind all that was asked for before. Nobody hears of its end; once closed, it is not done."""
        with contextlib.suppress(RuntimeError):
            self._thread.submit(work, self._db)

    async def close(self) -> None:
        """Waits for the work under way. Twice is harmless."""
        try:
            closing = self._thread.submit(self._db.close)
        except RuntimeError:
            return
        self._thread.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(closing))

    def _carry_out(
        self, work: Callable[[Database], T], deadline: float, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T]
    ) -> None:
        try:
            tell = partial(answer.set_result, self._guarded(work, deadline))
        except BaseException as error:
            tell = partial(answer.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
            loop.call_soon_threadsafe(lambda: answer.done() or tell())

    def _guarded(self, work: Callable[[Database], T], deadline: float) -> T:
        try:
            # told only where it changes: that costs as much as a query
            if (left := round(max(0.0, deadline - self._clock()), 1)) != self._waits:
                self._db.execute(f"PRAGMA busy_timeout = {round(left * 1000)}")
                self._waits = left
            return work(self._db)
        except sqlite3.Error as error:
            raise fault(error) from error


def fault(error: sqlite3.Error) -> StoreError:
    """The error in the words of every store."""
    code = getattr(error, "sqlite_errorcode", 0)  # absent where Python's module raised it, not SQLite
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):
        return StoreFull(f"no room left for the database: {error}")
    # the low byte is the kind of error, the rest its detail: https://sqlite.org/rescode.html
    match code & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreError(f"another program holds the database locked: {error}")
        case sqlite3.SQLITE_READONLY:
            return StoreError(f"the database cannot be written: {error}")
        case _:
            return StoreError(f"the database failed: {error}")
