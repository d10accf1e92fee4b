"""Pictures of one sign and lines without end are read like any other."""

import io
import random

import pytest
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz import fuzz

from ocr_engine.engine import Engine

WORDS = ["harbour", "street", "bakery", "opens", "every", "morning", "old", "market", "bread", "and", "warm", "coffee"]


def encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("sign", ["7", "4", "R", "28"])
@pytest.mark.parametrize("side", [20, 26, 32])
def test_a_picture_that_a_sign_fills_is_read(engine: Engine, side: int, sign: str) -> None:
    page = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(page).text(
        (side / 2, side / 2), sign, font=ImageFont.load_default(0.7 * side), fill="black", anchor="mm"
    )
    assert engine.recognise(encoded(page)).text == sign


def test_a_line_of_more_letters_than_the_model_takes_is_read_whole(engine: Engine) -> None:
    lot, font = random.Random(3), ImageFont.load_default(24)
    text = " ".join(lot.choice(WORDS) for _ in range(180))
    page = Image.new("RGB", (int(font.getlength(text)) + 60, 50), "white")
    ImageDraw.Draw(page).text((30, 10), text, font=font, fill="black")
    (read,) = engine.recognise(encoded(page)).pages
    (line,) = read.lines
    assert fuzz.ratio(line.text, text) > 99.5
    assert line.confidence > 0.95
    assert len(line.words) == pytest.approx(180, abs=2)
