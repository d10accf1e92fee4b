"""Reads files by OCR processes of this machine, as a node of the service does."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from app import VERSION, clock
from app.commands.read.kept import KeptPages, Origin, kept_pages
from app.commands.read.lanes import in_lanes
from app.commands.read.outputs import unwritable
from app.commands.read.reading import Asked, CannotGoOn, Draft, Told, Unreadable, of_one_page
from app.jobs.reading.reader import chosen, reading_of
from app.jobs.reading.retry import is_worth_another
from app.results.stored_run import as_asked
from ocr_engine.errors import JobTimeout, OcrError, PoolUnavailable
from ocr_engine.formats import Source, WrittenFormat
from ocr_engine.result import OcrPage
from ocr_engine.searchable.order import PagesInFile, PdfOrder
from ocr_engine.workers.pool import ManagedPool
from persistence.job import JobOptions

MAX_PAGES_OF_ONE_FILE = 100_000
"""Of one file: what a PDF says of itself may be anything."""


@asynccontextmanager
async def started(pool: ManagedPool) -> AsyncIterator[None]:
    """The pool, warm. Raises CannotGoOn."""
    try:
        await pool.start()
        yield
    except PoolUnavailable as error:
        raise CannotGoOn(error.detail) from error
    finally:
        await pool.close()


class ReaderHere:
    """A FileReader on a started pool."""

    def __init__(
        self,
        pool: ManagedPool,
        asked: Asked,
        options: JobOptions,
        *,
        workers: int,
        max_attempts: int,
        settings: str = "",
    ) -> None:
        """`settings`: those of the engine, where others would read other texts."""
        self._pool = pool
        self._asked = asked
        self._options = reading_of(options, asked.password)
        self._workers = workers
        self._settings = settings
        self._max_attempts = max_attempts
        self.at_once = workers + 1  # so that a worker need not wait until the last page of a file is through

    async def read(self, source: Path, name: str, drafts: Sequence[Draft], told: Told) -> Sequence[str]:
        """See FileReader."""
        try:
            found = await self._pool.open(source, self._options)
            numbers = chosen(self._asked.pages, found.pages, MAX_PAGES_OF_ONE_FILE)
            of_one_page(drafts, len(numbers))
            with self._kept(source, drafts[0]) as kept:
                complaints = await self._read(source, numbers, kept, told)
                pages = kept.of(numbers)
                if not pages.begins:
                    raise Unreadable(complaints[0].removeprefix("page 1: ") if len(numbers) == 1 else complaints[0])
                for draft in drafts:
                    await self._write(draft, source, name, pages, only=bool(self._asked.pages))
        except PoolUnavailable as error:
            raise CannotGoOn(error.detail) from error
        except OcrError as error:
            raise Unreadable(f"{error.detail} ({error.code})") from error
        finally:
            self._pool.forget(source)
        return complaints

    @contextmanager
    def _kept(self, source: Path, draft: Draft) -> Iterator[KeptPages]:
        path = draft.path.with_name(draft.path.name + ".pages") if draft.kept is None else draft.kept
        try:
            told = source.stat()
            asked = hashlib.sha256(f"{self._options} {self._settings}".encode()).hexdigest()
            origin = Origin(version=VERSION, size=told.st_size, modified=told.st_mtime_ns, asked=asked)
            with kept_pages(path, origin) as pages:
                yield pages
        except OSError as error:
            raise unwritable(path, error) from error
        finally:
            if draft.kept is None:
                path.unlink(missing_ok=True)

    async def _read(self, source: Path, numbers: Sequence[int], kept: KeptPages, told: Told) -> Sequence[str]:
        """Reads the pages that are not kept yet; a sentence for each that could not be read."""
        failed = dict[int, str]()
        left = [number for number in numbers if number not in kept]
        waiting, through = iter(left), len(numbers) - len(left)
        told(through, len(numbers))

        async def lane() -> None:
            nonlocal through
            for number in waiting:
                try:
                    kept.add(await self._page(source, number))
                except PoolUnavailable:
                    raise
                except OcrError as error:
                    failed[number] = f"page {number}: {error.detail} ({error.code})"
                through += 1
                told(through, len(numbers))

        # so many at a time, however many pages the file has
        await in_lanes(min(len(left), self._workers + 1), lane)
        return [failed[number] for number in sorted(failed)]

    async def _page(self, source: Path, number: int) -> OcrPage:
        """Raises OcrError when no attempt has read it."""
        more_time = False
        for attempt in range(1, self._max_attempts + 1):
            try:
                result = await self._pool.read_page(source, number, self._options, more_time=more_time)
                return result.pages[0]
            except OcrError as error:
                again = is_worth_another(error, attempt, self._max_attempts, timed_out=more_time)
                if not again or isinstance(error, PoolUnavailable):
                    raise
                more_time = more_time or isinstance(error, JobTimeout)
        raise AssertionError("unreachable")

    async def _write(self, draft: Draft, source: Path, name: str, pages: PagesInFile, *, only: bool) -> None:
        told = Source(file_name=name, read_at=clock.now(), version=VERSION)
        if isinstance(draft.format, WrittenFormat):
            shown = as_asked(pages, draft.format.name, words=self._asked.detail == "words", rows=self._asked.rows)
            await asyncio.to_thread(_write_all, draft.path, draft.format.encoded(shown, told))
        else:
            order = PdfOrder(file=source, pages=pages, target=draft.path, options=self._options, source=told, only=only)
            await self._pool.write_searchable_pdf(order)


def _write_all(target: Path, parts: Iterator[bytes]) -> None:
    try:
        with target.open("wb") as file:
            file.writelines(parts)
    except OSError as error:
        raise unwritable(target, error) from error
