"""hOCR 1.2 (http://kba.cloud/hocr-spec/1.2/), as XHTML that XML parsers read; boxes in whole pixels."""

import math
import unicodedata
from collections.abc import Iterable, Iterator
from statistics import median

from ocr_engine.formats.shared.direction import is_right_to_left
from ocr_engine.formats.shared.places import Box, around, blocks_of, box_of, line_box, spaced
from ocr_engine.formats.source import Source
from ocr_engine.formats.xml.content import attribute, content
from ocr_engine.result import OcrLine, OcrPage, OcrWord

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<title>{title}</title>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
<meta name="ocr-system" content={system}/>
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf"/>
</head>
<body>
"""
DESCENT = 0.2
"""Of the height of a line, below the line that its letters stand on."""
_HANG = frozenset("gjpqyQJçşţąęįųĝģŋ,;()[]{}|/\\@$&§_„‚µßþƒ")
"""What reaches below the base line, accents aside."""


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """One document; a page, its blocks, lines and words in reading order."""
    yield HEAD.format(title=content(source.file_name), system=attribute(source.creator))
    for page in pages:
        yield "".join(_page(page, source))
    yield "</body>\n</html>\n"


def _page(page: OcrPage, source: Source) -> Iterator[str]:
    number = page.number
    # a name in quotes may hold no quote itself, nor what parts properties: readers cut there
    name = source.file_name.replace('"', "'").replace(";", ",") or "unknown"
    resolution = f"; scan_res {round(page.dpi)} {round(page.dpi)}" if page.dpi else ""
    title = f'image "{name}"; bbox 0 0 {page.width} {page.height}; ppageno {number - 1}{resolution}'
    language = f" lang={attribute(page.language)}" if page.language else ""
    yield f'<div class="ocr_page" id="page_{number}"{language} title={attribute(title)}>\n'
    for b, block in enumerate(blocks_of(page), 1):
        lines = [page.lines[i] for i in block.lines]
        box = _bbox(around(map(line_box, lines)))
        yield f'<div class="ocr_carea" id="block_{number}_{b}" title="{box}">\n'
        yield f'<p class="ocr_par" id="par_{number}_{b}" title="{box}">\n'
        for n, line in enumerate(lines, 1):
            yield from _line(line, f"{number}_{b}_{n}")
        yield "</p>\n</div>\n"
    yield "</div>\n"


def _line(line: OcrLine, number: str) -> Iterator[str]:
    box = line_box(line)
    direction = ' dir="rtl"' if is_right_to_left(line.text) else ""
    yield f'<span class="ocr_line" id="line_{number}"{direction} title="{_bbox(box)}; {_baseline(line, box)}">\n'
    for w, (word, space) in enumerate(spaced(line), 1):
        title = f"{_bbox(box_of([word.polygon]))}; x_wconf {round(100 * word.confidence)}"
        written = f'<span class="ocrx_word" id="word_{number}_{w}" title="{title}">{content(word.text)}</span>'
        yield written + (" \n" if space else "")
    yield "</span>\n"


def _bbox(box: Box) -> str:
    return f"bbox {box.left} {box.top} {box.right} {box.bottom}"


def _baseline(line: OcrLine, box: Box) -> str:
    """Slope and offset of the base line from the box's bottom left; for text that is turned the angle as well."""
    (ax, ay), (bx, by), _, (dx, dy) = line.polygon
    size = math.hypot(dx - ax, dy - ay)
    angle = math.degrees(math.atan2(ay - by, bx - ax))
    if abs(angle) > 45:
        return f"textangle {round(angle) % 360}; x_size {round(size)}"
    slope = round((by - ay) / max(bx - ax, 1), 3)
    # where they tell none, letters stand a fifth of the line's height above its lower edge
    feet = [_foot(word, slope, box.left) for word in line.words if _stands(word)] or [
        dy - slope * (dx - box.left) - DESCENT * size
    ]
    return f"baseline {slope:g} {round(median(feet) - box.bottom)}; x_size {round(size)}"


def _stands(word: OcrWord) -> bool:
    """Whether the lower edge of its box is what its letters stand on."""
    plain = unicodedata.normalize("NFD", word.text)
    return any(map(str.isalnum, plain)) and _HANG.isdisjoint(plain)


def _foot(word: OcrWord, slope: float, left: float) -> float:
    """Where the line that its letters stand on passes x = left."""
    _, _, (cx, cy), (dx, dy) = word.polygon
    return (cy + dy) / 2 - slope * ((cx + dx) / 2 - left)
