"""From a claimed piece to what its attempt made of it: its file fetched, a worker asked."""

from collections.abc import Callable, Mapping
from datetime import datetime

from app import clock
from app.jobs.page_selection import PageSelection
from app.jobs.reading.costly_files import CostlyFiles
from app.jobs.reading.files import Files
from app.jobs.reading.piece import Piece
from ocr_engine.errors import ImageMissing, NoSuchPage, TooManyPages
from ocr_engine.options import ReadOptions
from ocr_engine.result import Rotation
from ocr_engine.workers.pool import OcrPool
from persistence.job import JobOptions
from persistence.store import JobStore

_TURNS: Mapping[str, Rotation] = {"0": 0, "90": 90, "180": 180, "270": 270}


class Reader:
    """Asks the workers."""

    def __init__(
        self,
        store: JobStore,
        pool: OcrPool,
        files: Files,
        costly: CostlyFiles,
        max_pages: int,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """`max_pages`: how many of one file are read; a file that asks for more fails when it is opened."""
        self._store = store
        self._pool = pool
        self._files = files
        self._costly = costly
        self._max_pages = max_pages
        self._now = now

    async def read(self, piece: Piece) -> Piece:
        """The piece, completed; or, where its file was opened, with its pages. Raises OcrError or StoreError."""
        job = piece.job
        if job.to_be_opened:
            return await self._open(piece)
        if job.read_from_memory:
            image = piece.image
            if image is None and (image := await self._store.image(job.id)) is None:
                raise ImageMissing("the image is not where it was stored")
            result = await self._pool.recognise(image, reading_of(job.options), more_time=piece.timed_out)
            return piece.completed(result, self._now())
        if piece.page is not None:
            self._costly.require_worth(job)
        file = await self._files.at_hand(job.id)
        number = piece.page.number if piece.page else 1
        result = await self._pool.read_page(
            file.path, number, reading_of(job.options, file.password), more_time=piece.timed_out
        )
        return piece.completed(result, self._now())

    async def _open(self, piece: Piece) -> Piece:
        file = await self._files.at_hand(piece.job.id)
        found = await self._pool.open(file.path, reading_of(piece.job.options, file.password))
        return piece.found(chosen(piece.job.options.pages, found.pages, self._max_pages), self._now())


def chosen(pages: str, total: int, most: int) -> list[int]:
    """The numbers of the pages to be read of a file with `total`. Raises TooManyPages or NoSuchPage."""
    selection = PageSelection.parsed(pages)
    asked = sum(map(len, selection.spans(total)))
    if asked > most:
        raise TooManyPages(f"{asked} pages are asked for, {most} are read of one file; choose some with `pages`")
    if not asked:
        raise NoSuchPage(f"pages {pages} are asked for; the file has {total}")
    return list(selection.numbers(total))


def reading_of(asked: JobOptions, password: str = "") -> ReadOptions:
    """What a job asked for, as workers are told."""
    return ReadOptions(
        languages=asked.languages,
        text_layer=asked.text_layer,
        rotate=_TURNS.get(asked.rotate),
        min_confidence=asked.min_confidence,
        reading_order=None if asked.reading_order == "auto" else asked.reading_order,
        regions=asked.regions,
        ignore=asked.ignore,
        check_boxes=asked.check_boxes,
        timeout=asked.timeout,
        password=password,
    )
