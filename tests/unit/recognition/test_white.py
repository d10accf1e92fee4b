"""Where it is open whether a space stands, the white of the paper is held to the line's other gaps."""

from collections.abc import Sequence

import numpy as np
import pytest

from ocr_engine.crops import Cuts, Pixels
from ocr_engine.recognition.ctc import Doubt, Reading
from ocr_engine.recognition.letters.white import MAX_GAP_BITS, measured

HIGH, LETTER = 24, 8


def line(text: str, gaps: dict[int, int], *, slant: float = 0.0) -> tuple[Pixels, tuple[float, ...]]:
    """A line of bars, one for each sign but a blank, with two white pixels between them, or so many before some."""
    x, bars = 6, []
    for i, sign in enumerate(text):
        x += gaps.get(i, 2)
        if sign == " ":
            bars.append((x, x))
            x += 6
        else:
            bars.append((x, x + LETTER))
            x += LETTER
    page = np.full((HIGH, x + 6, 3), 255, np.uint8)
    for (left, right), sign in zip(bars, text, strict=True):
        if sign != " ":
            for y in range(6, HIGH - 6):
                shift = round(slant * (HIGH / 2 - y))
                page[y, left + shift : right + shift] = 20
    return page, tuple((left + right) / 2 / page.shape[1] for left, right in bars)


def bits(
    text: str, probabilities: dict[int, float], gaps: dict[int, int] | None = None, *, slant: float = 0.0
) -> Sequence[float]:
    """What the paper says for a space before some letters."""
    page, places = line(text, gaps or {}, slant=slant)
    doubts = tuple(Doubt(at, 0, ((" ", p), ("", 1 - p))) for at, p in probabilities.items())
    reading = Reading(text, 0.9, places, (0.9,) * len(text), doubts=doubts)
    height, width = page.shape[:2]
    quad = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float32)
    return [doubt.white for doubt in measured(Cuts(page), quad, [reading])[0].doubts]


@pytest.mark.parametrize("slant", [0.0, 0.2])
def test_a_gap_as_wide_as_those_between_words_is_a_space_and_one_as_between_letters_is_none(slant: float) -> None:
    wide, narrow = bits("ab cd ef ghijkl", {2: 0.0, 11: 0.4, 13: 0.4}, {11: 8}, slant=slant)[1:]
    assert wide > 5
    assert narrow < -5


def test_a_gap_says_the_less_the_less_far_words_stand_apart() -> None:
    loose = bits("ab cd ef ghijkl", {11: 0.4}, {11: 2})[0]
    tight = bits("ab cd ef ghijkl", {11: 0.4}, {11: 2, 2: -1, 3: -1, 5: -1, 6: -1, 8: -1, 9: -1})[0]
    assert loose < tight < 0


def test_no_white_says_more_than_so_much() -> None:
    assert bits("ab cd ef ghijkl", {11: 0.4}, {11: 60}) == [MAX_GAP_BITS]


def test_a_line_whose_doubts_are_faint_is_not_measured() -> None:
    assert bits("ab cd ef ghijkl", {11: 0.0005}, {11: 8}) == [0.0]


def test_beside_signs_and_on_lines_of_one_word_nothing_is_said() -> None:
    assert bits("ab cd ef ghij, kl", {13: 0.4}) == [0.0]
    assert bits("abcdefgh", {4: 0.4}) == [0.0]
