"""Optimised graphs on disk. What is found there is used only whole and only where it was made for."""

import hashlib
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec
import onnxruntime
from msgspec import Struct

from ocr_engine.models.files import ModelFile

UNUSED_SECONDS = 90 * 24 * 3600.0
"""After which a graph goes: each version of this program, of ONNX Runtime and of a model leaves some 30 MB behind."""
_DIGEST = 32
_NAME = re.compile(r"[a-z]+-[0-9a-f]{32}\.(graph|int8|plain|choice)")
_DOT_PRODUCTS = frozenset({"avx512_vnni", "avx_vnni", "asimddp"})


class Prepared(Struct, frozen=True):
    """What became of optimising a model."""

    model: bytes = b""
    """The optimised model, to be run as it is; a detector for batches of one. Empty where the original has to serve."""
    weights: str = ""
    """Path of the file that holds its weights; empty where it holds them itself."""
    weights_sha256: str = ""
    fault: str = ""
    """Why the original has to serve."""


class Circumstances(Struct, frozen=True):
    """All that an optimised graph depends on, beside the model."""

    optimiser: str
    """A hash of this package's own source: whatever changes here makes new graphs."""
    runtime: str
    machine: str
    processor: str
    """What instructions it has; the width of its vectors is the width of the blocks."""


def prepare(model: ModelFile, cache_dir: str) -> Prepared:
    """The model's optimised graph, from the cache in that folder; `cache_dir` empty: the user's own."""
    return GraphCache(folder(cache_dir), circumstances()).prepare(model)


def prepare_quantised(model: ModelFile, cache_dir: str) -> Prepared:
    """The graph of a recogniser that computes in 8-bit integers, as `prepare`."""
    return GraphCache(folder(cache_dir), circumstances(), build_quantised_graph, "int8").prepare(model)


def prepare_plain(model: ModelFile, cache_dir: str) -> Prepared:
    """The graph for other runtimes than ONNX Runtime: rewritten, in no layout of its own, its weights inside."""
    return GraphCache(folder(cache_dir), circumstances(), build_plain_graph, "plain", beside=False).prepare(model)


def multiplies_integers(processor: str) -> bool:
    """Whether a processor with these flags multiplies and adds 8-bit integers four at a time; else they win nothing.

    Those of x86 by AVX-512 VNNI or AVX-VNNI, those of ARM by the dot products of ARMv8.2, as Linux names them.
    """
    return bool(_DOT_PRODUCTS.intersection(processor.split()))


@cache
def circumstances() -> Circumstances:
    """Those of this process."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    optimiser = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return Circumstances(optimiser, onnxruntime.__version__, platform.machine(), _processor())


def build_graph(model: ModelFile) -> bytes:
    """See build.build."""
    # not at the top: a process that finds its graphs in the cache never needs the package onnx
    from ocr_engine.models.graphs.build import build

    return build(model)


def build_quantised_graph(model: ModelFile) -> bytes:
    """See build.build_quantised."""
    from ocr_engine.models.graphs.build import build_quantised

    return build_quantised(model)


def build_plain_graph(model: ModelFile) -> bytes:
    """See build.build; channels in blocks of one are in no blocks, and all classes are asked for every row."""
    from ocr_engine.models.graphs.build import build

    return build(model, block=1, whole=True)


class GraphCache:
    """Optimised graphs in a folder, made where they are missing."""

    def __init__(
        self,
        folder: Path,
        circumstances: Circumstances,
        build: Callable[[ModelFile], bytes] = build_graph,
        kind: str = "graph",
        *,
        beside: bool = True,
    ) -> None:
        """`build` gives the optimised graph of a model, or raises what it likes; `kind` ends its file's name.

        `beside`: its weights go into a file of their own.
        """
        self._folder = folder
        self._circumstances = circumstances
        self._build = build
        self._kind = kind
        self._beside = beside

    def prepare(self, model: ModelFile) -> Prepared:
        """The model's graph: what is kept, or made now and kept if it can be written.

        Several processes may do so at once: what appears under a name is always whole.
        """
        path = self._folder / f"{model.role}-{self._key(model)}.{self._kind}"
        found = _read(path)
        if found is not None:
            _mark_used(path)
            return found
        made = self._make(model)
        kept = _with_weights_beside(path, made) if made.model and self._beside else None
        write(path, _packed(kept or made))
        _remove_unused(self._folder)
        return kept or made

    def _key(self, model: ModelFile) -> str:
        parts = (model.sha256, *map(str, model.common), *msgspec.structs.astuple(self._circumstances))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def _make(self, model: ModelFile) -> Prepared:
        try:
            return Prepared(model=self._build(model))
        except Exception as error:  # whatever a model has that was not foreseen, the original runs it
            return Prepared(fault=f"{type(error).__name__}: {error}")


def folder(cache_dir: str) -> Path:
    """Where graphs are kept; `cache_dir` empty: the user's own cache."""
    if cache_dir:
        return Path(cache_dir)
    try:
        return Path.home() / ".cache" / "smart-queue-ocr"
    except RuntimeError:
        # a user without a home
        return Path(tempfile.gettempdir()) / f"smart-queue-ocr-{os.getuid()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def _read(path: Path) -> Prepared | None:
    """What the file holds; None where there is none or it is damaged, or the file of its weights is."""
    content = trusted(path)
    if content is None:
        return None
    digest, payload = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(payload).digest() != digest:
        return None
    try:
        found = msgspec.msgpack.decode(payload, type=Prepared)
    except msgspec.DecodeError:
        return None
    if found.weights_sha256:
        found = msgspec.structs.replace(found, weights=str(_beside(path)))
        weights = trusted(_beside(path))
        if weights is None or hashlib.sha256(weights).hexdigest() != found.weights_sha256:
            return None
    return found


def trusted(path: Path) -> bytes | None:
    """What is in the file; None where there is none, or another user's: they could hand us a model of theirs."""
    try:
        content = path.read_bytes()
        return content if path.stat().st_uid in (os.getuid(), 0) else None
    except OSError:
        return None


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.weights")


def _with_weights_beside(path: Path, made: Prepared) -> Prepared | None:
    """The same with its weights in a file of their own; None where that cannot be written, or the model be read."""
    # not at the top: see build_graph
    from ocr_engine.models.graphs.weights import outside

    weights = _beside(path)
    try:
        model, content = outside(made.model, weights.name)
    except Exception:  # protobuf's own; what the builder gave is opened as it is, or not
        return None
    if not write(weights, content):
        return None
    return Prepared(model=model, weights=str(weights), weights_sha256=hashlib.sha256(content).hexdigest())


def _packed(prepared: Prepared) -> bytes:
    payload = msgspec.msgpack.encode(msgspec.structs.replace(prepared, weights=""))
    return hashlib.sha256(payload).digest() + payload


def _mark_used(path: Path) -> None:
    for file in (path, _beside(path)):
        with suppress(OSError):  # there are no weights beside it, or the folder is read only
            os.utime(file)


def _remove_unused(folder: Path) -> None:
    """Removes graphs that no process has opened for long, and what one that was killed left half written."""
    with suppress(OSError):
        for file in folder.iterdir():
            if _NAME.match(file.name) and file.stat().st_mtime < time.time() - UNUSED_SECONDS:
                file.unlink(missing_ok=True)


def write(path: Path, content: bytes) -> bool:
    """Puts a file in its place, whole; False where that cannot be: it is made anew at the next start."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        return False
    return True
