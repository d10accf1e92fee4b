"""What lines say: running text in columns, and tables of wide cells, which look alike to the eye."""

import math
import random
import string

import pytest

from ocr_engine.layout import pieces_in_order
from ocr_engine.layout.wording import goes_on
from ocr_engine.result import Polygon

SIZE = 20.0
LETTER = 0.45 * SIZE
SEEDS = range(6)
Line = tuple[str, float, float]
"""Its text, its left end and its top, pixels."""


def polygon(line: Line) -> Polygon:
    text, left, top = line
    right, bottom = left + len(text) * LETTER, top + 1.2 * SIZE
    return (left, top), (right, top), (right, bottom), (left, bottom)


def read(lines: list[Line], lot: random.Random) -> list[str]:
    shuffled = lot.sample(lines, len(lines))
    texts = [text for text, _, _ in shuffled]
    return [texts[piece.line] for piece in pieces_in_order([*map(polygon, shuffled)], texts, [()] * len(texts))]


def letters(lot: random.Random, least: int, most: int) -> str:
    return "".join(lot.choices(string.ascii_lowercase, k=lot.randint(least, most)))


def address(lot: random.Random) -> str:
    return f"{letters(lot, 4, 7)}.{letters(lot, 5, 9)}@{letters(lot, 7, 10)}.org"


def link(lot: random.Random) -> str:
    return f"https://www.{letters(lot, 6, 9)}.org/{letters(lot, 4, 6)}/item-{lot.randint(10, 99)}"


def serial(lot: random.Random) -> str:
    return "-".join("".join(lot.choices(string.ascii_uppercase + string.digits, k=4)) for _ in range(4))


def name(lot: random.Random) -> str:
    return f"{letters(lot, 4, 6)} {letters(lot, 6, 9)}".title()


def sentence(lot: random.Random, length: int) -> str:
    """As many words as fill a line of prose; one in six begins a sentence."""
    words = letters(lot, 1, 9)
    while len(words) < length:
        words += " " + letters(lot, 1, 9)
    return words.capitalize() if lot.random() < 1 / 6 else words


@pytest.mark.parametrize("seed", SEEDS)
def test_a_table_of_wide_cells_is_read_row_by_row(seed: int) -> None:
    lot = random.Random(seed)
    lefts = (100, 200, 400, 800, 1300)
    rows = []
    for row in range(12):
        cells = (f"{lot.randint(0, 9999):04}", name(lot), address(lot), link(lot), serial(lot))
        rows.append([(cell, left, 100 + 2.2 * SIZE * row) for cell, left in zip(cells, lefts, strict=True)])
    assert read([line for row in rows for line in row], lot) == [text for row in rows for text, _, _ in row]


@pytest.mark.parametrize("length", [30, 44], ids=["narrow", "wide"])
@pytest.mark.parametrize("seed", SEEDS)
def test_running_text_on_one_grid_is_read_column_by_column(seed: int, length: int) -> None:
    lot = random.Random(seed)
    columns = [
        [(sentence(lot, length), 100 + k * (length + 16) * LETTER, 100 + 1.4 * SIZE * row) for row in range(12)]
        for k in range(2)
    ]
    assert read([line for column in columns for line in column], lot) == [
        text for column in columns for text, _, _ in column
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_ragged_running_text_is_known_by_its_words(seed: int) -> None:
    """Half of its lines are a third shorter than the others: they do not fill their column."""
    lot = random.Random(seed)
    columns = [
        [(sentence(lot, lot.choice((22, 36))), 100 + 410 * k, 100 + 1.4 * SIZE * row) for row in range(24)]
        for k in range(2)
    ]
    assert read([line for column in columns for line in column], lot) == [
        text for column in columns for text, _, _ in column
    ]


@pytest.mark.parametrize(
    "text",
    [
        "and so on",
        "exhibition.",
        "(see above)",
        "\u201equote\u201c goes",
        "d'\u00e9t\u00e9 et",
        "well-known",
        "\u0438 \u0442\u0430\u043a",
    ],
)
def test_lines_that_go_on_with_a_sentence(text: str) -> None:
    assert goes_on([text]).tolist() == [1]


@pytest.mark.parametrize(
    "text",
    ["Anna Moreau", "3 apples", "12.50", "anna.moreau@here.org", "www.here.org", "\\newline", "-rw-r--r-- 1", "a=1"],
)
def test_lines_that_go_on_with_nothing(text: str) -> None:
    assert goes_on([text]).tolist() == [0]


@pytest.mark.parametrize("text", ["", "...", "ALL IN CAPITALS", "\u6d4b\u8bd5 12", "\u0627\u0644\u0646\u0635"])
def test_lines_that_cannot_tell(text: str) -> None:
    assert math.isnan(goes_on([text])[0])
