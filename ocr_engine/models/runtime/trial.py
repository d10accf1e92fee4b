"""A trial of both runtimes on one page and some lines, in a process of its own, with which their memory goes."""

import multiprocessing
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import TEXT_PROBABILITY
from ocr_engine.errors import EngineError
from ocr_engine.models import files
from ocr_engine.models.graphs.trial_lines import drawn, equal_readings
from ocr_engine.models.runtime.choice import Trial
from ocr_engine.models.session import LineSession, Session, open_quantised, open_session
from ocr_engine.options import EngineOptions

LONGEST_SECONDS = 60.0
"""Of a trial, its graphs made included: some 10 s of the CPU, of which the runs themselves are 3."""
ROUNDS = 3
"""Each runtime's best counts."""
READ_EXACTLY = 8
"""Every so many lines one is read exactly, too, as those are of which the first reading is in doubt."""
_PAGE = (1, 3, 960, 704)


Comparing = Callable[[EngineOptions], Trial]


class _Sessions(Struct, frozen=True):
    look: Session
    quick: LineSession
    exact: LineSession


def compare(options: EngineOptions) -> Trial:
    """Both runtimes, as the options have them, in turns. Raises EngineError."""
    usual, other = _opened(options, "onnxruntime"), _opened(options, "openvino")
    page, lines = _page(), drawn()
    seconds: dict[str, list[float]] = {"usual": [], "other": []}
    for _ in range(ROUNDS):
        seconds["usual"].append(_seconds(lambda: _read(usual, page, lines)))
        seconds["other"].append(_seconds(lambda: _read(other, page, lines)))
    found = [sessions.look.run(page) > TEXT_PROBABILITY for sessions in (usual, other)]
    alike = min(equal_readings(usual.exact.run, other.quick.run), float((found[0] == found[1]).mean()))
    return Trial(onnxruntime=min(seconds["usual"]), openvino=min(seconds["other"]), alike=alike)


def tried(options: EngineOptions, comparing: Comparing = compare) -> Trial:
    """The trial, whatever becomes of its process, which imports `comparing`."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(options, comparing, sending), name="runtime-trial", daemon=True)
    process.start()
    sending.close()
    try:
        if not receiving.poll(LONGEST_SECONDS):
            return Trial(fault=f"it took more than {LONGEST_SECONDS:g} s")
        return msgspec.convert(receiving.recv(), Trial)
    except EOFError:
        process.join(1)
        return Trial(fault=f"its process died with code {process.exitcode}")
    finally:
        process.kill()
        process.join()
        receiving.close()


def _send(options: EngineOptions, comparing: Comparing, sending: Connection) -> None:
    try:
        trial = comparing(options)
    except Exception as error:  # whatever it is, it is reason enough not to choose it
        trial = Trial(fault=f"{type(error).__name__}: {error}")
    sending.send(msgspec.to_builtins(trial))


def _opened(options: EngineOptions, backend: str) -> _Sessions:
    options = msgspec.structs.replace(options, backend=backend)
    found = files.find(options)
    exact = open_session(found.recognition, options)
    quick = None
    with suppress(EngineError):  # as where models are loaded to read
        quick = open_quantised(found.recognition, options)
    return _Sessions(open_session(found.detection, options), quick or exact, exact)


def _read(sessions: _Sessions, page: NDArray[np.float32], lines: list[NDArray[np.float32]]) -> None:
    sessions.look.run(page)
    for number, line in enumerate(lines):
        sessions.quick.lines(line)
        if number % READ_EXACTLY == 0:
            sessions.exact.lines(line)


def _seconds(work: Callable[[], None]) -> float:
    # of this process on the CPU: others may be at work beside it
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _page() -> NDArray[np.float32]:
    """(1, 3, H, W) in -1 to 1: the trial lines below each other on light paper."""
    page = np.full(_PAGE, 0.9, np.float32)
    for i, line in enumerate(drawn()[:: len(drawn()) // 14][:14]):
        page[:, :, 40 + 64 * i : 88 + 64 * i, 32:672] = line
    return page
