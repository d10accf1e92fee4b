"""What stands on one line of the text: cells of one row, and never what belongs to two columns."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from ocr_engine.layout import pieces_in_order
from ocr_engine.result import Polygon
from tests.unit.layout import layout_pages
from tests.unit.layout.sheet import Sheet, bent, drawn, shuffled

SENTENCES = ("and so the morning went on without a word", "of what had been said the night before in the", "hall")
Line = tuple[str, Polygon]


def at(text: str, left: float, top: float, right: float, size: float = 20) -> Line:
    return text, ((left, top), (right, top), (right, top + size), (left, top + size))


def in_rows(page: Sequence[Line]) -> list[list[str]]:
    pieces = pieces_in_order([polygon for _, polygon in page], [text for text, _ in page], [()] * len(page))
    told: dict[int, list[str]] = {}
    for piece in pieces:
        told.setdefault(piece.row, []).append(page[piece.line][0])
    return [*told.values()]


def article(left: float, top: float, right: float, rows: int, pitch: float) -> list[Line]:
    return [at(SENTENCES[row % 2], left, top + pitch * row, right - 7 * (row % 4)) for row in range(rows)]


@pytest.mark.parametrize("pitch", [42, 47, 51])
def test_a_list_of_places_beside_an_article_is_not_read_into_it(pitch: float) -> None:
    places = [at(f"Place {row}", 40, 100 + pitch * row, 150) for row in range(12)]
    for row in in_rows([*places, *article(280, 100, 900, 20, 29)]):
        assert len(row) == 1


def test_a_note_on_its_own_lines_is_not_read_into_the_text() -> None:
    note = [at(f"note {row}", 760, 163 + 24 * row, 900, 16) for row in range(5)]
    for row in in_rows([*article(60, 100, 700, 20, 27), *note]):
        assert len(row) == 1


@pytest.mark.parametrize(("rows", "pitch"), [(1, 27), (2, 27), (3, 23), (3, 31)])
def test_a_caption_that_stands_level_with_text_is_not_read_into_it(rows: int, pitch: float) -> None:
    caption = [at(f"The harbour in {row} as it was", 40, 262 + pitch * row, 260 - 20 * row) for row in range(rows)]
    for row in in_rows([*caption, *article(300, 100, 900, 20, 27)]):
        assert len(row) == 1


def test_prices_are_read_with_what_fills_its_column_like_text() -> None:
    items = article(60, 100, 640, 12, 32)
    prices = [at(f"{row}.20", 800, 100 + 32 * row, 850) for row in range(12) if row % 3]
    rows = in_rows([*items, *prices])
    assert [row[1] for row in rows if len(row) == 2] == [text for text, _ in prices]


def test_lines_over_each_other_are_not_one_row() -> None:
    """As on bent paper, where the last, short line of a paragraph is found too low."""
    page = [at("Terms", 45, 533, 230), at("and so it goes on over the whole width", 47, 540, 926)]
    assert in_rows([*article(45, 300, 926, 8, 27), *page])[-2:] == [["Terms"], [page[1][0]]]


class _Marked(Sheet):
    """A sheet that knows which of its lines are running text."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.running: set[str] = set()

    def column(
        self, x: float, y: float, width: float, bottom: float, size: float, *, pitch: float, flush: bool = True
    ) -> float:
        before = len(self.lines)
        end = super().column(x, y, width, bottom, size, pitch=pitch, flush=flush)
        self.running |= {text for text, _ in self.lines[before:] if len(text) > 3}
        return end


@pytest.mark.parametrize(
    "kind", [*layout_pages.IN_COLUMNS, layout_pages.beneath_a_deck], ids=lambda kind: kind.__name__
)
def test_no_line_of_running_text_shares_a_row(kind: layout_pages.Kind) -> None:
    for seed in range(6):
        sheet = _Marked(seed)
        kind(sheet)
        for row in in_rows(sheet.lines):
            assert len(row) == 1 or sheet.running.isdisjoint(row)


def test_prices_hang_level_with_their_items_on_bent_paper() -> None:
    kept = wanted = 0
    for seed in range(8):
        page = bent(drawn(layout_pages.price_list, seed), seed)
        texts = [text for text, _ in page]
        for row in in_rows(shuffled(page, 1)):
            assert len(row) == 1 or texts.index(row[1]) == texts.index(row[0]) + 1
            kept += len(row) == 2
        wanted += sum(text_width(b) < 0.2 * text_width(a) for (_, a), (_, b) in pairwise(page))
    assert kept > 0.9 * wanted


def text_width(polygon: Polygon) -> float:
    return polygon[1][0] - polygon[0][0]
