"""An engine in a process of its own: paths of images in, times and memory out, a line of JSON each."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from benchmarks.engine.readers import FLOAT32, ReaderName, open_reader, options_of
from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions
from ocr_engine.result import OcrTimings


class Failed(Exception):
    """An engine's process could not start, or died."""


class Answer(Struct, frozen=True, kw_only=True):
    """What reading one image took."""

    seconds: float
    peak_memory: int
    """Bytes resident at most since the process began."""
    resident: int = 0
    """Bytes resident now."""
    error: str = ""
    stages: OcrTimings | None = None
    """Ours only."""


Told = TypeVar("Told")


class ChildProcess(Generic[Told]):
    """Starts a module with the name of an engine and the options of ours; `close` ends it. Raises Failed."""

    def __init__(self, name: str, options: EngineOptions, module: str, answer: type[Told]) -> None:
        self.name = name
        self._answer = answer
        command = [sys.executable, "-m", module, name, msgspec.json.encode(options).decode()]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._line()

    def read(self, image: Path) -> Told:
        """Has the engine read an image."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{image}\n".encode())
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise Failed(f"{self.name} died") from error
        return msgspec.json.decode(self._line(), type=self._answer)

    def close(self) -> None:
        """Ends the process. Twice is harmless."""
        self._process.communicate()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            _, fault = self._process.communicate()
            raise Failed(f"{self.name}: {fault.decode().strip().rpartition(chr(10))[2]}")
        return line


class EngineProcess(ChildProcess[Answer]):
    """An engine that reads images."""

    def __init__(self, name: ReaderName, options: EngineOptions) -> None:
        super().__init__(name, options, "benchmarks.engine.process", Answer)


def serve(name: ReaderName, options: EngineOptions) -> None:
    """The child: loads the engine, says so, and reads images until there are no more."""
    engine = Engine(options_of(name, options)) if name in ("ours", FLOAT32) else None
    reader = None if engine else open_reader(name, options)
    print("ready", flush=True)
    for line in sys.stdin:
        image = Path(line.strip()).read_bytes()
        error, stages = "", None
        begun = time.perf_counter()
        try:
            if engine:
                stages = engine.recognise(image).timings
            elif reader:
                reader(image)
        except Exception as problem:  # whatever a stock engine raises is its result
            error = f"{type(problem).__name__}: {problem}"
        seconds = time.perf_counter() - begun
        resident, peak = memory()
        answer = Answer(seconds=seconds, peak_memory=peak, resident=resident, error=error, stages=stages)
        print(msgspec.json.encode(answer).decode(), flush=True)


def memory() -> tuple[int, int]:
    """Bytes that this process has resident now, and had at most.

    Not getrusage: its maximum begins with that of the process which started this one.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    sizes = {name: value for name, _, value in (line.partition(":") for line in lines)}
    now, most = (1024 * int(sizes[name].split()[0]) for name in ("VmRSS", "VmHWM"))
    return now, most


if __name__ == "__main__":
    serve(msgspec.convert(sys.argv[1], ReaderName), msgspec.json.decode(sys.argv[2], type=EngineOptions))
