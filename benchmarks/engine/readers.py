"""Our engine and the stock ones behind one call: bytes of an image in, lines out."""

from collections.abc import Callable
from importlib import import_module
from typing import Literal, get_args

from benchmarks.accuracy.polygons import shape
from benchmarks.accuracy.truth import Line
from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions

ReaderName = Literal["ours", "rapidocr", "rapidocr-onnxruntime"]
Reader = Callable[[bytes], tuple[Line, ...]]
"""The confident lines of an image, in the order in which the engine gives them."""

STOCK: tuple[ReaderName, ...] = get_args(ReaderName)[1:]


def open_reader(name: ReaderName, options: EngineOptions) -> Reader:
    """The engine of that name with its models loaded; stock engines run as they come, whatever the options.

    Raises ImportError when a stock engine is not installed, OcrError when ours cannot start.
    """
    if name == "ours":
        return _ours(options)
    return _rapidocr() if name == "rapidocr" else _rapidocr_onnxruntime()


def _ours(options: EngineOptions) -> Reader:
    engine = Engine(options)

    def read(image: bytes) -> tuple[Line, ...]:
        return tuple(
            Line(
                line.text,
                line.polygon,
                words=tuple(Line(word.text, word.polygon) for word in line.words),
                row=line.row,
            )
            for page in engine.recognise(image).pages
            for line in page.lines
            if not line.low_confidence
        )

    return read


def _rapidocr() -> Reader:
    engine = import_module("rapidocr").RapidOCR(params={"Global.log_level": "error"})

    def read(image: bytes) -> tuple[Line, ...]:
        found = engine(image)
        if found.txts is None:
            return ()
        return tuple(Line(text, shape(box.tolist())) for text, box in zip(found.txts, found.boxes, strict=True))

    return read


def _rapidocr_onnxruntime() -> Reader:
    engine = import_module("rapidocr_onnxruntime").RapidOCR()

    def read(image: bytes) -> tuple[Line, ...]:
        found, _ = engine(image)
        return tuple(Line(text, shape(box)) for box, text, *_ in found or ())

    return read
