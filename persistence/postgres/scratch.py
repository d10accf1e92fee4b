"""A folder of this process for files on their way to or from the database, below the machine's temporary folder."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Self

PREFIX = "smart-queue-ocr-"
LOCK = "in-use"


class ScratchFolder:
    """Made at the start and removed at the end. What processes left that were killed is removed by the next start."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.files = path / "files"
        self._lock = lock

    @classmethod
    def make(cls, parent: Path | None = None) -> Self:
        """`parent`: by default what TMPDIR names. Raises OSError."""
        parent = parent or Path(tempfile.gettempdir())
        for left in parent.glob(f"{PREFIX}*"):
            _remove_unless_in_use(left)
        while True:
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            with contextlib.suppress(OSError):  # another start took it for a dead one's, before it was locked
                lock = os.open(path / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
                fcntl.flock(lock, fcntl.LOCK_EX)
                if (path / LOCK).exists():
                    made = cls(path, lock)
                    made.files.mkdir()
                    return made
                os.close(lock)

    def remove(self) -> None:
        """No such folder is there afterwards. Twice is harmless."""
        shutil.rmtree(self.path, ignore_errors=True)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


def _remove_unless_in_use(folder: Path) -> None:
    # without a lock it may just be coming into being, or not be ours
    with contextlib.suppress(OSError):
        lock = os.open(folder / LOCK, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
