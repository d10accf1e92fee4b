"""The OCR pool of a node with ROLE=api: no processes, other nodes read."""

import asyncio
from pathlib import Path

from ocr_engine.errors import PoolUnavailable
from ocr_engine.options import DEFAULT_READING, ReadOptions
from ocr_engine.result import DocumentInfo, OcrResult
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers.pool import WorkerInfo

NO_WORKERS = "this node has no workers"


class NoWorkers:
    """A ManagedPool without processes."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()

    async def start(self) -> None:
        """Nothing to warm."""

    async def recognise(
        self,
        image: bytes,
        options: ReadOptions = DEFAULT_READING,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """Raises PoolUnavailable."""
        raise PoolUnavailable(NO_WORKERS)

    async def open(self, file: Path, options: ReadOptions, *, patience: float | None = None) -> DocumentInfo:
        """Raises PoolUnavailable."""
        raise PoolUnavailable(NO_WORKERS)

    async def read_page(
        self,
        file: Path,
        number: int,
        options: ReadOptions,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """Raises PoolUnavailable."""
        raise PoolUnavailable(NO_WORKERS)

    async def render_page(
        self, file: Path, number: int, options: ReadOptions, width: int, *, patience: float | None = None
    ) -> bytes:
        """Raises PoolUnavailable."""
        raise PoolUnavailable(NO_WORKERS)

    async def write_searchable_pdf(self, order: PdfOrder, *, patience: float | None = None) -> None:
        """Raises PoolUnavailable."""
        raise PoolUnavailable(NO_WORKERS)

    def forget(self, file: Path) -> None:
        """Nobody has it."""

    def workers(self) -> list[WorkerInfo]:
        """None."""
        return []

    async def close(self) -> None:
        """Nothing to end."""
