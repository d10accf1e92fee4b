"""Our engine and the stock ones behind one call: bytes of an image in, what is read there out."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Literal, get_args

import msgspec

from benchmarks.accuracy.polygons import shape
from benchmarks.accuracy.truth import Cell, Line, Read, Table
from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions
from ocr_engine.result import OcrBlock, OcrLine, OcrPage

ReaderName = Literal["ours", "ours-float32", "rapidocr", "rapidocr-onnxruntime"]
Reader = Callable[[bytes], Read]
"""The confident text of an image."""

FLOAT32: ReaderName = "ours-float32"
"""Ours without 8-bit integers, for those who ask what these change."""
STOCK: tuple[ReaderName, ...] = get_args(ReaderName)[2:]


def open_reader(name: ReaderName, options: EngineOptions) -> Reader:
    """The engine of that name with its models loaded; stock engines run as they come, whatever the options.

    Raises ImportError when a stock engine is not installed, OcrError when ours cannot start.
    """
    if name in ("ours", FLOAT32):
        return _ours(options_of(name, options))
    return _rapidocr() if name == "rapidocr" else _rapidocr_onnxruntime()


def options_of(name: ReaderName, options: EngineOptions) -> EngineOptions:
    """Those of our engine under that name."""
    return msgspec.structs.replace(options, int8=False) if name == FLOAT32 else options


def _ours(options: EngineOptions) -> Reader:
    engine = Engine(options)

    return lambda image: read_of(engine.recognise(image).pages)


def read_of(pages: Sequence[OcrPage]) -> Read:
    """The confident lines of these pages, and their tables."""
    lines = tuple(_line(line) for page in pages for line in page.lines if not line.low_confidence)
    return Read(lines, tuple(_table(block) for page in pages for block in page.blocks if block.kind == "table"))


def _line(line: OcrLine) -> Line:
    words = tuple(Line(word.text, word.polygon) for word in line.words)
    return Line(line.text, line.polygon, words, line.row)


def _table(block: OcrBlock) -> Table:
    return tuple(Cell(cell.row, cell.column, cell.text, cell.row_span, cell.column_span) for cell in block.cells)


def _rapidocr() -> Reader:
    engine = import_module("rapidocr").RapidOCR(params={"Global.log_level": "error"})

    def read(image: bytes) -> Read:
        found = engine(image)
        if found.txts is None:
            return Read()
        boxed = zip(found.txts, found.boxes, strict=True)
        return Read(tuple(Line(text, shape(box.tolist())) for text, box in boxed))

    return read


def _rapidocr_onnxruntime() -> Reader:
    engine = import_module("rapidocr_onnxruntime").RapidOCR()

    def read(image: bytes) -> Read:
        found, _ = engine(image)
        return Read(tuple(Line(text, shape(box)) for box, text, *_ in found or ()))

    return read
