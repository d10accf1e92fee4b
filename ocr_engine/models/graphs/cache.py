"""Optimised graphs on disk. What is found there is used only whole and only where it was made for."""

import hashlib
import os
import platform
import tempfile
from functools import cache
from pathlib import Path

import msgspec
import onnxruntime
from msgspec import Struct

from ocr_engine.models.files import ModelFile

_DIGEST = 32


class Prepared(Struct, frozen=True):
    """What became of optimising a model."""

    model: bytes = b""
    """The optimised model, to be run as it is; a detector for batches of one. Empty where the original has to serve."""
    fault: str = ""
    """Why the original has to serve."""


def prepare(model: ModelFile, cache_dir: str) -> Prepared:
    """The model's optimised graph: from the cache, or made now and put there if it can be written.

    Several processes may do so at once: what appears under a name is always whole. `cache_dir` empty: the user's own.
    """
    path = _folder(cache_dir) / f"{model.role}-{_key(model)}.graph"
    found = _read(path)
    if found is not None:
        return found
    made = _make(model)
    _write(path, made)
    return made


def _folder(cache_dir: str) -> Path:
    if cache_dir:
        return Path(cache_dir)
    try:
        return Path.home() / ".cache" / "smart-queue-ocr"
    except RuntimeError:
        # a user without a home
        return Path(tempfile.gettempdir()) / f"smart-queue-ocr-{os.getuid()}"


def _key(model: ModelFile) -> str:
    """A hash of all that the graph depends on."""
    parts = (model.sha256, onnxruntime.__version__, _optimiser(), platform.machine(), _processor())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


@cache
def _optimiser() -> str:
    """A hash of this package's own source: whatever changes here makes new graphs."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@cache
def _processor() -> str:
    """What instructions the processor has; the width of its vectors is the width of the blocks."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _make(model: ModelFile) -> Prepared:
    try:
        # not at the top: a process that finds its graphs in the cache never needs the package onnx
        from ocr_engine.models.graphs.build import build

        return Prepared(model=build(model))
    except Exception as error:  # whatever a model has that was not foreseen, the original runs it
        return Prepared(fault=f"{type(error).__name__}: {error}")


def _read(path: Path) -> Prepared | None:
    """What the file holds; None where there is none or it is damaged."""
    try:
        content = path.read_bytes()
        # a folder that another user may write to could hand us a model of theirs
        trusted = path.stat().st_uid in (os.getuid(), 0)
    except OSError:
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    if not trusted or hashlib.sha256(payload).digest() != digest:
        return None
    try:
        return msgspec.msgpack.decode(payload, type=Prepared)
    except msgspec.DecodeError:
        return None


def _write(path: Path, prepared: Prepared) -> None:
    payload = msgspec.msgpack.encode(prepared)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    except OSError:
        # no place to keep it: it is made anew at the next start
        return
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
