"""Letters decide what the recogniser leaves open, and nothing else."""

import re
import string
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ocr_engine.models.files import find
from ocr_engine.options import EngineOptions, ModelFamily
from ocr_engine.recognition.ctc import Doubt, Reading
from ocr_engine.recognition.letters import make
from ocr_engine.recognition.letters.correction import Letters
from ocr_engine.recognition.letters.files import FOLDER, SUFFIX
from ocr_engine.recognition.letters.languages import ALPHABETS, UnknownLanguage, alphabet, known, told
from ocr_engine.recognition.letters.model import LetterModel
from ocr_engine.recognition.letters.ngrams import END, ORDER, Grams, folded, hashed
from ocr_engine.recognition.letters.scope import in_scope
from tests.readings import evenly

MAX_BYTES = 200_000
ROOT = Path(__file__).parents[3]
SIGNS = "„‚“”‘’«»‹›¡¿№§°ºª½¼¾⅓⅔⅛²³¹☐☑€£¥¢$ﬁﬂﬀœæ…–—•·×÷±µ©®™†‡¶&@#%*_<>{}[]|\\/^~`"
"""Of European print, of forms and of code."""
GERMAN = "Die Straßenbahn hält in der Nähe des Rathauses, gegenüber der Bäckerei."
ENGLISH = "The parcel arrived on Tuesday, and it was not what we had ordered."


@pytest.fixture(scope="module")
def letters() -> Letters:
    return Letters()


def reading(text: str, *doubts: Doubt, confidence: float = 0.99) -> Reading:
    return evenly(text, confidence, doubts=doubts)


def gap(text: str, part: str, at: int, probability: float) -> Doubt:
    """A doubt of a space `at` characters into a part of the text, where a space stands or none."""
    place = text.index(part) + at
    return Doubt(place, int(text[place] == " "), ((" ", probability), ("", 1 - probability)))


def sign(text: str, part: str, at: int, other: str, probability: float = 0.1) -> Doubt:
    place = text.index(part) + at
    return Doubt(place, 1, ((text[place], 0.9), (other, probability)))


def decided(letters: Letters, text: str, *doubts: Doubt, languages: Sequence[str] = ()) -> str:
    (found,) = letters.decided([reading(text, *doubts)], languages)
    assert len(found.places) == len(found.certainty) == len(found.text)
    assert list(found.places) == sorted(found.places)
    return found.text


def test_a_space_that_the_model_hardly_sees_is_set_where_the_language_wants_it(letters: Letters) -> None:
    text = GERMAN.replace("hält in", "hältin").replace("in der", "inder")
    doubts = gap(text, "hältin", 4, 0.05), gap(text, "inder", 2, 0.03)
    assert decided(letters, text, *doubts) == GERMAN


def test_a_space_inside_a_word_goes_where_the_model_is_not_sure_of_it(letters: Letters) -> None:
    text = GERMAN.replace("Bäckerei", "Bäck erei")
    assert decided(letters, text, gap(text, "Bäck erei", 4, 0.4)) == GERMAN


def test_a_clause_s_end_gets_its_space_and_an_abbreviation_none(letters: Letters) -> None:
    text = ENGLISH.replace("Tuesday, and", "Tuesday,and")
    assert decided(letters, text, gap(text, ",and", 1, 0.01)) == ENGLISH
    text = f"{ENGLISH} They came from the U.S. by air."
    assert decided(letters, text, gap(text, "U.S.", 2, 0.05)) == text


@pytest.mark.parametrize(
    ("text", "wrong", "at", "right"),
    [
        ("Bütün insanlar hür, haysiyet ve haklar bakımindan eşit doğarlar.", "bakımindan", 5, "ı"),
        ("Kiekvienas žmogus gali naudotis visomis teisémis ir laisvėmis.", "teisémis", 4, "ė"),
        ("Er hat die Pflicht, das alles fur die anderen zu lesen.", "fur", 1, "ü"),
        ("The girl told him that it was the last Iamp in the whole house.", "Iamp", 0, "l"),
        ("Somebody had left the d0or of the old house open all through the night.", "d0or", 1, "o"),
    ],
)
def test_a_letter_with_the_wrong_accent_or_shape_is_put_right(
    letters: Letters, text: str, wrong: str, at: int, right: str
) -> None:
    place = text.index(wrong) + at
    expected = text[:place] + right + text[place + 1 :]
    assert decided(letters, text, sign(text, wrong, at, right)) == expected


@pytest.mark.parametrize(
    ("part", "at", "other"),
    [
        ("user_narne", 7, "m"),  # an underscore: code
        ("X0l7", 2, "1"),  # a serial number
        ("5OO", 1, "0"),  # digits are no letters' business
        ("a@rnail.example", 2, "m"),
        ("GSL", 1, "B"),  # an abbreviation
        ("KAILAN", 2, "T"),  # a name in capitals
        ("Brabec1", 6, "l"),  # a footnote
    ],
)
def test_codes_serials_and_abbreviations_are_left_as_they_were_read(
    letters: Letters, part: str, at: int, other: str
) -> None:
    text = f"{ENGLISH} {part} stays."
    assert decided(letters, text, sign(text, part, at, other)) == text


def test_a_sign_that_is_no_letter_of_the_language_and_stands_alone_is_left_as_it_was_read(letters: Letters) -> None:
    text = f"{ENGLISH} Yes ý No o"
    assert decided(letters, text, sign(text, "ý", 0, "y", 0.3)) == text


def test_a_line_that_does_not_fit_the_page_s_language_is_changed_for_better_reasons(letters: Letters) -> None:
    receipt = "84 THAI STYLE KERABUTOFU XQ"
    doubts = gap(receipt, "THAI STYLE", 4, 0.85), gap(receipt, "KERABUTOFU", 7, 0.01)
    page = [reading(f"{ENGLISH} {ENGLISH}"), reading(receipt, *doubts)]
    assert letters.decided(page)[1].text == receipt


def test_spaces_in_numerals_identifiers_and_other_scripts_are_left_as_they_were_read() -> None:
    text = "Article II.21 user_name 中 文 αβ"
    doubts = (
        gap(text, "II", 1, 0.1),
        gap(text, "user_name", 2, 0.1),
        gap(text, "中 文", 1, 0.5),
        gap(text, "αβ", 1, 0.1),
    )
    assert in_scope(reading(text, *doubts)) == []


def test_what_is_not_open_stays(letters: Letters) -> None:
    text = "Thequick brwon fox"
    assert decided(letters, text) == text


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (GERMAN, "de"),
        (ENGLISH, "en"),
        (GERMAN.replace(" ", ""), "de"),
        (ENGLISH.upper(), "en"),
        ("Každý má právo na svobodu a na osobní bezpečnost, protože všichni jsou lidé.", "cs"),
        ("Hver og en har rett til å forlate et hvilket som helst land, også sitt eget, sa hun.", "nb"),
        ("17.20 SR 6% GST 1.03 TOTAL RM 18.25 CASH 20.00 CHG 1.75 QTY 003 INV 000123", None),
        ("Xkq zvb wqp jkx vbn mzx qwk pvz xcb nmq wzx kjv bqp", None),
        ("Sale", None),
        ("我们认为下面这些真理是不言而喻的", None),
    ],
)
def test_a_page_s_language_is_the_one_that_fits_or_none(letters: Letters, text: str, language: str | None) -> None:
    assert letters.language([reading(text)]) == language


def test_of_the_languages_that_are_told_the_best_is_taken_and_no_other(letters: Letters) -> None:
    assert letters.language([reading(ENGLISH)], ("de", "en", "zh")) == "en"
    assert letters.language([reading(ENGLISH)], ("de",)) == "de"
    assert letters.language([reading(ENGLISH)], ("zh",)) is None


def test_a_told_language_has_its_own_letters_even_without_a_model(letters: Letters) -> None:
    text = "Við förum ó morgun"
    doubt = sign(text, "ó morgun", 0, "á")
    assert decided(letters, text, doubt, languages=("fo",)) == text  # both are Faroese: nothing speaks against it
    text = "Við fōrum heim"
    assert decided(letters, text, sign(text, "fōrum", 1, "ó", 0.02), languages=("fo",)) == "Við fórum heim"
    assert decided(letters, text, sign(text, "fōrum", 1, "ó", 0.02), languages=("fo", "ja")) == text


def test_tags_name_languages_whatever_their_region_and_unknown_ones_are_refused() -> None:
    assert told(["de-AT", "DE", "no", "zh-Hant", "pt_BR"]) == ("de", "nb", "zh", "pt")
    with pytest.raises(UnknownLanguage, match="'ru' is none of the languages"):
        told(["en", "ru"])
    for tag in ("az-Cyrl", "", "english", "de-Hebr"):
        with pytest.raises(UnknownLanguage, match="none of the languages"):
            told([tag])
    assert {"en", "no", "zh"} <= set(known())
    assert told(["en-GB"], "ppocr-v4") == ("en",)
    with pytest.raises(UnknownLanguage):
        told(["de"], "ppocr-v4")


@pytest.mark.parametrize("model", ["ppocr-v6", "ppocr-v6-tiny"])
def test_the_models_know_all_letters_of_the_languages_that_may_be_told(model: ModelFamily) -> None:
    characters = set(find(EngineOptions(model=model)).characters)
    lacking = {name for name in told(known()) if not (alphabet([name]) or set()) - {"ẞ"} <= characters}
    assert lacking.isdisjoint(told(known(model), model))
    assert lacking <= set(known()) - set(known(model))


def test_the_older_models_are_told_no_language_with_accents() -> None:
    # the older one has English without the accents of its loan words, and languages that write a to z
    assert set(string.ascii_letters) <= set(find(EngineOptions(model="ppocr-v4")).characters)
    assert all(not ALPHABETS[language].strip("é") for language in set(known("ppocr-v4")) - {"en", "zh"})


def test_the_docs_list_the_signs_that_the_model_lacks_and_no_others() -> None:
    section = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    section = section.split("## Signs that the model lacks")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    characters = set(find(EngineOptions()).characters)
    assert {sign for row in rows for sign in re.findall("`(.)`", row)} == set(SIGNS) - characters
    assert f"{len(characters):,}".replace(",", " ") in section


def test_an_alphabet_has_the_large_letters_too() -> None:
    assert {"ß", "Ä", "z", "Z"} <= (alphabet(["de"]) or set())
    assert {"İ", "ı", "I", "i"} <= (alphabet(["tr"]) or set())
    assert "ğ" not in (alphabet(["de", "fr"]) or set())
    assert alphabet(["de", "ja"]) is None
    assert alphabet([]) is None


def test_every_model_is_small_and_of_a_known_language() -> None:
    files = sorted(FOLDER.glob(f"*{SUFFIX}"))
    assert {file.stem for file in files} <= set(ALPHABETS)
    assert len(files) == 30
    assert max(file.stat().st_size for file in files) <= MAX_BYTES
    sources = (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    assert all(f"## {file.stem}.txt" in sources for file in files)


def test_a_model_that_is_made_gives_what_follows_a_context_probabilities_of_one_together(tmp_path: Path) -> None:
    prose = "der hund und die katze\n" * 40 + "das haus und der garten\n" * 30 + "die maus\n"
    file = tmp_path / f"de{SUFFIX}"
    file.write_bytes(make.table(prose, "de").tobytes())
    model = LetterModel("de", file)
    used = sorted(set(folded(prose.replace("\n", " "), "de")))
    for context in ("", "d", " un", "und ", "xyz"):
        assert sum(2 ** -model.bits(context, letter) for letter in used) == pytest.approx(1, abs=0.08)
    assert model.bits("un", "d") < 0.2
    assert model.bits("und", "x") > 10


def test_a_text_s_letters_cost_what_they_cost_one_by_one() -> None:
    model = LetterModel("de", FOLDER / f"de{SUFFIX}")
    text = folded(f"{GERMAN} 1.249,50 € §", "de")
    one_by_one = [model.bits(text[:at], letter) for at, letter in enumerate(text)]
    np.testing.assert_allclose(model.text_bits(text), one_by_one, atol=1e-5)


def test_the_grams_of_a_text_have_the_hashes_that_they_have_alone() -> None:
    text = "abı š0"
    grams = Grams(text)
    codes, (own, contexts) = [*map(ord, text)], grams.placed(grams.keys)
    for length in range(1, ORDER + 1):
        for end in range(length, len(text) + 1):
            gram = codes[end - length : end]
            assert own[length - 1, end - 1] == hashed(gram)
            assert contexts[length - 1, end - 1] == hashed([*gram[:-1], END])


def test_a_rare_accent_that_the_model_doubts_goes_from_a_page_of_no_language(letters: Letters) -> None:
    doubted = evenly("Şeksyen 9", certainty=0.5, doubts=[Doubt(0, 1, (("Ş", 0.5), ("S", 0.1), ("Ș", 0.2)))])
    hardly = evenly("Şeksyen 9", certainty=0.5, doubts=[Doubt(0, 1, (("Ş", 0.5), ("S", 0.01)))])
    assert [found.text for found in letters.decided([doubted, hardly])] == ["Seksyen 9", "Şeksyen 9"]
    assert [found.text for found in letters.decided([doubted, evenly("Şok")])] == ["Şeksyen 9", "Şok"]
