"""What an OCR process writes to stdout and stderr, as libraries do in trouble: heard, rather than mixed into ours."""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection

MESSAGE_PAUSE_SECONDS = 1.0
"""Between two messages of one process: a library may complain of every row of an image."""
MAX_MESSAGE_CHARACTERS = 2000
"""Of one message."""
PIPE_BYTES = 65_536


class Output:
    """A pipe that never holds the process up: what nobody has read when it is full is dropped."""

    def __init__(self, heard: Callable[[str], None]) -> None:
        """`heard` is given the text bit by bit, blanks around it stripped."""
        self._heard = heard
        self._reading, self.writing = multiprocessing.Pipe(duplex=False)
        """`writing` is for the process, which passes it to `redirect`."""
        for end in (self._reading, self.writing):
            os.set_blocking(end.fileno(), False)
        self._pause: asyncio.TimerHandle | None = None

    def listen(self) -> None:
        """To be called when the process was given its end of the pipe."""
        self.writing.close()
        asyncio.get_running_loop().add_reader(self._reading.fileno(), self._listen)

    def close(self) -> None:
        """Hears what is left. Twice is harmless."""
        if self._reading.closed:
            return
        if self._pause is not None:
            self._pause.cancel()
        asyncio.get_running_loop().remove_reader(self._reading.fileno())
        self._hear()
        self._reading.close()
        self.writing.close()

    def _listen(self) -> None:
        loop, reading = asyncio.get_running_loop(), self._reading.fileno()
        loop.remove_reader(reading)
        if self._hear():
            self._pause = loop.call_later(MESSAGE_PAUSE_SECONDS, loop.add_reader, reading, self._listen)

    def _hear(self) -> bool:
        """False where the process has closed its end."""
        try:
            data = os.read(self._reading.fileno(), PIPE_BYTES)
        except BlockingIOError:
            return True
        text = data.decode(errors="replace").strip()
        if len(text) > MAX_MESSAGE_CHARACTERS:
            text = f"{text[:MAX_MESSAGE_CHARACTERS]} … and {len(text) - MAX_MESSAGE_CHARACTERS} characters more"
        if text:
            self._heard(text)
        return bool(data)


def redirect(writing: Connection) -> None:
    """In the process: whatever is written to stdout and stderr from now on goes there."""
    for file in (1, 2):
        os.dup2(writing.fileno(), file)
    writing.close()
