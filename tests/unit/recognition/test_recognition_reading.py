"""Lines are given as little width as their print allows, and more where the answer is in doubt."""

from collections.abc import Sequence

import numpy as np
import pytest

from ocr_engine.models.catalogue import SURE_MEAN
from ocr_engine.recognition.ctc import Doubt, Reading
from ocr_engine.recognition.reading import (
    DOUBTFUL_CONFIDENCE,
    FIRST_SQUEEZE,
    MIN_HOPE,
    TIGHTEST_PITCH,
    TRIED_FIRST,
    Reader,
)
from ocr_engine.recognition.recogniser import LINE_HEIGHT, Recogniser


class Print(Recogniser):
    """Stands in for the recogniser: knows each crop by its first pixel, and notes the widths it was given."""

    def __init__(self, *lines: tuple[str, float], turned: tuple[str, float] = ("", 0.0)) -> None:
        self.lines = lines
        self.turned = turned
        self.given: list[tuple[int, int]] = []
        self.exactly: list[bool] = []

    def read(self, crops: Sequence[np.ndarray], widths: Sequence[int], *, exactly: bool = False) -> list[Reading]:
        readings = []
        for crop, width in zip(crops, widths, strict=True):
            number = int(crop[0, 0, 0])
            self.given.append((number, width))
            self.exactly.append(exactly)
            text, confidence = self.lines[number] if number < 200 else self.turned
            readings.append(Reading(text, confidence, (0.5,) * len(text)))
        return readings

    def crops(self, pitch: int) -> list[np.ndarray]:
        """Each line at `pitch` pixels a character; the last pixel tells a crop that was turned."""
        crops = []
        for number, (text, _) in enumerate(self.lines):
            crop = np.full((LINE_HEIGHT, max(1, pitch * len(text)), 3), number, np.uint8)
            crop[-1, -1] = 255
            crops.append(crop)
        return crops


def widths_of(recogniser: Print, number: int) -> list[int]:
    return [width for each, width in recogniser.given if each == number]


def test_wide_letters_are_squeezed_more_than_narrow_ones() -> None:
    wide, narrow = Print(*[("x" * 20, 0.99)] * 12), Print(*[("x" * 20, 0.99)] * 12)
    Reader(wide).read(wide.crops(pitch=40))
    Reader(narrow).read(narrow.crops(pitch=14))
    assert widths_of(wide, 11) == [20 * 40 * 0.45]
    assert widths_of(narrow, 11)[-1] / (20 * 14) > 0.85


def test_short_lines_are_not_squeezed() -> None:
    recogniser = Print(*[("x" * 20, 0.99)] * 12, ("12%", 0.99))
    Reader(recogniser).read(recogniser.crops(pitch=40))
    assert widths_of(recogniser, 12) == [3 * 40]


def test_a_footnote_in_small_print_does_not_mislead_about_the_page() -> None:
    recogniser = Print(*[("x" * 40, 0.99)] * 6, *[("x" * 30, 0.99)] * 20)
    crops = recogniser.crops(pitch=14)
    crops[:6] = [crop[::2, : 40 * 10] for crop in crops[:6]]  # half as high, its letters hardly narrower
    Reader(recogniser).read(crops)
    assert sum(len(widths_of(recogniser, number)) > 1 for number in range(6, 26)) <= 6


def test_a_line_set_tighter_than_the_page_is_read_again_with_its_own_pitch() -> None:
    lines = [("x" * 20, 0.99)] * 11 + [("x" * 45, 0.99)]
    recogniser = Print(*lines)
    crops = recogniser.crops(pitch=30)
    crops[11] = crops[11][:, : 45 * 13]
    Reader(recogniser).read(crops)
    first, second = widths_of(recogniser, 11)
    assert first < 45 * TIGHTEST_PITCH <= second


def test_an_unsure_line_is_read_again_with_more_room() -> None:
    recogniser = Print(("x" * 20, SURE_MEAN - 0.1))
    Reader(recogniser).read(recogniser.crops(pitch=20))
    assert widths_of(recogniser, 0) == [round(FIRST_SQUEEZE * 20 * 20), 480]
    assert recogniser.exactly == [False, True]


@pytest.mark.parametrize(("confidence", "again"), [(0.3, TRIED_FIRST), (MIN_HOPE, 12)], ids=["no hope", "hope"])
def test_of_a_page_that_no_second_reading_helps_a_few_lines_are_read_again(confidence: float, again: int) -> None:
    recogniser = Print(*[("x" * 20, confidence)] * 12)
    Reader(recogniser).read(recogniser.crops(pitch=20))
    assert sum(480 in widths_of(recogniser, number) for number in range(12)) == again


class Dots(Recogniser):
    """Sees a letter at each black column, surer with every look, and notes how large the crops are."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def read(self, crops: Sequence[np.ndarray], widths: Sequence[int], *, exactly: bool = False) -> list[Reading]:
        readings = []
        for crop in crops:
            self.shapes.append(crop.shape[:2])
            columns = np.flatnonzero(crop[crop.shape[0] // 2, :, 0] == 0)
            places = tuple(((columns + 0.5) / crop.shape[1]).tolist())
            readings.append(Reading("x" * len(places), 0.75 + 0.01 * len(self.shapes), places))
        return readings


@pytest.mark.parametrize("shape", [(48, 900), (14, 300), (30, 30), (100, 5), (5, 100), (1, 1), (192, 2), (13, 40)])
def test_an_unsure_line_is_read_again_without_its_rim_and_its_letters_keep_their_places(shape: tuple[int, int]) -> None:
    crop = np.full((*shape, 3), 255, np.uint8)
    columns = np.unique((np.linspace(0.2, 0.8, 4) * shape[1]).astype(int))
    crop[:, columns] = 0
    recogniser = Dots()
    (reading,) = Reader(recogniser).read([crop])
    (height, width), again = recogniser.shapes[0], recogniser.shapes[-1]
    assert len(recogniser.shapes) > 1
    assert again[0] >= height - max(2, 0.1 * height)
    assert (again < (height, width)) == (min(shape) >= 13)
    assert min(again) > 0
    assert [*reading.places] == pytest.approx([(column + 0.5) / shape[1] for column in columns])


def test_ways_to_turn_a_page_are_compared_by_one_reading_each() -> None:
    recogniser = Print(("x" * 20, DOUBTFUL_CONFIDENCE - 0.1))
    (reading,) = Reader(recogniser).read_once(recogniser.crops(pitch=20))
    assert reading.text == "x" * 20
    assert recogniser.exactly == [False]


def test_a_sure_line_is_read_once() -> None:
    recogniser = Print(("x" * 20, SURE_MEAN))
    Reader(recogniser).read(recogniser.crops(pitch=20))
    assert len(recogniser.given) == 1


@pytest.mark.parametrize(("turned", "expected"), [(("right", 0.97), "right"), (("worse", 0.1), "x" * 20)])
def test_a_doubtful_line_is_read_turned_and_the_surer_reading_stays(turned: tuple[str, float], expected: str) -> None:
    recogniser = Print(("x" * 20, DOUBTFUL_CONFIDENCE - 0.1), turned=turned)
    (reading,) = Reader(recogniser).read(recogniser.crops(pitch=20))
    assert reading.text == expected
    assert reading.corner == (2 if expected == "right" else 0)  # where its own top left is


def test_no_lines_need_no_reading() -> None:
    recogniser = Print()
    assert Reader(recogniser).read([]) == []
    assert recogniser.given == []


def test_what_is_read_again_has_an_end_however_much_is_in_doubt() -> None:
    recogniser = Print(*[("x" * 300, 0.1)] * 150)
    Reader(recogniser).read(recogniser.crops(pitch=20))
    natural = 150 * 300 * 20
    assert sum(width for _, width in recogniser.given) <= 2 * FIRST_SQUEEZE * natural
    assert len({number for number, _ in recogniser.given if number < 150}) == 150


class Tight(Print):
    """Sees the spaces of lines in whole only where they are given more room than the print has."""

    def read(self, crops: Sequence[np.ndarray], widths: Sequence[int], *, exactly: bool = False) -> list[Reading]:
        readings = super().read(crops, widths, exactly=exactly)
        return [
            reading if width > crop.shape[1] else _run_together(reading)
            for reading, crop, width in zip(readings, crops, widths, strict=True)
        ]


def _run_together(reading: Reading) -> Reading:
    words = reading.text.split()
    ends = np.cumsum([len(word) for word in words])[:-1].tolist()
    doubts = tuple(Doubt(end, 0, ((" ", 0.01), ("", 0.99))) for end in ends)
    return Reading("".join(words), reading.confidence, doubts=doubts)


@pytest.mark.parametrize(
    ("line", "confidence", "read"),
    [
        ("of print that is set so tightly", 0.99, "of print that is set so tightly"),
        ("of print that is set so tightly", 0.96, "ofprintthatissetsotightly"),
        ("two words", 0.99, "twowords"),
    ],
)
def test_lines_of_clear_print_whose_spaces_are_hardly_seen_are_read_again_with_more_room(
    line: str, confidence: float, read: str
) -> None:
    recogniser = Tight(*[(line, confidence)] * 12)
    assert [reading.text for reading in Reader(recogniser).read(recogniser.crops(pitch=20))] == [read] * 12
