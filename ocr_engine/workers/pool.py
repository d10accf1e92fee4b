"""OcrPool: what the service asks of recognition, and what a pool of workers tells of itself. The promises only."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from ocr_engine.options import DEFAULT_READING, ReadOptions
from ocr_engine.result import DocumentInfo, OcrResult
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers.process import DeathCause


class OcrPool(Protocol):
    """All that the rest of the service knows of recognition."""

    async def recognise(
        self,
        image: bytes,
        options: ReadOptions = DEFAULT_READING,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """The text of an image, all its pages in the time of one, by the next free worker.

        Raises OcrError; a cancellation kills the work. WorkersBusy where no worker is free within `patience` seconds;
        None waits for ever. `more_time`: for what a usual allowance was not enough for.
        """

    async def open(self, file: Path, options: ReadOptions, *, patience: float | None = None) -> DocumentInfo:
        """What the file is and how many pages it has. Raises OcrError where it cannot be opened."""

    async def read_page(
        self,
        file: Path,
        number: int,
        options: ReadOptions,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """Exactly one page of the file, from 1, in any order, by the next free worker, that keeps the file open.

        Raises OcrError; a cancellation kills the work. WorkersBusy where no worker is free within `patience` seconds;
        None waits for ever. `more_time`: as `recognise`.
        """

    async def render_page(
        self, file: Path, number: int, options: ReadOptions, width: int, *, patience: float | None = None
    ) -> bytes:
        """A JPEG of the page as it was read, at most `width` pixels wide, for people to look at. As `read_page`."""

    async def write_searchable_pdf(self, order: PdfOrder, *, patience: float | None = None) -> None:
        """Writes the file as a PDF with what was read of it unseen on its print. Raises as `read_page`."""

    def forget(self, file: Path) -> None:
        """The file will not be asked for any more: whoever has it open lets go of it soon. Never fails."""


class ManagedPool(OcrPool, Protocol):
    """A pool as its owner sees it."""

    failed: asyncio.Event
    """Set when no worker is left and none can be started: the service cannot go on."""

    async def start(self) -> None:
        """Returns when every worker is warm. Raises PoolUnavailable when one cannot be started."""

    def workers(self) -> list["WorkerInfo"]:
        """Every slot, in order."""

    async def close(self) -> None:
        """Ends every worker, whatever it does, and waits for that. Twice is harmless."""


class WorkerState(StrEnum):
    """Where a slot stands."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    FAILED = "failed"
    """Given up: its process could not be started several times in a row."""
    STOPPED = "stopped"


class WorkerInfo(Struct, frozen=True, kw_only=True):
    """One slot, as health and metrics show it."""

    name: str
    state: WorkerState
    pid: int | None
    restarts: int
    """Processes after the first one."""
    backend: str = ""
    """What runs its models; empty until that is known."""


PoolEventKind = Literal["started", "start_failed", "output", "died", "recycled", "given_up"]


class PoolEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to a worker."""

    kind: PoolEventKind
    worker: str
    pid: int | None = None
    detail: str = ""
    cause: DeathCause | None = None
    """Of `died`."""
    seconds: float = 0.0
    backend: str = ""
    """Of `started`: what runs its models."""
