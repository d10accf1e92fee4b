"""The tables of a document as CSV (RFC 4180), an empty line between two."""

import csv
import io
from collections.abc import Iterable, Iterator

from ocr_engine.formats.shared.grid import grid_of
from ocr_engine.formats.source import Source
from ocr_engine.result import OcrPage


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """Table by table; nothing where there is none."""
    first = True
    for page in pages:
        for block in page.blocks:
            if block.kind == "table":
                file = io.StringIO()
                csv.writer(file, lineterminator="\r\n").writerows(grid_of(block))
                yield ("" if first else "\r\n") + file.getvalue()
                first = False
