"""A throttle for log lines: one and the same trouble is told now and then, not each time that it is met."""

import time

SILENT_SECONDS = 60.0
"""After a line about a trouble that lasts, until the next one about it."""


class LogThrottle:
    """Asked each time whether it is time to say it again."""

    def __init__(self) -> None:
        self._said = -SILENT_SECONDS

    def due(self) -> bool:
        """True at first, and when SILENT_SECONDS have gone by since it was last true."""
        now = time.monotonic()
        if now - self._said < SILENT_SECONDS:
            return False
        self._said = now
        return True
