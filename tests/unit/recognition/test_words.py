"""Words stand where their ink is, whichever way the line is turned; Chinese and Japanese one character each."""

import msgspec
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.words import AIR, Place, places, spans

FONT = ImageFont.load_default(30)
HEIGHT, LEFT, TOP = 48, 12, 6


def printed(text: str, ink: int = 0, paper: int = 255) -> tuple[Image.Image, Reading, list[tuple[int, int, int, int]]]:
    """A line of text, its reading with the characters' middles off by some pixels, and the boxes of its words' ink."""
    width = 2 * LEFT + round(FONT.getlength(text))
    line = Image.new("L", (width, HEIGHT), paper)
    ImageDraw.Draw(line).text((LEFT, TOP), text, fill=ink, font=FONT)
    middles = []
    for i, _ in enumerate(text):
        begins, ends = FONT.getlength(text[:i]), FONT.getlength(text[: i + 1])
        middles.append((LEFT + (begins + ends) / 2 + (-3, 0, 3)[i % 3]) / width)
    boxes = []
    for first, last in spans(text):
        alone = Image.new("L", line.size, 0)
        at = LEFT + FONT.getlength(text[:first])
        ImageDraw.Draw(alone).text((at, TOP), text[first:last], fill=255, font=FONT)
        box = alone.point(lambda level: 255 * (level > 100)).getbbox()
        assert box is not None
        boxes.append(box)
    certainty = tuple(0.9 for _ in text)
    return line, Reading(text, 0.9, tuple(middles), certainty), boxes


def crop(line: Image.Image) -> np.ndarray:
    return np.asarray(line.convert("RGB"))


def pixels(place: Place, size: tuple[int, int]) -> tuple[float, float, float, float]:
    return place.left * size[0], place.top * size[1], place.right * size[0], place.bottom * size[1]


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (90, 200), (240, 30)])
def test_words_are_boxed_to_the_pixel_of_their_ink(ink: int, paper: int) -> None:
    line, reading, boxes = printed("Sourdough loaf, 4.20 each", ink, paper)
    found = places(crop(line), reading)
    assert [reading.text[each.first : each.last] for each in found] == ["Sourdough", "loaf,", "4.20", "each"]
    for place, box in zip(found, boxes, strict=True):
        assert pixels(place, line.size) == pytest.approx(box, abs=1.01 + AIR * HEIGHT)


def test_a_grey_edge_belongs_to_a_word_as_far_as_ink_covers_it() -> None:
    line = np.full((40, 60, 3), 255, np.uint8)
    line[10:30, 20:40] = 0
    line[9], line[30, 20:40] = 255, 255 * 3 // 4 - 100
    reading = Reading("I", 0.9, (0.5,), (0.9,))
    (place,) = places(line, reading)
    assert 30.2 < place.bottom * 40 < 30.8
    assert place.top * 40 == 10


def test_a_rule_that_slopes_under_a_word_is_left_out_whole() -> None:
    line, reading, boxes = printed("two words")
    ImageDraw.Draw(line).line((0, HEIGHT - 6, line.width, HEIGHT - 2), fill=0, width=2)
    for place, box in zip(places(crop(line), reading), boxes, strict=True):
        assert pixels(place, line.size) == pytest.approx(box, abs=1.01 + AIR * HEIGHT)


def test_rules_borders_and_parts_of_other_lines_are_no_words() -> None:
    line, reading, boxes = printed("two words")
    draw = ImageDraw.Draw(line)
    draw.line((0, HEIGHT - 3, line.width, HEIGHT - 3), fill=0, width=2)
    draw.line((2, 0, 2, HEIGHT), fill=0, width=2)
    draw.rectangle((60, 0, 66, 3), fill=0)
    for place, box in zip(places(crop(line), reading), boxes, strict=True):
        assert pixels(place, line.size) == pytest.approx(box, abs=1.01 + AIR * HEIGHT)


def test_the_frame_of_a_cell_that_lies_askew_is_no_word() -> None:
    """No row and no column holds the whole of such a rule, and the upright ones are shorter than the line is high."""
    line, reading, boxes = printed("55.42")
    line = ImageOps.expand(line, 6, 255)
    draw, (right, low) = ImageDraw.Draw(line), line.size
    draw.line((0, 3, right - 5, 5), fill=90, width=2)
    draw.line((0, low - 4, right - 5, low - 2), fill=90, width=2)
    draw.line((right - 5, 2, right - 4, low), fill=90, width=2)
    there = tuple((place * (right - 12) + 6) / right for place in reading.places)
    (place,) = places(crop(line), msgspec.structs.replace(reading, places=there))
    expected = tuple(side + 6 for side in boxes[0])
    assert pixels(place, line.size) == pytest.approx(expected, abs=1.01)


def test_a_word_is_boxed_without_what_it_is_underlined_with() -> None:
    line, reading, boxes = printed("Second")
    ImageDraw.Draw(line).line((0, HEIGHT - 7, line.width, HEIGHT - 5), fill=90, width=1)
    (place,) = places(crop(line), reading)
    assert pixels(place, line.size) == pytest.approx(boxes[0], abs=1.01)


def test_where_no_ink_is_seen_the_letters_places_tell() -> None:
    _, reading, _ = printed("two words")
    found = places(np.full((HEIGHT, 200, 3), 255, np.uint8), reading)
    assert [(each.first, each.last) for each in found] == [(0, 3), (4, 9)]
    assert 0 <= found[0].left < found[0].right <= found[1].left < found[1].right <= 1
    assert {(each.top, each.bottom) for each in found} == {(0.0, 1.0)}


def test_chinese_and_japanese_have_a_word_a_character_and_korean_has_words() -> None:
    def split(text: str) -> list[str]:
        return [text[first:last] for first, last in spans(text)]

    assert split("开放 9:00至18:00") == ["开", "放", "9:00", "至", "18:00"]
    assert split("カタカナ、ひらがな") == list("カタカナ、ひらがな")
    assert split("한국어 단어") == ["한국어", "단어"]
    assert split("  plain  text ") == ["plain", "text"]
    assert split("") == []


def test_a_reading_without_places_has_no_words() -> None:
    assert places(np.zeros((48, 90, 3), np.uint8), Reading("text", 0.9)) == []
