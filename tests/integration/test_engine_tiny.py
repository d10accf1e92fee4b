"""The fast mode: PP-OCRv6 tiny reads what the service is judged by, and says so."""

import pytest

from app.health import text_similarity
from config.settings import Settings
from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions
from samples import all_samples, sample


@pytest.fixture(scope="module")
def tiny(cache: str) -> Engine:
    return Engine(EngineOptions(model="ppocr-v6-tiny", cache_dir=cache))


def test_the_health_sample_is_read_well_enough_to_be_judged_good(tiny: Engine) -> None:
    known, judged = sample("health"), Settings()
    result = tiny.recognise(known.data)
    lines = result.pages[0].lines
    assert text_similarity(known.text, "\n".join(line.text for line in lines)) >= judged.health_good_similarity
    assert min(line.confidence for line in lines) >= judged.health_good_confidence


def test_the_answer_says_which_models_read_it(tiny: Engine) -> None:
    names = [model.name for model in tiny.recognise(sample("health").data).models]
    assert names == ["PP-OCRv6_det_tiny.onnx", "PP-OCRv6_rec_tiny.onnx", "ch_ppocr_mobile_v2.0_cls_mobile.onnx"]
    assert not tiny.notes  # each runs as an optimised graph


def test_every_sample_in_a_language_that_it_holds_is_read_alike(tiny: Engine) -> None:
    for each in all_samples():
        lines = [line.text for page in tiny.recognise(each.data).pages for line in page.lines]
        assert text_similarity(each.text, "\n".join(lines)) >= 0.95, each.name
