"""Signs that the model has no class for are told by the ink beside the letters that it read."""

import random
from collections.abc import Iterator

import numpy as np
import pytest

from ocr_engine.recognition import signs
from ocr_engine.recognition.ctc import Reading

SMALL = 20
"""Pixels of small letters, on lines of three times that."""
BASE, HEIGHT = 44, 60
Box = tuple[float, float, float, float]
COMMA, RAISED = (0, -0.15, 0.2, 0.3), (0, -1.4, 0.2, -0.95)
INK: dict[str, tuple[Box, ...]] = {
    "„": (COMMA, (0.35, -0.15, 0.55, 0.3)),
    "“": (RAISED, (0.35, -1.4, 0.55, -0.95)),
    "‚": (COMMA,),
    "‘": (RAISED,),
    ",": (COMMA,),
    ".": ((0, -0.2, 0.2, 0),),
    "¡": ((0, -1, 0.2, -0.8), (0, -0.65, 0.2, 0.35)),
    "!": ((0, -1.4, 0.2, -0.35), (0, -0.2, 0.2, 0)),
    "‹": ((0, -0.75, 0.3, -0.1),),
    "›": ((0, -0.75, 0.3, -0.1),),
    "№": ((0, -1.4, 0.9, 0), (1.05, -1.3, 1.45, -0.45), (1.05, -0.2, 1.45, 0)),
    "i": ((0, -1, 0.2, 0), (0, -1.4, 0.2, -1.2)),
    "p": ((0, -1, 0.6, 0.4),),
    "<": ((0, -1, 0.95, 0),),
    ">": ((0, -1, 0.95, 0),),
}
"""Left, upper, right and lower end by the height of small letters, down from the base line."""


def printed(text: str) -> tuple[np.ndarray, list[float]]:
    """A line (H, W, 3) as it were printed, letters as blocks, and where the middle of each character is."""
    page = np.full((HEIGHT, 40 + 2 * SMALL * len(text), 3), 255, np.uint8)
    at, middles = 12.0, []
    for sign in text:
        boxes = INK.get(sign, ((0, -1.4 if sign.isupper() or sign in "bdhklt" or sign.isdigit() else -1, 0.6, 0),))
        if sign == " ":
            boxes = ((0, 0, 0.3, 0),)
        for left, top, right, bottom in boxes:
            page[
                round(BASE + top * SMALL) : round(BASE + bottom * SMALL),
                round(at + left * SMALL) : round(at + right * SMALL),
            ] = 20
        wide = max(right for _, _, right, _ in boxes)
        middles.append(at + wide * SMALL / 2)
        at += (wide + 0.2) * SMALL
    return page[:, : round(at) + 12], middles


def told(text: str, read: str, kept: list[int]) -> Reading:
    """What becomes of a line whose characters at `kept` were read as those of `read`."""
    page, middles = printed(text)
    height, width = page.shape[:2]
    places = tuple(middles[i] / width for i in kept)
    quads = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float32)
    (found,) = signs.put_right(page, quads, [Reading(read, 0.9, places, (0.9,) * len(read))])
    assert len(found.places) == len(found.certainty) == len(found.text)
    assert list(found.places) == sorted(found.places)
    return found


def without(text: str, lost: str) -> Reading:
    kept = [i for i, sign in enumerate(text) if sign not in lost]
    return told(text, "".join(text[i] for i in kept), kept)


def by_lot(opening: str, closing: str) -> Iterator[str]:
    lot = random.Random(opening)
    for _ in range(25):
        words = ["".join(lot.choices("abcdehimnopstuz", k=lot.randint(2, 7))) for _ in range(7)]
        first = lot.randrange(5)
        words[first] = opening + words[first].capitalize()
        words[lot.randrange(first, 6)] += closing
        yield " ".join(words)


def test_low_quotation_marks_are_found_before_any_word() -> None:
    for text in by_lot("„", "“"):
        assert without(text, "„").text == text


def test_exclamation_marks_on_their_heads_are_found_before_any_word() -> None:
    for text in by_lot("¡", "!"):
        assert without(text, "¡").text == text


def test_single_quotation_marks_are_found_where_both_of_them_stand() -> None:
    for text in by_lot("‚", "‘"):
        read = text.replace("‚", ",").replace("‘", "")
        assert told(text, read, [i for i, sign in enumerate(text) if sign != "‘"]).text == text


def test_narrow_angles_are_those_of_a_quotation_read_or_not() -> None:
    for text in by_lot("‹", "›"):
        half = text.replace("›", ">")
        assert told(text, half.replace("‹", ""), [i for i, sign in enumerate(text) if sign != "‹"]).text == text
        assert told(text, text.replace("‹", "<").replace("›", ">"), [*range(len(text))]).text == text


def test_a_number_sign_is_an_n_with_a_small_raised_letter() -> None:
    for text in ("Invoice № 48", "№ 7 of twelve"):
        assert told(text, text.replace("№", "N"), [*range(len(text))]).text == text
        assert without(text.replace("№", "N"), "").text == text.replace("№", "N")


@pytest.mark.parametrize("read", ["No", "Nº", "N°"])
def test_a_raised_letter_with_a_stroke_under_it_is_no_o(read: str) -> None:
    page, middles = printed("Invoice № 48")
    width = page.shape[1]
    places = [*middles[:8], middles[8] - 0.3 * SMALL, middles[8] + 0.5 * SMALL, *middles[9:]]
    quads = np.array([[(0, 0), (width, 0), (width, HEIGHT), (0, HEIGHT)]], np.float32)
    reading = Reading(f"Invoice {read} 48", 0.9, tuple(place / width for place in places), (0.9,) * len(places))
    without_stroke = page.copy()
    without_stroke[BASE - 4 : BASE + 1, round(middles[8] + 0.3 * SMALL) : round(middles[8] + 0.8 * SMALL)] = 255
    (found,), (plain,) = (signs.put_right(shown, quads, [reading]) for shown in (page, without_stroke))
    assert (found.text, plain.text) == ("Invoice № 48", reading.text)


@pytest.mark.parametrize(
    "text",
    [
        "Eins, zwei. Drei, und dann “vier“ noch.",
        "The <name> of a <html> tag, and that!",
        "pip ipp pi, ip!",
        "a.b, c.d, “e“",
        "",
        "no",
    ],
)
def test_what_was_read_whole_stays(text: str) -> None:
    assert without(text, "").text == text
    rough = np.random.default_rng(1).integers(0, 255, (40, 400, 3)).astype(np.uint8)
    quads = np.array([[(0, 0), (400, 0), (400, 40), (0, 40)]], np.float32)
    places = tuple((i + 0.5) / len(text) for i in range(len(text)))
    reading = Reading(text, 0.9, places, (0.9,) * len(text))
    assert signs.put_right(rough, quads, [reading]) == [reading]


def test_commas_before_a_word_that_close_as_quotations_do_are_their_opening() -> None:
    plain = Reading(",Nein‘, rief sie, ,,nicht heute“.", 0.9)
    quads = np.zeros((1, 4, 2), np.float32)
    assert signs.put_right(np.zeros((4, 4, 3), np.uint8), quads, [plain])[0].text == "‚Nein‘, rief sie, „nicht heute“."


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("‚Nein’, rief sie: „Nicht heute“.", "‚Nein‘, rief sie: „Nicht heute“."),
        ("‚So geht's', „ja“, ‚gut’.", "‚So geht's‘, „ja“, ‚gut‘."),
        ("‚Nie’, mówił: „Tak”.", "‚Nie’, mówił: „Tak”."),
        ("‚Nein’, rief sie.", "‚Nein’, rief sie."),
    ],
)
def test_single_quotations_are_closed_as_double_ones_are(read: str, right: str) -> None:
    quads = np.array([[(0, 0), (4, 0), (4, 4), (0, 4)]], np.float32)
    assert signs.put_right(np.zeros((4, 4, 3), np.uint8), quads, [Reading(read, 0.9)])[0].text == right
