"""PAGE XML 2019-07-15 (PRImA): polygons of regions, lines and words. A document has one page, and so has PAGE's."""

from collections.abc import Iterable, Iterator

from ocr_engine.formats.shared.direction import is_right_to_left
from ocr_engine.formats.shared.places import blocks_of, box_of, words_of
from ocr_engine.formats.source import Source
from ocr_engine.formats.xml.content import attributes, content
from ocr_engine.result import OcrBlock, OcrLine, OcrPage, Polygon

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """The document of the one page there is. Raises ValueError where there are more."""
    for number, page in enumerate(pages):
        if number:
            raise ValueError("a PAGE document has one page")
        yield "".join(_document(page, source))


def _document(page: OcrPage, source: Source) -> Iterator[str]:
    moment = source.read_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    yield DECLARATION
    yield f'<PcGts xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    yield f'xsi:schemaLocation="{NAMESPACE} {NAMESPACE}/pagecontent.xsd">\n'
    yield f"<Metadata><Creator>{content(source.creator)}</Creator><Created>{moment}</Created>"
    yield f"<LastChange>{moment}</LastChange></Metadata>\n"
    name = source.file_name or "unknown"
    size = attributes(imageFilename=name, imageWidth=page.width, imageHeight=page.height)
    # PAGE's orientation is clockwise from -179.999 to 180, what turns the page upright
    turn = page.rotation if page.rotation <= 180 else page.rotation - 360
    yield f'<Page{size} orientation="{turn}">\n'
    blocks = blocks_of(page)
    if blocks:
        yield '<ReadingOrder><OrderedGroup id="order">'
        yield from (f'<RegionRefIndexed index="{b}" regionRef="region_{b + 1}"/>' for b in range(len(blocks)))
        yield "</OrderedGroup></ReadingOrder>\n"
    for b, block in enumerate(blocks, 1):
        yield from _region(page, block, b)
    yield "</Page>\n</PcGts>\n"


def _region(page: OcrPage, block: OcrBlock, number: int) -> Iterator[str]:
    lines = [page.lines[i] for i in block.lines]
    box = box_of(line.polygon for line in lines)
    corners: Polygon = (box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)
    kind = "heading" if block.kind == "heading" else "paragraph"
    yield f'<TextRegion id="region_{number}" type="{kind}">{_coords(corners, page)}\n'
    for n, line in enumerate(lines, 1):
        yield from _line(line, f"{number}_{n}", page)
    yield "</TextRegion>\n"


def _line(line: OcrLine, number: str, page: OcrPage) -> Iterator[str]:
    direction = ' readingDirection="right-to-left"' if is_right_to_left(line.text) else ""
    yield f'<TextLine id="line_{number}"{direction}>{_coords(line.polygon, page)}\n'
    for w, word in enumerate(words_of(line), 1):
        text = _text(word.text, word.confidence)
        yield f'<Word id="word_{number}_{w}">{_coords(word.polygon, page)}{text}</Word>\n'
    yield f"{_text(line.text, line.confidence)}</TextLine>\n"


def _coords(polygon: Polygon, page: OcrPage) -> str:
    points = ((min(max(0, round(x)), page.width), min(max(0, round(y)), page.height)) for x, y in polygon)
    return '<Coords points="{}"/>'.format(" ".join(f"{x},{y}" for x, y in points))


def _text(text: str, confidence: float) -> str:
    return f'<TextEquiv conf="{confidence:.4f}"><Unicode>{content(text)}</Unicode></TextEquiv>'
