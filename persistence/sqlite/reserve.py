"""Room on the disk that is given up once the disk is full: for outcomes and cancellations, by which room is made."""

import contextlib
import shutil
from pathlib import Path

from persistence.sqlite.file import RESERVED_BYTES


class Reserve:
    """A file beside the database, which is filled with nothing."""

    def __init__(self, database: Path) -> None:
        self._file = database.with_name(database.name + "-reserve")

    def hold(self) -> None:
        """Takes the room where the disk has plenty besides. Twice is harmless, and nothing is raised."""
        with contextlib.suppress(OSError):
            if self._file.exists() or shutil.disk_usage(self._file.parent).free < 3 * RESERVED_BYTES:
                return
            try:
                self._file.write_bytes(bytes(RESERVED_BYTES))
            except OSError:
                self.release()

    def release(self) -> bool:
        """Gives the room back to the disk; False where none was held."""
        try:
            self._file.unlink()
        except OSError:
            return False
        return True
