"""`auto` settled: from what was chosen before, kept beside the graphs, or by a trial now."""

import fcntl
import hashlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

import msgspec

from ocr_engine.models import graphs
from ocr_engine.models.catalogue import FAMILIES
from ocr_engine.models.files import ModelFiles
from ocr_engine.models.runtime import trial
from ocr_engine.models.runtime.choice import RuntimeChoice, Trial, choose, worth_a_trial
from ocr_engine.options import EngineOptions

_EXTRA = "openvino"


def settled(
    options: EngineOptions, found: ModelFiles, tried: Callable[[EngineOptions], Trial] = trial.tried
) -> RuntimeChoice:
    """What reads where the options leave it open; `tried` replaces the trial. Processes that start together try once.

    It is tried only where it can be kept: else each start would cost a trial, and workers might choose otherwise.
    """
    processor = graphs.circumstances().processor
    in_integers = options.int8 and FAMILIES[options.model].in_integers and graphs.multiplies_integers(processor)
    if not options.optimised_graphs or not installed() or not worth_a_trial(processor, in_integers):
        return choose(None)
    path = graphs.folder(options.cache_dir) / f"runtime-{_key(options, found)}.choice"
    with _alone(path.parent):
        kept = _kept(path)
        if kept is not None:
            return kept
        if not os.access(path.parent, os.W_OK):
            return RuntimeChoice(reason=f"ONNX Runtime reads: {path.parent} cannot be written, where a trial is kept")
        choice = choose(tried(options))
        graphs.write(path, msgspec.json.encode(choice))
        return choice


def installed() -> bool:
    """Whether the extra is; nothing is imported."""
    return importlib.util.find_spec(_EXTRA) is not None


def _key(options: EngineOptions, found: ModelFiles) -> str:
    """All that a choice depends on: processor, versions, this source, models and how they run."""
    sources = sorted([*Path(__file__).parent.glob("*.py"), *Path(__file__).parents[1].glob("*session.py")])
    parts = (
        *msgspec.structs.astuple(graphs.circumstances()),
        _model_name(),
        metadata.version(_EXTRA),
        hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest(),
        *(file.sha256 for file in found),
        f"{options.int8} {options.threads}",
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _model_name() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line
    return ""


def _kept(path: Path) -> RuntimeChoice | None:
    content = graphs.trusted(path)
    if content is None:
        return None
    try:
        kept = msgspec.json.decode(content, type=RuntimeChoice)
    except msgspec.MsgspecError:
        return None
    with suppress(OSError):
        os.utime(path)  # used: see graphs.cache
    return kept


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Holds the folder against other processes that would try at the same time; in vain where it cannot be locked."""
    handle = -1
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if handle >= 0:
            os.close(handle)
