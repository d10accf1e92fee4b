"""The service with an engine that knows the samples by heart: `python -m tests.chaos.scripted_service`.

HTTP, store, queue, processes and signals are the real ones, so that a cluster of them can be struck often. Two
variables of the environment make a node's fate exact:

- `SCRIPTED_HOLD=1`: no recognition ends before the process was sent SIGUSR1;
- `SCRIPTED_DEATH=job.accepted`: the process kills itself (SIGKILL) as soon as it has logged that event.
"""

import asyncio
import os
import random
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

from app.http.serving.server import serve
from app.main import create_app, settings_or_exit
from benchmarks.service.fake_service import FreePool
from config import logging
from ocr_engine.errors import InvalidImage
from ocr_engine.options import DEFAULT_READING, ReadOptions
from ocr_engine.result import OcrLine, OcrPage, OcrResult
from tests.chaos.load import images

if TYPE_CHECKING:
    from loguru import Record

LONGEST_SECONDS = 0.4
"""Of a recognition."""


class KnowingPool(FreePool):
    """Takes some time, and then says what stands beside the sample."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self._released = asyncio.Event()
        self._texts = {data: expectation.text for data, expectation in images().values()}

    async def recognise(
        self,
        image: bytes,
        options: ReadOptions = DEFAULT_READING,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """The sample's own text. Raises InvalidImage for the broken one."""
        return await self._read(image, 1)

    async def read_page(
        self,
        file: Path,
        number: int,
        options: ReadOptions,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """As `recognise`."""
        return await self._read(file.read_bytes(), number)

    async def _read(self, image: bytes, number: int) -> OcrResult:
        await asyncio.sleep(random.uniform(0, LONGEST_SECONDS))
        await self._released.wait()
        text = self._texts[image]
        if text is None:
            raise InvalidImage("its pixels are cut off")
        corners = ((0, 0), (9, 0), (9, 9), (0, 9))
        lines = tuple(OcrLine(text=line, confidence=0.99, polygon=corners) for line in text.splitlines())
        page = OcrPage(number=number, width=10, height=10, lines=lines)
        return OcrResult(pages=(page,), worker=f"worker-{os.getpid()}")

    async def start(self) -> None:
        """Holds what is to be held."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._released.set)
        if "SCRIPTED_HOLD" not in os.environ:
            self._released.set()


def main() -> int:
    """Serves until a signal, with the environment's settings."""
    settings = settings_or_exit()
    logging.set_up(settings.log_level, settings.log_format)
    if deadly := os.environ.get("SCRIPTED_DEATH"):
        logger.add(lambda _: os.kill(os.getpid(), signal.SIGKILL), filter=lambda record: _event(record) == deadly)
    serve(
        create_app(settings, make_pool=lambda _: KnowingPool(settings.max_workers)),
        settings.host,
        settings.port,
        settings.max_workers,
    )
    return 0


def _event(record: "Record") -> object:
    return record["extra"].get("event")


if __name__ == "__main__":
    sys.exit(main())
