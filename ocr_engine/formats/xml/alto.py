"""ALTO 4.4 (https://www.loc.gov/standards/alto/): blocks, lines and words with their boxes and confidence."""

from collections.abc import Iterable, Iterator

from ocr_engine.formats.shared.direction import is_right_to_left
from ocr_engine.formats.shared.places import Box, blocks_of, box_of, spaced
from ocr_engine.formats.source import NAME, Source
from ocr_engine.formats.xml.content import attributes, content
from ocr_engine.result import OcrLine, OcrPage

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="{namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="{namespace} http://www.loc.gov/standards/alto/v4/alto-4-4.xsd" SCHEMAVERSION="4.4">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>{file_name}</fileName></sourceImageInformation>
<Processing ID="OCR"><processingCategory>contentGeneration</processingCategory>\
<processingDateTime>{read_at}</processingDateTime>\
<processingSoftware><softwareName>{name}</softwareName><softwareVersion>{version}</softwareVersion>\
</processingSoftware></Processing>
</Description>
<Layout>
"""


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """One document of all pages."""
    yield HEAD.format(
        namespace=NAMESPACE,
        file_name=content(source.file_name),
        read_at=source.read_at.isoformat(timespec="seconds"),
        name=NAME,
        version=content(source.version),
    )
    for page in pages:
        yield "".join(_page(page))
    yield "</Layout>\n</alto>\n"


def _page(page: OcrPage) -> Iterator[str]:
    n = page.number
    size = attributes(HEIGHT=page.height, WIDTH=page.width)
    # degrees counter-clockwise by which the text stands turned: as many clockwise turn the page upright
    language = attributes(LANG=page.language) if page.language else ""
    yield f'<Page ID="page_{n}" PHYSICAL_IMG_NR="{n}" ROTATION="{page.rotation}"{language}{size}>\n'
    yield f'<PrintSpace HPOS="0" VPOS="0"{size}>\n'
    for b, block in enumerate(blocks_of(page), 1):
        lines = [page.lines[i] for i in block.lines]
        yield f'<TextBlock ID="block_{n}_{b}"{_place(box_of(line.polygon for line in lines))}>\n'
        for k, line in enumerate(lines, 1):
            yield from _line(line, f"{n}_{b}_{k}")
        yield "</TextBlock>\n"
    yield "</PrintSpace>\n</Page>\n"


def _line(line: OcrLine, number: str) -> Iterator[str]:
    direction = ' BASEDIRECTION="rtl"' if is_right_to_left(line.text) else ""
    yield f'<TextLine ID="line_{number}"{direction}{_place(box_of([line.polygon]))}>'
    points = " ".join(f"{x:g},{y:g}" for x, y in line.polygon)
    yield f'<Shape><Polygon POINTS="{points}"/></Shape>\n'
    for w, (word, space) in enumerate(spaced(line), 1):
        box = box_of([word.polygon])
        told = attributes(CONTENT=word.text, WC=f"{word.confidence:.4f}")
        yield f'<String ID="word_{number}_{w}"{_place(box)}{told}/>' + ("<SP/>\n" if space else "\n")
    yield "</TextLine>\n"


def _place(box: Box) -> str:
    return attributes(HPOS=box.left, VPOS=box.top, WIDTH=box.width, HEIGHT=box.height)
