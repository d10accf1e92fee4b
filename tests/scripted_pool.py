"""A pool whose answers a test decides: stands in for OCR processes only; stores, queues and HTTP are the real ones."""

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from ocr_engine.options import DEFAULT_READING, ReadOptions
from ocr_engine.result import DocumentInfo, OcrLine, OcrPage, OcrResult, OcrTimings
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers.pool import WorkerInfo, WorkerState

Answer = OcrResult | BaseException | Callable[[bytes], OcrResult]


def text_result(text: str, confidence: float = 0.99, worker: str = "worker-1") -> OcrResult:
    """A result of one page with one line for each line of the text."""
    lines = tuple(
        OcrLine(text=line, confidence=confidence, polygon=((0, y), (10, y), (10, y + 8), (0, y + 8)))
        for y, line in enumerate(text.splitlines())
    )
    page = OcrPage(number=1, width=100, height=50, lines=lines)
    return OcrResult(pages=(page,), timings=OcrTimings(total=0.25), worker=worker)


class ScriptedPool:
    """Gives the scripted answers in order, then `default`; `hold` keeps recognitions waiting until `release`."""

    def __init__(self, *script: Answer, default: Answer | None = None) -> None:
        self.script = deque(script)
        self.default: Answer = default or text_result("scripted")
        self.failed = asyncio.Event()
        self.images: list[bytes] = []
        self.asked: list[ReadOptions] = []
        """Of each of them."""
        self.started = asyncio.Semaphore(0)
        self.cancelled = 0
        self.closed = False
        self.pages = 1
        self.by_page: dict[int, Answer] = {}
        """Answers of pages, by number, that have one of their own."""
        self.patience: list[float | None] = []
        self.opened: list[tuple[Path, ReadOptions]] = []
        self.read: list[tuple[Path, int, ReadOptions]] = []
        self.order: list[int] = []
        """Numbers of the pages that were asked for, in their order; 0: an image."""
        self.forgotten: list[Path] = []
        self.refuses_to_open: BaseException | None = None
        self._gate = asyncio.Event()
        self._gate.set()

    def hold(self) -> None:
        self._gate.clear()

    def pass_one(self) -> None:
        """Those that are held now may go on; the next ones are held again."""
        held, self._gate = self._gate, asyncio.Event()
        held.set()

    def release(self) -> None:
        self._gate.set()

    async def recognise(
        self,
        image: bytes,
        options: ReadOptions = DEFAULT_READING,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        self.images.append(image)
        self.asked.append(options)
        self.order.append(0)
        self.patience.append(patience)
        self.started.release()
        try:
            await self._gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._answer(image)

    async def open(self, file: Path, options: ReadOptions, *, patience: float | None = None) -> DocumentInfo:
        """A TIFF of `pages` pages, whatever the file is; `refuses_to_open` is raised where it is set."""
        self.opened.append((file, options))
        if self.refuses_to_open is not None:
            raise self.refuses_to_open
        return DocumentInfo(media_type="image/tiff", pages=self.pages)

    async def read_page(
        self,
        file: Path,
        number: int,
        options: ReadOptions,
        *,
        patience: float | None = None,
        more_time: bool = False,
    ) -> OcrResult:
        """The next answer, its only page numbered as was asked for. A function among the answers gets the bytes."""
        self.read.append((file, number, options))
        self.order.append(number)
        self.patience.append(patience)
        self.started.release()
        try:
            await self._gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        image = file.read_bytes()
        answer = _given(self.by_page[number], image) if number in self.by_page else self._answer(image)
        (page,) = answer.pages
        return msgspec.structs.replace(answer, pages=(msgspec.structs.replace(page, number=number),))

    async def render_page(
        self, file: Path, number: int, options: ReadOptions, width: int, *, patience: float | None = None
    ) -> bytes:
        """Bytes that name the page and the width."""
        return f"page {number} at {width}".encode()

    async def write_searchable_pdf(self, order: PdfOrder, *, patience: float | None = None) -> None:
        """Bytes that name the pages."""
        order.target.write_bytes(b"%PDF-" + b",".join(b"%d" % page.number for page in order.pages))

    def forget(self, file: Path) -> None:
        self.forgotten.append(file)

    def _answer(self, image: bytes) -> OcrResult:
        return _given(self.script.popleft() if self.script else self.default, image)

    async def start(self) -> None:
        return

    def workers(self) -> list[WorkerInfo]:
        return [WorkerInfo(name="worker-1", state=WorkerState.IDLE, pid=None, restarts=0, backend="onnxruntime")]

    async def close(self) -> None:
        self.closed = True


def _given(answer: Answer, image: bytes) -> OcrResult:
    if isinstance(answer, BaseException):
        raise answer
    return answer(image) if callable(answer) else answer
