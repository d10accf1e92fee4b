"""The OCR pool of a node with ROLE=api: other nodes read. What clients ask of uploads is made here all the same, by a
process without models.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from ocr_engine.errors import PoolUnavailable
from ocr_engine.options import DEFAULT_READING, ReadOptions
from ocr_engine.result import DocumentInfo, OcrResult
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers.pool import ManagedPool, OcrPool, WorkerInfo

NO_WORKERS = "this node has no workers"


class NoWorkers:
    """A ManagedPool that reads nothing. Pictures of pages and searchable PDFs are made by a pool of its own, which is
    started when it is first needed: many API nodes never are asked for any.
    """

    def __init__(self, drawing: Callable[[], ManagedPool]) -> None:
        """`drawing` makes that pool."""
        self.failed = asyncio.Event()
        self._make = drawing
        self._drawing: ManagedPool | None = None
        self._starting = asyncio.Lock()

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
        """See OcrPool."""
        return await (await self._started()).render_page(file, number, options, width, patience=patience)

    async def write_searchable_pdf(self, order: PdfOrder, *, patience: float | None = None) -> None:
        """See OcrPool."""
        await (await self._started()).write_searchable_pdf(order, patience=patience)

    def forget(self, file: Path) -> None:
        """See OcrPool."""
        if self._drawing is not None:
            self._drawing.forget(file)

    def workers(self) -> list[WorkerInfo]:
        """None: nobody here takes jobs."""
        return []

    async def close(self) -> None:
        """See ManagedPool."""
        async with self._starting:
            if self._drawing is not None:
                await self._drawing.close()
            self._drawing = None

    async def _started(self) -> OcrPool:
        """One that works: where it was given up, the next request has another one made. Raises PoolUnavailable."""
        async with self._starting:
            if self._drawing is not None and self._drawing.failed.is_set():
                await self._drawing.close()
                self._drawing = None
            if self._drawing is None:
                pool = self._make()
                try:
                    await pool.start()
                except BaseException:  # a client that left, too
                    await pool.close()
                    raise
                self._drawing = pool
            return self._drawing
