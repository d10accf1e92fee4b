"""Uploads: small ones in rows of the table `images`, large ones as files in a folder beside the database.

A file is on the disk before the row that names it, and goes after the row: no row ever lacks its file. What a crash
leaves in between is a file without a row; the next start removes it.
"""

import contextlib
import shutil
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sqlite_utils import Database

from persistence.job import Job
from persistence.sqlite import pages
from persistence.sqlite.rows import to_text
from persistence.store import StoreError, Taken
from persistence.upload import StoredFile, Upload, move_durably

STAGING = "incoming"
THROUGH = "+status = 'done' AND pages_failed = 0"
"""Nothing is left to be read of the job."""


class UploadFolder:
    """`<database>-uploads`: the large uploads under names of our own, and below it those that are still coming in."""

    def __init__(self, database: Path) -> None:
        self._folder = database.with_name(database.name + "-uploads")
        self.staging = self._folder / STAGING

    def prepare(self, known: Iterable[str]) -> None:
        """Makes the folder, and removes what an earlier life left in it without a row. Raises OSError."""
        shutil.rmtree(self.staging, ignore_errors=True)
        self.staging.mkdir(parents=True)
        orphans = {each.name for each in self._folder.iterdir() if each.is_file()}.difference(known)
        self.remove(orphans)

    def take(self, file: Path) -> str:
        """Moves a received file in, durably, and gives its name. Raises StoreError."""
        name = uuid.uuid4().hex
        try:
            move_durably(file, self._folder / name)
        except OSError as error:
            raise StoreError(f"the upload cannot be kept in {self._folder}: {error.strerror}") from error
        return name

    def tidy(self) -> None:
        """Leaves no folder behind in which there is nothing."""
        shutil.rmtree(self.staging, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def path(self, name: str) -> Path:
        """Of a file that `take` named."""
        return self._folder / name

    def remove(self, names: Iterable[str]) -> None:
        """No file has those names any more, as well as that can be done: the next start tries again."""
        for name in names:
            with contextlib.suppress(OSError):
                self.path(name).unlink(missing_ok=True)


def names(db: Database) -> list[str]:
    """Of all files that rows name."""
    return [row[0] for row in db.execute("SELECT file FROM images WHERE file != ''")]


def insert(db: Database, job_id: str, upload: Upload, file: str) -> None:
    """The row of an upload, in the transaction under way."""
    db.execute(
        "INSERT INTO images (job_id, data, file, password) VALUES (?, ?, ?, ?)",
        (job_id, b"" if file else upload.data, file, upload.password),
    )


def drop(db: Database, job_id: str) -> str:
    """Takes the row out, in the transaction under way; the name of the file to remove once it is committed, if any."""
    row = db.execute("DELETE FROM images WHERE job_id = ? RETURNING file", (job_id,)).fetchone()
    return str(row[0]) if row else ""


def kept(db: Database, now: datetime, kept: timedelta | None, limit: int) -> list[str]:
    """Jobs that are through and whose uploads stayed for long enough: see JobStore.kept_uploads."""
    # the few that have uploads are looked up among the many that were ever done, not the other way round
    hours = "json_extract(options, '$.keep_hours')"
    own = f"{hours} IS NOT NULL AND julianday(updated_at) + {hours} / 24.0 < julianday(:now)"
    is_due = "+updated_at < :before" if kept is None else f"({hours} IS NULL AND +updated_at < :before OR {own})"
    query = (
        f"SELECT id FROM jobs WHERE id IN (SELECT job_id FROM images) AND {THROUGH} AND {is_due} "  # noqa: S608
        "ORDER BY +updated_at, id LIMIT :limit"
    )
    before = to_text(now - (kept or timedelta()))
    return [row[0] for row in db.execute(query, {"before": before, "now": to_text(now), "limit": limit})]


def forget_password(db: Database, job_id: str) -> None:
    """The upload stays, its password goes, in the transaction under way."""
    db.execute("UPDATE images SET password = '' WHERE job_id = ?", (job_id,))


def drop_through(db: Database, job_id: str) -> str | None:
    """As `drop`, of a job of which nothing is left to be read; None, and nothing changed, where it is not so."""
    query = f"SELECT 1 FROM jobs JOIN images ON job_id = id WHERE id = ? AND {THROUGH}"  # noqa: S608
    return drop(db, job_id) if db.execute(query, (job_id,)).fetchone() else None


def read(db: Database, folder: UploadFolder, job_id: str) -> bytes | None:
    """The uploaded bytes; None without a row, or where somebody took the file away."""
    row = db.execute("SELECT data, file FROM images WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        return None
    data, file = row
    if not file:
        return bytes(data)
    try:
        return folder.path(file).read_bytes()
    except FileNotFoundError:
        return None


def take(db: Database, folder: UploadFolder, job_id: str, begun: Callable[[Job], Job | None]) -> Taken | None:
    """See JobStore.take, in the transaction under way."""
    job = pages.job(db, job_id, pages.completed)
    if job is None:
        return None
    new = begun(job)
    if new is None or not pages.update_job(db, job, new):
        return Taken(before=job, after=None)
    return Taken(before=job, after=new, image=read(db, folder, job_id) if new.read_from_memory else None)


def fetch(db: Database, folder: UploadFolder, job_id: str, target: Path) -> StoredFile | None:
    """The upload's own file, or `target` with its bytes. Raises StoreError."""
    row = db.execute("SELECT data, file, password FROM images WHERE job_id = ?", (job_id,)).fetchone()
    if row is None:
        return None
    data, file, password = row
    if file:
        path = folder.path(file)
        return StoredFile(path=path, password=password) if path.exists() else None
    try:
        target.write_bytes(data)
    except OSError as error:
        raise StoreError(f"{target.parent} cannot be written: {error.strerror}") from error
    return StoredFile(path=target, password=password)
