"""A page in the making, by lot, and what is done to one: lines merged, shuffled, bent, turned."""

import math
import random
import string
from collections.abc import Callable

from ocr_engine.result import Polygon

WIDTH, HEIGHT = 1000.0, 1400.0
Line = tuple[str, Polygon]


class Sheet:
    """A page in the making; lines are added in reading order. Lengths are in pixels."""

    def __init__(self, seed: int) -> None:
        self.lot = random.Random(seed)
        self.lines: list[Line] = []

    def line(self, x: float, y: float, width: float, size: float) -> None:
        """One line from its top left; about as many letters as fit."""
        letters = self.lot.choices(string.ascii_lowercase, k=max(1, round(width / size / 0.42)))
        corners = ((x, y), (x + width, y), (x + width, y + size), (x, y + size))
        self.lines.append(("".join(letters), corners))

    def centred(self, y: float, width: float, size: float) -> None:
        self.line((WIDTH - width) / 2, y, width, size)

    def column(
        self, x: float, y: float, width: float, bottom: float, size: float, *, pitch: float, flush: bool = True
    ) -> float:
        """Paragraphs down to `bottom`; returns where they end."""
        left_in_paragraph = self.lot.randint(2, 8)
        first = True
        while y + size <= bottom:
            left_in_paragraph -= 1
            indent = size if first and self.lot.random() < 0.7 else 0.0
            rag = 0.0 if flush else self.lot.uniform(0, min(0.3 * width, 6 * size))
            if left_in_paragraph == 0:
                rag = self.lot.uniform(0.1, 0.8) * width
            self.line(x + indent, y, max(size, width - indent - rag), size)
            first = left_in_paragraph == 0
            if first:
                left_in_paragraph = self.lot.randint(2, 8)
            y += pitch
        return y

    def table(self, x: float, y: float, width: float, rows: int, columns: int, size: float, pitch: float) -> float:
        """Words on the left and figures, flush right, in the other columns; read row by row."""
        first = 0.45 * width if columns > 2 else 0.7 * width
        each = (width - first) / max(1, columns - 1)
        for _ in range(rows):
            self.line(x, y, self.lot.uniform(0.25, 0.95) * first, size)
            for k in range(1, columns):
                figure = self.lot.uniform(1.0, 3.5) * size
                if self.lot.random() < 0.9:
                    self.line(x + first + k * each - figure, y, figure, size)
            y += pitch
        return y


def bent(page: list[Line], seed: int) -> list[Line]:
    """The page photographed: the paper bends, leans and recedes."""
    lot = random.Random(seed)
    sag, fan, slope = lot.uniform(-25, 25), lot.uniform(-0.06, 0.06), lot.uniform(-20, 20)
    lean = lot.uniform(-0.04, 0.04)

    def moved(point: tuple[float, float]) -> tuple[float, float]:
        u, v = point[0] / WIDTH * 2 - 1, point[1] / HEIGHT * 2 - 1
        x = point[0] + fan * v * u * WIDTH / 2 + lean * v * HEIGHT / 2
        return x, point[1] + sag * u * u + slope * u * (1 + v / 2)

    return [(text, (moved(a), moved(b), moved(c), moved(d))) for text, (a, b, c, d) in page]


def with_merged_lines(page: list[Line], seed: int) -> list[Line]:
    """The page as detected where gutters are narrow: here and there two level lines of two columns are one box."""
    lot = random.Random(seed)
    lines: list[Line | None] = list(page)
    for i, (text, corners) in enumerate(page):
        if lines[i] is None or lot.random() > 0.03:
            continue
        size = corners[3][1] - corners[0][1]
        for j, (other_text, other) in enumerate(page):
            gutter, step = other[0][0] - corners[1][0], abs(other[0][1] - corners[1][1])
            if lines[j] is not None and 0 < gutter < 3 * size and step < 0.4 * size:
                lines[i] = (text + other_text, (corners[0], other[1], other[2], corners[3]))
                lines[j] = None
                break
    return [line for line in lines if line is not None]


def drawn(kind: Callable[[Sheet], None], seed: int) -> list[Line]:
    """A page of that kind as a detector would find it: skewed, boxes a little off, a few lines missed."""
    sheet = Sheet(seed)
    kind(sheet)
    lot = sheet.lot
    skew = math.radians(lot.choice((0.0, lot.uniform(-3, 3))))
    return [(text, _turned(_shaken(corners, lot), skew)) for text, corners in sheet.lines if lot.random() > 0.02]


def shuffled(page: list[Line], seed: int) -> list[Line]:
    """The same lines in an order that tells nothing."""
    mixed = list(page)
    random.Random(seed).shuffle(mixed)
    return mixed


def _shaken(corners: Polygon, lot: random.Random) -> Polygon:
    size = min(corners[3][1] - corners[0][1], corners[1][0] - corners[0][0])
    left, right = lot.uniform(-0.25, 0.1) * size, lot.uniform(-0.1, 0.25) * size
    up, down = lot.uniform(-0.2, 0.05) * size, lot.uniform(-0.05, 0.2) * size
    (x0, y0), (x1, _), (_, y1), _ = corners
    return (x0 + left, y0 + up), (x1 + right, y0 + up), (x1 + right, y1 + down), (x0 + left, y1 + down)


def _turned(corners: Polygon, angle: float) -> Polygon:
    cos, sin = math.cos(angle), math.sin(angle)
    a, b, c, d = ((x * cos - y * sin, x * sin + y * cos) for x, y in corners)
    return a, b, c, d
