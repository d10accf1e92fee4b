"""hOCR 1.2 (http://kba.cloud/hocr-spec/1.2/), as XHTML that XML parsers read; boxes in whole pixels."""

import math
from collections.abc import Iterable, Iterator

from ocr_engine.formats.shared.places import Box, blocks_of, box_of, spaced
from ocr_engine.formats.source import Source
from ocr_engine.formats.xml.content import attribute, content
from ocr_engine.result import OcrLine, OcrPage

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


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """One document; a page, its blocks, lines and words in reading order."""
    yield HEAD.format(title=content(source.file_name), system=attribute(source.creator))
    for number, page in enumerate(pages, 1):
        yield "".join(_page(page, number, source))
    yield "</body>\n</html>\n"


def _page(page: OcrPage, number: int, source: Source) -> Iterator[str]:
    # a name in quotes may hold no quote itself
    name = source.file_name.replace('"', "'") or "unknown"
    resolution = f"; scan_res {round(page.dpi)} {round(page.dpi)}" if page.dpi else ""
    title = f'image "{name}"; bbox 0 0 {page.width} {page.height}; ppageno {number - 1}{resolution}'
    yield f'<div class="ocr_page" id="page_{number}" title={attribute(title)}>\n'
    for b, block in enumerate(blocks_of(page), 1):
        lines = [page.lines[i] for i in block.lines]
        box = _bbox(box_of(line.polygon for line in lines))
        yield f'<div class="ocr_carea" id="block_{number}_{b}" title="{box}">\n'
        yield f'<p class="ocr_par" id="par_{number}_{b}" title="{box}">\n'
        for n, line in enumerate(lines, 1):
            yield from _line(line, f"{number}_{b}_{n}")
        yield "</p>\n</div>\n"
    yield "</div>\n"


def _line(line: OcrLine, number: str) -> Iterator[str]:
    box = box_of([line.polygon])
    yield f'<span class="ocr_line" id="line_{number}" title="{_bbox(box)}; {_baseline(line, box)}">\n'
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
    angle = math.degrees(math.atan2(ay - by, bx - ax))
    if abs(angle) > 45:
        return f"textangle {round(angle) % 360}; x_size {round(math.hypot(dx - ax, dy - ay))}"
    slope = round((by - ay) / (bx - ax), 3)
    descent = 0.2 * math.hypot(dx - ax, dy - ay)
    # letters stand on a line a fifth of the line's height above its lower edge
    offset = round(dy - slope * (dx - box.left) - box.bottom - descent)
    return f"baseline {slope:g} {offset}; x_size {round(math.hypot(dx - ax, dy - ay))}"
