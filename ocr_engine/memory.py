"""Whose fault a failure is where memory is short: never the file's."""

import ctypes
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from ocr_engine.errors import EngineError, InvalidDocument, InvalidImage, OcrError, OutOfMemory

BYTES_A_PIXEL = 9
"""What a page takes at the peak of its decoding, by the kind that takes most; see `image/pixels.py`."""


@contextmanager
def short_memory_told(max_pixels: int) -> Iterator[None]:
    """Around work on a file whose pages may have so many pixels. Raises OcrError only: others become EngineError.

    OutOfMemory stands for every failure that less memory than such a page may need could explain: decoders call a
    sound file damaged when they are given no memory.
    """
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory(_short(room())) from error
    except OcrError as error:
        if type(error) in (InvalidImage, InvalidDocument, EngineError):
            _require_room(max_pixels, error)
        raise
    except Exception as error:
        _require_room(max_pixels, error)
        raise EngineError(f"{type(error).__name__}: {error}") from error


def room() -> int:
    """Bytes that this process may still map."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit - int(psutil.Process().memory_info().vms)


def trim() -> None:
    """Gives freed memory back to the system, where the C library keeps it for itself: glibc's does."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


def _require_room(max_pixels: int, error: Exception) -> None:
    left = room()
    if left < max_pixels * BYTES_A_PIXEL:
        raise OutOfMemory(_short(left)) from error


def _short(left: int) -> str:
    return f"the OCR process may map only {max(0, left) // 1_000_000} MB more, which is too little for this page"
