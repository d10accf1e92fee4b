"""What a searchable PDF is to be made of; sent to a worker."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from ocr_engine.formats.source import Source
from ocr_engine.options import ReadOptions
from ocr_engine.result import OcrPage

_page = msgspec.json.Decoder(OcrPage)


class PagesInFile(Struct, frozen=True):
    """Pages as JSON in a file, one a line: read one by one, as often as they are asked for."""

    path: Path
    begins: tuple[int, ...] | None = None
    """Where the lines of the pages begin that are meant, in their order; None: all, as they stand."""

    def __iter__(self) -> Iterator[OcrPage]:
        """Raises OSError."""
        with self.path.open("rb") as lines:
            if self.begins is None:
                yield from map(_page.decode, lines)
            else:
                for begin in self.begins:
                    lines.seek(begin)
                    yield _page.decode(lines.readline())


class PdfOrder(Struct, frozen=True, kw_only=True):
    """A file, what was read of it, and where the PDF goes."""

    file: Path
    pages: Iterable[OcrPage]
    """What was read, by number; iterated over more than once."""
    target: Path
    options: ReadOptions
    source: Source
    only: bool = False
    """Those pages alone, rather than all of the file."""
