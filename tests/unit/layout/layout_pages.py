"""Pages whose reading order is known, drawn by lot: where the lines stand, as a detector finds them."""

import string
from collections.abc import Callable

from tests.unit.layout.sheet import HEIGHT, WIDTH, Sheet


def newspaper(sheet: Sheet) -> None:
    """Two to five narrow columns under a masthead; a headline over some of them."""
    lot = sheet.lot
    size = lot.uniform(11, 15)
    columns, gutter = lot.randint(2, 5), lot.uniform(0.8, 2.0) * size
    width = (WIDTH - 80 - gutter * (columns - 1)) / columns
    sheet.centred(40, 700, 60)
    sheet.centred(125, 500, size)
    top = 160.0
    xs = [40 + k * (width + gutter) for k in range(columns)]
    while top < HEIGHT - 300:
        bottom = min(HEIGHT - 40, top + lot.uniform(350, 800))
        if HEIGHT - 40 - bottom < 260:
            bottom = HEIGHT - 40
        headline = 2.4 * size
        sheet.line(40, top, lot.uniform(0.6, 0.98) * (WIDTH - 80), headline)
        for x in xs:
            pitch = size * lot.uniform(1.15, 1.35)
            start = top + headline + 10 + lot.uniform(0, 0.6) * size
            if lot.random() < 0.25:
                start += lot.uniform(6, 14) * size  # a picture
                sheet.line(x, start, lot.uniform(0.5, 0.95) * width, 0.85 * size)  # its caption
                start += 2 * size
            sheet.column(x, start, width, bottom - lot.uniform(0, 2) * size, size, pitch=pitch)
        top = bottom + 1.5 * size


def academic(sheet: Sheet) -> None:
    """Title, authors and abstract across; two columns on one grid of lines; a footnote and the page's number."""
    lot = sheet.lot
    size = lot.uniform(13, 17)
    pitch, gutter = 1.25 * size, lot.uniform(1.5, 3) * size
    width = (WIDTH - 160 - gutter) / 2
    sheet.centred(70, 600, 1.7 * size)
    sheet.centred(120, 350, size)
    y = sheet.column(170, 170, 660, 340, size, pitch=pitch)
    y += 1.5 * size
    note = HEIGHT - 90 - lot.randint(2, 4) * pitch
    for x, bottom in ((80, note - 2 * size), (80 + width + gutter, HEIGHT - 90)):
        here = y
        while here < bottom - 6 * size:
            sheet.line(x, here, lot.uniform(0.3, 0.7) * width, 1.1 * size)
            here += 2 * pitch
            here = sheet.column(x, here, width, min(bottom, here + lot.randint(6, 25) * pitch), size, pitch=pitch)
            here += pitch
        if x == 80:
            sheet.column(x, note, width, HEIGHT - 90, 0.85 * size, pitch=1.05 * size)
    sheet.centred(HEIGHT - 60, 2 * size, size)


def magazine(sheet: Sheet) -> None:
    """Two or three columns, ragged or flush, with a sidebar of smaller print on the right."""
    lot = sheet.lot
    size = lot.uniform(13, 18)
    gutter = lot.uniform(1.2, 3) * size
    columns, flush = lot.randint(2, 3), lot.random() < 0.5
    body = 680.0
    width = (body - gutter * (columns - 1)) / columns
    sheet.line(50, 50, 0.8 * body, 50)
    sheet.line(50, 115, 0.6 * body, 1.5 * size)
    for k in range(columns):
        start = 170 + (lot.uniform(8, 20) * size if lot.random() < 0.3 else 0)
        sheet.column(
            50 + k * (width + gutter),
            start,
            width,
            HEIGHT - 60,
            size,
            pitch=lot.choice((1.25, 1.32)) * size,
            flush=flush,
        )
    small = 0.85 * size
    y = lot.uniform(180, 500)
    sheet.line(50 + body + 2.5 * size, y, 130, 1.3 * small)
    sheet.column(
        50 + body + 2.5 * size, y + 2.2 * small, 950 - 50 - body - 2.5 * size, HEIGHT - 200, small, pitch=1.3 * small,
        flush=False,
    )  # fmt: skip


def margin_notes(sheet: Sheet) -> None:
    """A sheet of one wide column with short notes beside it in the margin."""
    lot = sheet.lot
    size = lot.uniform(14, 18)
    sheet.line(60, 60, 500, 2 * size)
    sheet.column(60, 130, 620, HEIGHT - 80, size, pitch=1.3 * size)
    for y in (lot.uniform(200, 400), lot.uniform(600, 1000)):
        for k in range(lot.randint(3, 6)):
            sheet.line(720, y + k * 1.25 * 0.8 * size, lot.uniform(100, 200), 0.8 * size)


def receipt(sheet: Sheet) -> None:
    """Shop and address in the middle, names of goods on the left, prices on the right, sums."""
    lot = sheet.lot
    size = lot.uniform(20, 30)
    pitch = size * lot.uniform(1.1, 1.7)
    y = 40.0
    for _ in range(lot.randint(3, 6)):
        sheet.centred(y, lot.uniform(250, 700), size)
        y += pitch
    for _ in range(lot.randint(2, 4)):
        sheet.line(150, y, lot.uniform(80, 250), size)
        sheet.line(lot.uniform(420, 500), y, lot.uniform(80, 300), size)
        y += pitch
    for _ in range(lot.randint(4, 18)):
        price = lot.uniform(2, 4) * size
        sheet.line(150, y, lot.uniform(150, 450), size)
        if lot.random() < 0.3:
            y += pitch
            sheet.line(190, y, lot.uniform(40, 90), size)
            sheet.line(420, y, lot.uniform(40, 90), size)
        sheet.line(850 - price, y, price, size)
        y += pitch
    for _ in range(lot.randint(2, 5)):
        price = lot.uniform(2, 4) * size
        sheet.line(lot.choice((150, 400)), y, lot.uniform(80, 200), size)
        sheet.line(850 - price, y, price, size)
        y += pitch
    for _ in range(lot.randint(1, 3)):
        sheet.centred(y, lot.uniform(300, 700), size)
        y += pitch


def form(sheet: Sheet) -> None:
    """Labels and values, two pairs a row, here and there a row across."""
    lot = sheet.lot
    size = lot.uniform(14, 20)
    pitch = size * lot.uniform(1.4, 2.6)
    sheet.centred(50, 400, 1.6 * size)
    y = 110.0
    while y < HEIGHT - 150:
        if lot.random() < 0.15:
            sheet.line(60, y, lot.uniform(400, 880), size)
        else:
            for x in (60.0, 540.0):
                if lot.random() < 0.9:
                    sheet.line(x, y, lot.uniform(60, 170), size)
                if lot.random() < 0.85:
                    sheet.line(x + 190, y, lot.uniform(40, 220), size)
        y += pitch


def invoice(sheet: Sheet) -> None:
    """A heading, a table of goods with figures, then terms in running text."""
    lot = sheet.lot
    size = lot.uniform(14, 18)
    sheet.line(60, 50, 250, 2 * size)
    for k in range(4):
        sheet.line(60, 120 + 1.3 * k * size, lot.uniform(120, 300), size)
        sheet.line(640, 120 + 1.3 * k * size, lot.uniform(60, 110), size)
        sheet.line(780, 120 + 1.3 * k * size, lot.uniform(60, 110), size)
    y = sheet.table(60, 300, 880, lot.randint(6, 25), lot.randint(3, 6), size, size * lot.uniform(1.3, 2))
    sheet.column(60, y + 2 * size, 880, y + 12 * size, size, pitch=1.3 * size)


def price_list(sheet: Sheet) -> None:
    """Names and prices, closely set, from top to bottom."""
    size = sheet.lot.uniform(14, 20)
    sheet.centred(50, 500, 2 * size)
    sheet.table(100, 130, 800, int((HEIGHT - 200) / (1.3 * size)), 2, size, 1.3 * size)


def contents(sheet: Sheet) -> None:
    """Titles with leaders up to the edge, and page numbers."""
    lot = sheet.lot
    size = lot.uniform(14, 20)
    sheet.line(100, 60, 200, 2 * size)
    y = 140.0
    while y < HEIGHT - 100:
        sheet.line(100, y, 740, size)
        sheet.line(900 - size, y, size, size)
        y += 1.4 * size


def report(sheet: Sheet) -> None:
    """Running text of one column with a table in the middle of it."""
    lot = sheet.lot
    size = lot.uniform(14, 18)
    sheet.line(80, 60, 400, 1.5 * size)
    y = sheet.column(80, 120, 840, 480, size, pitch=1.3 * size, flush=lot.random() < 0.5)
    y = sheet.table(80, y + size, 840, lot.randint(4, 14), lot.randint(3, 6), size, 1.4 * size)
    sheet.column(80, y + size, 840, HEIGHT - 100, size, pitch=1.3 * size, flush=lot.random() < 0.5)
    sheet.line(80, HEIGHT - 60, 200, 0.9 * size)
    sheet.line(880, HEIGHT - 60, 40, 0.9 * size)


def table_in_columns(sheet: Sheet) -> None:
    """Two columns of running text, in one of them a table."""
    lot = sheet.lot
    size = lot.uniform(12, 15)
    pitch = 1.3 * size
    with_table = lot.randint(0, 1)
    sheet.centred(50, 500, 2 * size)
    for k, x in enumerate((60.0, 520.0)):
        y = 120 + lot.uniform(0, 1) * size
        if k == with_table:
            y = sheet.column(x, y, 420, lot.uniform(250, 700), size, pitch=pitch)
            y = sheet.table(x, y + size, 420, lot.randint(5, 12), lot.randint(2, 4), size, pitch) + size
        sheet.column(x, y, 420, HEIGHT - 80, size, pitch=pitch)


def tables_beside_prose(sheet: Sheet) -> None:
    """Two columns on one grid of lines, each with a table where the other has running text."""
    lot = sheet.lot
    size = lot.uniform(14, 18)
    pitch, rows = 1.3 * size, lot.randint(12, 16)
    top, middle = 100.0, 100 + (rows + 1) * pitch
    foot = middle + (rows + lot.randint(10, 13)) * pitch
    sheet.table(60, top, 420, rows, lot.randint(3, 4), size, pitch)
    sheet.column(60, middle, 420, foot, size, pitch=pitch)
    sheet.column(520, top, 420, middle - size, size, pitch=pitch)
    sheet.table(520, middle, 420, rows, lot.randint(3, 4), size, pitch)
    sheet.column(520, middle + (rows + 1) * pitch, 420, foot, size, pitch=pitch)


def slide(sheet: Sheet) -> None:
    """A title and bullets, big print."""
    lot = sheet.lot
    size = lot.uniform(30, 40)
    sheet.line(80, 60, 700, 1.6 * size)
    y = 220.0
    for _ in range(lot.randint(3, 6)):
        sheet.line(80, y, 0.5 * size, size)
        for _ in range(lot.randint(1, 3)):
            sheet.line(130, y, lot.uniform(400, 750), size)
            y += 1.3 * size
        y += size


def screenshot(sheet: Sheet) -> None:
    """A bar of buttons, a list of places on the left, an article beside it."""
    lot = sheet.lot
    size = lot.uniform(14, 18)
    for k in range(5):
        sheet.line(40 + 130 * k, 20, lot.uniform(40, 90), size)
    y = 90.0
    for _ in range(lot.randint(8, 20)):
        sheet.line(40, y, lot.uniform(60, 150), size)
        y += 2.1 * size
    sheet.line(280, 90, 400, 2 * size)
    sheet.column(280, 90 + 4 * size, 640, HEIGHT - 100, size, pitch=1.45 * size, flush=False)


def vertical_text(sheet: Sheet) -> None:
    """Columns of characters from the right to the left, in two storeys."""
    lot = sheet.lot
    size = lot.uniform(16, 24)
    for top, bottom in ((80.0, 660.0), (720.0, 1320.0)):
        x = WIDTH - 80
        while x > 80:
            length = (bottom - top) * (1.0 if lot.random() < 0.7 else lot.uniform(0.2, 0.9))
            letters = "".join(lot.choices(string.ascii_lowercase, k=round(length / size)))
            sheet.lines.append((letters, ((x, top), (x + size, top), (x + size, top + length), (x, top + length))))
            x -= 1.6 * size


def broken_by_a_quote(sheet: Sheet) -> None:
    """Two columns that make way for a quotation of large print between them."""
    lot = sheet.lot
    size = lot.uniform(12, 15)
    pitch, start = 1.3 * size, lot.uniform(400, 700)
    end = start + 9 * pitch
    sheet.line(60, 50, 800, 40)
    for k, x in enumerate((60.0, 515.0)):
        y = sheet.column(x, 120, 425, start, size, pitch=pitch)
        narrow = x if k == 0 else x + 115
        y = sheet.column(narrow, y, 310, end, size, pitch=pitch)
        sheet.column(x, y, 425, HEIGHT - 80, size, pitch=pitch)
        if k == 0:
            for j in range(4):
                sheet.line(400, start + 1.5 * pitch + j * 1.9 * size, lot.uniform(150, 200), 1.5 * size)


def beneath_a_deck(sheet: Sheet) -> None:
    """Two columns whose upper lines are narrow: between them stand a deck and the author's name."""
    lot = sheet.lot
    size = lot.uniform(12, 15)
    pitch = 1.3 * size
    sheet.line(60, 50, 800, 40)
    for j in range(4):
        sheet.centred(122 + j * 1.7 * size, lot.uniform(330, 380), 1.3 * size)
    sheet.centred(122 + 8.5 * size, 180, 1.1 * size)
    for x, narrow in ((60.0, 60.0), (515.0, 720.0)):
        y = sheet.column(narrow, 120, 220, 120 + 9 * pitch, size, pitch=pitch)
        sheet.column(x, y, 425, HEIGHT - 80, size, pitch=pitch)


def around_a_picture(sheet: Sheet) -> None:
    """Two columns, a picture that reaches into both, and its caption of short lines beside nothing but narrow ones."""
    lot = sheet.lot
    size = lot.uniform(12, 15)
    pitch, start = 1.3 * size, lot.uniform(300, 400)
    below = start + 30 * pitch
    for k, x in enumerate((60.0, 515.0)):
        y = sheet.column(x, 60, 425, start, size, pitch=pitch)
        y = sheet.column(x if k == 0 else x + 200, y, 225, below, size, pitch=pitch)
        sheet.column(x, y, 425, HEIGHT - 80, size, pitch=pitch)
        if k == 0:
            for j in range(6):
                sheet.centred(below - (6 - j) * 1.6 * size, lot.uniform(90, 160), size)


Kind = Callable[[Sheet], None]
IN_COLUMNS: tuple[Callable[[Sheet], None], ...] = (
    newspaper, academic, magazine, margin_notes, table_in_columns, tables_beside_prose, screenshot,
)  # fmt: skip
IN_ROWS: tuple[Callable[[Sheet], None], ...] = (
    receipt, form, invoice, price_list, contents, report, slide,
)  # fmt: skip
