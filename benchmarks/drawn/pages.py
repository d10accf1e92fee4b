"""The kinds of pages: prose, receipts, price lists, forms, tables; names and numbers by lot."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from benchmarks.accuracy.truth import Cell
from benchmarks.documents.draw import WORDS
from benchmarks.drawn.sheet import HEIGHT, WIDTH, Font, Sheet

MARGIN = 90
FOOT = 1100
"""Where running text ends: a page of it costs a reader more than all others."""


def prose(sheet: Sheet) -> None:
    """Paragraphs of one column, 18 to 36 pixels, some a degree askew."""
    _paragraphs(sheet, MARGIN, 120, WIDTH - MARGIN, FOOT, sheet.font(sheet.lot.uniform(18, 36)))
    sheet.turn(sheet.lot.choice((0, 0, sheet.lot.uniform(-1, 1))))


def upside_down(sheet: Sheet) -> None:
    """The same on its head."""
    prose(sheet)
    sheet.turn(180)


def sideways(sheet: Sheet) -> None:
    """Prose with lines in both margins that run up and down."""
    font = sheet.font(sheet.lot.uniform(20, 30))
    _paragraphs(sheet, 260, 120, WIDTH - 260, FOOT, font)
    for x, quarter in ((60, 1), (WIDTH - 150, 3)):
        for y in (150, 800):
            sheet.sideways(_sentence(sheet, font, 550), x, y, font, quarter)


def two_columns(sheet: Sheet) -> None:
    """Prose in two columns on one grid of lines: what stands level there is never one row."""
    font = sheet.font(sheet.lot.uniform(18, 24))
    for left in (MARGIN, 650):
        _paragraphs(sheet, left, 120, left + 500, FOOT, font)


def receipt(sheet: Sheet) -> None:
    """A shop's name, items with their prices, sums; some a degree or two askew."""
    lot, font = sheet.lot, sheet.font(sheet.lot.uniform(20, 32))
    left, right = lot.uniform(250, 350), lot.uniform(800, 1000)
    pitch, base = lot.uniform(1.2, 1.7) * font.size, 150.0
    for _ in range(3):
        sheet.line(_name(sheet).upper(), left + lot.uniform(40, 120), base, font)
        base += pitch
    base += pitch
    prices = []
    for _ in range(lot.randint(8, 20)):
        item, price = _name(sheet), _price(sheet)
        while item in (known for known, _ in sheet.pairs):
            item = _name(sheet)
        if lot.random() < 0.3:
            item = f"{lot.randint(2, 9)} x {item}"
        prices.append(price)
        sheet.pairs.append((item, price))
        sheet.row([(item, left), (price, -right)], base, font)
        base += pitch
    base += 0.6 * pitch
    for label in ("Subtotal", "VAT 7 %", "TOTAL"):
        sheet.pairs.append((label, price := _price(sheet)))
        sheet.row([(label, left), (price, -right)], base, font)
        base += pitch
    sheet.line("Thank you for your visit", left + 60, base + pitch, font)
    sheet.turn(lot.choice((0, lot.uniform(-2, 2))))


def price_list(sheet: Sheet) -> None:
    """Names far from their prices, some with a line of small print below."""
    lot, size = sheet.lot, sheet.lot.uniform(20, 28)
    font = sheet.font(size)
    small = font.font_variant(size=round(0.75 * size))
    base = 160.0
    sheet.line("Menu and prices", MARGIN + 200, base, font.font_variant(size=round(1.8 * size)))
    base += 3 * size
    while base < HEIGHT - 200:
        item, price = _name(sheet), _price(sheet)
        if item not in (known for known, _ in sheet.pairs):
            sheet.pairs.append((item, price))
            sheet.row([(item, MARGIN), (price, -(WIDTH - MARGIN))], base, font)
            base += 1.4 * size
            if lot.random() < 0.4:
                sheet.line(_sentence(sheet, small, 500), MARGIN, base - 0.2 * size, small)
                base += 1.2 * size
    sheet.turn(lot.choice((0, lot.uniform(-1, 1))))


def form(sheet: Sheet) -> None:
    """Labels and what is filled in, two pairs a row, on rules."""
    lot, font = sheet.lot, sheet.font(sheet.lot.uniform(18, 24))
    base = 160.0
    sheet.line("Application for a season ticket", MARGIN, base, font.font_variant(size=round(1.5 * font.size)))
    labels = iter(lot.sample(WORDS, 40))
    pitch = lot.uniform(1.9, 2.8) * font.size
    while (base := base + pitch) < HEIGHT - 200:
        cells = []
        for left in (MARGIN, 650):
            label = next(labels, "").capitalize() + ":"
            value = lot.choice((_name(sheet), _price(sheet), f"{lot.randrange(10**6)}"))
            if label == ":" or font.getlength(value) > 300:
                continue
            sheet.pairs.append((label, value))
            cells += [(label, left), (value, left + 200)]
            sheet.pen.line((left + 195, base + 7, left + 510, base + 7), fill=90)
        if cells:
            sheet.row(cells, base, font)


def loose_form(sheet: Sheet) -> None:
    """A form whose words were boxed by hand: what they measure is no worse than that allows."""
    form(sheet)
    sheet.loosen()


def table(sheet: Sheet) -> None:
    """A table with all, some or no rules, beneath prose and above it."""
    lot, font = sheet.lot, sheet.font(sheet.lot.uniform(18, 24))
    rules = lot.choice(("all", "some", "none", "none"))
    rows, columns = lot.randint(4, 14), lot.randint(2, 6)
    pitch = lot.uniform(1.5, 2.2) * font.size
    _paragraphs(sheet, MARGIN, 120, WIDTH - MARGIN, 420, font)
    top, first = 480.0, 0.34 if columns > 2 else 0.6
    wide = WIDTH - 2 * MARGIN
    edges = [float(MARGIN), *(MARGIN + wide * (first + (1 - first) * k / (columns - 1)) for k in range(columns))]
    cells = []
    for row in range(rows):
        base, printed = top + (row + 0.7) * pitch, list[tuple[str, float]]()
        for column in range(columns):
            text = lot.choice(WORDS).capitalize() if row == 0 else _name(sheet) if column == 0 else _price(sheet)
            if row and column and lot.random() < 0.07:
                continue
            if font.getlength(text) > edges[column + 1] - edges[column] - 24:
                text = text.split()[0]
            cells.append(Cell(row, column, text))
            printed.append((text, edges[column] + 10 if column == 0 else -(edges[column + 1] - 10)))
        sheet.row(printed, base, font)
    sheet.tables = [cells]
    bottom = top + rows * pitch
    if rules == "all":
        for x in edges:
            sheet.pen.line((x, top, x, bottom), fill=60, width=2)
    for row in range(rows + 1) if rules == "all" else (0, 1, rows) if rules == "some" else ():
        sheet.pen.line((MARGIN, top + row * pitch, WIDTH - MARGIN, top + row * pitch), fill=60, width=2)
    _paragraphs(sheet, MARGIN, bottom + 60, WIDTH - MARGIN, min(bottom + 300, HEIGHT - 100), font)
    sheet.turn(lot.choice((0, lot.uniform(-1, 1))))


KINDS: Mapping[str, Callable[[Sheet], None]] = MappingProxyType(
    {
        "prose": prose,
        "upside-down": upside_down,
        "sideways": sideways,
        "two-columns": two_columns,
        "receipts": receipt,
        "price-lists": price_list,
        "forms": form,
        "loose-forms": loose_form,
        "tables": table,
    }
)
"""By the names of their sets."""


def _paragraphs(sheet: Sheet, left: float, top: float, right: float, bottom: float, font: Font) -> None:
    base = top + font.size
    while base < bottom:
        for number in itertools.count():
            text = _sentence(sheet, font, (right - left) * (1 if number % 5 < 4 else sheet.lot.uniform(0.3, 0.9)))
            sheet.line(text.capitalize() if number == 0 else text, left, base, font)
            base += 1.35 * font.size
            if number == 4 or base >= bottom:
                break
        base += 0.8 * font.size


def _sentence(sheet: Sheet, font: Font, width: float) -> str:
    """Words as many as fit."""
    words = [next(text := _words(sheet))]
    while font.getlength(" ".join([*words, word := next(text)])) <= width - 10:
        words.append(word)
    return " ".join(words)


def _words(sheet: Sheet) -> Iterator[str]:
    while True:
        word = sheet.lot.choice(WORDS)
        yield word + sheet.lot.choices(("", ",", "."), (8, 1, 1))[0]


def _name(sheet: Sheet) -> str:
    return " ".join(sheet.lot.sample(WORDS, sheet.lot.randint(1, 3))).capitalize()


def _price(sheet: Sheet) -> str:
    return f"{sheet.lot.randint(1, 199)}.{sheet.lot.randint(0, 99):02}"
