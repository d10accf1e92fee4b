"""What runs inside an OCR process: prepare, report for duty, read pages. Its state is this module's."""

import multiprocessing
import os
import resource
import signal
import threading
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from ocr_engine.errors import EngineError, ImageMissing
from ocr_engine.options import EngineOptions, ReadOptions
from ocr_engine.result import DocumentInfo, OcrResult
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.workers.output import redirect

if TYPE_CHECKING:
    from ocr_engine.document.cache import DocumentCache
    from ocr_engine.document.document import Document
    from ocr_engine.engine import Engine

NICENESS = 5
"""By which workers stand back behind the service where all cores are busy: it needs moments, they need seconds."""
READS_NOTHING = "this process has no models"


class DutyReport(Struct, frozen=True, kw_only=True):
    """A warmed worker's word that it is ready."""

    pid: int
    warm_up: OcrResult | None
    """What it read in the warm-up image; None of one that reads nothing."""
    notes: tuple[str, ...]
    """What the operator should know of its models."""
    backend: str
    """What runs its models; empty where there are none."""


class WarmUpFailed(Exception):
    """The worker could not be prepared, or read nothing in the warm-up image."""


_engine: "Engine | None" = None
_documents: "DocumentCache | None" = None
_limits: EngineOptions | None = None
_fault = ""


def prepare(options: EngineOptions, address_space: int, writing: Connection, reads: bool) -> None:
    """Initialiser of the process: obeys only its parent, maps `address_space` bytes at most, loads the engine.

    `writing`: where its output goes, see Output. `reads`: False of one that only opens, draws and writes files, for
    which it needs no models.
    """
    global _engine, _documents, _limits, _fault
    redirect(writing)
    os.nice(NICENESS)
    # a decoder that runs wild ends its job, not the machine
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    # a dump would hold documents and passwords
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Ctrl-C and a service manager's TERM reach the whole group; only the parent decides what they mean
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, name="die-with-parent", daemon=True).start()
    warnings.simplefilter("ignore")
    try:
        # not at the top: the parent, which imports this module too, has no use for runtimes and models
        from ocr_engine.document.cache import DocumentCache

        if reads:
            from ocr_engine.engine import Engine

            _engine = Engine(options)
        _documents = DocumentCache(options)
        _limits = options
    except Exception as error:
        # raised here it would reach the parent as BrokenProcessPool with no reason; report_for_duty tells it
        _fault = f"{type(error).__name__}: {error}"


def report_for_duty(warm_up: bytes) -> DutyReport:
    """Recognises a real line, so that every model is loaded; where there are none, nothing. Raises WarmUpFailed."""
    if _engine is None:
        if _fault or warm_up:
            raise WarmUpFailed(_fault or READS_NOTHING)
        return DutyReport(pid=os.getpid(), warm_up=None, notes=(), backend="")
    result = _engine.recognise(warm_up)
    if not result.text.strip():
        raise WarmUpFailed("nothing was read in the warm-up image")
    return DutyReport(pid=os.getpid(), warm_up=result, notes=_engine.notes, backend=_engine.runtime)


def open_document(file: Path, options: ReadOptions) -> DocumentInfo:
    """What the file is. Raises OcrError."""
    return _opened(file, options).info


def read_page(file: Path, number: int, options: ReadOptions) -> OcrResult:
    """One page, from 1, of the file, which stays open for the next one. Raises OcrError."""
    return _reading().read_page(_opened(file, options), number, options)


def render_page(file: Path, number: int, options: ReadOptions, width: int) -> bytes:
    """A JPEG of the page, at most so many pixels wide. Raises OcrError."""
    from ocr_engine.document.picture import picture_of

    return picture_of(_opened(file, options), number, width)


def write_searchable_pdf(order: PdfOrder) -> None:
    """Writes the file with what was read of it. Raises OcrError."""
    from ocr_engine.searchable.writing import write_searchable_pdf as write

    if _limits is None:
        raise EngineError(_fault)
    try:
        write(order, _limits)
    except FileNotFoundError as error:
        raise ImageMissing(f"the file cannot be read: {error.strerror}") from error


def forget_document(file: Path) -> None:
    """The file will not be asked for any more: lets go of it."""
    if _documents is not None:
        _documents.forget(file)


def _opened(file: Path, options: ReadOptions) -> "Document":
    if _documents is None:
        raise EngineError(_fault)
    return _documents.get(file, options)


def _reading() -> "Engine":
    if _engine is None:
        raise EngineError(_fault or READS_NOTHING)
    return _engine


def read(image: bytes, options: ReadOptions) -> OcrResult:
    """The text of an image. Raises OcrError."""
    return _reading().recognise(image, options)


def _die_with_parent() -> None:
    # works where PR_SET_PDEATHSIG does not: that one fires when the *thread* ends which started the process
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
