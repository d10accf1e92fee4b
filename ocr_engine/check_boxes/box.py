"""A check box, and its neighbours."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

COMB_GAP, COMB_CELLS = 0.6, 4
"""Squares so close to each other, by their side, and so many in a row, are cells to write in."""
MAX_BOXES = 1000
"""Of one page, which bounds what a page of squares costs."""


class CheckBox(Struct, frozen=True):
    """A square on the page as it was read."""

    left: int
    top: int
    right: int
    bottom: int
    checked: bool
    confidence: float
    """0.5 to 1: how clearly it holds a mark, or none."""

    @property
    def side(self) -> float:
        """Pixels."""
        return (self.right - self.left + self.bottom - self.top) / 2

    @property
    def quad(self) -> NDArray[np.float32]:
        """Its corners (4, 2)."""
        left, top, right, bottom = self.left, self.top, self.right, self.bottom
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


class _Grid:
    """Boxes by where they stand, so that of thousands only those around one are looked at."""

    def __init__(self, boxes: Sequence[CheckBox]) -> None:
        self._size = max((max(box.right - box.left, box.bottom - box.top) for box in boxes), default=1)
        self._cells: dict[tuple[int, int], list[CheckBox]] = {}
        for box in boxes:
            self._cells.setdefault(self._cell(box), []).append(box)

    def around(self, box: CheckBox) -> Iterator[CheckBox]:
        """At least all whose upper left is two sides of the largest or less from its own, and one side up or down."""
        x, y = self._cell(box)
        for row in range(y - 1, y + 2):
            for column in range(x - 2, x + 3):
                yield from self._cells.get((column, row), ())

    def row_of(self, box: CheckBox) -> Iterator[CheckBox]:
        """The box, and those in a close row with it."""
        yield box
        for step in (1, -1):
            at = self._next(box, step)
            while at is not None:
                yield at
                at = self._next(at, step)

    def _next(self, box: CheckBox, step: int) -> CheckBox | None:
        return next((other for other in self.around(box) if _is_next(box, other, step)), None)

    def _cell(self, box: CheckBox) -> tuple[int, int]:
        return box.left // self._size, box.top // self._size


def outer(boxes: list[CheckBox]) -> list[CheckBox]:
    """Those that lie in no other one."""
    grid = _Grid(boxes)
    return [box for box in boxes if not any(other is not box and _is_within(box, other) for other in grid.around(box))]


def without_combs(boxes: list[CheckBox]) -> list[CheckBox]:
    """Those that do not stand in a close row of as many as are written in; MAX_BOXES of them."""
    grid = _Grid(boxes)
    apart = (box for box in boxes if len([*itertools.islice(grid.row_of(box), COMB_CELLS)]) < COMB_CELLS)
    return [*itertools.islice(apart, MAX_BOXES)]


def _is_within(box: CheckBox, other: CheckBox) -> bool:
    return other.left <= box.left and other.top <= box.top and box.right <= other.right and box.bottom <= other.bottom


def _is_next(box: CheckBox, other: CheckBox, step: int) -> bool:
    level = abs(box.top - other.top) < 0.3 * box.side and abs(box.side - other.side) < 0.25 * box.side
    gap = other.left - box.right if step > 0 else box.left - other.right
    return level and -0.3 * box.side <= gap <= COMB_GAP * box.side
