"""What is asked of files, and the port FileReader: who reads them, and how that may fail."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from app.results.stored_run import Detail, Rows
from ocr_engine.formats import Format, WrittenFormat
from ocr_engine.options import TEXT_LAYERS, TextLayer


class Asked(Struct, frozen=True, kw_only=True):
    """What is wanted of every file."""

    pages: str = ""
    """As `1-3,7,20-`; empty: all."""
    languages: str = ""
    """BCP 47 tags with commas between; empty: told by what is read."""
    text_layer: TextLayer = TEXT_LAYERS[0]
    options: tuple[tuple[str, str], ...] = ()
    """More of the API's options, by name."""
    password: str = ""
    detail: Detail | None = None
    """Of JSON."""
    rows: Rows | None = None
    """Of plain text."""

    def __repr__(self) -> str:
        """Without the secret."""
        return f"{type(self).__name__}(pages={self.pages!r}, languages={self.languages!r})"


class Draft(Struct, frozen=True, kw_only=True):
    """A format of a file, and where it is to be written; nobody looks there before it is whole."""

    format: Format
    path: Path
    kept: Path | None = None
    """Where pages that were read wait for the next run, should this one not come to the end of the file."""


class Unreadable(Exception):
    """Nothing can be had of this file; the next ones may be read."""


class CannotGoOn(Exception):
    """Nor of any other: no workers, no service, a wrong key."""


class CannotWrite(Exception):
    """What was read cannot be put where it belongs."""


Told = Callable[[int, int], None]
"""Called with how many pages of a file are through, and how many it has."""


class FileReader(Protocol):
    """Reads files, several at once."""

    at_once: int
    """How many files keep it busy."""

    async def read(self, source: Path, name: str, drafts: Sequence[Draft], told: Told) -> Sequence[str]:
        """Writes each draft with what was read of `source`, which people call `name`.

        Gives a sentence for each page that could not be read, and is not in them. Raises Unreadable, CannotGoOn or
        CannotWrite.
        """


def of_one_page(drafts: Sequence[Draft], pages: int) -> None:
    """Raises Unreadable for a format whose documents have one page, and so many."""
    for draft in drafts:
        if isinstance(draft.format, WrittenFormat) and draft.format.one_page and pages > 1:
            raise Unreadable(f"a document of {draft.format.name} has one page, this file {pages}: choose it by --pages")
