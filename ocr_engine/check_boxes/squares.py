"""Squares of four strokes in a picture, and whether there is a mark in them."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, heights
from ocr_engine.check_boxes.box import MAX_BOXES, CheckBox, outer, without_combs
from ocr_engine.crops import Pixels
from ocr_engine.image.ink import components

Mask = NDArray[np.uint8]

# Lengths are multiples of the median height of the page's lines; of a page without any, of its shorter side.
USUAL_LINE_SHARE = 0.03
SIDES = (0.4, 1.7)
"""Of a check box, at least and at most."""
MIN_BOX_SIDE = 9
"""Pixels: less is a bullet or a letter."""
MIN_STROKE = 0.24
"""What of a side remains where a mark or wear breaks it, at least."""
MAX_OBLONG = 1.3
"""Longer side by shorter one."""
MIN_EDGE = 0.45
"""Share of a side that is ink in one row or column of pixels: paper lies askew."""
MIN_HULL, MIN_HOLE = 0.93, 0.87
"""Share of a box that its ink spans, and of the white in its middle that it fills: of an `O` both are 0.79."""
BULLET, BLACK = 0.55, 0.88
"""Side of a square up to which it is a bullet, and the share of it that is black then."""
STRAIGHT = 0.35
"""Of a side, what is straight of it in one piece, at least: paper lies askew."""
MIN_COVERED = 0.8
"""Share of each side that its stroke covers, corners left out: they may be round."""
CORNER = 0.15
"""Share of a side that is a corner at each end."""
MARGIN, MAX_INK_BEFORE, MAX_INK_BEHIND = 0.3, 0.04, 0.12
"""White space beside a box, by its side, and how much of that ink may cover; behind, marks stand out of it."""
MARK_CONTRAST = 12
"""Levels that ink differs from the paper around by at least."""
MIN_MARK, SURE_MARK = 0.05, 0.15
"""Share of what is inside that a mark covers at least, and from which it surely is one."""
MIN_MARK_EXTENT = 0.35
"""Of a mark, by the inside's width or height: less is dirt."""
FILLED = 0.5
"""How far the inside is from paper to ink from which it is filled."""


def find(page: Pixels, quads: Quads) -> list[CheckBox]:
    """The check boxes of an upright page (H, W, 3), from the top; `quads` (n, 4, 2) are the boxes of its lines."""
    unit = float(np.median(heights(quads))) if len(quads) else USUAL_LINE_SHARE * min(page.shape[:2])
    grey = np.asarray(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), np.uint8)
    if np.median(grey) < 128:
        grey = np.asarray(255 - grey, np.uint8)
    window = 2 * round(SIDES[1] * unit) + 3
    ink = np.asarray(
        cv2.adaptiveThreshold(grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, window, MARK_CONTRAST),
        np.uint8,
    )
    boxes = [
        box
        for left, top, right, bottom in _squares(ink, unit)
        if (box := _judged(grey, ink, left, top, right, bottom, BULLET * unit)) is not None
    ]
    return without_combs(outer(boxes))


def _squares(ink: Mask, unit: float) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom of what straight strokes make that has the shape of a box."""
    length = max(5, round(MIN_STROKE * unit))
    across = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    down = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    strokes = cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8))
    found = components(np.asarray(strokes, np.uint8))[2]
    least, most = max(MIN_BOX_SIDE, SIDES[0] * unit), SIDES[1] * unit
    for label in np.lexsort((found[:, 0], found[:, 1]))[: 20 * MAX_BOXES].tolist():
        left, top, width, height, _ = (int(value) for value in found[label])
        if not label or min(width, height) < least or max(width, height) > 1.5 * most:
            continue
        window = np.s_[top : top + height, left : left + width]
        ys = np.flatnonzero(across[window].sum(axis=1) >= MIN_EDGE * min(width, height))
        xs = np.flatnonzero(down[window].sum(axis=0) >= MIN_EDGE * min(width, height))
        if not len(ys) or not len(xs):
            continue
        # marks stand out of them
        box = left + int(xs[0]), top + int(ys[0]), left + int(xs[-1]) + 1, top + int(ys[-1]) + 1
        shorter, longer = sorted((box[2] - box[0], box[3] - box[1]))
        if least <= shorter and longer <= min(most, MAX_OBLONG * shorter) and _has_four_sides(ink, *box):
            yield box


def _has_four_sides(ink: Mask, left: int, top: int, right: int, bottom: int) -> bool:
    """Whether straight strokes run along all of each side: round letters have them in the middle only."""
    box = ink[max(0, top) : bottom, max(0, left) : right]
    height, width = box.shape
    across = cv2.morphologyEx(box, cv2.MORPH_OPEN, np.ones((1, max(3, round(STRAIGHT * width))), np.uint8))
    down = cv2.morphologyEx(box, cv2.MORPH_OPEN, np.ones((max(3, round(STRAIGHT * height)), 1), np.uint8))
    band = max(2, round(0.14 * min(height, width)))
    x = slice(round(CORNER * width), round((1 - CORNER) * width))
    y = slice(round(CORNER * height), round((1 - CORNER) * height))
    edges = (
        across[:band, x].max(axis=0),
        across[-band:, x].max(axis=0),
        down[y, :band].max(axis=1),
        down[y, -band:].max(axis=1),
    )
    return all(len(edge) and edge.mean() >= MIN_COVERED for edge in edges) and _is_square(box)


def _is_square(box: Mask) -> bool:
    """Whether its ink reaches into the corners, and what is white in its middle, too: that of letters does not."""
    height, width = box.shape
    points = cv2.findNonZero(box)
    # pixels are counted from middle to middle
    if cv2.contourArea(cv2.convexHull(points)) < MIN_HULL * (height - 1) * (width - 1):
        return False
    _, labels, found, _ = cv2.connectedComponentsWithStats(1 - box, connectivity=4)
    hole = int(labels[height // 2, width // 2])
    _, _, hole_width, hole_height, area = found[hole]
    rim = max(2, round(0.3 * min(height, width)))
    is_empty = not box[rim:-rim, rim:-rim].any() and hole_width > width / 2 and hole_height > height / 2
    return not is_empty or bool(area >= MIN_HOLE * hole_width * hole_height)


def _judged(grey: Pixels, ink: Mask, left: int, top: int, right: int, bottom: int, bullet: float) -> CheckBox | None:
    """The box with what is in it; None where it has neighbours as a letter has, or is black and no larger than
    `bullet`."""
    side = (right - left + bottom - top) / 2
    margin = max(2, round(MARGIN * side))
    before, behind = (
        ink[top:bottom, max(0, left - margin) : max(0, left - 1)],
        ink[top:bottom, right + 1 : right + margin],
    )
    if (before.size and before.mean() > MAX_INK_BEFORE) or (behind.size and behind.mean() > MAX_INK_BEHIND):
        return None
    stroke = _stroke(ink[top:bottom, left:right])
    rim = stroke + max(1, round(0.06 * side))
    inside = np.s_[top + rim : bottom - rim, left + rim : right - rim]
    marks = ink[inside]
    if marks.size < MIN_BOX_SIDE:
        return None
    paper = float(
        np.percentile(grey[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin], 90)
    )
    dark = float(np.percentile(grey[top:bottom, left:right], 5))
    filled = (paper - float(grey[inside].mean())) / max(paper - dark, 1.0)
    share = float(marks.mean())
    extent = max(float(marks.any(axis=0).mean()), float(marks.any(axis=1).mean()))
    if side <= bullet and ink[top:bottom, left:right].mean() >= BLACK:
        return None
    if filled >= FILLED:
        return CheckBox(left, top, right, bottom, checked=True, confidence=round(min(1.0, 0.5 + filled / 2), 4))
    if share >= MIN_MARK and extent >= MIN_MARK_EXTENT:
        sure = min(1.0, (share - MIN_MARK) / (SURE_MARK - MIN_MARK))
        return CheckBox(left, top, right, bottom, checked=True, confidence=round(0.6 + 0.4 * sure, 4))
    sure = 1 - min(1.0, share / MIN_MARK)
    return CheckBox(left, top, right, bottom, checked=False, confidence=round(0.6 + 0.4 * sure, 4))


def _stroke(box: Mask) -> int:
    """How thick its sides are: in the median, from each edge inwards."""
    middle = slice(round(0.2 * len(box)), round(0.8 * len(box)))
    rows, columns = box[middle], box[:, slice(round(0.2 * box.shape[1]), round(0.8 * box.shape[1]))].T
    deep = max(2, min(box.shape) // 3)
    # the first white behind the first ink
    runs = [
        int(np.argmax(np.append(np.diff(line[:deep].astype(np.int8)) < 0, True))) + 1
        for lines in (rows, rows[:, ::-1], columns, columns[:, ::-1])
        for line in lines
    ]
    return int(np.median(runs)) if runs else 1
