"""Pages drawn by lot stand as they do, whatever the shapes of their boxes; turned ones are turned back."""

import io
import random
from collections import Counter
from typing import Final

import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.engine import Engine
from samples import sample

LABELS = ["Washer", "Bolt", "Valve", "Gamma", "Round", "Player", "Group", "Total"]
DIGITS = "1117923456"
TURNS: Final = {90: Image.Transpose.ROTATE_90, 270: Image.Transpose.ROTATE_270}


def encoded(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def table(seed: int, *, labels: bool = True) -> tuple[Image.Image, list[str]]:
    """A table of lone digits, behind words where it has labels; what is in its cells."""
    lot = random.Random(seed)
    size, columns, rows = lot.randint(18, 30), lot.randint(2, 5), lot.randint(6, 9)
    pitch, step, first = int(size * lot.uniform(1.5, 2.4)), int(size * lot.uniform(3.5, 5)), 5 * size
    page = Image.new("RGB", (first + columns * step + 60, rows * pitch + 60), "white")
    draw, font, cells = ImageDraw.Draw(page), ImageFont.load_default(size), []
    ruled = lot.random() < 0.5
    for row in range(rows):
        y = 30 + (row + 0.5) * pitch
        words = [lot.choice(LABELS) if labels else lot.choice(DIGITS), *lot.choices(DIGITS, k=columns)]
        for column, word in enumerate(words):
            x = 30 + (first / 2 if column == 0 else first + (column - 0.5) * step)
            draw.text((x, y), word, font=font, fill="black", anchor="mm")
        if ruled:
            draw.line((20, 30 + row * pitch, page.width - 20, 30 + row * pitch), fill=(120, 120, 120))
        cells += words
    return page, cells


@pytest.mark.parametrize("labels", [True, False], ids=["labels", "digits alone"])
@pytest.mark.parametrize("seed", range(3))
def test_an_upright_table_of_lone_digits_stays_and_is_read(engine: Engine, seed: int, labels: bool) -> None:
    page, cells = table(seed, labels=labels)
    (read,) = engine.recognise(encoded(page)).pages
    assert read.rotation == 0
    missing = Counter(cells) - Counter(read.text.split())
    assert missing.total() <= 0.05 * len(cells)


@pytest.mark.parametrize("rotation", TURNS)
@pytest.mark.parametrize("seed", range(2))
def test_a_table_of_words_and_digits_that_lies_on_its_side_is_turned(engine: Engine, seed: int, rotation: int) -> None:
    page, _ = table(seed)
    (read,) = engine.recognise(encoded(page.transpose(TURNS[rotation]))).pages
    assert read.rotation == rotation


def test_chinese_that_runs_down_the_page_stands_upright(engine: Engine) -> None:
    signs = Image.open(io.BytesIO(sample("chinese").data)).convert("RGB")
    columns = [(52, 57, 59.4, 5, 62), (50, 231, 39.9, 4, 42)]  # 城市图书馆, 开放时间
    page = Image.new("RGB", (300, 420), signs.getpixel((5, 5)))
    for right, (left, top, pitch, count, height) in zip((250, 150), columns, strict=True):
        for k in range(count):
            sign = signs.crop((int(left + k * pitch), top, int(left + (k + 1) * pitch), top + height))
            page.paste(sign, (right - sign.width, 40 + k * (height + 6)))
    (read,) = engine.recognise(encoded(page)).pages
    assert (read.rotation, read.text) == (0, "城市图书馆\n开放时间")
