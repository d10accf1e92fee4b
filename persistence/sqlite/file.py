"""The database file of the SQLite store: its lock, its soundness, its log, and the room on its disk."""

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from sqlite_utils import Database

from persistence.sqlite.connection import connect_inspector
from persistence.sqlite.migrations import obstacle
from persistence.store import StoreError, StoreFull, StoreUnusable

T = TypeVar("T")

RESERVED_BYTES = 8 * 1024 * 1024
"""Room on the disk that new images may not take: the results of those accepted before must still find place.
Twice what may wait in the write-ahead log, and so has to find place in the file as well."""


class FileLock:
    """Held by the one service that may have the store open. The kernel drops it with the process, even by SIGKILL."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def take(cls, database: Path) -> Self:
        """Locks `<database>.lock`, which stays in the folder and names the holder. Raises StoreUnusable."""
        path = database.with_name(database.name + ".lock")
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreUnusable(f"{path} cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise StoreUnusable(
                f"{database} is in use by another process ({holder or 'unknown'}); "
                "one service at a time, or its jobs would run twice"
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise StoreUnusable(
                f"{path} cannot be locked: {error.strerror}; the folder must be on a local disk"
            ) from error
        with contextlib.suppress(OSError):  # a full disk: the number is only a help for people
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Twice is harmless. The file stays: to delete it would race with a process that is about to lock it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def prepare_folder(path: Path) -> None:
    """Creates the folder that is to hold the database where it is missing. Raises StoreUnusable."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"the folder {path.parent} cannot be created: {error.strerror}") from error
    if path.exists() and not path.is_file():
        raise StoreUnusable(f"{path} is not a file")


def inspect(path: Path) -> None:
    """Returns if the file is missing, empty, or a sound store of this version or an older one. Raises StoreUnusable.

    Reads the whole file once, through a connection that cannot write.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            return
        db = connect_inspector(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnusable(f"{path} cannot be read: {error}") from error
    try:
        if reason := obstacle(db):
            raise StoreUnusable(f"{path} is not usable: {reason}. Nothing was changed in it.")
        report = [str(row[0]) for row in db.execute("PRAGMA quick_check(3)")]
    except sqlite3.Error as error:
        raise StoreUnusable(f"{path} is no sound SQLite database: {error}. Nothing was changed in it.") from error
    finally:
        db.close()
    if report != ["ok"]:
        raise StoreUnusable(f"{path} is corrupt: {'; '.join(report)}. Nothing was changed in it; restore a backup.")


class InPlace:
    """The open database and its write-ahead log as they were found: which files they are, not how they are called.

    After a `mv backup.db jobs.db`, or a mount over the folder, SQLite goes on writing to files without a name, and all
    of it would be gone at the end.
    """

    def __init__(self, database: Path) -> None:
        """To be made while the database is open for writing, since only then there is a log. Raises OSError."""
        self._known = {file: _identity(file) for file in (database, _log(database))}

    def require(self) -> None:
        """Raises StoreError where one of them is not what its name leads to any more."""
        for file, known in self._known.items():
            try:
                found = _identity(file)
            except OSError:
                raise StoreError(
                    f"{file} was deleted or moved while in use; put it back, or restart the service"
                ) from None
            if found != known:
                raise StoreError(
                    f"{file} was replaced while in use; put the old one back, or restart the service with the new one"
                )


class WriteAheadLog:
    """Of a database that is open for writing. Used in the writer's thread only."""

    def __init__(self, database: Path) -> None:
        """Raises OSError."""
        # of a log SQLite locks nothing, or to close this would let go of it
        self._descriptor: int | None = os.open(_log(database), os.O_RDONLY)
        self._waiting = False
        """True while a change that was committed may not be on the disk."""

    def written(self, db: Database, work: Callable[[Database], T], *, synced: bool) -> T:
        """What `work` gives. What it commits is on the disk then, or, where it need not be `synced`, soon."""
        if not synced:
            db.execute("PRAGMA synchronous = NORMAL")
            try:
                done = work(db)
            finally:
                db.execute("PRAGMA synchronous = FULL")
            self._waiting = True
            return done
        before = db.conn.total_changes
        done = work(db)
        if db.conn.total_changes != before:
            self._waiting = False  # all that was before it in the log is on the disk with it
        return done

    def sync(self, _: Database) -> None:
        """What waits is on the disk; where that fails, with the next change, which tells of it."""
        if self._waiting and self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.fsync(self._descriptor)
                self._waiting = False

    def forget(self, db: Database) -> bool:
        """Empties the log, which keeps what was deleted since; False while somebody reads from it.

        Waits for nobody: a backup may read for minutes. To be tried again then. Raises sqlite3.Error.
        """
        (waits,) = db.execute("PRAGMA busy_timeout").fetchone()
        db.execute("PRAGMA busy_timeout = 0")
        try:
            busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                return False
            raise
        else:
            return not busy
        finally:
            db.execute(f"PRAGMA busy_timeout = {waits}")

    def close(self) -> None:
        """Of no use any more. Twice is harmless."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _log(database: Path) -> Path:
    return database.with_name(database.name + "-wal")


def _identity(file: Path) -> tuple[int, int]:
    facts = file.stat()
    return facts.st_dev, facts.st_ino


def free_bytes(path: Path) -> int:
    """Bytes left on the disk of `path`. Raises StoreError where its folder is gone."""
    try:
        return shutil.disk_usage(path.parent).free
    except OSError as error:
        raise StoreError(f"the folder {path.parent} cannot be reached: {error.strerror}") from error


def require_room(db: Database, path: Path, size: int) -> None:
    """Raises StoreFull where an image of `size` bytes would leave less than the reserve on the disk of `path`.

    On a disk filled to the brim the write-ahead log could neither grow nor be emptied into the file: no result could be
    stored, no image dropped, and the service could not get out of it by itself.
    """
    free = free_bytes(path)
    needed = 2 * size + RESERVED_BYTES  # once in the log, once in the file
    if free < needed:
        # the file does not shrink; the pages of images dropped since are as good as free space
        row = db.execute("SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size").fetchone()
        free += row[0]
    if free < needed:
        raise StoreFull(f"no room left on the disk of {path.parent}: {free // 1024} kB free")
