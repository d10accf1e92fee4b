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
    from ocr_engine.engine import Engine


class DutyReport(Struct, frozen=True, kw_only=True):
    """A warmed worker's word that it is ready."""

    pid: int
    warm_up: OcrResult
    """What it read in the warm-up image."""
    notes: tuple[str, ...]
    """What the operator should know of its models."""


class WarmUpFailed(Exception):
    """The worker could not be prepared, or read nothing in the warm-up image."""


_engine: "Engine | None" = None
_documents: "DocumentCache | None" = None
_limits: EngineOptions | None = None
_fault = ""


def prepare(options: EngineOptions, address_space: int, writing: Connection) -> None:
    """Initialiser of the process: obeys only its parent, maps `address_space` bytes at most, loads the engine.

    `writing`: where its output goes, see Output.
    """
    global _engine, _documents, _limits, _fault
    redirect(writing)
    # a decoder that runs wild ends its job, not the machine
    resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
    # Ctrl-C and a service manager's TERM reach the whole group; only the parent decides what they mean
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, name="die-with-parent", daemon=True).start()
    warnings.simplefilter("ignore")
    try:
        # not at the top: the parent, which imports this module too, has no use for runtimes and models
        from ocr_engine.document.cache import DocumentCache
        from ocr_engine.engine import Engine

        _engine = Engine(options)
        _documents = DocumentCache(options)
        _limits = options
    except Exception as error:
        # raised here it would reach the parent as BrokenProcessPool with no reason; report_for_duty tells it
        _fault = f"{type(error).__name__}: {error}"


def report_for_duty(warm_up: bytes) -> DutyReport:
    """Recognises a real line, so that every model is loaded. Raises WarmUpFailed with the reason."""
    if _engine is None:
        raise WarmUpFailed(_fault)
    result = _engine.recognise(warm_up)
    if not result.text.strip():
        raise WarmUpFailed("nothing was read in the warm-up image")
    return DutyReport(pid=os.getpid(), warm_up=result, notes=_engine.notes)


def open_document(file: Path, options: ReadOptions) -> DocumentInfo:
    """What the file is. Raises OcrError."""
    _, documents = _prepared()
    return documents.get(file, options).info


def read_page(file: Path, number: int, options: ReadOptions) -> OcrResult:
    """One page, from 1, of the file, which stays open for the next one. Raises OcrError."""
    engine, documents = _prepared()
    return engine.read_page(documents.get(file, options), number, options)


def render_page(file: Path, number: int, options: ReadOptions, width: int) -> bytes:
    """A JPEG of the page, at most so many pixels wide. Raises OcrError."""
    from ocr_engine.document.picture import picture_of

    _, documents = _prepared()
    return picture_of(documents.get(file, options), number, width)


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


def _prepared() -> "tuple[Engine, DocumentCache]":
    if _engine is None or _documents is None:
        raise EngineError(_fault)
    return _engine, _documents


def read(image: bytes, options: ReadOptions) -> OcrResult:
    """The text of an image. Raises OcrError."""
    engine, _ = _prepared()
    return engine.recognise(image, options)


def _die_with_parent() -> None:
    # works where PR_SET_PDEATHSIG does not: that one fires when the *thread* ends which started the process
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
