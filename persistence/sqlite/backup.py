"""A copy of the database that a service has in use."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import BinaryIO

from persistence.sqlite.uploads import UploadFolder
from persistence.store import StoreUnusable
from persistence.upload import CHUNK_BYTES


def back_up(path: Path, target: BinaryIO) -> None:
    """Writes one consistent copy of the database file to `target`: one file, with all that was accepted before,
    uploads that are files beside the database among it.

    It takes shape in a temporary file beside the database, which needs as much room again. Raises StoreUnusable.
    """
    try:
        source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.backup-") as copy:
                made = sqlite3.connect(copy.name)
                try:
                    source.backup(made)  # all in one transaction, so that writers neither wait nor are in it by half
                    _take_in_files(made, UploadFolder(path))
                    made.execute("PRAGMA journal_mode=DELETE")  # what is still in a log beside it comes into the file
                finally:
                    made.close()
                shutil.copyfileobj(copy, target)
                target.flush()
        finally:
            source.close()
    except (sqlite3.Error, OSError) as error:
        raise StoreUnusable(f"{path} cannot be copied: {error}") from error


def _take_in_files(copy: sqlite3.Connection, folder: UploadFolder) -> None:
    """Large uploads go into the rows that name their files: the copy is one file, and complete.

    One whose job has ended since the copy was made has no file any more, and needs none.
    """
    if not copy.execute("SELECT 1 FROM pragma_table_info('images') WHERE name = 'file'").fetchone():
        return  # of a version before there were such files
    for row, name in copy.execute("SELECT rowid, file FROM images WHERE file != ''").fetchall():
        try:
            with folder.path(name).open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                copy.execute("UPDATE images SET file = '', data = zeroblob(?) WHERE rowid = ?", (size, row))
                with copy.blobopen("images", "data", row) as blob:
                    while piece := file.read(CHUNK_BYTES):
                        blob.write(piece)
        except FileNotFoundError:
            continue
        copy.commit()
