"""Scans in JPEG 2000 that would take too much memory whole are read at half their resolution."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ocr_engine.document.opening import open_document
from ocr_engine.errors import TooManyPixels
from ocr_engine.image.page_image import PageImage
from ocr_engine.options import EngineOptions, ReadOptions
from tests.pdfs import Leaf, Picture, pdf

LIMITS = EngineOptions(max_pixels=2_500_000)
"""A million of JPEG 2000."""
SIZE = 1200, 1600
PAGE = Image.linear_gradient("L").resize(SIZE)
PAGE.paste(0, (300, 400, 900, 500))
PAGE.paste(255, (300, 900, 900, 1000))


def scan(picture: Image.Image, content: bytes = b"q 612 0 0 792 0 0 cm /P Do Q", **options: Any) -> Leaf:
    file = io.BytesIO()
    picture.save(file, "JPEG2000", **options)
    space = "/DeviceRGB" if picture.mode == "RGB" else "/DeviceGray"
    held = Picture(data=file.getvalue(), width=SIZE[0], height=SIZE[1], filter="/JPXDecode", space=space)
    return Leaf(content=content, pictures={"P": held})


def drawn(data: bytes) -> list[PageImage]:
    document = open_document(data, ReadOptions(), LIMITS)
    try:
        return [document.draw(number) for number in range(1, document.info.pages + 1)]
    finally:
        document.close()


def difference(page: PageImage, picture: Image.Image) -> float:
    height, width = page.pixels.shape[:2]
    expected = np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BOX)).astype(int)
    return float(np.abs(page.pixels[..., ::-1] - expected).mean())


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_scan_that_is_too_costly_whole_is_read_at_half_its_resolution(mode: str) -> None:
    picture = PAGE.convert(mode)
    for page in drawn(pdf(scan(picture), scan(picture))):
        assert page.pixels.shape[1] == pytest.approx(SIZE[0] / 2, abs=30)
        assert difference(page, picture) < 4


def test_what_stands_on_such_a_scan_is_drawn_and_turned_with_it() -> None:
    inked = b"q 612 0 0 792 0 0 cm /P Do Q 1 0 0 rg 0 0 612 396 re f"
    (page,) = drawn(pdf(scan(PAGE.convert("RGB"), inked)))
    below: NDArray[np.uint8] = page.pixels[page.pixels.shape[0] * 3 // 4 :]
    assert (below == (0, 0, 255)).all()


@pytest.mark.parametrize(
    "leaf",
    [scan(PAGE, num_resolutions=1), scan(PAGE.convert("RGBA"))],
    ids=["there is no smaller one", "it has a layer of its own"],
)
def test_what_cannot_be_had_smaller_is_refused_as_before(leaf: Leaf) -> None:
    with pytest.raises(TooManyPixels, match="of a kind that takes 20 bytes"):
        drawn(pdf(leaf))
