"""Lines of any length are read whole, in pieces that overlap."""

import random
import string
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import NOTHING, Doubt, Reading
from ocr_engine.recognition.long_lines import MAX_PIECE_RATIO, read_in_pieces

HEIGHT, LETTER = 10, 5
"""Pixels: of a line, and the width of each of its letters, which are all of one grey."""
HALF = "#"
"""What is read of a letter that is cut through."""


def drawn(text: str) -> Pixels:
    row = np.repeat(np.array([ord(letter) for letter in text], np.uint8), LETTER)
    return np.broadcast_to(row[None, :, None], (HEIGHT, len(row), 3)).copy()


def read(crops: list[Pixels]) -> list[Reading]:
    """Stands in for the reader: what is drawn, and what is cut through as `HALF`."""
    return [one(crop) for crop in crops]


def one(crop: Pixels) -> Reading:
    width = crop.shape[1]
    assert width <= MAX_PIECE_RATIO * HEIGHT + 1
    row = crop[0, :, 0]
    # letters differ from their neighbours
    edges = [0, *(np.flatnonzero(np.diff(row)) + 1).tolist(), width]
    spans = [(begin, end) for begin, end in pairwise(edges) if end > begin]
    text = "".join(chr(row[begin]) if end - begin == LETTER else HALF for begin, end in spans)
    places = tuple((begin + end) / 2 / width for begin, end in spans)
    return Reading(text, 0.9, places, (0.9,) * len(text), doubts=tuple(doubts(text)))


def doubts(text: str) -> Iterator[Doubt]:
    """Every `e` may be an `o`, and behind every `q` in a word a space may be missing."""
    for at, letter in enumerate(text):
        if letter == "e":
            yield Doubt(at, 1, (("e", 0.9), ("o", 0.1)))
        if letter == "q" and text[at + 1 : at + 2].strip():
            yield Doubt(at + 1, 0, ((" ", 0.1), ("", 0.9)))


def words(seed: int, length: int) -> str:
    lot, text = random.Random(seed), ""
    while len(text) < length:
        word = "".join(lot.sample(string.ascii_lowercase, lot.randint(2, 9)))
        text += f" {word}" if text else word
    return text


@pytest.mark.parametrize("length", [10, 190, 205, 390, 1100, 4000])
def test_a_line_of_any_length_is_read_whole(length: int) -> None:
    for seed in range(20):
        text = words(seed, length)
        (reading,) = read_in_pieces([drawn(text)], read)
        assert reading.text == text
        assert reading.confidence == pytest.approx(0.9)
        middles = [(k + 0.5) / len(text) for k in range(len(text))]
        assert reading.places == pytest.approx(middles)
        assert len(reading.certainty) == len(text)
        assert reading.doubts == tuple(doubts(text))


def test_lines_keep_their_order() -> None:
    texts = [words(seed, length) for seed, length in enumerate((20, 900, 30, 450))]
    assert [reading.text for reading in read_in_pieces([drawn(text) for text in texts], read)] == texts


def test_a_line_without_a_space_is_read_on_in_the_middle_of_the_overlap() -> None:
    text = (string.ascii_letters * 20)[:700]
    (reading,) = read_in_pieces([drawn(text)], read)
    assert reading.text.replace(HALF, "") == text


def test_a_long_line_of_nothing_is_nothing() -> None:
    assert read_in_pieces([drawn(" " * 2000)], lambda crops: [NOTHING] * len(crops)) == [NOTHING]
    assert read_in_pieces([], read) == []
