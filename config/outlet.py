"""Where log lines leave the process: written by a thread of their own, so that who reads them can hold up nobody."""

import contextlib
import io
import os
import select
import stat
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

from msgspec import Struct


class OutletLimits(Struct, frozen=True, kw_only=True):
    """How long and how much is waited for who reads."""

    waiting_characters: int = 4_000_000
    """Of lines not written yet, because nobody reads the pipe or the disk is slow; later lines are dropped."""
    last_lines_seconds: float = 2.0
    """How long the end of the process waits for the lines before it."""


class Outlet:
    """A stream for lines whose `write` never waits. Lines that find no room are counted, and the count is told.

    A line for a pipe that has room is written at once: to wake the thread for it would cost many times as much.
    """

    def __init__(self, stream: TextIO, dropped: Callable[[int], str], limits: OutletLimits = OutletLimits()) -> None:
        """`dropped` makes the line that tells how many are missing at its place."""
        self._stream = stream
        self._dropped_line = dropped
        self._limits = limits
        self._changed = threading.Condition()
        self._lines: deque[str] = deque()
        self._waiting = 0
        self._dropped = 0
        self._stopping = False
        self._pipe = _never_waiting(stream)
        # daemon: a line that nobody reads must not keep the process from its end
        self._thread = threading.Thread(target=self._write_on, name="log", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Leaves the line to the thread, or drops it where too many wait."""
        with self._changed:
            if self._dropped or self._waiting + len(line) > self._limits.waiting_characters:
                self._dropped += 1
                return
            if not self._waiting and self._written(line.encode(errors="backslashreplace")):
                return
            self._lines.append(line)
            self._waiting += len(line)
            self._changed.notify()

    def isatty(self) -> bool:
        """Is somebody looking at it?"""
        return self._stream.isatty()

    def stop(self) -> None:
        """Returns when everything is written, or `last_lines_seconds` later. Called by loguru at the end."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
            if self._pipe is not None:
                os.close(self._pipe)
                self._pipe = None
        self._thread.join(self._limits.last_lines_seconds)

    def _written(self, line: bytes) -> bool:
        """Whether the pipe took the line, all of it, without a wait."""
        if self._pipe is None or len(line) > select.PIPE_BUF:  # up to which POSIX lets a pipe take all or nothing
            return False
        try:
            return os.write(self._pipe, line) == len(line)
        except OSError:
            return False  # full, or broken: left to the thread

    def _write_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._dropped or self._stopping)
                if not self._lines and not self._dropped:
                    return
                text = "".join(self._lines)
                self._lines.clear()
                if self._dropped and not text:
                    # what came before them is out: the place where they are missing is here
                    text = self._dropped_line(self._dropped)
                    self._dropped = 0
            with contextlib.suppress(OSError, ValueError):  # nobody will ever read it: the pipe is broken, or closed
                self._write_all(text)
            with self._changed:
                self._waiting = sum(map(len, self._lines))

    def _write_all(self, text: str) -> None:
        try:
            descriptor = self._stream.fileno()
        except (io.UnsupportedOperation, ValueError):
            self._stream.write(text)
            return
        # past the stream's own buffer, whose lock would hold up the end of the process
        rest = memoryview(text.encode(errors="backslashreplace"))
        while rest:
            try:
                rest = rest[os.write(descriptor, rest) :]
            except BlockingIOError:
                select.select([], [descriptor], [])


def _never_waiting(stream: TextIO) -> int | None:
    """A descriptor of the stream's pipe that never waits; None where it is no pipe, or cannot be opened once more.

    Opened anew: O_NONBLOCK on the stream's own one would hold for all processes that share it.
    """
    try:
        descriptor = stream.fileno()
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return None
        return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK)
    except (OSError, ValueError):  # io.UnsupportedOperation is both
        return None
