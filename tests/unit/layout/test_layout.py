"""The reading order: columns one after the other, tables and forms row by row."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from ocr_engine.layout import pieces_in_order, reading_order, row_order
from ocr_engine.layout.blocks import find_blocks, plumb
from ocr_engine.layout.lines import level
from ocr_engine.result import Polygon
from tests.unit.layout import layout_pages
from tests.unit.layout.sheet import Line, Sheet, bent, drawn, shuffled, with_merged_lines

SEEDS = range(12)
Kind = Callable[[Sheet], None]


def error(page: Sequence[Line], ordered: Sequence[Line]) -> float:
    """Edits from one order of the text to the other, by its length."""
    true, read = ("".join(text for text, _ in lines) for lines in (page, ordered))
    return Levenshtein.normalized_distance(true, read)


def ordered(page: Sequence[Line]) -> list[Line]:
    return [page[i] for i in reading_order([polygon for _, polygon in page])]


def in_raster_order(page: Sequence[Line]) -> list[Line]:
    """Row by row over the whole page, as detectors give their boxes; the rule of the accuracy figures."""
    rows: list[list[Line]] = []
    for line in sorted(page, key=middle):
        if rows and middle(line) - sum(map(middle, rows[-1])) / len(rows[-1]) < 0.5 * height(line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line[1][0][0])]


def middle(line: Line) -> float:
    return sum(y for _, y in line[1]) / 4


def height(line: Line) -> float:
    return line[1][3][1] - line[1][0][1]


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def names(kinds: Sequence[Kind]) -> list[str]:
    return [kind.__name__ for kind in kinds]


@pytest.mark.parametrize("kind", layout_pages.IN_COLUMNS, ids=names(layout_pages.IN_COLUMNS))
def test_columns_are_read_one_after_the_other(kind: Kind) -> None:
    pages = [drawn(kind, seed) for seed in SEEDS]
    errors = [error(page, ordered(shuffled(page, 1))) for page in pages]
    assert mean(errors) <= 0.02
    assert mean(errors) <= 0.2 * mean([error(page, in_raster_order(page)) for page in pages])


@pytest.mark.parametrize("kind", layout_pages.IN_ROWS, ids=names(layout_pages.IN_ROWS))
def test_receipts_forms_and_tables_are_read_row_by_row(kind: Kind) -> None:
    for seed in SEEDS:
        page = drawn(kind, seed)
        found = error(page, ordered(shuffled(page, 1)))
        assert found <= min(0.005, error(page, in_raster_order(page)))


@pytest.mark.parametrize("kind", layout_pages.IN_ROWS, ids=names(layout_pages.IN_ROWS))
def test_rows_on_photographed_paper_are_read_no_worse_than_from_top_to_bottom(kind: Kind) -> None:
    pages = [bent(drawn(kind, seed), seed) for seed in SEEDS]
    ours = [error(page, ordered(shuffled(page, 1))) for page in pages]
    assert mean(ours) <= mean([error(page, in_raster_order(page)) for page in pages])


@pytest.mark.parametrize("kind", layout_pages.IN_COLUMNS, ids=names(layout_pages.IN_COLUMNS))
def test_columns_on_photographed_paper_are_found(kind: Kind) -> None:
    pages = [bent(drawn(kind, seed), seed) for seed in SEEDS]
    assert mean([error(page, ordered(shuffled(page, 1))) for page in pages]) <= 0.03


def test_vertical_text_is_read_in_columns_from_the_right() -> None:
    for seed in SEEDS:
        page = drawn(layout_pages.vertical_text, seed)
        assert ordered(shuffled(page, 1)) == page


def test_columns_lead_around_a_quotation_set_between_them() -> None:
    pages = [drawn(layout_pages.broken_by_a_quote, seed) for seed in SEEDS]
    assert mean([error(page, ordered(shuffled(page, 1))) for page in pages]) <= 0.15


@pytest.mark.parametrize("kind", [layout_pages.beneath_a_deck, layout_pages.around_a_picture])
def test_columns_are_one_from_top_to_bottom_though_a_deck_or_a_caption_stands_between_them(kind: Kind) -> None:
    pages = [drawn(kind, seed) for seed in SEEDS]
    assert mean([error(page, ordered(shuffled(page, 1))) for page in pages]) <= 0.02


@pytest.mark.parametrize("kind", [layout_pages.newspaper, layout_pages.magazine, layout_pages.academic])
def test_a_box_over_two_columns_does_not_tear_them_apart(kind: Kind) -> None:
    pages = [with_merged_lines(drawn(kind, seed), seed) for seed in SEEDS]
    assert mean([error(page, ordered(shuffled(page, 1))) for page in pages]) <= 0.1


def test_a_heading_across_two_columns_comes_before_both() -> None:
    left = [box(50, y, 450, y + 20) for y in range(100, 400, 26)]
    right = [box(480, y, 880, y + 20) for y in range(100, 400, 26)]
    heading = box(50, 40, 700, 80)
    assert reading_order([*right, *left, heading]) == [24, *range(12, 24), *range(12)]


def test_a_column_goes_on_beside_nothing_behind_the_space_over_a_heading() -> None:
    right = [box(520, 100 + 30 * row, 920, 124 + 30 * row) for row in range(10)]
    left = [box(100, 100 + 30 * row, 500, 124 + 30 * row) for row in range(12)]
    heading = box(100, 520, 300, 548)
    rest = [box(100, 590 + 30 * row, 500, 614 + 30 * row) for row in range(6)]
    page = [*left, heading, *rest, *right]
    assert reading_order(page) == [*range(len(page))]


def test_a_quotation_in_large_print_within_a_column_is_no_headline() -> None:
    left = [box(50, 100 + 24 * row, 450, 118 + 24 * row) for row in range(10)]
    quotation = [box(50, 360 + 40 * row, 450, 394 + 40 * row) for row in range(5)]
    rest = [box(50, 580 + 24 * row, 450, 598 + 24 * row) for row in range(10)]
    right = [box(480, line[0][1], 880, line[2][1]) for line in (*left, *rest)]  # a picture stands beside the quotation
    page = [*left, *quotation, *rest, *right]
    assert reading_order(page) == [*range(len(page))]


def test_indented_code_does_not_make_an_upright_page_lean() -> None:
    """Each level of a block of code begins further right than the one above it, like the lines of a page that leans."""
    code = [box(100 + 12 * (row // 5), 100 + 30 * row, 480 + 4 * (row % 7), 124 + 30 * row) for row in range(20)]
    prose = [box(520, 104 + 30 * row, 920, 128 + 30 * row) for row in range(30)]
    lines = level([*code, *prose])
    upright = plumb(lines, find_blocks(lines))
    assert (upright.left == lines.left).all()


def test_prices_follow_their_items() -> None:
    items = [box(50, y, 350, y + 20) for y in range(100, 400, 26)]
    prices = [box(480, y, 540, y + 20) for y in range(100, 400, 26)]
    pairs = [index for i in range(12) for index in (i, 12 + i)]
    assert reading_order([*items, *prices]) == pairs


def test_small_lines_below_each_other_beside_large_print_stay_in_order() -> None:
    large = box(200, 100, 600, 160)
    names = [box(20, 104, 160, 124), box(24, 121, 150, 141), box(20, 138, 170, 158)]
    order = reading_order([large, *names])
    assert [line for line in order if line] == [1, 2, 3]


def test_a_table_of_equal_cells_far_apart_is_read_row_by_row() -> None:
    rows = [(box(20, y, 180, y + 17), box(920, y, 1090, y + 17)) for y in range(100, 460, 15)]
    assert reading_order([cell for row in rows for cell in row]) == list(range(48))


def test_rows_so_close_that_their_boxes_overlap_are_read_row_by_row() -> None:
    rows = [
        (box(24, y, 184, y + 23), box(921 - k % 3, y - k % 3, 1092 + k % 3, y + 23 + k % 3))
        for k, y in enumerate(range(100, 460, 15))
    ]
    rows[7:9] = [rows[7]]  # one was not found
    assert reading_order([cell for row in rows for cell in row]) == list(range(2 * len(rows)))


def test_the_order_does_not_depend_on_the_order_of_the_boxes() -> None:
    page = drawn(layout_pages.newspaper, 3)
    orders = {tuple(ordered(shuffled(page, seed))) for seed in range(5)}
    assert len(orders) == 1


def test_no_lines_have_no_order() -> None:
    assert reading_order([]) == []
    assert row_order([]) == []


def test_rows_are_read_as_rows_on_request_whatever_stands_in_them() -> None:
    left, right = ([box(x, 20 * row, x + 380, 20 * row + 14) for row in range(12)] for x in (0, 420))
    assert reading_order([*left, *right]) == list(range(24))
    assert row_order([*left, *right]) == [[row, row + 12] for row in range(12)]


numbers = st.floats(-1e4, 1e4, allow_nan=False)
points = st.tuples(numbers, numbers)
polygons = st.tuples(points, points, points, points)


@given(st.lists(polygons, max_size=40))
def test_every_line_is_read_exactly_once_whatever_its_shape(shapes: list[Polygon]) -> None:
    assert sorted(reading_order(shapes)) == list(range(len(shapes)))


@given(st.lists(st.sampled_from([box(0, 0, 0, 0), box(5, 5, 9, 9), box(0, 0, 100, 10)]), max_size=30))
@example([box(0, 0, 0, 0)] * 8)
def test_boxes_on_top_of_each_other_and_without_extent_are_read_once(shapes: list[Polygon]) -> None:
    assert sorted(reading_order(shapes)) == list(range(len(shapes)))


def test_lone_figures_however_narrow_do_not_make_a_page_run_down() -> None:
    rows = [[box(50, 40 * row, 100, 40 * row + 20), box(300, 40 * row, 309, 40 * row + 20)] for row in range(12)]
    page = [cell for row in rows for cell in row]
    texts = [text for row in range(12) for text in (f"T{row}", "1")]
    # without what they say they look like a column of Chinese
    narrow = [box(50 + 60 * column, 40 * row, 59 + 60 * column, 40 * row + 20) for row in range(6) for column in (0, 1)]
    assert row_order(narrow, ["1"] * 12) == [[2 * row, 2 * row + 1] for row in range(6)]
    assert row_order(narrow) != row_order(narrow, ["1"] * 12)
    assert [piece.line for piece in pieces_in_order(page, texts, [()] * 24)] == [*range(24)]
