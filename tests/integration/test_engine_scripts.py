"""What the models cannot read is said, and not believed: no text, no confidence, no turn is made of it."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from ocr_engine import mirror
from ocr_engine.crops import Pixels
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


def sign(words: str, size: int) -> Pixels:
    font = ImageFont.load_default(size)
    picture = Image.new("RGB", (round(font.getlength(words)) + 2 * size, 3 * size), "white")
    ImageDraw.Draw(picture).text((size, size), words, font=font, fill="black")
    return np.asarray(picture)


def test_signs_of_a_few_letters_that_a_mirror_shows_are_hardly_ever_believed(engine: Engine) -> None:
    """Drawn by lot. A letter or digit looks like another one in a mirror, and some words read as other words."""
    lot = random.Random(5)
    words = lot.sample(["EXIT", "FRESH", "BREAD", "Toilets", "Bank", "PUSH", "Salon", "Books", "SALE", "Pizza"], 8)
    seen = [engine.recognise_pixels(mirror.turned_over(sign(each, lot.randint(30, 80))))[0] for each in words]
    assert sum(page.warnings == ("mirrored",) for page in seen) >= 7
    assert all(page.text == word for page, word in zip(seen, words, strict=True) if page.warnings)


def test_codes_and_signs_that_stand_upright_are_none_of_a_mirror(engine: Engine) -> None:
    lot = random.Random(6)
    codes = ["".join(lot.choices("ABCDEFHKLMNPRTUXYZ23456789", k=lot.randint(3, 9))) for _ in range(12)]
    for each in [*codes, "EXIT", "TAXI 24", "AVA", "101", "OTTO"]:
        page, _ = engine.recognise_pixels(sign(each, lot.randint(30, 80)))
        assert page.warnings == (), each


@pytest.mark.parametrize("each", all_samples(), ids=lambda each: each.name)
def test_what_is_read_is_called_supported(engine: Engine, each: Sample) -> None:
    (page,) = engine.recognise(each.data).pages
    assert page.warnings == ()
    assert not any(line.unsupported_script for line in page.lines)
