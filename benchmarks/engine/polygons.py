"""Areas of small convex polygons, as the box figure needs them."""

from collections.abc import Sequence

Point = tuple[float, float]
Shape = tuple[Point, ...]


def shape(corners: Sequence[Sequence[float]] | Sequence[float]) -> Shape:
    """Four (x, y) corners, or the two numbers each of two opposite ones: left, top, right, bottom."""
    numbers = [number for corner in corners for number in (corner if isinstance(corner, Sequence) else (corner,))]
    if len(numbers) == 4:
        left, top, right, bottom = map(float, numbers)
        return (left, top), (right, top), (right, bottom), (left, bottom)
    return tuple((float(x), float(y)) for x, y in zip(numbers[::2], numbers[1::2], strict=True))


def bounds(polygon: Shape) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    xs, ys = zip(*polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def area(polygon: Shape) -> float:
    """Square pixels, whichever way round the corners go."""
    return abs(_signed_area(polygon))


def shared_area(polygon: Shape, window: Shape) -> float:
    """Square pixels of the part inside the convex `window`: Sutherland and Hodgman's clipping (CACM 17, 1974)."""
    a, b = bounds(polygon), bounds(window)
    if a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]:
        return 0.0
    if _signed_area(window) < 0:
        window = window[::-1]
    rest = polygon
    for start, end in zip(window, (*window[1:], window[0]), strict=True):
        rest = _clipped(rest, start, end)
        if len(rest) < 3:
            return 0.0
    return area(rest)


def _clipped(polygon: Shape, start: Point, end: Point) -> Shape:
    """The part of the polygon on the inner side of the line from `start` to `end`."""

    def depth(point: Point) -> float:
        return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])

    kept: list[Point] = []
    for here, there in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        a, b = depth(here), depth(there)
        if a >= 0:
            kept.append(here)
        if a * b < 0:
            share = a / (a - b)
            kept.append((here[0] + share * (there[0] - here[0]), here[1] + share * (there[1] - here[1])))
    return tuple(kept)


def _signed_area(polygon: Shape) -> float:
    following = (*polygon[1:], polygon[0])
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, following, strict=True)) / 2
