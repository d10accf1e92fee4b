"""The wall clock that jobs are stamped with, and its moments after somebody has set it; tests pass others."""

import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

JUMP_SECONDS = 1.0
"""From here on a difference to the steady clock is one that somebody made: both are slewed alike."""
MAX_JUMPS = 16
"""The latest that are remembered."""
# unlike the monotonic clock it goes on while the machine sleeps, where there is one
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class WallClock:
    """Tells the moment, and notices when the clock was set. Whatever was told before can be restated as it goes now."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = lambda: time.clock_gettime(_STEADY),
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._lock = threading.Lock()  # threads of stores ask, too
        self._jumps: deque[tuple[datetime, timedelta]] = deque(maxlen=MAX_JUMPS)
        """What the clock would have told when the jump was noticed, and by how much it tells more since."""

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        with self._lock:
            wall, steady = self._wall(), self._steady()
            jump = wall - steady - self._offset
            if abs(jump) > JUMP_SECONDS:
                self._jumps.append((_moment(steady + self._offset), timedelta(seconds=jump)))
                self._offset += jump
            return _moment(wall)

    def restated(self, moment: datetime) -> datetime:
        """A moment from before a jump, as the clock would have told it going as now; others as they are.

        After a forward jump: what lies before or within the gap. After a backward one: what is yet to come.
        """
        now = self.now()
        for before, jump in tuple(self._jumps):
            if moment < before + jump if jump > timedelta() else moment > now:
                moment += jump
        return moment


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_clock = WallClock()
now, restated = _clock.now, _clock.restated
