"""The figures of letters, of any script, mean what docs/accuracy.md says."""

import pytest

from benchmarks.accuracy.letters import accents, is_accented, spaced, spaces, words
from benchmarks.accuracy.scoring import figures, score
from benchmarks.accuracy.truth import Line, Overlap, Truth


def test_the_error_rate_with_spaces_counts_a_lost_and_a_made_up_space() -> None:
    counted = score(Truth(lines=("no space", "here")), [Line("nospace"), Line("he re")])
    assert (counted.spaced_edits, counted.spaced_characters) == (2, 13)
    assert figures([counted]).cer_spaced == 2 / 13


def test_a_line_end_is_a_space() -> None:
    assert spaced(["one  line", "another"]) == spaced(["one", "line another"]) == "one line another"


def test_nothing_is_the_same_but_what_unicode_says_is() -> None:
    assert spaced(["cafe\u0301"]) == "caf\u00e9"
    assert spaced(["“it’s”"]) != spaced(['"it\'s"'])


def test_blanks_beside_characters_that_are_set_without_do_not_count() -> None:
    assert spaced(["北 京 市", "OCR 文字"]) == "北京市OCR文字"
    assert spaced(["한국어 글"]) == "한국어 글"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Flat-white, 3.40 € für", ["Flat", "white", "3", "40", "für"]),
        ("cafe\u0301 snake_case", ["café", "snake_case"]),
        ("北京 2008年", ["北", "京", "2008", "年"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("한국어 글", ["한국어", "글"]),
        ("привет, мир!", ["привет", "мир"]),
        ("…", []),
    ],
)
def test_words_are_runs_of_letters_marks_and_numbers_in_any_script(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_unicode_words_are_compared_with_their_accents_and_case() -> None:
    assert score(Truth(lines=("Über den Wolken",)), [Line("Uber den wolken")]).unicode_words == Overlap(1, 3, 3)


@pytest.mark.parametrize("letter", "éßøłñğÅœйάệ")
def test_letters_with_accents_and_those_in_their_place_are_accented(letter: str) -> None:
    assert is_accented(letter)


@pytest.mark.parametrize("letter", "eosñ"[:3] + "лα한がЯ3€")
def test_plain_letters_hangul_and_kana_are_not(letter: str) -> None:
    assert not is_accented(letter)


def test_accents_are_right_at_their_place_only() -> None:
    assert accents(["für café"], ["fur cafè ö"]) == Overlap(common=0, truth=2, read=2)
    assert accents(["für", "café"], ["für café"]) == Overlap(common=2, truth=2, read=2)
    told = figures([score(Truth(lines=("für café egg",)), [Line("für cafe eğğ")])])
    assert told.accents == pytest.approx(1 / 2)
    assert told.false_accents == pytest.approx(2 / 3)


def test_without_accents_there_is_no_figure_of_them() -> None:
    told = figures([score(Truth(lines=("plain",)), [Line("plain")])])
    assert (told.accents, told.false_accents) == (None, None)


def test_spaces_are_lost_kept_and_made_up_between_letters_that_were_read() -> None:
    assert spaces(["one two three"], ["one twothr ee"]) == Overlap(common=1, truth=2, read=2)


def test_no_space_is_lost_at_the_end_of_a_line_or_beside_what_was_misread() -> None:
    assert spaces(["one", "two"], ["onetwo"]) == Overlap()
    assert spaces(["one two"], ["onx two"]) == Overlap()


def test_a_line_that_begins_with_a_lone_mark_is_compared_as_it_is() -> None:
    assert spaces(["one e", "two"], ["one e", "\u0301two"]) == Overlap(common=1, truth=1, read=1)


def test_scripts_without_spaces_do_not_count_for_them() -> None:
    assert spaces(["北京"], ["北 京"]) == Overlap()


def test_a_text_that_is_ordered_by_rows_is_compared_with_what_was_read_by_rows() -> None:
    shapes = (((0, 0), (9, 0), (9, 9), (0, 9)), ((20, 0), (29, 0), (29, 9), (20, 9)))
    read = [Line("right", shapes[1]), Line("left", shapes[0])]
    assert score(Truth(lines=("left", "right"), order="rows"), read).spaced_edits == 0
    assert score(Truth(lines=("left", "right"), order="reader"), read).spaced_edits > 0
