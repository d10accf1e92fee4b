"""Tables as img2table finds them, with and without rules, in the words that our engine reads: the bar for our own."""

import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.accuracy.truth import Cell, Read
from benchmarks.engine.readers import read_of
from ocr_engine.engine import Engine
from ocr_engine.formats import FORMATS, Source
from ocr_engine.options import EngineOptions

MIN_PER_CENT = 1
"""Per cent: what it is given was chosen by ours before."""


class Img2table:
    """Reads an image's tables with `borderless_tables=True`; its words come from our hOCR, as from Tesseract's."""

    def __init__(self, options: EngineOptions) -> None:
        """Raises ImportError where it is not installed, OcrError where our engine cannot start."""
        self._open: Callable[..., Any] = import_module("img2table.document").Image
        self._tesseract: type[Any] = import_module("img2table.ocr").TesseractOCR
        self._engine = Engine(options)

    def read(self, image: bytes) -> Read:
        """What our engine reads on its first page, and the tables that img2table finds there."""
        pages = self._engine.recognise(image).pages[:1]
        with tempfile.TemporaryDirectory(prefix="img2table-") as folder:
            file = Path(folder, "page")
            file.write_bytes(image)
            hocr = "".join(FORMATS["hocr"].write(iter(pages), Source()))
            found = self._open(str(file)).extract_tables(
                ocr=self._words(hocr), borderless_tables=True, min_confidence=MIN_PER_CENT
            )
        return msgspec.structs.replace(read_of(pages), tables=tuple(tuple(cells_of(table)) for table in found))

    def _words(self, hocr: str) -> Any:
        """Its Tesseract, that has been run already: to be made anew it would look for the program."""
        words = object.__new__(self._tesseract)
        words.n_threads, words.hocr = 1, lambda image: hocr
        return words


def cells_of(table: Any) -> Iterator[Cell]:
    """Each cell once: one over several rows or columns is told in each of them."""
    places: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    texts: dict[tuple[int, ...], str] = {}
    for number, cells in enumerate(table.content.values()):
        for position, cell in enumerate(cells):
            box = (cell.bbox.x1, cell.bbox.y1, cell.bbox.x2, cell.bbox.y2)
            places.setdefault(box, []).append((number, position))
            texts[box] = " ".join((cell.value or "").split())
    for cell_box, where in places.items():
        rows, columns = [row for row, _ in where], [column for _, column in where]
        if texts[cell_box]:
            row, column = min(rows), min(columns)
            yield Cell(row, column, texts[cell_box], max(rows) - row + 1, max(columns) - column + 1)
