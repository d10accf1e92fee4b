"""Print that is no running text: lists of contents with leaders of dots, comb fields."""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from ocr_engine.engine import Engine

PICTURES = Path(__file__).parent.parent / "pictures" / "signs"
ENTRIES = (("Preface", "v"), ("Beginnings", "1"), ("The long road south", "17"), ("Return", "103"), ("Index", "211"))


def test_a_list_of_contents_has_titles_and_numbers_and_no_dots(engine: Engine) -> None:
    font = ImageFont.load_default(22)
    image = Image.new("RGB", (800, 320), "white")
    pen = ImageDraw.Draw(image)
    for row, (title, number) in enumerate(ENTRIES):
        base = 60 + 48 * row
        begin, end = 60 + pen.textlength(title, font), 740 - pen.textlength(number, font)
        pen.text((40, base), title, "black", font, "ls")
        pen.text((740, base), number, "black", font, "rs")
        pen.text((begin, base), int((end - 10 - begin) / pen.textlength(". ", font)) * ". ", "black", font, "ls")
    file = io.BytesIO()
    image.save(file, "PNG")
    assert engine.recognise(file.getvalue()).text.splitlines() == [f"{title} {number}" for title, number in ENTRIES]


def test_a_comb_field_is_one_word(engine: Engine) -> None:
    font = ImageFont.load_default(24)
    image = Image.new("RGB", (640, 120), "white")
    pen = ImageDraw.Draw(image)
    for i, sign in enumerate("DE89370400440532"):
        pen.rectangle((30 + 36 * i, 30, 66 + 36 * i, 80), outline=(180, 40, 40))
        pen.text((48 + 36 * i, 55), sign, (0, 0, 120), font, "mm")
    file = io.BytesIO()
    image.save(file, "PNG")
    assert engine.recognise(file.getvalue()).text == "DE89370400440532"


def test_a_sign_that_stands_apart_on_a_row_is_read_with_it(engine: Engine) -> None:
    lines = engine.recognise((PICTURES / "code.png").read_bytes()).text.splitlines()
    assert lines[-1].endswith("[k] -= c_[m]")
