"""Forms with check boxes, read by the real engine where it is asked for them."""

import io

import numpy as np
from PIL import Image

from ocr_engine.engine import Engine
from ocr_engine.options import ReadOptions
from samples import sample
from tests.unit.check_forms import form


def test_a_form_s_boxes_are_lines_beside_their_labels_where_they_are_asked_for(engine: Engine) -> None:
    drawn = form(2003)
    asked = engine.recognise_pixels(drawn.page, options=ReadOptions(check_boxes=True))[0]
    signs = [(line.text == "☑", line.polygon[0]) for line in asked.lines if line.text in "☐☑"]
    places = sorted((each[4], (float(each[0]), float(each[1]))) for each in drawn.boxes)
    assert [checked for checked, _ in sorted(signs)] == [checked for checked, _ in places]
    for (_, (x, y)), (_, (true_x, true_y)) in zip(sorted(signs), places, strict=True):
        assert abs(x - true_x) <= 3
        assert abs(y - true_y) <= 3
    assert any(label in asked.text for label in drawn.labels)
    unasked = engine.recognise_pixels(drawn.page)[0]
    assert sum(line.text in "☐☑" for line in unasked.lines) < len(drawn.boxes)


def test_a_page_without_any_is_read_as_it_always_is(engine: Engine) -> None:
    page = Image.open(io.BytesIO(sample("receipt").data)).convert("RGB")
    pixels = np.ascontiguousarray(np.asarray(page)[:, :, ::-1])
    assert (
        engine.recognise_pixels(pixels, options=ReadOptions(check_boxes=True))[0] == engine.recognise_pixels(pixels)[0]
    )
