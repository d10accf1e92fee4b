"""A word decides what a digit is only where all the rest of it says the same."""

import pytest

from ocr_engine.recognition.lookalikes import doubtful


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("\\1abel{x}", {1: "li"}),
        ("Phil0sophy", {4: "o"}),
        ("line-labe1s 1oop", {9: "li", 12: "li"}),
        ("L\u00e4nge5tens", {5: "s"}),
        # a number at the end, a footnote's before a capital, units, codes, and what is too short to be a word
        ("latin1", {}),
        ("1See", {}),
        ("0pt 5mm", {}),
        ("m0st12", {}),
        ("a1b2c", {}),
        ("1st 2nd", {}),
        ("4th 3rd", {}),
        ("x1y", {}),
        ("1 able", {}),
        ("100", {}),
        ("", {}),
    ],
)
def test_only_digits_within_words_are_doubtful(text: str, places: dict[int, str]) -> None:
    assert dict(doubtful(text)) == places


def test_classes_of_no_or_several_characters_take_one_place() -> None:
    assert dict(doubtful(["", "1", "a", "fi", "b", "e"])) == {1: "li"}
