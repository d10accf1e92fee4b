"""A clock that is set while jobs wait makes their waits neither longer nor shorter."""

from datetime import timedelta

import pytest

from app.clock import WallClock


class Machine:
    """Whose clock a test sets."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_790_000_000.0, 500.0
        self.clock = WallClock(lambda: self.wall, lambda: self.steady)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.mark.parametrize("jump", [86_400.0, -86_400.0, 2.0])
def test_a_wait_is_as_long_as_it_was_whatever_the_clock_was_set_to(jump: float) -> None:
    machine = Machine()
    due = machine.clock.now()
    machine.passes(3.0)
    machine.wall += jump
    machine.passes(1.0)
    now = machine.clock.now()
    assert now - machine.clock.restated(due) == timedelta(seconds=4)
    machine.passes(5.0)
    assert machine.clock.now() - machine.clock.restated(now) == timedelta(seconds=5)


def test_a_clock_that_nobody_sets_restates_nothing() -> None:
    machine = Machine()
    due = machine.clock.now()
    machine.passes(100_000.0)
    machine.wall += 0.5
    machine.clock.now()
    assert machine.clock.restated(due) == due
