"""A page turns as a whole: by the vote of its lines, and by reading them where the vote is close."""

from collections.abc import Sequence

import numpy as np
import pytest

from ocr_engine.crops import Pixels
from ocr_engine.orientation import QUORUM, Orienter
from ocr_engine.recognition import Reading
from ocr_engine.result import Rotation

PAGE = np.zeros((400, 400, 3), np.uint8)


class Votes:
    """Stands in for the classifier."""

    def __init__(self, *upside_down: float) -> None:
        self.votes = upside_down

    def upside_down(self, crops: Sequence[Pixels]) -> np.ndarray:
        return np.resize(np.array(self.votes, np.float32), len(crops))


class Readings:
    """Stands in for the reader: the first call reads lines on their head, the second upright ones."""

    def __init__(self, on_their_head: float, upright: float) -> None:
        self.answers = [on_their_head, upright]
        self.calls = 0

    def read_upright(self, crops: Sequence[Pixels]) -> list[Reading]:
        self.calls += 1
        return [Reading("text", self.answers[self.calls - 1])] * len(crops)


def lines(count: int, *, tall: bool = False) -> np.ndarray:
    quads = []
    for i in range(count):
        left, top, right, bottom = (20 * i, 10, 20 * i + 12, 200) if tall else (10, 20 * i, 200, 20 * i + 12)
        quads.append([(left, top), (right, top), (right, bottom), (left, bottom)])
    return np.array(quads, np.float32).reshape(-1, 4, 2)


def turn_needed(quads: np.ndarray, votes: Votes, readings: Readings) -> Rotation:
    return Orienter(votes, readings).turn_needed(PAGE, quads)  # type: ignore[arg-type]  # stand-ins


@pytest.mark.parametrize(
    ("tall", "vote", "rotation"), [(False, 0.1, 0), (False, 0.9, 180), (True, 0.1, 270), (True, 0.9, 90)]
)
def test_a_clear_vote_decides_alone(tall: bool, vote: float, rotation: Rotation) -> None:
    readings = Readings(0, 0)
    assert turn_needed(lines(8, tall=tall), Votes(vote), readings) == rotation
    assert readings.calls == 0


def test_one_line_that_is_judged_wrongly_turns_nothing() -> None:
    assert turn_needed(lines(8), Votes(0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1), Readings(0, 0)) == 0


@pytest.mark.parametrize(("on_their_head", "upright", "rotation"), [(0.4, 0.98, 0), (0.98, 0.4, 180), (0.9, 0.9, 0)])
def test_a_close_vote_is_decided_by_reading_both_ways(on_their_head: float, upright: float, rotation: Rotation) -> None:
    assert turn_needed(lines(8), Votes(0.9, 0.1), Readings(on_their_head, upright)) == rotation


def test_a_vote_of_too_few_lines_is_not_trusted() -> None:
    readings = Readings(0.4, 0.98)
    assert turn_needed(lines(QUORUM - 1), Votes(0.9), readings) == 0
    assert readings.calls == 2


def test_a_page_without_lines_stays_as_it_is() -> None:
    assert turn_needed(np.empty((0, 4, 2), np.float32), Votes(0.9), Readings(0, 0)) == 0
