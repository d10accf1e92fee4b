"""Cutting boxes out of a page, and turning pages, so that text stands upright and level."""

import cv2
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import TALL_RATIO, Quads, sides
from ocr_engine.result import Rotation

Pixels = NDArray[np.uint8]
"""Shape (H, W, 3), BGR."""

MAX_CROP_HEIGHT = 192
"""Pixels of a crop's shorter side: four times what the recogniser takes. Rings around each other would otherwise make
crops that are together many times the page."""

PALE_LEVELS = 64
"""Levels between the darkest and the brightest of a page under which it is hard to read, and its levels are spread. A
scan with 0 and 17 as its black and white gave nothing, and gives all of its 4000 letters."""
EVERY_PIXEL = 8
"""Of a row, and every so many rows, that are looked at first: those of usual pages show as many levels."""
MIN_LEVEL_PIXELS = 16
"""Pixels that are as dark, or as bright, for a level to count: fewer are specks."""

_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}


def is_tall(quads: Quads) -> NDArray[np.bool_]:
    """Which of the boxes (n, 4, 2) are much higher than wide."""
    across, down = sides(quads)
    return down >= TALL_RATIO * across


def cut(page: Pixels, quad: NDArray[np.float32]) -> Pixels:
    """The pixels of one box (4, 2), straightened, shrunken where it is higher than `MAX_CROP_HEIGHT`; never empty."""
    across, down = sides(quad[None])
    width, height = max(1, round(float(across[0]))), max(1, round(float(down[0])))
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    # corners lie on the pixels' edges, and OpenCV counts from their centres
    matrix = cv2.getPerspectiveTransform(quad - np.float32(0.5), target - np.float32(0.5))
    warped = cv2.warpPerspective(page, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    share = MAX_CROP_HEIGHT / min(width, height)
    if share < 1:
        return resize(np.asarray(warped, np.uint8), round(width * share), round(height * share))
    return warped.astype(np.uint8, copy=False)


class Cuts:
    """Boxes cut out of one page, each once, however often it is asked for."""

    def __init__(self, page: Pixels) -> None:
        self.page = page
        """(H, W, 3)"""
        self._made: dict[bytes, Pixels] = {}

    def cut(self, quad: NDArray[np.float32]) -> Pixels:
        """As `cut`. Not to be written to."""
        corners = quad.tobytes()
        if corners not in self._made:
            self._made[corners] = cut(self.page, quad)
        return self._made[corners]


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """The picture at another size; shrunken, every pixel of it counts."""
    shrinks = width * height < pixels.shape[0] * pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)


def turn(pixels: Pixels, degrees: Rotation) -> Pixels:
    """The picture turned clockwise."""
    return cv2.rotate(pixels, _TURNS[degrees]).astype(np.uint8, copy=False) if degrees else pixels


def turn_back(quads: Quads, degrees: Rotation, width: int, height: int) -> Quads:
    """Boxes found on a page turned clockwise by `degrees`, on the page as it was, `width` by `height` pixels."""
    x, y = quads[..., 0], quads[..., 1]
    match degrees:
        case 0:
            return quads
        case 90:
            return np.stack((y, height - x), axis=-1)
        case 180:
            return np.stack((width - x, height - y), axis=-1)
        case 270:
            return np.stack((width - y, x), axis=-1)


def enlarged(page: Pixels, times: float) -> Pixels:
    """A page (H, W, 3), so many times as high and wide. Cubic: from so few pixels, linear interpolation blurs."""
    return np.asarray(cv2.resize(page, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)


def full_contrast(page: Pixels) -> Pixels:
    """A page (H, W, 3), its levels spread to 0 to 255 where those of all colours keep to less than `PALE_LEVELS`."""
    some = np.ascontiguousarray(page[::EVERY_PIXEL, ::EVERY_PIXEL])
    # of all pixels there are as many at least that are as dark, and as bright
    lowest, highest = _extremes(some)
    if some.size >= 3 * MIN_LEVEL_PIXELS and highest - lowest >= PALE_LEVELS:
        return page
    lowest, highest = _extremes(page)
    if not 0 < highest - lowest < PALE_LEVELS:
        return page
    levels = (np.arange(256) - lowest) * 255.0 / (highest - lowest)
    return np.asarray(cv2.LUT(page, np.clip(levels, 0, 255).astype(np.uint8)), np.uint8)


def _extremes(pixels: Pixels) -> tuple[int, int]:
    """The darkest and the brightest level (H, W, 3) that `MIN_LEVEL_PIXELS` reach; 0 and 255 where there are fewer."""
    counts = np.sum([cv2.calcHist([pixels], [colour], None, [256], [0, 256]).ravel() for colour in range(3)], axis=0)
    lowest = int(np.argmax(np.cumsum(counts) >= 3 * MIN_LEVEL_PIXELS))
    highest = 255 - int(np.argmax(np.cumsum(counts[::-1]) >= 3 * MIN_LEVEL_PIXELS))
    return lowest, highest
