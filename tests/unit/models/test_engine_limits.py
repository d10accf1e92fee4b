"""However much a page seems to hold, what is read of it, and what is kept in memory, has an end."""

import numpy as np

from ocr_engine.crops import MAX_CROP_HEIGHT, cut
from ocr_engine.engine import MAX_TEXT_PIXELS, affordable
from ocr_engine.recognition.recogniser import MIN_WIDTH


def boxes(count: int, width: float, height: float) -> np.ndarray:
    """A column of boxes, the lowest first."""
    tops = np.arange(count, 0, -1, dtype=np.float32) * 2 * height
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    quads: np.ndarray = corners + np.stack((np.zeros_like(tops), tops), axis=1)[:, None]
    return quads


def test_a_full_newspaper_page_is_read_whole() -> None:
    page = boxes(1500, 300, 28)
    assert affordable(page) is page


def test_of_a_page_without_end_the_uppermost_lines_are_read() -> None:
    page = boxes(2 * MAX_TEXT_PIXELS // MIN_WIDTH, 10, 10)
    read = affordable(page)
    assert 0.5 * len(page) * 0.8 < len(read) < 0.5 * len(page) + 1
    assert read[:, :, 1].max() < page[: len(page) // 2, :, 1].min()


def test_long_lines_cost_more_than_short_ones_whichever_way_they_run() -> None:
    across, down = boxes(3000, 900, 12), boxes(3000, 12, 900)
    assert 0 < len(affordable(across)) == len(affordable(down)) < 3000


def test_no_boxes_are_affordable() -> None:
    assert len(affordable(np.empty((0, 4, 2), np.float32))) == 0


def test_a_crop_is_kept_no_larger_than_reading_needs() -> None:
    page = np.zeros((1000, 1600, 3), np.uint8)
    page[:500] = 255
    quad = np.array([(0, 0), (1600, 0), (1600, 1000), (0, 1000)], np.float32)
    crop = cut(page, quad)
    assert crop.shape[0] == MAX_CROP_HEIGHT
    assert abs(crop.shape[1] / crop.shape[0] - 1.6) < 0.01
    assert crop[: MAX_CROP_HEIGHT // 2 - 1].min() == 255
    assert crop[MAX_CROP_HEIGHT // 2 + 1 :].max() == 0
