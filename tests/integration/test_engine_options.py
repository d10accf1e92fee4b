"""What may be asked of one file, kept by the real engine."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.engine import Engine
from ocr_engine.options import ReadOptions
from ocr_engine.result import Area, OcrPage
from samples import sample
from tests.pdfs import Leaf, pdf, typed

HEALTH = sample("health")


def read(engine: Engine, data: bytes, **options: Any) -> OcrPage:
    (page,) = engine.recognise(data, ReadOptions(**options)).pages
    return page


def on_its_side() -> bytes:
    """To be turned clockwise by 90 degrees."""
    file = io.BytesIO()
    Image.open(io.BytesIO(HEALTH.data)).transpose(Image.Transpose.ROTATE_90).save(file, "PNG")
    return file.getvalue()


def test_a_page_is_turned_as_its_client_says(engine: Engine) -> None:
    turned = read(engine, on_its_side(), rotate=90)
    assert (turned.rotation, turned.text) == (90, HEALTH.text)
    ((x, y), (_, y2)) = turned.lines[0].polygon[:2]
    assert 0 <= x <= turned.width < turned.height, "in pixels of the page as a viewer shows it"
    assert y > y2, "the text runs up the page"
    for degrees in (0, 270):
        wrong = read(engine, on_its_side(), rotate=degrees)
        assert wrong.rotation == degrees
    assert read(engine, on_its_side()).rotation == 90


def test_a_client_says_which_lines_are_believed(engine: Engine) -> None:
    strict, lenient = (read(engine, HEALTH.data, min_confidence=share) for share in (1, 0))
    assert (strict.text, lenient.text) == ("", HEALTH.text)
    assert [line.low_confidence for line in strict.lines] == [True]


def test_a_client_says_in_which_order_lines_are_read(engine: Engine) -> None:
    data = sample("columns").data
    auto, rows, alone = (read(engine, data, reading_order=order) for order in (None, "rows", "none"))
    assert auto.text == sample("columns").text
    assert sorted(line.text for line in rows.lines) == sorted(line.text for line in alone.lines)
    assert len(rows.rows) < len(rows.lines) == len(alone.rows) == len(alone.text.splitlines())
    tops = [np.min(line.polygon, axis=0)[1] for line in alone.lines]
    assert tops == pytest.approx(sorted(tops), abs=3)


def test_a_page_that_is_to_be_turned_is_not_taken_from_its_text_layer(engine: Engine) -> None:
    data = pdf(Leaf(content=b"BT /F1 24 Tf 60 700 Td (Hello from the first page) Tj ET"))
    assert read(engine, data, text_layer="auto", rotate=0).source == "text-layer"
    turned = read(engine, data, text_layer="auto", rotate=180)
    assert (turned.source, turned.rotation) == ("ocr", 180)


def sheet() -> bytes:
    """A page with a line at the top, one at the bottom, and tiny print in its middle."""
    page, file = Image.new("RGB", (2400, 1600), "white"), io.BytesIO()
    draw = ImageDraw.Draw(page)
    draw.text((100, 100), "Invoice number 2026", font=ImageFont.load_default(60), fill="black")
    draw.text((1200, 800), "small print below", font=ImageFont.load_default(18), fill="black")
    draw.text((100, 1400), "Total amount due", font=ImageFont.load_default(60), fill="black")
    page.save(file, "PNG")
    return file.getvalue()


def test_regions_alone_are_read_one_after_the_other_in_pixels_of_the_page(engine: Engine) -> None:
    total = Area(x=80, y="85%", width="40%", height=150)
    small = Area(x=1195.0, y=797.0, width=160.0, height=26.0)
    page = read(engine, sheet(), regions=(total, small, Area(x=0, y=0, width=9, height=9, page=2)))
    assert page.text == "Total amount due\nsmall print below"
    assert (page.width, page.height) == (2400, 1600)
    for line, (left, top) in zip(page.lines, [(100, 1400), (1200, 800)], strict=True):
        low, high = np.min(line.polygon, axis=0), np.max(line.polygon, axis=0)
        assert (low > (left - 30, top - 10)).all()
        assert (high < (left + 560, top + 90)).all()
    assert sorted(i for block in page.blocks for i in block.lines) == [0, 1]
    assert read(engine, sheet(), regions=(Area(x=0, y=0, width=9, height=9, page=2),)).text == ""


def test_what_is_to_be_ignored_is_not_read(engine: Engine) -> None:
    page = read(engine, sheet(), ignore=(Area(x=0, y=0, width="100%", height=300), Area(x=9, y=9, width=9, height=9)))
    assert page.text == "small print below\nTotal amount due"


def test_regions_are_turned_as_one_page(engine: Engine) -> None:
    picture, file = Image.open(io.BytesIO(sheet())).transpose(Image.Transpose.ROTATE_180), io.BytesIO()
    picture.save(file, "PNG")
    areas = (Area(x=0, y="75%", width="100%", height="25%"), Area(x=0, y=0, width="100%", height="20%"))
    page = read(engine, file.getvalue(), regions=areas)
    assert (page.rotation, page.text) == (180, "Invoice number 2026\nTotal amount due")


def test_regions_of_a_text_layer_are_taken_from_it_and_what_is_ignored_is_not(engine: Engine) -> None:
    data = pdf(typed("first line of the page", "second line of the page", "third line of the page"))
    whole = read(engine, data, text_layer="auto")
    top = np.min(whole.lines[1].polygon, axis=0)[1] - 2
    second = Area(x=0, y=float(top), width="100%", height=float(whole.lines[2].polygon[0][1] - top - 2))
    page = read(engine, data, text_layer="auto", regions=(second,))
    assert (page.source, page.text) == ("text-layer", "second line of the page")
    assert np.abs(np.array(page.lines[0].polygon) - np.array(whole.lines[1].polygon)).max() < 3
    assert read(engine, data, text_layer="auto", ignore=(second,)).text == (
        "first line of the page\nthird line of the page"
    )
