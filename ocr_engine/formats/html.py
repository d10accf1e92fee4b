"""HTML for reading and pasting: headings, paragraphs, lists, and tables with the spans of their cells."""

import html
from collections.abc import Iterable, Iterator

from ocr_engine.formats.shared.places import blocks_of
from ocr_engine.formats.shared.running_text import heading_level, paragraph_of
from ocr_engine.formats.source import Source
from ocr_engine.result import OcrBlock, OcrCell, OcrPage

HEAD = '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n</head>\n<body>\n'


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """One document, a section a page."""
    yield HEAD.format(title=html.escape(source.file_name))
    for page in pages:
        yield "".join(("<section>\n", *(_block(page, block) for block in blocks_of(page)), "</section>\n"))
    yield "</body>\n</html>\n"


def _block(page: OcrPage, block: OcrBlock) -> str:
    match block.kind:
        case "heading":
            level = heading_level(block)
            return f"<h{level}>{html.escape(paragraph_of(page, block.lines))}</h{level}>\n"
        case "list":
            items = (f"<li>{html.escape(paragraph_of(page, item))}</li>\n" for item in block.items)
            return f"<ul>\n{''.join(items)}</ul>\n"
        case "table":
            rows = ("".join(_cell(cell) for cell in block.cells if cell.row == row) for row in range(block.rows))
            written = "".join(f"<tr>{row}</tr>\n" for row in rows)
            return f"<table>\n{written}</table>\n"
        case "paragraph":
            return f"<p>{html.escape(paragraph_of(page, block.lines))}</p>\n"


def _cell(cell: OcrCell) -> str:
    spans = f' rowspan="{cell.row_span}"' * (cell.row_span > 1) + f' colspan="{cell.column_span}"' * (
        cell.column_span > 1
    )
    return f"<td{spans}>{html.escape(cell.text).replace(chr(10), '<br>')}</td>"
