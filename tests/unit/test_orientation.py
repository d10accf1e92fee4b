"""A page turns as a whole: when its lines read better upside down. They are read where their vote is not to stay."""

from collections.abc import Sequence

import numpy as np
import pytest

from ocr_engine.crops import Pixels
from ocr_engine.orientation import MAX_LINES_READ, MAX_VOTERS, QUORUM, Orienter
from ocr_engine.recognition.recogniser import Reading
from ocr_engine.result import Rotation

PAGE = np.zeros((400, 400, 3), np.uint8)


class Votes:
    """Stands in for the classifier."""

    def __init__(self, *upside_down: float) -> None:
        self.votes = upside_down

    def upside_down(self, crops: Sequence[Pixels]) -> np.ndarray:
        return np.resize(np.array(self.votes, np.float32), len(crops))


class Readings:
    """Stands in for the reader: every line is read on its head first, then upright."""

    def __init__(self, on_its_head: float, upright: float, text: str = "a line of text") -> None:
        self.answers = [Reading(text, on_its_head), Reading(text, upright)]
        self.calls = 0

    def read_upright(self, crops: Sequence[Pixels]) -> list[Reading]:
        assert len(crops) == 1
        self.calls += 1
        return [self.answers[(self.calls - 1) % 2]]


def lines(count: int, *, tall: bool = False) -> np.ndarray:
    quads = []
    for i in range(count):
        left, top, right, bottom = (20 * i, 10, 20 * i + 12, 200) if tall else (10, 20 * i, 200, 20 * i + 12)
        quads.append([(left, top), (right, top), (right, bottom), (left, bottom)])
    return np.array(quads, np.float32).reshape(-1, 4, 2)


def turn_needed(quads: np.ndarray, votes: Votes, readings: Readings) -> Rotation:
    return Orienter(votes, readings).turn_needed(PAGE, quads)  # type: ignore[arg-type]  # stand-ins


@pytest.mark.parametrize(("tall", "rotation"), [(False, 0), (True, 270)])
def test_a_page_that_hardly_a_line_votes_to_turn_stays_unread(tall: bool, rotation: Rotation) -> None:
    readings = Readings(0.98, 0.4)
    votes = Votes(0.9, *[0.1] * (MAX_VOTERS - 1))
    assert turn_needed(lines(MAX_VOTERS, tall=tall), votes, readings) == rotation
    assert readings.calls == 0


@pytest.mark.parametrize(
    ("tall", "on_its_head", "upright", "rotation"),
    [
        (False, 0.4, 0.98, 0),
        (False, 0.98, 0.4, 180),
        (False, 0.9, 0.9, 0),
        (True, 0.4, 0.98, 270),
        (True, 0.98, 0.4, 90),
    ],
)
@pytest.mark.parametrize("votes", [(0.9,), (0.9, 0.1), (0.9, 0.1, 0.1, 0.1)], ids=["all", "half", "a quarter"])
def test_lines_are_read_both_ways_where_the_vote_is_not_to_stay(
    votes: tuple[float, ...], tall: bool, on_its_head: float, upright: float, rotation: Rotation
) -> None:
    assert turn_needed(lines(8, tall=tall), Votes(*votes), Readings(on_its_head, upright)) == rotation


@pytest.mark.parametrize(("tall", "rotation"), [(False, 0), (True, 90)])
def test_one_letter_that_reads_a_little_better_on_its_head_stands_upright(tall: bool, rotation: Rotation) -> None:
    """A page that lies on one of its sides has to be turned either way: there the better reading decides."""
    assert turn_needed(lines(1, tall=tall), Votes(0.9), Readings(0.98, 0.95, "T")) == rotation


def test_one_line_is_enough_where_it_is_decisive_and_never_more_than_a_few_are_read() -> None:
    decisive, close = Readings(0.0, 0.98, "x" * 20), Readings(0.9, 0.91)
    assert turn_needed(lines(8), Votes(0.9), decisive) == 0
    assert decisive.calls == 2
    assert turn_needed(lines(8), Votes(0.9), close) == 0
    assert close.calls == 2 * MAX_LINES_READ


def test_a_vote_of_too_few_lines_is_not_trusted() -> None:
    readings = Readings(0.98, 0.4)
    assert turn_needed(lines(QUORUM - 1), Votes(0.1), readings) == 180


def test_a_page_without_lines_stays_as_it_is() -> None:
    assert turn_needed(np.empty((0, 4, 2), np.float32), Votes(0.9), Readings(0, 0)) == 0
