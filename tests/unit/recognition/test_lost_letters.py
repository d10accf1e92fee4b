"""What the model says nothing of and hints at: letters and apostrophes that it loses, and the size of capitals."""

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from ocr_engine.recognition.ctc import Decoder, Doubt, Reading
from ocr_engine.recognition.letters.correction import Letters
from tests.readings import evenly, line_of

TEXTS = {
    "cs": "Může umístit kůň do stáje, nechť úpí, aby byl celý den v pořádku. Každý má právo na život a svobodu.",
    "de": "Die Straßenbahn hält in der Nähe des Rathauses, gegenüber der Bäckerei, und fährt dann weiter.",
    "fr": "Nul ne sera l'objet d'immixtions dans sa vie, qu'il soit chez lui ou dans l'exercice d'un droit.",
}


@pytest.fixture(scope="module")
def letters() -> Letters:
    return Letters()


def steps(text: str, lost: int, hint: str, seen: float) -> NDArray[np.float32]:
    """Scores of steps that show a text, with blanks between, and hardly anything of what stands at one place of it."""
    signs = _signs(text)
    scores = np.full((2 * len(text) + 1, len(signs) + 2), 1e-6, np.float32)
    scores[:, 0] = 0.999
    for at, sign in enumerate(text):
        step = 2 * at + 1
        scores[step, 0] = 1e-6
        scores[step, len(signs) + 1 if sign == " " else signs.index(sign) + 1] = 0.999
    scores[2 * lost + 1, 1:] = 1e-6
    scores[2 * lost + 1, [0, signs.index(hint) + 1]] = 1 - seen, seen
    return scores


def _signs(text: str) -> str:
    return "".join(sorted({*text, *"'abcdefghijklmnopqrstuvwxyz"} - {" "}))


def read_with_hint(letters: Letters, text: str, lost: int, hint: str, seen: float) -> Reading:
    read = Decoder(_signs(text)).decoded(line_of(steps(text, lost, hint, seen)), 1.0)
    assert read.text == text[:lost] + text[lost + 1 :]
    (found,) = letters.decided([read])
    assert len(found.places) == len(found.certainty) == len(found.text)
    assert list(found.places) == sorted(found.places)
    return found


@pytest.mark.parametrize("language", TEXTS)
def test_a_letter_of_which_little_is_seen_comes_back_where_the_language_wants_it(
    letters: Letters, language: str
) -> None:
    text, lot = TEXTS[language], random.Random(language)
    inside = [
        i
        for i in range(1, len(text) - 1)
        if (text[i].islower() or text[i] == "'") and text[i] not in text[i - 1 : i + 2 : 2]
    ]
    right = [read_with_hint(letters, text, i, text[i], 0.35).text == text for i in lot.sample(inside, 30)]
    assert sum(right) >= 25


@pytest.mark.parametrize("language", TEXTS)
def test_a_hint_at_a_letter_that_the_language_does_not_want_there_stays_one(letters: Letters, language: str) -> None:
    text, lot = TEXTS[language], random.Random(language)
    # as if a mark between two words' letters had been taken for one
    for at in lot.sample([i for i in range(2, len(text) - 2) if text[i - 1 : i + 2].isalpha()], 20):
        whole = text[:at] + "x" + text[at:]
        assert read_with_hint(letters, whole, at, "x", 0.35).text == text


@pytest.mark.parametrize("read", ["dalšie", "đalšie"])
def test_an_apostrophe_of_which_little_is_seen_is_a_caron_where_the_language_has_one(
    letters: Letters, read: str
) -> None:
    text = f"Spustiteľné súbory, aby používateľ mohol premenovať {read}, a každý má právo na život v slobode."
    lost = text.index(read) + 1
    found = letters.decided([evenly(text, doubts=[Doubt(lost, 0, (("", 0.5), ("'", 0.4)))])])[0]
    assert found.text == text.replace(read, "ďalšie")


@pytest.mark.parametrize("serial", ["WVWZZZ1KZB0012345", "max_len", "A4-8821", "3.14159"])
def test_nothing_is_set_into_serials_code_and_numbers(letters: Letters, serial: str) -> None:
    text = f"{TEXTS['de']} {serial}"
    lost = len(text) - len(serial) + 2
    read = evenly(text, doubts=[Doubt(lost, 0, (("", 0.5), ("e", 0.4), ("r", 0.1)))])
    assert letters.decided([read])[0].text == text


def test_what_a_neighbour_may_be_is_no_lost_letter() -> None:
    scores = steps("wem", 1, "e", 0.4)
    signs = _signs("wem")
    # the stroke beside an m is seen in its own steps, too
    scores[5, signs.index("e") + 1] = 0.01
    read = Decoder(signs).decoded(line_of(scores), 1.0)
    assert not any(doubt.length == 0 and not doubt.is_gap for doubt in read.doubts)


@pytest.mark.parametrize(
    ("text", "small", "large"),
    [("šel jsem domů", "š", "Š"), ("Byl den. čas běžel dál", "č", "Č"), ("„Tak. zůstal tam.“", "z", "Z")],
)
def test_a_line_or_sentence_begins_with_the_capital_that_only_its_size_tells(
    letters: Letters, text: str, small: str, large: str
) -> None:
    at = text.index(small)
    doubt = Doubt(at, 1, ((small, 0.6), (large, 0.4)))
    assert letters.decided([evenly(text, doubts=[doubt])])[0].text == text[:at] + large + text[at + 1 :]


@pytest.mark.parametrize("text", ["jsem šel domů", "z.B. sehr gut", "š", "x2 = 4"])
def test_elsewhere_letters_keep_their_size(letters: Letters, text: str) -> None:
    for at, sign in enumerate(text):
        if sign.islower() and at:
            doubt = Doubt(at, 1, ((sign, 0.6), (sign.upper(), 0.4)))
            assert letters.decided([evenly(text, doubts=[doubt])])[0].text == text
    first = Doubt(0, 1, ((text[0], 0.9), (text[0].upper(), 0.1)))
    assert letters.decided([evenly(text, doubts=[first])])[0].text == text


def test_a_rare_accent_gives_way_on_a_page_of_no_language_unless_it_has_one_for_sure(letters: Letters) -> None:
    doubt = Doubt(4, 1, (("ğ", 0.77), ("g", 0.17), ("ġ", 0.05)))
    page = [evenly("09Auğ2021", certainty=0.9, doubts=[doubt]), evenly("INV 4,052.36")]
    assert [reading.text for reading in letters.decided(page)] == ["09Aug2021", "INV 4,052.36"]
    turkish = [*page, evenly("Doğan 12")]
    assert next(reading.text for reading in letters.decided(turkish)) == "09Auğ2021"
    german = evenly("Kägi 12", certainty=0.9, doubts=[Doubt(1, 1, (("ä", 0.8), ("a", 0.2)))])
    assert letters.decided([german])[0].text == "Kägi 12"


@pytest.mark.parametrize(
    ("read", "right"),
    [
        ("II n'y a pas eu de vote cette fois-ci.", "Il n'y a pas eu de vote cette fois-ci."),
        ("La ville dort. II n'y a pas de vote.", "La ville dort. Il n'y a pas de vote."),
        ("Le roi Charles II n'a pas eu d'enfant de la reine.", "Le roi Charles II n'a pas eu d'enfant de la reine."),
        ("II. Les comptes de la ville sont clos cette fois.", "II. Les comptes de la ville sont clos cette fois."),
    ],
)
def test_two_strokes_at_the_beginning_of_a_sentence_are_a_word_and_behind_a_name_a_number(
    letters: Letters, read: str, right: str
) -> None:
    at = read.index("II") + 1
    doubt = Doubt(at, 1, (("I", 0.5), ("l", 0.45)))
    assert letters.decided([evenly(read, doubts=[doubt])], ["fr"])[0].text == right
