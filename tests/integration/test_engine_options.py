"""What may be asked of one file, kept by the real engine."""

import io

import numpy as np
import pytest
from PIL import Image

from ocr_engine.engine import Engine
from ocr_engine.options import ReadOptions
from ocr_engine.result import OcrPage
from samples import sample
from tests.pdfs import Leaf, pdf

HEALTH = sample("health")


def read(engine: Engine, data: bytes, **options: object) -> OcrPage:
    (page,) = engine.recognise(data, ReadOptions(**options)).pages  # type: ignore[arg-type]
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
