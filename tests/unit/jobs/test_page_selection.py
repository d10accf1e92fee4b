"""`1-3,7,20-`: which pages of a file are read."""

import pytest

from app.jobs.page_selection import BadSelection, PageSelection
from app.jobs.reading.reader import chosen
from ocr_engine.errors import NoSuchPage, TooManyPages


@pytest.mark.parametrize(
    ("text", "total", "numbers"),
    [
        ("", 3, [1, 2, 3]),
        ("2", 3, [2]),
        ("1-3,7,20-", 22, [1, 2, 3, 7, 20, 21, 22]),
        (" 1 - 2 , 4 ", 9, [1, 2, 4]),
        ("-2", 9, [1, 2]),
        ("5,1,5,4-6", 9, [1, 4, 5, 6]),
        ("2-", 2, [2]),
        ("8-999999999", 9, [8, 9]),
        ("7-9", 3, []),
    ],
)
def test_a_selection_names_pages_of_the_file_ascending_and_once(text: str, total: int, numbers: list[int]) -> None:
    assert list(PageSelection.parsed(text).numbers(total)) == numbers


@pytest.mark.parametrize("text", ["0", "3-1", "a", "1,,2", "1-2-3", "-", "1.5", "-0", "9" * 12, ",", "١"])
def test_what_names_no_pages_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadSelection, match="pages"):
        PageSelection.parsed(text)


def test_a_selection_of_more_ranges_than_anybody_writes_is_refused() -> None:
    with pytest.raises(BadSelection, match="201 ranges"):
        PageSelection.parsed(",".join(["1"] * 201))


@pytest.mark.parametrize("text", ["1-3,7,20-", "2", "5-", ""])
def test_a_selection_is_written_as_it_was_read(text: str) -> None:
    assert str(PageSelection.parsed(text)) == text


def test_a_file_that_says_it_has_a_billion_pages_is_bounded_before_they_are_counted_out() -> None:
    with pytest.raises(TooManyPages, match="999999999 pages are asked for"):
        chosen(",".join(["1-"] * 200), 999_999_999, 50)
    assert chosen("5-,2-3", 7, 50) == [2, 3, 5, 6, 7]


def test_the_limit_is_on_the_pages_that_are_asked_for() -> None:
    assert chosen("1991-", 2000, 10) == list(range(1991, 2001))
    with pytest.raises(TooManyPages, match="2000 pages are asked for, 10 are read"):
        chosen("", 2000, 10)
    with pytest.raises(NoSuchPage, match="the file has 3"):
        chosen("4-", 3, 10)
