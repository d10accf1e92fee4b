"""Pages that formats may stumble over, by what is nasty about them."""

import math
from collections.abc import Sequence
from typing import Any

from ocr_engine.formats.shared.places import words_of
from ocr_engine.result import OcrLine, OcrPage, OcrWord, Point, Polygon, Rotation

WIDTH, HEIGHT = 1240, 1754


def box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def rows(*texts: str, height: float = 30, wide: bool = False, to_left: bool = False) -> list[OcrLine]:
    """Lines below each other, their words told. `wide`: each letter a word; `to_left`: the first word is rightmost."""
    lines = []
    for number, text in enumerate(texts):
        top = 100.0 + 2 * height * number
        pieces = [*text.replace(" ", "")] if wide else text.split()
        words, at = [], 100.0
        for piece in reversed(pieces) if to_left else pieces:
            width = height * (len(piece) if wide else 0.6 * len(piece))
            words.append(OcrWord(piece, 0.9, box(at, top + 3, at + width, top + height - 3)))
            at += width + (0 if wide else height / 2)
        words = words[::-1] if to_left else words
        polygon = box(95, top, at, top + height)
        lines.append(OcrLine(text=text, confidence=0.9, polygon=polygon, row=number + 1, words=tuple(words)))
    return lines


def page(lines: Sequence[OcrLine], number: int = 1, rotation: Rotation = 0, **more: Any) -> OcrPage:
    return OcrPage(number=number, width=WIDTH, height=HEIGHT, lines=tuple(lines), rotation=rotation, **more)


def turned(lines: Sequence[OcrLine], degrees: float) -> list[OcrLine]:
    """The lines turned clockwise about (600, 600)."""

    def there(point: Point) -> Point:
        x, y, angle = point[0] - 600, point[1] - 600, math.radians(degrees)
        along, down = x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)
        return round(min(max(0.0, 600 + along), WIDTH), 1), round(min(max(0.0, 600 + down), HEIGHT), 1)

    def polygon(corners: Polygon) -> Polygon:
        a, b, c, d = map(there, corners)
        return a, b, c, d

    return [
        OcrLine(
            text=line.text,
            confidence=line.confidence,
            polygon=polygon(line.polygon),
            row=line.row,
            words=tuple(OcrWord(word.text, word.confidence, polygon(word.polygon)) for word in line.words),
        )
        for line in lines
    ]


PLAIN = rows("Flat white 3.40", "A b c", "the quick brown fox")
RIGHT_TO_LEFT = rows("السعر 1250 ريال", "مرحبا بالعالم", to_left=True)
_UNTOLD = [OcrLine(text=line.text, confidence=0.9, polygon=line.polygon) for line in PLAIN]
_DOUBTFUL = OcrLine(text="dirt", confidence=0.2, polygon=box(0, 900, 40, 930), row=9, low_confidence=True)
_BLANK = OcrLine(text="", confidence=0.9, polygon=box(0, 900, 40, 930), row=9)
_THIN = OcrLine(text="I", confidence=1.0, polygon=box(0, 0, 0, 0), words=(OcrWord("I", 1.0, box(0, 0, 0, 0)),))

NASTY: dict[str, OcrPage] = {
    "nothing on it": page([]),
    "nothing certain on it": page([_DOUBTFUL]),
    "a line without text": page([_BLANK, *PLAIN]),
    "plain": page(PLAIN, dpi=150.0),
    "no words told": page(_UNTOLD),
    "markup": page(rows("""a<b> & "c" 'd' ]]> <!-- -->""", "&amp; &#0; </span>")),
    "signs that are none": page(rows("nul\x00 bell\x07 lone\ud800 end\uffff", "tab\tline\nfeed\x0c sep\u2028 nel\x85")),
    "right to left": page(RIGHT_TO_LEFT, language="ar"),
    "Chinese": page(rows("开放时间：上午九点", "城市图书馆𠮷", wide=True)),
    "vertical": page(turned(rows("開放時間上午", wide=True), 90)),
    "upside down": page(turned(PLAIN, 180), rotation=180),
    "on its left side": page(turned(PLAIN, 270), rotation=90),
    "on its right side": page(turned(PLAIN, 90), rotation=270),
    "skewed": page(turned(PLAIN, 3.7)),
    "no width at all": page([_THIN]),
    "a PDF's own text": page(PLAIN, source="text-layer", dpi=200.0),
    "a later page": page(PLAIN, number=7),
}


def told(each: OcrPage) -> list[OcrWord]:
    """The words that a format has to have, in reading order."""
    return [word for line in each.lines if not line.low_confidence for word in words_of(line)]
