"""Areas of polygons that are places on a page, and what two of them share. A polygon counts as its convex hull."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

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
    """Square pixels."""
    return float(cv2.contourArea(_hull(polygon)))


def shared_area(one: Shape, other: Shape) -> float:
    """Square pixels that lie in both."""
    a, b = bounds(one), bounds(other)
    if a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]:
        return 0.0
    return float(cv2.intersectConvexConvex(_hull(one), _hull(other))[0])


def iou(one: Shape, other: Shape) -> float:
    """Intersection over union, 0 to 1 (Jaccard's index)."""
    shared = shared_area(one, other)
    return shared / (area(one) + area(other) - shared) if shared else 0.0


def _hull(polygon: Shape) -> NDArray[np.float32]:
    return np.asarray(cv2.convexHull(np.array(polygon, np.float32)), np.float32)
