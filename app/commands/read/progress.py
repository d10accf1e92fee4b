"""How far a run is: a line on the terminal that is written over and over, and complaints that stay."""

import os
import sys
import time
from collections.abc import Callable
from typing import TextIO

REDRAWN_SECONDS = 0.1
"""Between two looks of the line, at least."""
BAR_CELLS = 24
CLEAR = "\r\x1b[K"


class Progress:
    """Of `files`; a line only where `terminal` is one."""

    def __init__(
        self,
        files: int,
        terminal: TextIO | None = None,
        *,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._files = files
        self._terminal = terminal or sys.stderr
        self._draws = not quiet and self._terminal.isatty()
        self._clock = clock
        self._begun = self._drawn_at = clock()
        self._under_way: dict[str, tuple[int, int]] = {}
        self._is_drawn = False
        self.read = self.there = self.failed = self.pages = 0

    def told(self, name: str, done: int, total: int) -> None:
        """So many pages of a file are through."""
        before, _ = self._under_way.get(name, (0, 0))
        self.pages += done - before
        self._under_way[name] = (done, total)
        self._draw()

    def ended(self, name: str, outcome: str) -> None:
        """A file is `read`, `there` or `failed`."""
        self._under_way.pop(name, None)
        setattr(self, outcome, getattr(self, outcome) + 1)
        self._draw()

    def complain(self, why: str) -> None:
        """One line on stderr."""
        self.hide()
        print(f"smart-queue-ocr: {_one_line(why)}", file=self._terminal, flush=True)

    def hide(self) -> None:
        """Takes the line away, before something else is written."""
        if self._is_drawn:
            print(CLEAR, end="", file=self._terminal, flush=True)
            self._is_drawn = False

    def finish(self) -> None:
        """Takes the line away, and says in one what was done."""
        self.hide()
        if self._draws and self._files > 1:
            told = [f"{self.read} read ({self.pages} pages)"]
            told += [f"{self.there} were there"] if self.there else []
            told += [f"{self.failed} failed"] if self.failed else []
            print(", ".join(told), file=self._terminal, flush=True)

    def _draw(self) -> None:
        if not self._draws or self._clock() - self._drawn_at < REDRAWN_SECONDS:
            return
        self._drawn_at, self._is_drawn = self._clock(), True
        line = self.line()[: max(20, _columns(self._terminal) - 1)]
        print(CLEAR + line, end="", file=self._terminal, flush=True)

    def line(self) -> str:
        """Share, files, pages, time left, and the file that is furthest behind."""
        through = self.read + self.there + self.failed
        share = (through + sum(done / total for done, total in self._under_way.values() if total)) / max(1, self._files)
        filled = round(BAR_CELLS * share)
        parts = [f"[{'#' * filled}{'-' * (BAR_CELLS - filled)}] {share:4.0%}"]
        parts += [f"{through}/{self._files} files"] if self._files > 1 else []
        parts.append(f"{self.pages} pages")
        worked = share - self.there / max(1, self._files)  # what was there took no time
        if worked > 0 and share < 1:
            left = (self._clock() - self._begun) * (1 - share) / worked
            parts.append(f"{int(left) // 60}:{int(left) % 60:02} left")
        parts += [f"{_one_line(name)} {done}/{total}" for name, (done, total) in list(self._under_way.items())[:1]]
        return "  ".join(parts)


def _one_line(text: str) -> str:
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _columns(terminal: TextIO) -> int:
    try:
        return os.get_terminal_size(terminal.fileno()).columns or 80
    except (OSError, ValueError):
        return 80
