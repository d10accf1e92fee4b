"""From pixels of a page as it was read to points of the page as the PDF has it (ISO 32000-1, 8.3)."""

from collections.abc import Sequence

from msgspec import Struct

from ocr_engine.result import OcrPage, Point, Polygon

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in points."""


class ToPoints(Struct, frozen=True):
    """x' = ax + cy + e, y' = bx + dy + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    @classmethod
    def of(cls, page: OcrPage, shown: Box, rotate: int) -> "ToPoints":
        """`shown`: the crop box in the page's own space; `rotate`: its `/Rotate`, which a viewer has applied."""
        left, bottom, right, top = shown
        width, height = right - left, top - bottom
        seen_width, seen_height = (height, width) if rotate in (90, 270) else (width, height)
        sx, sy = seen_width / page.width, seen_height / page.height
        a, b, c, d, e, f = {
            0: (1, 0, 0, 1, 0.0, 0.0),
            90: (0, 1, -1, 0, width, 0.0),
            180: (-1, 0, 0, -1, width, height),
            270: (0, -1, 1, 0, 0.0, height),
        }[rotate]
        # pixels count down from the top, points up from the bottom
        return cls(a * sx, b * sx, -c * sy, -d * sy, c * seen_height + e + left, d * seen_height + f + bottom)

    def point(self, place: Point) -> Point:
        """A point of the page."""
        x, y = place
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def polygon(self, polygon: Polygon) -> Sequence[Point]:
        """Its corners, in their order."""
        return [self.point(corner) for corner in polygon]
