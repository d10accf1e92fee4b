"""A page turns as a whole, and only where its lines read better turned; shapes of boxes raise no more than doubt."""

from collections.abc import Sequence

import numpy as np
import pytest

from ocr_engine.boxes import Quads
from ocr_engine.crops import Cuts, Pixels, turn, turn_back
from ocr_engine.orientation import (
    MAX_LINES_READ,
    MAX_READ_RATIO,
    MAX_VOTERS,
    QUORUM,
    AngleClassifier,
    Orienter,
    side_by_side,
)
from ocr_engine.recognition import reading
from ocr_engine.recognition.ctc import Reading
from ocr_engine.result import Rotation

THICKNESS = 20
LINE = "a line of text"
BACK: dict[Rotation, Rotation] = {0: 0, 90: 270, 180: 180, 270: 90}


class Votes(AngleClassifier):
    """Stands in for the classifier."""

    def __init__(self, *upside_down: float) -> None:
        self.votes = upside_down

    def upside_down(self, crops: Sequence[Pixels]) -> np.ndarray:
        return np.resize(np.array(self.votes, np.float32), len(crops))


class Reader(reading.Reader):
    """Stands in for the reader: a line grows brighter to the right; upright and on its head it is read this surely."""

    def __init__(self, upright: float = 0.98, on_its_head: float = 0.4, text: str = LINE) -> None:
        self.upright, self.on_its_head, self.text = upright, on_its_head, text
        self.calls = 0
        self.longest = 0.0

    def read_once(self, crops: Sequence[Pixels]) -> list[Reading]:
        (crop,) = crops
        self.calls += 1
        height, width = crop.shape[:2]
        self.longest = max(self.longest, height / width, width / height)
        if height > width:
            return [Reading("", 0.0)]
        stands = int(crop[:, 0].mean()) < int(crop[:, height - 1].mean())
        return [Reading(self.text, self.upright if stands else self.on_its_head)]


def page(count: int, rotation: Rotation = 0, length: int = 200) -> tuple[Pixels, Quads]:
    """Level lines below each other, on a page that has to be turned by that much for them to be level."""
    side = max(length + 20, 30 * count + 10)
    pixels = np.full((side, side, 3), 255, np.uint8)
    quads = []
    for i in range(count):
        top, bottom, right = 30 * i + 5, 30 * i + 5 + THICKNESS, 10 + length
        pixels[top:bottom, 10:right] = np.linspace(0, 250, length).astype(np.uint8)[None, :, None]
        quads.append([(10, top), (right, top), (right, bottom), (10, bottom)])
    back = BACK[rotation]
    boxes = turn_back(np.array(quads, np.float32).reshape(-1, 4, 2), rotation, side, side)
    # as detection has it: from the corner that is at the top left of the page
    (left, top), (right, bottom) = boxes.min(axis=1).T, boxes.max(axis=1).T
    corners = [np.stack(each, axis=-1) for each in ((left, top), (right, top), (right, bottom), (left, bottom))]
    return turn(pixels, back), np.stack(corners, axis=1).astype(np.float32)


def turn_needed(drawn: tuple[Pixels, Quads], votes: Votes, reader: Reader) -> Rotation:
    pixels, quads = drawn
    return Orienter(votes, reader).turn_needed(Cuts(pixels), quads)


def test_a_page_that_hardly_a_line_votes_to_turn_stays_unread() -> None:
    reader = Reader()
    assert turn_needed(page(MAX_VOTERS), Votes(0.9, *[0.1] * (MAX_VOTERS - 1)), reader) == 0
    assert reader.calls == 0


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("votes", [(0.9,), (0.9, 0.1), (0.9, 0.1, 0.1, 0.1)], ids=["all", "half", "a quarter"])
def test_what_is_read_decides_where_the_vote_is_not_to_stay(votes: tuple[float, ...], rotation: Rotation) -> None:
    assert turn_needed(page(8, rotation), Votes(*votes), Reader()) == rotation


@pytest.mark.parametrize("rotation", [90, 270])
def test_a_page_on_its_side_is_read_whatever_the_vote(rotation: Rotation) -> None:
    assert turn_needed(page(8, rotation), Votes(0.1), Reader()) == rotation


def test_what_reads_as_well_either_way_stands_upright() -> None:
    assert turn_needed(page(8), Votes(0.9), Reader(0.9, 0.9)) == 0


@pytest.mark.parametrize("rotation", [0, 90])
def test_a_lone_sign_turns_no_page(rotation: Rotation) -> None:
    """A single T reads as well on its head, a digit as well on its side."""
    assert turn_needed(page(1, rotation), Votes(0.9), Reader(0.98, 0.95, "T")) == 0


@pytest.mark.parametrize("text", ["7", "51"])
def test_boxes_of_lone_digits_ask_for_no_turn(text: str) -> None:
    """They are 1.6 times as high as wide: a table of them is not on its side for that, nor for a 5 read as 51."""
    digits = Reader(text=text)
    assert turn_needed(page(12, 90, length=32), Votes(0.1), digits) == 0


def test_slanted_sevens_turn_no_table_of_lone_digits() -> None:
    """On their heads they are surer Ls: three of them decide nothing while others are read."""

    class Digits(Reader):
        def read_once(self, crops: Sequence[Pixels]) -> list[Reading]:
            # two calls for each line, as it stands and turned
            turned, line = self.calls % 2, self.calls // 2
            self.calls += 1
            upright = 0.8 if line < 3 else 0.99
            return [Reading("7", (1.0 if line < 3 else 0.6) if turned else upright)]

    assert turn_needed(page(12, length=32), Votes(0.9), Digits()) == 0


def test_fillers_of_a_machine_readable_zone_do_not_say_how_it_lies() -> None:
    """They read as surely on their heads, as `>`, and more of them."""

    class ZoneReader(Reader):
        def read_once(self, crops: Sequence[Pixels]) -> list[Reading]:
            (crop,) = crops
            if crop.shape[0] > crop.shape[1]:
                return [Reading("", 0.0)]
            upright = int(crop[:, 0].mean()) < int(crop[:, crop.shape[0] - 1].mean())
            return [Reading("P<POLSMITH<<<<", 0.97) if upright else Reading(">>>>>>>>>>>>H⊥IWS70d", 0.9)]

    assert turn_needed(page(2), Votes(0.9, 0.9), ZoneReader()) == 0


def test_lone_signs_say_nothing_against_a_word() -> None:
    """The notes of a sheet of music have surer letters on their heads than the title that stands above them."""

    class Sheet(Reader):
        def read_once(self, crops: Sequence[Pixels]) -> list[Reading]:
            turned, line = self.calls % 2, self.calls // 2
            self.calls += 1
            if line == 0:
                return [Reading("uude", 0.7) if turned else Reading("Étude", 1.0)]
            return [Reading("V", 0.99) if turned else Reading("N", 0.6)]

    assert turn_needed(page(12, length=32), Votes(0.9), Sheet()) == 0


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_what_is_unread_whichever_way_it_lies_turns_no_page(rotation: Rotation) -> None:
    """As lines are in a script that the models lack."""
    assert turn_needed(page(8, rotation), Votes(0.9), Reader(0.7, 0.4)) == 0


def test_one_line_is_enough_where_it_is_decisive_and_never_more_than_a_few_are_read() -> None:
    decisive, close = Reader(text="x" * 20, on_its_head=0.0), Reader(0.91, 0.9)
    assert turn_needed(page(8), Votes(0.9), decisive) == 0
    assert decisive.calls == 2
    assert turn_needed(page(8), Votes(0.9), close) == 0
    assert close.calls == 2 * MAX_LINES_READ


@pytest.mark.parametrize("rotation", [0, 90])
def test_of_a_panoramas_line_no_more_than_its_middle_is_read(rotation: Rotation) -> None:
    reader = Reader()
    assert turn_needed(page(1, rotation, length=100 * THICKNESS), Votes(0.9), reader) == rotation
    assert reader.longest <= MAX_READ_RATIO


def test_a_vote_of_too_few_lines_is_not_trusted() -> None:
    assert turn_needed(page(QUORUM - 1, 180), Votes(0.1), Reader()) == 180


def test_a_page_without_lines_stays_as_it_is() -> None:
    assert turn_needed((page(1)[0], np.empty((0, 4, 2), np.float32)), Votes(0.9), Reader()) == 0


def test_signs_below_each_other_come_out_side_by_side_and_upright() -> None:
    signs = [np.full((10, 10, 3), level, np.uint8) for level in (10, 90, 200)]
    assert np.array_equal(side_by_side(np.concatenate(signs, axis=0)), np.concatenate(signs, axis=1))
