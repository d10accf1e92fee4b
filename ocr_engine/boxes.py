"""From the detection model's probability map to boxes around lines of text.

The post-processing of Differentiable Binarization (Liao et al., AAAI 2020, https://arxiv.org/abs/1911.08947) with the
thresholds of PaddleOCR's PP-OCR configurations, as rapidocr_onnxruntime's DBPostProcess has it. Written anew because
every box is a rectangle here: growing a rectangle needs neither pyclipper nor shapely, only two additions.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Quads = NDArray[np.float32]
"""Shape (n, 4, 2): (x, y) corners of n boxes, clockwise from the top left."""

TEXT_PROBABILITY = 0.3
"""A pixel is text from here on (PaddleOCR `det_db_thresh`)."""
BOX_PROBABILITY = 0.5
"""A box is kept when its pixels' mean probability reaches this (rapidocr `box_thresh`)."""
SPECK_PROBABILITY = 0.6
"""A pixel is surely text from here on, even where nothing around it is."""
UNCLIP_RATIO = 1.6
"""How far a box grows: area times this by perimeter. The model is trained on shrunken ones (`unclip_ratio`)."""
MIN_SIDE = 3.0
"""Pixels of the map; what is thinner is noise (rapidocr `min_size`)."""
TALL_RATIO = 1.5
"""Height by width from where a box is taken for a line that runs up or down (rapidocr get_rotate_crop_image)."""
LONG_RATIO = 2.0
"""Longer side by shorter one, from where a box holds more than a lone sign: those of digits and letters are up to 1.9
times as high as wide, and tell nothing of how text runs."""


def boxes_from_map(
    probability: NDArray[np.float32], least: float = BOX_PROBABILITY
) -> tuple[Quads, NDArray[np.float32]]:
    """Boxes of the lines in a map (H, W), in its pixels, and the mean probability (n,) of each, none under `least`."""
    # thickened by a pixel to the bottom right, as rapidocr does, so that dotted print does not fall apart
    mask = cv2.dilate((probability > TEXT_PROBABILITY).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    quads, certainty = [], []
    for contour in contours:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < MIN_SIDE:
            continue
        mean = _mean_inside(probability, _corners(centre, width, height, angle))
        if mean < least:
            continue
        growth = UNCLIP_RATIO * width * height / (width + height)
        quads.append(clockwise(_corners(centre, width + growth, height + growth, angle)))
        certainty.append(mean)
    return np.array(quads, np.float32).reshape(-1, 4, 2), np.array(certainty, np.float32)


def specks(certain: NDArray[np.uint8], quads: Quads) -> NDArray[np.float32]:
    """Middles (n, 2) of the spots of a map (H, W), 1 where it is surely text, that no box holds, large ones first."""
    if not _outside(certain, quads).any():
        # as on most pages
        return np.empty((0, 2), np.float32)
    _, _, sizes, middles = cv2.connectedComponentsWithStats(certain)
    # the first is what is around the spots
    largest = 1 + np.argsort(-sizes[1:, cv2.CC_STAT_AREA], kind="stable")
    outside = [i for i in largest if not _covered(middles[i], quads)]
    return np.asarray(middles[outside], np.float32).reshape(-1, 2)


def _outside(mask: NDArray[np.uint8], quads: Quads) -> NDArray[np.uint8]:
    """The mask (H, W), 0 in the level boxes around the boxes (n, 4, 2)."""
    left = mask.copy()
    low = np.maximum(np.floor(quads.min(axis=1)) + 1, 0).astype(int).tolist()
    high = np.maximum(np.ceil(quads.max(axis=1)), 0).astype(int).tolist()
    for (x, y), (x2, y2) in zip(low, high, strict=True):
        left[y:y2, x:x2] = 0
    return left


def _corners(centre: Sequence[float], width: float, height: float, angle: float) -> NDArray[np.float32]:
    return np.asarray(cv2.boxPoints((centre, (width, height), angle)), np.float32)


def _mean_inside(probability: NDArray[np.float32], corners: NDArray[np.float32]) -> float:
    height, width = probability.shape
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, (width - 1, height - 1)).astype(int)
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], (1,))
    return float(cv2.mean(probability[top : bottom + 1, left : right + 1], inside)[0])


def clockwise(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """The corners (4, 2) of a rectangle clockwise from the top left: of the two leftmost ones the upper first."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    top_left, bottom_left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    top_right, bottom_right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.array([top_left, top_right, bottom_right, bottom_left], np.float32)


def sides(quads: Quads) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lengths (n,) of the boxes along the text's top and along its left, in pixels."""
    across = np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1)
    down = np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    return across.astype(np.float32), down.astype(np.float32)


def extents(quads: Quads) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lengths (n,) of the boxes' longer sides, and of their shorter ones, in pixels; of these at least 1."""
    across, down = sides(quads)
    return np.maximum(across, down), np.maximum(np.minimum(across, down), np.float32(1))


def run_down(across: NDArray[np.floating[Any]], down: NDArray[np.floating[Any]]) -> bool:
    """Whether most of the text of boxes with these sides (n,) runs down, by the lengths of those that are long."""
    return bool(down[down >= LONG_RATIO * across].sum() > across[across >= LONG_RATIO * down].sum())


def heights(quads: Quads) -> NDArray[np.float32]:
    """Lengths (n,) of the boxes' shorter sides, in pixels: of a line of text its height, upright or not."""
    return np.asarray(np.minimum(*sides(quads)), np.float32)


def part(quad: NDArray[np.float32], begins: float, ends: float) -> NDArray[np.float32]:
    """What lies between two places along the text of a box (4, 2), 0 at its left to 1 at its right."""
    top_left, top_right, bottom_right, bottom_left = quad
    top, bottom = top_right - top_left, bottom_right - bottom_left
    corners = (
        top_left + begins * top,
        top_left + ends * top,
        bottom_left + ends * bottom,
        bottom_left + begins * bottom,
    )
    return np.array(corners, np.float32)


def inside(quad: NDArray[np.float32], shares: NDArray[np.float64]) -> Quads:
    """What lies between shares (n, 4) of a box (4, 2): left, top, right, bottom, 0 at its left or top to 1 opposite."""
    across, down = shares[:, [0, 2, 2, 0], None], shares[:, [1, 1, 3, 3], None]
    upper, lower = quad[0] + across * (quad[1] - quad[0]), quad[3] + across * (quad[2] - quad[3])
    return np.asarray(upper + down * (lower - upper), np.float32)


def areas(quads: Quads) -> NDArray[np.float32]:
    """Square pixels (n,) of each box."""
    across, down = sides(quads)
    return across * down


def without_overlap(quads: Quads, kept: Quads) -> Quads:
    """Those of the boxes whose middle is in none of the kept ones."""
    if not len(quads) or not len(kept):
        return quads
    return np.asarray(quads[[not _covered(middle, kept) for middle in quads.mean(axis=1)]], np.float32)


def in_middle(quads: Quads, quad: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which (n,) of the boxes (n, 4, 2) have their middle in the upright rectangle around another one (4, 2)."""
    middles = quads.mean(axis=1)
    return np.asarray(((middles > quad.min(axis=0)) & (middles < quad.max(axis=0))).all(axis=1), bool)


def filled(quads: Quads, others: Quads, share: float) -> NDArray[np.bool_]:
    """Which (n,) of the boxes (n, 4, 2) the others that have their middles in them fill, by more than this share."""
    sizes = areas(others)
    held = [sizes[in_middle(others, quad)].sum() for quad in quads]
    return np.asarray(np.array(held, np.float32) > share * areas(quads), bool)


def within(quads: Quads, others: Quads) -> NDArray[np.bool_]:
    """Which (n,) of the boxes (n, 4, 2) lie in one of the others along the middle of their text, rims left out."""
    found = np.zeros(len(quads), bool)
    low, high = others.min(axis=1), others.max(axis=1)
    for i, quad in enumerate(quads):
        middle = quad.mean(axis=0)
        points = np.stack((part(quad, 0.1, 0.1).mean(axis=0), middle, part(quad, 0.9, 0.9).mean(axis=0)))
        near = ((middle > low) & (middle < high)).all(axis=1)
        found[i] = any(_all_inside(points, other) for other in others[near])
    return found


def _all_inside(points: NDArray[np.float32], quad: NDArray[np.float32]) -> bool:
    edges, to_points = np.roll(quad, -1, axis=0) - quad, points[:, None] - quad
    # clockwise with y downwards: what is inside is to the right of every edge
    return bool((edges[:, 0] * to_points[:, :, 1] - edges[:, 1] * to_points[:, :, 0] > 0).all())


def _covered(point: NDArray[np.floating[Any]], quads: Quads) -> bool:
    # one by one: thousands against thousands at once would take hundreds of megabytes
    return bool(((point > quads.min(axis=1)) & (point < quads.max(axis=1))).all(axis=1).any())
