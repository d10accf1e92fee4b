"""Lone ideographs on pages of Latin print are hardly believed, and dashes are dashes."""

import pytest

from ocr_engine.recognition import strays
from tests.readings import evenly


def test_a_pictogram_beside_latin_lines_is_hardly_believed() -> None:
    readings = [evenly(text) for text in ("Gare de Lyon", "大", "Rue du Bac")]
    right = strays.put_right(readings)
    assert [each.confidence for each in right] == [0.99, strays.MAX_IDEOGRAPH_BELIEF, 0.99]
    assert right[1].certainty == (strays.MAX_IDEOGRAPH_BELIEF,)


def test_a_lone_dash_is_no_ideograph() -> None:
    readings = [evenly(text) for text in ("Net revenues", "一", "1,408")]
    assert [each.text for each in strays.put_right(readings)] == ["Net revenues", "—", "1,408"]
    assert strays.put_right(readings)[1].confidence == 0.99


@pytest.mark.parametrize(
    "texts", [("Exit", "出口", "大"), ("大",), ("A", "大", "小"), ("Gare de Lyon 大", "Rue du Bac"), ("Gare", "Ａ")]
)
def test_pages_with_words_of_ideographs_and_all_else_are_left_alone(texts: tuple[str, ...]) -> None:
    readings = [evenly(text) for text in texts]
    assert strays.put_right(readings) == readings
