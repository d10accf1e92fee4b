"""Boxes that detection drew over two columns are cut at the gutter, and nothing else is."""

import math
import random
import string
from collections.abc import Sequence

import pytest
from msgspec import Struct
from rapidfuzz.distance import Levenshtein

from ocr_engine.layout import Piece, pieces_in_order
from ocr_engine.layout.gutters import pieces
from ocr_engine.layout.lines import level
from ocr_engine.result import Polygon

SIZE = 20.0
LETTER = 0.4 * SIZE
STEP = 0.25 * SIZE
"""Places of letters are multiples of it, as the recogniser gives them."""
SEEDS = range(8)


class Printed(Struct, frozen=True):
    """A line as it was read: its text, its left end, top and right end, and the middles of its characters in pixels."""

    text: str
    left: float
    top: float
    right: float
    middles: tuple[float, ...]


def printed(lot: random.Random, left: float, top: float, width: float, *, justified: bool = True) -> Printed:
    """Words from `left` on, the spaces between them stretched so that they fill the width."""
    words = ["".join(lot.choices(string.ascii_lowercase, k=lot.randint(2, 9)))]
    while (sum(map(len, words)) + 0.8 * len(words) + 6) * LETTER < width:
        words.append("".join(lot.choices(string.ascii_lowercase, k=lot.randint(2, 9))))
    letters = sum(map(len, words))
    space = (width - letters * LETTER) / max(1, len(words) - 1) if justified else 0.8 * LETTER
    x, middles = left, list[float]()
    for number, word in enumerate(words):
        if number:
            middles.append(x + space / 2)
            x += space
        middles += [x + (k + 0.5) * LETTER for k in range(len(word))]
        x += len(word) * LETTER
    middles = [left + round((middle - left) / STEP) * STEP for middle in middles]
    return Printed(" ".join(words), left, top, x, tuple(middles))


def merged(left: Printed, right: Printed) -> Printed:
    """Both as one box."""
    gap = (left.right + right.left) / 2
    text = f"{left.text} {right.text}"
    return Printed(text, left.left, left.top, right.right, (*left.middles, gap, *right.middles))


def columns(
    seed: int, gutter: float, share: float, rows: int = 24, *, justified: bool = True
) -> tuple[list[list[Printed]], list[Printed]]:
    """Two columns, and what is found of them: as many of the rows as `share` says are one box."""
    lot = random.Random(seed)
    width = 20 * SIZE
    right_edge = 100 + width + gutter * SIZE
    page = [
        [printed(lot, x, 100 + 1.3 * SIZE * row, width, justified=justified) for row in range(rows)]
        for x in (100, right_edge)
    ]
    found = []
    for row in zip(*page, strict=True):
        found += [merged(*row)] if lot.random() < share else [*row]
    lot.shuffle(found)
    return page, found


def polygon(line: Printed, angle: float = 0.0) -> Polygon:
    """The box of a line on a page that is turned by an angle."""
    pad = 0.15 * SIZE
    left, top, right, bottom = line.left - pad, line.top - pad, line.right + pad, line.top + SIZE + pad
    cos, sin = math.cos(angle), math.sin(angle)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    a, b, c, d = ((x * cos - y * sin, x * sin + y * cos) for x, y in corners)
    return a, b, c, d


def box_of(left: float, top: float, right: float, bottom: float) -> Polygon:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def places(line: Printed) -> list[float]:
    pad = 0.15 * SIZE
    return [(middle - line.left + pad) / (line.right - line.left + 2 * pad) for middle in line.middles]


def in_order(lines: Sequence[Printed], angle: float = 0.0) -> list[str]:
    """What is read, line by line."""
    texts = [line.text for line in lines]
    ordered = pieces_in_order([polygon(line, angle) for line in lines], texts, [places(line) for line in lines])
    return [texts[piece.line][piece.first : piece.last].strip() for piece in ordered]


def error(read: Sequence[str], *true: Sequence[Printed]) -> float:
    """Edits from what is read to what stands there, by its length."""
    return Levenshtein.normalized_distance("".join(read), "".join(line.text for lines in true for line in lines))


@pytest.mark.parametrize("angle", [0.0, 0.03])
@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("gutter", [0.8, 1.0, 1.5])
def test_columns_are_read_one_after_the_other_though_their_lines_share_boxes(
    gutter: float, share: float, angle: float
) -> None:
    errors = []
    for seed in SEEDS:
        (left, right), found = columns(seed, gutter, share, justified=False)
        errors.append(error(in_order(found, angle), left, right))
    assert sum(errors) / len(errors) <= 0.04


def test_narrow_gutters_of_justified_columns_are_found() -> None:
    for seed in SEEDS:
        (left, right), found = columns(seed, 0.8, 0.8)
        assert error(in_order(found), left, right) <= 0.05


def test_a_heading_over_both_columns_stays_whole() -> None:
    for seed in SEEDS:
        (left, right), found = columns(seed, 1.0, 1.0)
        heading = printed(random.Random(seed + 100), 100, 100 - 3 * SIZE, 41 * SIZE)
        assert heading.text in in_order([*found, heading])
        assert error(in_order([*found, heading]), [heading], left, right) <= 0.03


def test_running_text_is_left_alone() -> None:
    for seed in range(40):
        lot = random.Random(seed)
        lines = [printed(lot, 100, 100 + 1.3 * SIZE * row, 41 * SIZE, justified=seed % 2 == 0) for row in range(40)]
        whole = pieces(level([polygon(line) for line in lines]), [line.text for line in lines], [*map(places, lines)])
        assert whole == [Piece(i, 0, len(line.text)) for i, line in enumerate(lines)]


def beside_a_table(seed: int) -> list[Printed]:
    """Justified prose in one column, above or below a table of short cells, or between two."""
    lot = random.Random(seed)
    width, pitch, y = lot.uniform(24, 44) * SIZE, lot.uniform(1.2, 1.5) * SIZE, 100.0
    lines = []
    parts = lot.choice(("prose table", "table prose", "table prose table", "prose table prose"))
    for part in parts.split():
        for _ in range(lot.randint(3, 12)):
            if part == "prose":
                lines.append(printed(lot, 100, y, width))
            else:
                for column in range(lot.randint(3, 6)):
                    if lot.random() < 0.9:
                        cell = "".join(lot.choices(string.digits, k=lot.randint(1, 5)))
                        x = 100 + width * column / 6
                        middles = tuple(x + (k + 0.5) * LETTER for k in range(len(cell)))
                        lines.append(Printed(cell, x, y, x + len(cell) * LETTER, middles))
            y += pitch
        y += lot.uniform(0.3, 1.5) * SIZE
    return lines


def test_prose_of_one_column_stays_whole_above_and_below_tables() -> None:
    """Cells keep to any place, and a few spaces stand below each other by chance."""
    for seed in range(60):
        lines = beside_a_table(seed)
        assert sorted(in_order(lines)) == sorted(line.text for line in lines)


def test_an_abstract_over_two_columns_stays_whole() -> None:
    """The gutter under it is sure, and runs through spaces of some of its lines by chance."""
    cut = lines = 0
    for seed in range(20):
        lot = random.Random(seed)
        (left, right), found = columns(seed, lot.uniform(0.8, 1.5), lot.uniform(0.5, 1.0))
        edge = right[0].left + 20 * SIZE
        indent = lot.choice((0.0, 2 * SIZE))
        rows = lot.randint(4, 9)
        abstract = [
            printed(lot, 100 + indent, 100 - (rows + 2 - row) * 1.3 * SIZE, edge - 100 - 2 * indent)
            for row in range(rows)
        ]
        read = in_order([*found, *abstract])
        cut += sum(line.text not in read for line in abstract)
        lines += rows
        assert error(read, abstract, left, right) <= 0.05
    assert cut <= 0.01 * lines


def test_even_spaces_below_each_other_are_no_gutter() -> None:
    """As in the typewriter's print of a bank: all kinds of payment as long, each followed by a name."""
    lot = random.Random(2)
    lines = []
    for row in range(24):
        words = [
            "".join(lot.choices(string.ascii_lowercase, k=k)) for k in (12, lot.randint(6, 12), lot.randint(6, 12))
        ]
        x, middles = 100.0, list[float]()
        for word in words:
            if middles:
                middles.append(x + 0.3 * SIZE)
                x += 0.6 * SIZE
            middles += [x + (k + 0.5) * LETTER for k in range(len(word))]
            x += len(word) * LETTER
        lines.append(Printed(" ".join(words), 100, 100 + 1.3 * SIZE * row, x, tuple(middles)))
    whole = pieces(level([polygon(line) for line in lines]), [line.text for line in lines], [*map(places, lines)])
    assert whole == [Piece(i, 0, len(line.text)) for i, line in enumerate(lines)]


def test_rows_of_a_table_whose_cells_share_a_box_stay_whole() -> None:
    lot = random.Random(1)
    rows = []
    for y in range(100, 500, 26):
        item = printed(lot, 100, y, lot.uniform(5, 16) * SIZE, justified=False)
        rows.append(merged(item, printed(lot, 100 + 20 * SIZE, y, 3 * SIZE)))
    assert in_order(rows) == [row.text for row in rows]


def test_a_piece_knows_its_characters_and_its_ends() -> None:
    (left, right), found = columns(3, 1.0, 1.0)
    boxes = level([polygon(line) for line in found])
    first, second = pieces(boxes, [line.text for line in found], [*map(places, found)])[:2]
    text = found[0].text
    assert (first.line, second.line, first.first, second.last, first.last) == (0, 0, 0, len(text), second.first)
    assert text[: first.last].strip() in [line.text for line in left]
    assert text[second.first :] in [line.text for line in right]
    edge = boxes.left[0] + second.begins * boxes.width[0]
    assert first.begins == 0 < first.ends < second.begins < second.ends == 1
    assert edge == pytest.approx(right[0].left, abs=0.5 * SIZE)


def test_lines_without_places_stay_whole() -> None:
    _, found = columns(5, 1.0, 1.0)
    texts = [line.text for line in found]
    ordered = pieces_in_order([polygon(line) for line in found], texts, [()] * len(found))
    assert {(piece.first, piece.last) for piece in ordered} == {(0, len(texts[piece.line])) for piece in ordered}


def test_vertical_text_stays_whole() -> None:
    _, found = columns(5, 1.0, 1.0)
    standing = [box_of(line.top, line.left, line.top + SIZE, line.right) for line in found]
    ordered = pieces_in_order(standing, [line.text for line in found], [places(line) for line in found])
    assert sorted(piece.line for piece in ordered) == list(range(len(found)))


def test_no_lines_have_no_pieces() -> None:
    assert pieces_in_order([], [], []) == []
