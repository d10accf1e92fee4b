"""What the run is doing, on stderr: one line that is overwritten on a terminal, a line for each step elsewhere."""

import sys
import time


class Progress:
    """Steps of a run, each with a count of jobs."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._step = ""
        self._count = 0
        self._total: int | None = None
        self._live = sys.stderr.isatty()

    def step(self, name: str, total: int | None = None) -> None:
        """Begins a step of so many jobs; None: not known."""
        self.end()
        self._step, self._total, self._count = name, total, 0
        if self._live:
            self._draw()
        else:
            print(self._line(), file=sys.stderr, flush=True)

    def advance(self) -> None:
        """One job more."""
        self._count += 1
        if self._live:
            self._draw()

    def end(self) -> None:
        """Ends the step."""
        if self._step and self._live:
            print(file=sys.stderr, flush=True)
        self._step = ""

    def _line(self) -> str:
        total = f"/{self._total}" if self._total else ""
        count = f" {self._count}{total}" if self._live and (self._count or total) else ""
        return f"[{time.monotonic() - self._begun:6.1f} s] {self._step}{count}"

    def _draw(self) -> None:
        print(f"\r\033[K{self._line()}", end="", file=sys.stderr, flush=True)
