"""The engine with its real models on our own samples: the text is pinned, however the picture comes."""

import io
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps
from rapidfuzz import fuzz

from ocr_engine.detection.line_finder import LineFinder
from ocr_engine.engine import Engine
from ocr_engine.errors import EngineError, InvalidImage, TooManyPages, TooManyPixels, UnsupportedImage
from ocr_engine.options import EngineOptions
from ocr_engine.result import OcrResult
from samples import Sample, all_samples, sample
from tests.pdfs import pdf, typed

WORDS = ["harbour", "street", "bakery", "opens", "every", "morning", "old", "market", "bread", "and", "warm", "coffee"]
ALIKE = 98.0
"""Per cent of likeness from which all was found: how well single letters are read, the samples pin."""


@pytest.fixture(scope="module")
def letter() -> Image.Image:
    return Image.open(io.BytesIO(sample("letter").data)).convert("RGB")


def encoded(image: Image.Image, form: str = "PNG", **settings: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **settings)
    return file.getvalue()


def with_alpha(image: Image.Image) -> Image.Image:
    """Opaque ink on nothing."""
    grey = ImageOps.invert(image.convert("L"))
    ink = Image.new("RGBA", image.size, (20, 20, 20, 0))
    ink.putalpha(grey)
    return ink


def sixteen_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def turned_by_exif(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # the picture is stored on its side: a viewer turns it a quarter clockwise
    return encoded(image.transpose(Image.Transpose.ROTATE_90), exif=exif)


VARIANTS: dict[str, Callable[[Image.Image], bytes]] = {
    "upside down": lambda image: encoded(image.transpose(Image.Transpose.ROTATE_180)),
    "on its left side": lambda image: encoded(image.transpose(Image.Transpose.ROTATE_90)),
    "on its right side": lambda image: encoded(image.transpose(Image.Transpose.ROTATE_270)),
    "turned by EXIF": turned_by_exif,
    "palette": lambda image: encoded(image.quantize(64)),
    "CMYK": lambda image: encoded(image.convert("CMYK"), "TIFF"),
    "16 bits": lambda image: encoded(sixteen_bits(image)),
    "alpha": lambda image: encoded(with_alpha(image)),
    "grey": lambda image: encoded(image.convert("L")),
    "several frames": lambda image: encoded(image, "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))]),
}


@pytest.mark.parametrize("each", all_samples(), ids=lambda each: each.name)
def test_a_sample_gives_the_text_that_is_on_it(engine: Engine, each: Sample) -> None:
    assert engine.recognise(each.data).text == each.text


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_page_reads_the_same_however_it_is_stored(engine: Engine, letter: Image.Image, variant: str) -> None:
    assert engine.recognise(VARIANTS[variant](letter)).text == sample("letter").text


def test_every_page_of_a_tiff_is_read(engine: Engine, letter: Image.Image) -> None:
    empty, upside_down = Image.new("RGB", (300, 200), "white"), letter.transpose(Image.Transpose.ROTATE_180)
    result = engine.recognise(encoded(letter, "TIFF", save_all=True, append_images=[empty, upside_down]))
    text = sample("letter").text
    assert result.text == f"{text}\f\f{text}"
    assert [(page.number, page.width, page.rotation) for page in result.pages] == [
        (1, letter.width, 0),
        (2, 300, 0),
        (3, letter.width, 180),
    ]
    alone = engine.recognise(encoded(letter))
    assert result.pages[0] == alone.pages[0]
    assert result.timings.recognise > alone.timings.recognise


def test_one_damaged_page_fails_the_file(engine: Engine, letter: Image.Image) -> None:
    whole = encoded(letter, "TIFF", save_all=True, append_images=[letter])
    with pytest.raises(InvalidImage, match="page 2"):
        engine.recognise(whole[:-1000])


def test_a_turned_page_says_how_it_has_to_be_turned(engine: Engine, letter: Image.Image) -> None:
    turns = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
    for rotation, transposition in turns.items():
        (page,) = engine.recognise(encoded(letter.transpose(transposition))).pages
        assert page.rotation == rotation


def test_polygons_lie_where_a_viewer_shows_the_text(engine: Engine, letter: Image.Image) -> None:
    (upright,) = engine.recognise(encoded(letter)).pages
    (turned,) = engine.recognise(encoded(letter.transpose(Image.Transpose.ROTATE_180))).pages
    assert (upright.width, upright.height) == letter.size
    for line, same in zip(upright.lines, turned.lines, strict=True):
        mirrored = [(letter.width - x, letter.height - y) for x, y in same.polygon]
        assert np.allclose(line.polygon, mirrored, atol=0.01)
        (left, top), (right, _), (_, bottom), _ = line.polygon
        assert left < right
        assert top < bottom


def test_a_line_on_its_head_is_read_on_a_page_that_is_not(engine: Engine, letter: Image.Image) -> None:
    upside_down = Image.open(io.BytesIO(sample("health").data)).convert("RGB").transpose(Image.Transpose.ROTATE_180)
    page = Image.new("RGB", (letter.width, letter.height + upside_down.height), "white")
    page.paste(letter, (0, 0))
    page.paste(upside_down, (0, letter.height))
    assert engine.recognise(encoded(page)).text == f"{sample('letter').text}\n{sample('health').text}"


def test_small_print_on_a_large_scan_is_found(engine: Engine, letter: Image.Image) -> None:
    page = Image.new("RGB", (letter.width * 4, letter.height * 4), "white")
    page.paste(letter, (letter.width, letter.height))
    assert fuzz.ratio(engine.recognise(encoded(page)).text, sample("letter").text) > ALIKE


@pytest.mark.parametrize("turn", [None, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90])
def test_print_too_fine_for_a_look_at_the_whole_page_is_found(engine: Engine, turn: Image.Transpose | None) -> None:
    """Like a newspaper's: the look shows one box around all of it, or none."""
    lot, page = random.Random(1), Image.new("RGB", (4000, 3600), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(18)
    lines = []
    for column in range(2):
        for row in range(14):
            line = lot.choice(WORDS)
            while draw.textlength(f"{line} wwwwwwww", font=font) < 400:
                line += " " + lot.choice(WORDS)
            draw.text((300 + column * 420, 400 + row * 24), line, font=font, fill="black")
            lines.append(line)
    (read,) = engine.recognise(encoded(page if turn is None else page.transpose(turn))).pages
    assert sorted(line.text for line in read.lines) == sorted(lines)


def test_closely_set_lines_that_a_coarse_look_takes_for_one_are_told_apart(engine: Engine, letter: Image.Image) -> None:
    page = Image.new("RGB", (2480, 3508), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(22)
    words = ("Significant", "Observable", "Inputs", "(Level 2)")
    for number, word in enumerate(words):
        draw.text((1720, 2000 + number * 22), word, font=font, fill="black", anchor="mt")
    page = page.filter(ImageFilter.GaussianBlur(2))
    page.paste(letter)
    assert engine.recognise(encoded(page)).text.split("\n")[-4:] == [*words]


def justified(draw: ImageDraw.ImageDraw, x: float, y: float, width: float, font: Any, lot: random.Random) -> str:
    """A line of words drawn so that it fills the width; its text."""
    words = [lot.choice(WORDS)]
    while sum(draw.textlength(f"{word} ", font) for word in words) < width - 80:
        words.append(lot.choice(WORDS))
    gap = (width - sum(draw.textlength(word, font) for word in words)) / (len(words) - 1)
    for word in words:
        draw.text((x, y), word, font=font, fill="black")
        x += draw.textlength(word, font) + gap
    return " ".join(words)


def test_columns_so_near_that_their_lines_share_boxes_are_read_one_after_the_other(engine: Engine, cache: str) -> None:
    page, lot = Image.new("RGB", (1000, 700), "white"), random.Random(4)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(22)
    columns = [[justified(draw, x, 40 + 30 * row, 460, font, lot) for row in range(20)] for x in (40, 518)]
    in_rows = Engine(EngineOptions(cache_dir=cache, reading_order="rows")).recognise(encoded(page)).pages[0].lines
    assert len(in_rows) < 30  # or this page would show nothing
    read = engine.recognise(encoded(page))
    assert read.text.split("\n") == [*columns[0], *columns[1]]
    edges = [line.polygon[0][0] for line in read.pages[0].lines]
    assert edges == pytest.approx([40] * 20 + [518] * 20, abs=12)


@pytest.mark.parametrize(("size", "pitch"), [(20, 22), (20, 30), (24, 30), (28, 36), (34, 42)])
def test_a_little_small_print_alone_on_a_large_scan_is_found(engine: Engine, size: int, pitch: int) -> None:
    page = Image.new("RGB", (2480, 3508), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    words = ("Quoted prices in", "active markets", "for identical", "assets")
    for number, word in enumerate(words):
        draw.text((1720, 2000 + number * pitch), word, font=font, fill="black", anchor="mt")
    assert fuzz.ratio(engine.recognise(encoded(page)).text, "\n".join(words)) > ALIKE


@pytest.mark.parametrize(("side", "size", "ink"), [(1100, 14, 110), (1000, 13, 60)])
def test_columns_of_lone_digits_are_read_whole(engine: Engine, side: int, size: int, ink: int) -> None:
    """Of a lone `1` the look shows a few pixels, too few for a box."""
    page = Image.new("RGB", (side, side), "white")
    draw, font, pitch = ImageDraw.Draw(page), ImageFont.load_default(size), int(1.5 * size)
    for row, word in enumerate(WORDS):
        y = 60 + row * pitch
        draw.text((60, y), word, font=font, fill=(ink, ink, ink))
        for column in range(3):
            draw.text((60 + (9 + 5 * column) * size, y), "1", font=font, fill=(ink, ink, ink))
        draw.line((50, y - 0.2 * size, 60 + 22 * size, y - 0.2 * size), fill=(ink, ink, ink))
    (read,) = engine.recognise(encoded(page)).pages
    assert sorted(line.text for line in read.lines) == sorted([*WORDS, *["1"] * 3 * len(WORDS)])
    digits = [line.polygon[0] for line in read.lines if line.text == "1"]
    assert sorted(x for x, _ in digits) == pytest.approx(
        [60 + (9 + 5 * column) * size for column in range(3) for _ in WORDS], abs=12
    )


@pytest.mark.parametrize(("black", "white"), [(0, 17), (238, 255), (0, 8)])
def test_a_pale_page_is_read_like_one_of_full_contrast(
    engine: Engine, letter: Image.Image, black: int, white: int
) -> None:
    small = letter.resize((letter.width // 2, letter.height // 2), Image.Resampling.LANCZOS)
    pale = np.round(np.asarray(small) / 255.0 * (white - black))
    full = np.round(pale * 255 / (white - black))
    read, expected = (
        engine.recognise(encoded(Image.fromarray(levels.astype(np.uint8)))) for levels in (pale + black, full)
    )
    assert read.text == expected.text
    assert fuzz.ratio(read.text, sample("letter").text) > ALIKE


@pytest.mark.parametrize("turn", [None, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90])
def test_a_small_image_of_tiny_print_is_read_where_it_is(engine: Engine, turn: Image.Transpose | None) -> None:
    """Letters like x are 4 pixels high. The polygons are told in the picture's own pixels."""
    lot, large, font = random.Random(1), Image.new("RGB", (1680, 880), "white"), ImageFont.load_default(28)
    draw = ImageDraw.Draw(large)
    lines = [" ".join(lot.choice(WORDS) for _ in range(7)) for _ in range(12)]
    for row, line in enumerate(lines):
        draw.text((80, 48 + 48 * row), line, font=font, fill="black")
    ends = [20 + draw.textlength(line, font=font) / 4 for line in lines]
    page = large.resize((420, 220), Image.Resampling.BOX)
    (read,) = engine.recognise(encoded(page if turn is None else page.transpose(turn))).pages
    assert [line.text for line in read.lines] == lines
    assert (read.width, read.height) == (page.size if turn != Image.Transpose.ROTATE_90 else page.size[::-1])
    for row, (found, end) in enumerate(zip(read.lines, ends, strict=True)):
        (left, top), _, (right, bottom), _ = (upright(corner, turn, *page.size) for corner in found.polygon)
        assert (left, right) == pytest.approx((20, end), abs=5)
        assert top < 16 + 12 * row < bottom
        assert bottom - top < 16


def upright(corner: tuple[float, float], turn: Image.Transpose | None, width: int, height: int) -> tuple[float, float]:
    """Where a place on a picture that was turned is on the picture of that size that it was before."""
    x, y = corner
    match turn:
        case Image.Transpose.ROTATE_180:
            return width - x, height - y
        case Image.Transpose.ROTATE_90:
            return width - y, x
    return x, y


@pytest.mark.parametrize("size", [(1, 1), (1, 600), (600, 1), (3000, 20)])
def test_a_page_of_any_size_without_text_has_no_lines(engine: Engine, size: tuple[int, int]) -> None:
    result = engine.recognise(encoded(Image.new("RGB", size, "white")))
    assert result.text == ""
    assert result.confidence == 0
    assert result.pages[0].lines == ()


def test_doubtful_lines_are_flagged_and_not_dropped(letter: Image.Image, cache: str) -> None:
    strict = Engine(EngineOptions(min_confidence=1.0, cache_dir=cache))
    (page,) = strict.recognise(encoded(letter)).pages
    assert len(page.lines) == len(sample("letter").text.splitlines())
    assert all(line.low_confidence for line in page.lines if line.confidence < 1)


def test_a_result_names_its_models_and_tells_its_times(engine: Engine) -> None:
    result = engine.recognise(sample("health").data)
    assert {model.role for model in result.models} == {"detection", "recognition", "angle"}
    stages = result.timings.decode + result.timings.detect + result.timings.orient + result.timings.recognise
    assert 0 < stages <= result.timings.total


def test_what_is_no_image_is_the_client_s_fault(engine: Engine) -> None:
    with pytest.raises(UnsupportedImage):
        engine.recognise(b"no image")
    with pytest.raises(InvalidImage):
        engine.recognise(sample("health").data[:200])


def test_too_many_pixels_are_refused(cache: str) -> None:
    careful = Engine(EngineOptions(max_pixels=100, cache_dir=cache))
    with pytest.raises(TooManyPixels):
        careful.recognise(sample("health").data)


def test_a_fault_of_another_kind_becomes_an_engine_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(LineFinder, "glance", fail)
    with pytest.raises(EngineError, match="RuntimeError: out of luck"):
        engine.recognise(sample("health").data)


def word_boxes(result: OcrResult) -> list[tuple[str, tuple[float, ...]]]:
    (page,) = result.pages
    return [
        (word.text, (*np.min(word.polygon, axis=0), *np.max(word.polygon, axis=0)))
        for line in page.lines
        for word in line.words
    ]


def test_the_words_of_a_line_are_its_text_wherever_it_stands(engine: Engine, letter: Image.Image) -> None:
    """On a page turned by a half the words stand mirrored, and their polygons begin at their own top left."""
    upright = engine.recognise(encoded(letter))
    for line in upright.pages[0].lines:
        assert " ".join(word.text for word in line.words) == line.text
        assert line.words[0].confidence > 0.5
    turned = engine.recognise(encoded(letter.transpose(Image.Transpose.ROTATE_180)))
    for (text, box), (same, mirrored) in zip(word_boxes(upright), word_boxes(turned), strict=True):
        left, top, right, bottom = mirrored
        assert text == same
        assert np.allclose(
            box, (letter.width - right, letter.height - bottom, letter.width - left, letter.height - top), atol=0.2
        )


@pytest.mark.parametrize("turn", [Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270])
def test_words_of_one_line_that_is_turned_stand_on_their_ink(
    engine: Engine, letter: Image.Image, turn: Image.Transpose
) -> None:
    """A line upside down, or running down the page, beside others that are upright."""
    strip = Image.open(io.BytesIO(sample("health").data)).convert("RGB")
    stamp = strip.transpose(turn)
    page = Image.new("RGB", (letter.width + stamp.width, letter.height + stamp.height), "white")
    page.paste(letter, (0, 0))
    page.paste(stamp, (letter.width, letter.height))
    (line,) = (line for line in engine.recognise(encoded(page)).pages[0].lines if line.text == sample("health").text)
    assert [word.text for word in line.words] == line.text.split(" ")
    ink = np.asarray(page.convert("L")) < 128
    seen = np.zeros_like(ink)
    for word in line.words:
        (left, top), (right, bottom) = np.floor(np.min(word.polygon, axis=0)), np.ceil(np.max(word.polygon, axis=0))
        seen[int(top) : int(bottom), int(left) : int(right)] = True
        ((x, y), (x2, y2)) = word.polygon[:2]
        along = (x2 - x, y2 - y)
        # along the text: to the left where it is upside down, downwards where it runs down the page
        assert along[0] < 0 if turn is Image.Transpose.ROTATE_180 else along[1] > 0
    stamped = ink[letter.height :, letter.width :]
    assert (seen[letter.height :, letter.width :] & stamped).sum() / stamped.sum() > 0.99
    assert seen.sum() < 0.5 * stamp.width * stamp.height


def test_an_item_and_its_price_are_one_row_and_columns_of_prose_are_none(engine: Engine) -> None:
    receipt = engine.recognise(sample("receipt").data)
    assert "Sourdough loaf 4.20" in receipt.text.splitlines()
    rows = {line.text: line.row for line in receipt.pages[0].lines}
    assert rows["Sourdough loaf"] == rows["4.20"] < rows["Cinnamon roll"]
    columns = engine.recognise(sample("columns").data)
    assert len({line.row for line in columns.pages[0].lines}) == len(columns.pages[0].lines)


def test_a_file_that_is_read_whole_has_a_bound_on_its_pages(engine: Engine) -> None:
    data = pdf(typed("x"), object_stream_mode=pikepdf.ObjectStreamMode.disable)
    with pytest.raises(TooManyPages, match="1000000 pages; the limit is 2000"):
        engine.recognise(data.replace(b"/Count 1", b"/Count 1000000"))
