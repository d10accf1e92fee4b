"""The figures of places, order, rows and tables mean what docs/accuracy.md says."""

from types import SimpleNamespace

import pytest

from benchmarks.accuracy.img2table import cells_of
from benchmarks.accuracy.places import WordPlaces, lines_found, word_iou
from benchmarks.accuracy.polygons import iou, shape
from benchmarks.accuracy.scoring import figures, score
from benchmarks.accuracy.structure import PairsKept, cell_f1, pairs_kept, text_rows, words_out_of_order
from benchmarks.accuracy.truth import Cell, Line, Order, Overlap, Share, Truth


def at(text: str, left: float, top: float, right: float, bottom: float) -> Line:
    return Line(text, shape((left, top, right, bottom)))


def test_a_line_is_found_where_something_was_read_over_half_of_it() -> None:
    truth = [at("whole", 0, 0, 100, 10), at("in two", 0, 20, 100, 30), at("a bit", 0, 40, 100, 50)]
    truth.append(at("no", 0, 60, 9, 70))
    read = [
        at("misread", 0, 0, 100, 12),
        at("in", 0, 20, 30, 30),
        at("two", 60, 20, 100, 30),
        at("a", 0, 40, 40, 50),
    ]
    assert lines_found(truth, read) == Share(2, 4)


def test_lines_found_are_a_figure_of_pages_with_places_only() -> None:
    placed = score(Truth(lines=("a",), boxed=(at("a", 0, 0, 9, 9),)), [at("b", 0, 0, 9, 9)])
    unplaced = score(Truth(lines=("a",)), [at("b", 0, 0, 9, 9)])
    assert figures([placed, unplaced]).lines_found == 1
    assert figures([unplaced]).lines_found is None


def test_iou_is_what_two_places_share_by_what_they_cover() -> None:
    square = shape((0, 0, 10, 10))
    assert iou(square, shape((5, 0, 15, 10))) == pytest.approx(1 / 3)
    assert iou(square, shape((20, 20, 30, 30))) == 0


def test_words_are_compared_with_the_nearest_of_the_same_text() -> None:
    truth = [at("the", 0, 0, 10, 10), at("the", 50, 0, 60, 10), at("Cat", 20, 0, 40, 10)]
    read = [at("the", 50, 0, 60, 10), at("the", 0, 0, 10, 5), at("cat", 20, 0, 40, 10)]
    assert word_iou(truth, read) == WordPlaces(words=3, iou=2.5, over_half=2)


def test_words_that_were_misread_or_stand_elsewhere_do_not_count() -> None:
    truth = [at("one", 0, 0, 10, 10), at("two", 20, 0, 30, 10)]
    assert word_iou(truth, [at("ono", 0, 0, 10, 10), at("two", 70, 0, 80, 10)]) == WordPlaces()


def test_the_places_of_words_are_a_figure_where_the_truth_has_words() -> None:
    word = at("word", 0, 0, 40, 10)
    line = Line("word", word.shape, words=(at("word", 0, 0, 20, 10),))
    counted = score(Truth(lines=("word",), boxed=(word,), by_word=True), [line])
    assert figures([counted]).word_iou == 0.5
    assert figures([counted]).word_iou_half == 0
    assert figures([score(Truth(lines=("word",), boxed=(word,)), [line])]).word_iou is None


def test_order_is_by_how_many_words_would_have_to_be_moved() -> None:
    truth = ["a one and a two", "and three four"]
    assert words_out_of_order(truth, ["three four", "one two"]) == Share(2, 4)
    assert words_out_of_order(truth, ["one twx three", "four more"]) == Share(0, 3)
    assert words_out_of_order(truth, []) == Share(0, 0)


def test_order_is_scored_only_where_the_truth_has_that_of_a_reader() -> None:
    read = [Line("second"), Line("first")]
    orders: tuple[Order, ...] = ("reader", "rows", "unknown")
    scores = [score(Truth(lines=("first", "second"), order=order), read) for order in orders]
    assert [figures([each]).out_of_order for each in scores] == [0.5, None, None]


def test_pairs_are_kept_where_both_stand_on_one_line() -> None:
    pairs = [("Flat White", "3.40"), ("Cake", "4.00"), ("Tea", "2.10"), ("Bun", "1.00")]
    text = ["FLAT WHITE  3.40", "Cake", "4.00", "Tea 12.10", "Bun 1.00 0"]
    assert pairs_kept(pairs, text) == PairsKept(pairs=4, read=3, kept=2)


def test_a_price_is_not_found_within_a_longer_number() -> None:
    for line in ("Tea 12.10", "Tea 2.105", "Tea 1,2.10"):
        assert pairs_kept([("Tea", "2.10")], [line]).kept == 0
    assert pairs_kept([("Tea", "2.10")], ["1 Tea RM2.10."]).kept == 1


def test_the_lines_of_one_row_are_one_line_of_the_text() -> None:
    lines = [Line("Tea", row=1), Line("2.10", row=1), Line("Cake", row=2), Line("alone"), Line("too")]
    assert text_rows(lines) == ["Tea 2.10", "Cake", "alone", "too"]


def test_the_kept_pairs_are_a_figure_of_those_read_and_of_all() -> None:
    truth = Truth(lines=("Tea 2.10", "Bun 1.00"), pairs=(("Tea", "2.10"), ("Bun", "1.00")))
    told = figures([score(truth, [Line("Tea", row=1), Line("2.10", row=1), Line("Bun")])])
    assert (told.pairs_kept, told.pairs_of_read) == (0.5, 1)


TABLE = (Cell(0, 0, "Item"), Cell(0, 1, "Price"), Cell(1, 0, "Tea"), Cell(1, 1, "2.10"))


def test_a_table_is_right_by_the_neighbours_of_its_cells() -> None:
    assert cell_f1([TABLE], [TABLE]) == Overlap(4, 4, 4)
    swapped = (*TABLE[:2], Cell(1, 1, "Tea"), Cell(1, 0, "2.10"))
    assert cell_f1([TABLE], [swapped]) == Overlap(1, 4, 4)


def test_rows_may_be_counted_from_elsewhere_and_empty_cells_are_passed_over() -> None:
    shifted = (*(Cell(cell.row + 2, 2 * cell.column, cell.text) for cell in TABLE), Cell(3, 1, " "))
    assert cell_f1([TABLE], [shifted]).f1 == 1


def test_a_cell_over_several_columns_is_a_neighbour_of_each() -> None:
    table = (Cell(0, 0, "Total", column_span=2), Cell(1, 0, "Tea"), Cell(1, 1, "2.10"))
    assert cell_f1([table], [table]).truth == 3
    assert cell_f1([table], [(*table[1:], Cell(0, 0, "Total"))]) == Overlap(2, 3, 2)


def test_tables_are_a_figure_where_the_truth_says_which_there_are() -> None:
    told = score(Truth(lines=(), tables=(TABLE,)), [], tables=[TABLE, TABLE])
    assert figures([told]).cell_f1 == pytest.approx(2 / 3)
    assert figures([score(Truth(lines=(), tables=()), [], tables=[TABLE])]).cell_f1 == 0
    assert figures([score(Truth(lines=()), [], tables=[TABLE])]).cell_f1 is None


def test_a_cell_that_img2table_tells_in_each_of_its_columns_is_one() -> None:
    def cell(text: str | None, left: int, right: int, top: int) -> SimpleNamespace:
        return SimpleNamespace(value=text, bbox=SimpleNamespace(x1=left, x2=right, y1=top, y2=top + 10))

    total = cell("Total\nnet", 0, 20, 0)
    rows = {0: [total, total], 1: [cell("Tea", 0, 10, 10), cell(None, 10, 20, 10)]}
    assert [*cells_of(SimpleNamespace(content=rows))] == [Cell(0, 0, "Total net", 1, 2), Cell(1, 0, "Tea")]
