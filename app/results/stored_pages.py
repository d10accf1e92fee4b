"""What was read of a job, page by page as it is asked for: a file of 2000 pages is never in memory as a whole."""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from ocr_engine.result import OcrLine, OcrPage, OcrResult, OcrWord
from persistence.job import Job
from persistence.store import StoreError

PAGES_AT_ONCE = 8
"""Taken from the store in one go: a dense page is of some 150 kB, words included."""


class _Line(OcrLine, frozen=True, kw_only=True, gc=False, rename={"words": "-"}):
    """A line whose words are passed over, under a name that no field has: they are most of a page."""

    words: tuple[OcrWord, ...] = ()


class _Page(OcrPage, frozen=True, kw_only=True):
    lines: tuple[_Line, ...] = ()


class _Result(OcrResult, frozen=True, kw_only=True):
    pages: tuple[_Page, ...]


_whole = msgspec.json.Decoder(OcrResult)
_without_words = msgspec.json.Decoder(_Result)


class PagesLost(Exception):
    """Pages that were there are gone: the job was erased while its answer was sent."""


class PageSource(Protocol):
    """What of a JobStore is asked for."""

    def page_results(self, job_id: str, numbers: Sequence[int], /) -> Coroutine[Any, Any, list[bytes]]:
        """See JobStore."""
        ...


class StoredPages:
    """The results of a job's pages that were read. To be made on the event loop, and iterated over in a thread."""

    def __init__(self, store: PageSource, job: Job, numbers: Sequence[int]) -> None:
        """`numbers`: which pages, ascending; each is one that was read."""
        self._store = store
        self._job = job
        self._loop = asyncio.get_running_loop()
        self.numbers = numbers
        self._kept: tuple[Sequence[int], list[bytes]] = (), []

    def results(self, *, words: bool) -> Iterator[OcrResult]:
        """Parts of the whole, in order; a page each, but for what was stored in one. Raises StoreError, PagesLost."""
        if not self._job.paged:
            if self._job.result is not None:
                yield self._only_wanted(self._job.result)
            return
        decode = _whole.decode if words else _without_words.decode
        for first in range(0, len(self.numbers), PAGES_AT_ONCE):
            for stored in self._stored(self.numbers[first : first + PAGES_AT_ONCE]):
                yield decode(stored)

    def pages(self, *, words: bool) -> Iterator[OcrPage]:
        """The pages, in order; raises as `results`. Without `words` lines may lack theirs."""
        for result in self.results(words=words):
            yield from result.pages

    def encoded(self) -> Iterator[bytes]:
        """The pages as JSON of OcrPage, each in one line; raises as `results`."""
        for page in self.pages(words=True):
            yield msgspec.json.encode(page)

    def _stored(self, numbers: Sequence[int]) -> list[bytes]:
        if self._kept[0] != numbers:
            asked = self._store.page_results(self._job.id, numbers)
            try:
                found = asyncio.run_coroutine_threadsafe(asked, self._loop).result()
            except RuntimeError as error:
                asked.close()
                raise StoreError("the service has stopped") from error
            if len(found) != len(numbers):
                raise PagesLost(f"job {self._job.id} was erased while it was sent")
            self._kept = numbers, found  # of a short file all that there is: it is asked for once
        return self._kept[1]

    def _only_wanted(self, result: OcrResult) -> OcrResult:
        wanted = set(self.numbers)
        return msgspec.structs.replace(result, pages=tuple(page for page in result.pages if page.number in wanted))
