"""What the models cannot read is said, and not believed: no text, no confidence, no turn is made of it."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from ocr_engine import mirror
from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions
from ocr_engine.recognition.script import MAX_CONFIDENCE
from samples import Sample, all_samples, sample

PICTURES = Path(__file__).parent.parent / "pictures" / "scripts"
Flip = Callable[[Image.Image], Image.Image]
UNREAD = ["ru", "el", "he", "ar", "hi", "th", "ko"]


@pytest.fixture(scope="module")
def alone() -> Engine:
    """One without Tesseract."""
    return Engine(EngineOptions(tesseract_data="none"))


@pytest.mark.parametrize("language", UNREAD)
def test_a_page_in_a_script_that_is_not_held_is_said_to_be(alone: Engine, language: str) -> None:
    result = alone.recognise((PICTURES / f"{language}.png").read_bytes())
    (page,) = result.pages
    assert (page.warnings, page.rotation) == (("unsupported_script",), 0)
    assert all(line.confidence <= MAX_CONFIDENCE["unread"] for line in page.lines if line.unsupported_script)
    assert not any(map(str.isalpha, result.text))  # figures may be read


def test_a_page_of_vietnamese_is_read_as_far_as_letters_are_there(alone: Engine) -> None:
    result = alone.recognise((PICTURES / "vi.png").read_bytes())
    (page,) = result.pages
    assert page.warnings == ("unsupported_script",)
    assert len(result.text.split("\n")) == 5
    assert result.confidence == MAX_CONFIDENCE["letters_missing"]
    assert all(line.unsupported_script for line in page.lines)


def test_what_is_not_read_tells_of_no_turn(alone: Engine) -> None:
    picture = Image.open(PICTURES / "ko.png").convert("L").transpose(Image.Transpose.ROTATE_90)
    file = io.BytesIO()
    picture.save(file, "PNG")
    (page,) = alone.recognise(file.getvalue()).pages
    assert (page.warnings, page.rotation) == (("unsupported_script",), 0)


@pytest.mark.parametrize("flip", [ImageOps.mirror, ImageOps.flip], ids=["mirrored", "and on its head"])
def test_a_mirrored_page_is_read_turned_over_and_not_believed(engine: Engine, flip: Flip) -> None:
    letter = sample("letter")
    upright = engine.recognise(letter.data).pages[0]
    file = io.BytesIO()
    flip(Image.open(io.BytesIO(letter.data)).convert("RGB")).save(file, "PNG")
    (page,) = engine.recognise(file.getvalue()).pages
    assert page.warnings == ("mirrored",)
    assert [line.text for line in page.lines] == [line.text for line in upright.lines]
    assert all(line.confidence <= mirror.MAX_BELIEVED for line in page.lines)
    x, y = np.mean([line.polygon for line in upright.lines], axis=(0, 1))
    expected = (upright.width - x, y) if flip is ImageOps.mirror else (x, upright.height - y)
    assert np.abs(np.mean([line.polygon for line in page.lines], axis=(0, 1)) - expected).max() < 5


@pytest.mark.parametrize("each", all_samples(), ids=lambda each: each.name)
def test_what_is_read_is_called_supported(engine: Engine, each: Sample) -> None:
    (page,) = engine.recognise(each.data).pages
    assert page.warnings == ()
    assert not any(line.unsupported_script for line in page.lines)
