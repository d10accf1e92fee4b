"""Indexes and lists of contents in columns are read column by column; tables and forms with numbers are not."""

import random
import string
from collections.abc import Sequence

import pytest
from msgspec import Struct

from ocr_engine.layout import pieces_in_order
from ocr_engine.layout.entries import ENTRY, MIN_INDEX_ENTRIES, ONLY_NUMBERS
from ocr_engine.result import Polygon

SIZE = 20.0
LETTER = 0.4 * SIZE
SEEDS = range(6)


class Printed(Struct, frozen=True):
    """A line: its text, its left end and its top in pixels."""

    text: str
    left: float
    top: float

    @property
    def polygon(self) -> Polygon:
        right, bottom = self.left + len(self.text) * LETTER, self.top + 1.2 * SIZE
        return (self.left, self.top), (right, self.top), (right, bottom), (self.left, bottom)


def word(lot: random.Random) -> str:
    return "".join(lot.choices(string.ascii_lowercase, k=lot.randint(3, 14)))


def pages(lot: random.Random) -> str:
    return ", ".join(str(lot.randint(1, 300)) for _ in range(lot.choice((1, 1, 2, 3))))


def column(lot: random.Random, left: float, rows: int, *, apart: bool, width: float = 18 * SIZE) -> list[Printed]:
    """Entries in reading order, the numbers behind a comma, or `apart` in boxes of their own, flush on the right."""
    found = []
    for row in range(rows):
        top = 100 + 1.4 * SIZE * row
        indent = lot.choice((0.0, 0.0, 0.0, SIZE))
        numbers = pages(lot)
        if apart:
            found.append(Printed(word(lot), left + indent, top))
            found.append(Printed(numbers, left + width - len(numbers) * LETTER, top))
        else:
            found.append(Printed(f"{word(lot)}, {numbers}", left + indent, top))
    return found


def read(columns: Sequence[Sequence[Printed]], lot: random.Random) -> list[str]:
    shuffled = [line for lines in columns for line in lines]
    lot.shuffle(shuffled)
    ordered = pieces_in_order([x.polygon for x in shuffled], [x.text for x in shuffled], [()] * len(shuffled))
    return [shuffled[piece.line].text for piece in ordered]


def row_by_row(columns: Sequence[Sequence[Printed]]) -> list[str]:
    lines = [line for lines in columns for line in lines]
    return [line.text for line in sorted(lines, key=lambda line: (line.top, line.left))]


@pytest.mark.parametrize("apart", [False, True], ids=["behind a comma", "apart"])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_an_index_is_read_column_by_column(seed: int, count: int, apart: bool) -> None:
    lot = random.Random(seed)
    columns = [column(lot, 100 + 20 * SIZE * k, 24, apart=apart) for k in range(count)]
    assert read(columns, lot) == [line.text for lines in columns for line in lines]


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_that_go_on_in_lines_of_their_own_belong_to_their_entry(seed: int) -> None:
    lot = random.Random(seed)
    columns = []
    for k in range(2):
        lines = column(lot, 100 + 20 * SIZE * k, 24, apart=True)
        down = 0.0
        for at, line in enumerate(lines):
            down += 1.4 * SIZE * (at % 2 and lot.random() < 0.4)
            lines[at] = Printed(line.text, line.left, line.top + down)
        columns.append(lines)
    assert read(columns, lot) == [line.text for lines in columns for line in lines]


@pytest.mark.parametrize("apart", [False, True], ids=["behind a comma", "apart"])
def test_a_form_of_a_few_keys_and_numbers_is_read_row_by_row(apart: bool) -> None:
    lot = random.Random(1)
    columns = [column(lot, 100 + 20 * SIZE * k, MIN_INDEX_ENTRIES - 1, apart=apart) for k in range(2)]
    assert read(columns, lot) == row_by_row(columns)


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_beside_names_are_a_table(seed: int) -> None:
    lot = random.Random(seed)
    columns = []
    for k in range(2):
        names = [Printed(word(lot), 100 + 20 * SIZE * k, 100 + 1.4 * SIZE * row) for row in range(20)]
        prices = [Printed(f"{lot.randint(1, 99)}.{lot.randint(10, 99)}", x.left + 14 * SIZE, x.top) for x in names]
        columns += [names, prices]
    assert read(columns, lot) == row_by_row(columns)


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_in_several_columns_behind_one_of_names_are_a_table(seed: int) -> None:
    lot = random.Random(seed)
    names = [Printed(word(lot), 100, 100 + 1.4 * SIZE * row) for row in range(20)]
    numbers = [
        [Printed(str(lot.randint(100, 999)), 100 + (16 + 6 * k) * SIZE, line.top) for line in names] for k in range(3)
    ]
    columns = [names, *numbers]
    assert read(columns, lot) == row_by_row(columns)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_invoice_with_numbered_lines_is_a_table(seed: int) -> None:
    lot = random.Random(seed)
    columns: list[list[Printed]] = [[], [], [], []]
    for row in range(MIN_INDEX_ENTRIES + 4):
        cells = (str(row + 1), word(lot), str(lot.randint(1, 40)), "12.50")
        for cells_below, left, cell in zip(columns, (100, 180, 500, 640), cells, strict=True):
            cells_below.append(Printed(cell, left, 100 + 2 * SIZE * row))
    assert read(columns, lot) == row_by_row(columns)


@pytest.mark.parametrize("text", ["5", "3, 8", ". . 52,107", "2–7, 9-14", "…… 16", "12, 34,"])
def test_numbers_of_pages(text: str) -> None:
    assert ONLY_NUMBERS.fullmatch(text)


@pytest.mark.parametrize("text", ["17.00", "$ 12", "12 kg", "", ". . .", "12345", "A 12"])
def test_other_numbers(text: str) -> None:
    assert not ONLY_NUMBERS.fullmatch(text)


@pytest.mark.parametrize(
    "text", ["oak, 4", "naïve 4", "\\newline .... 52, 107", "测试 12", "Angström, Anders 5, 17–19"]
)
def test_entries_of_an_index(text: str) -> None:
    assert ENTRY.fullmatch(text)


@pytest.mark.parametrize("text", ["oak", "12, 34", "4 oaks", "oak4", "oak 4.50"])
def test_what_is_no_entry_of_an_index(text: str) -> None:
    assert not ENTRY.fullmatch(text)
