"""The OCR pool of a node with ROLE=api: no processes, other nodes read."""

import asyncio

from ocr_engine.errors import PoolUnavailable
from ocr_engine.result import OcrResult
from ocr_engine.workers.pool import WorkerInfo, always_wanted
from ocr_engine.workers.process import Wanted


class NoWorkers:
    """A ManagedPool without processes."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()

    async def start(self) -> None:
        """Nothing to warm."""

    async def recognise(
        self, image: bytes, *, wanted: Wanted = always_wanted, patience: float | None = None
    ) -> OcrResult:
        """Raises PoolUnavailable."""
        raise PoolUnavailable("this node has no workers")

    def workers(self) -> list[WorkerInfo]:
        """None."""
        return []

    async def close(self) -> None:
        """Nothing to end."""
