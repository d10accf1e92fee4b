"""A copy of the database that a service has in use."""

import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import BinaryIO

from persistence.store import StoreUnusable


def back_up(path: Path, target: BinaryIO) -> None:
    """Writes one consistent copy of the database file to `target`: one file, with all that was accepted before.

    It takes shape in a temporary file beside the database, which needs as much room again. Raises StoreUnusable.
    """
    try:
        source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.backup-") as copy:
                made = sqlite3.connect(copy.name)
                try:
                    source.backup(made)  # all in one transaction, so that writers neither wait nor are in it by half
                    made.execute("PRAGMA journal_mode=DELETE")  # what is still in a log beside it comes into the file
                finally:
                    made.close()
                shutil.copyfileobj(copy, target)
                target.flush()
        finally:
            source.close()
    except (sqlite3.Error, OSError) as error:
        raise StoreUnusable(f"{path} cannot be copied: {error}") from error
