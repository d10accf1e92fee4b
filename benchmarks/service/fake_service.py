"""The service with an engine that takes no time: `python -m benchmarks.service.fake_service`.

HTTP, store, queue and log are the real ones, so what a job costs here is what the service itself adds to recognition.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from app.http.serving.server import serve
from app.main import create_app, settings_or_exit
from config import logging
from ocr_engine.options import DEFAULT_READING, ReadOptions
from ocr_engine.result import DocumentInfo, OcrLine, OcrPage, OcrResult
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers.pool import WorkerInfo, WorkerState

LINES = 20
"""Of the result that every image gives: about a receipt."""
PAGE = OcrPage(
    number=1,
    width=800,
    height=1200,
    lines=tuple(
        OcrLine(text=f"Line {n} of a page of text", confidence=0.99, polygon=((10, n), (700, n), (700, n + 9), (10, n)))
        for n in range(LINES)
    ),
)


class FreePool:
    """A ManagedPool that has read every image already."""

    def __init__(self, workers: int) -> None:
        self.failed = asyncio.Event()
        self._workers = workers

    async def recognise(
        self,
        image: bytes,
        options: ReadOptions = DEFAULT_READING,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """The same page, at once."""
        return OcrResult(pages=(PAGE,), worker="worker-1")

    async def open(self, file: Path, options: ReadOptions, *, patience: float | None = None) -> DocumentInfo:
        """One page, whatever the file."""
        return DocumentInfo(media_type="image/png", pages=1)

    async def read_page(
        self,
        file: Path,
        number: int,
        options: ReadOptions,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """The same page, at once."""
        return OcrResult(pages=(msgspec.structs.replace(PAGE, number=number),), worker="worker-1")

    async def render_page(
        self, file: Path, number: int, options: ReadOptions, width: int, *, patience: float | None = None
    ) -> bytes:
        """Nothing."""
        return b""

    async def write_searchable_pdf(self, order: PdfOrder, *, patience: float | None = None) -> None:
        """Nothing."""

    def forget(self, file: Path) -> None:
        """Nothing to do."""

    async def start(self) -> None:
        """Nothing to do."""

    def workers(self) -> list[WorkerInfo]:
        """As many as were asked for."""
        return [
            WorkerInfo(name=f"worker-{number}", state=WorkerState.IDLE, pid=None, restarts=0)
            for number in range(1, self._workers + 1)
        ]

    async def close(self) -> None:
        """Nothing to do."""


def main() -> int:
    """Serves on a free port until a signal, with the environment's settings."""
    settings = settings_or_exit({"PORT": "0"})
    logging.set_up(settings.log_level, settings.log_format)
    serve(
        create_app(settings, make_pool=lambda _: FreePool(settings.max_workers)),
        settings.host,
        settings.port,
        settings.max_workers,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
