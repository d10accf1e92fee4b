"""What the recogniser read as several signs, and what is no word of a language."""

import pytest

from ocr_engine.recognition.letters.spelling import spelt
from tests.readings import evenly


@pytest.mark.parametrize(
    ("language", "read", "right"),
    [
        ("cs", "seznam tlačíítek", "seznam tlačítek"),
        ("hu", "beállíitófájl", "beállítófájl"),
        ("hr", "ime izvodđača", "ime izvođača"),
        ("sk", "velľ'kosť súboru", "veľkosť súboru"),
        ("sk", "pokračovat' a vyhlľadávať", "pokračovať a vyhľadávať"),
    ],
)
def test_a_letter_whose_accent_was_seen_in_one_of_two_steps_is_one(language: str, read: str, right: str) -> None:
    found = spelt(evenly(read), language)
    assert found.text == right
    assert len(found.places) == len(found.certainty) == len(right)


@pytest.mark.parametrize("text", ["historií a funkcií", "přímo", "rozšíriť", "Kiinteistö", "a ďalší", "nejjistější"])
def test_letters_that_stand_twice_in_words_stay(text: str) -> None:
    for language in ("cs", "sk", "fi"):
        assert spelt(evenly(text), language).text == text


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("Set to o to disable it.", "Set to 0 to disable it."),
        ("The level, from o (none) to 9", "The level, from 0 (none) to 9"),
        ("(o, or none)", "(0, or none)"),
        ("if it is not o)", "if it is not 0)"),
        ("The value is o.", "The value is 0."),
    ],
)
def test_an_o_alone_is_a_nought_in_a_language_without_such_a_word(read: str, right: str) -> None:
    assert spelt(evenly(read), "en").text == right
    for language in ("es", "lt", "sv"):
        assert spelt(evenly(read), language).text == read


@pytest.mark.parametrize(
    "text",
    [
        "o the first of all",
        "o Yes o No",
        "Yes ý No o",
        "Smaller company o (Do not check)",
        "At five o'clock",
        "to-o",
        "no-o to",
        "u. o. more",
    ],
)
def test_bullets_circles_and_short_forms_are_no_noughts(text: str) -> None:
    assert spelt(evenly(text), "en").text == text
