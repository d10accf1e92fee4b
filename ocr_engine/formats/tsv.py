"""Tesseract's TSV: twelve columns, a line for every page, block, paragraph, line and word."""

from collections.abc import Iterable, Iterator

from ocr_engine.formats.shared.places import Box, around, blocks_of, box_of, line_box, words_of
from ocr_engine.formats.source import Source
from ocr_engine.result import OcrPage

HEADER = "level page_num block_num par_num line_num word_num left top width height conf text".replace(" ", "\t")
NO_CONFIDENCE = "-1"
"""As Tesseract has it, of everything that is no word."""


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """The header, then page by page in reading order; confidence in per cent."""
    yield HEADER + "\n"
    for page in pages:
        yield "".join(f"{row}\n" for row in _rows(page))


def _rows(page: OcrPage) -> Iterator[str]:
    number = page.number
    yield _row(1, (number, 0, 0, 0, 0), Box(0, 0, page.width, page.height))
    for b, block in enumerate(blocks_of(page), 1):
        lines = [page.lines[i] for i in block.lines]
        box = around(map(line_box, lines))
        yield _row(2, (number, b, 0, 0, 0), box)
        yield _row(3, (number, b, 1, 0, 0), box)
        for n, line in enumerate(lines, 1):
            yield _row(4, (number, b, 1, n, 0), line_box(line))
            for w, word in enumerate(words_of(line), 1):
                text = _in_column(word.text)
                yield _row(5, (number, b, 1, n, w), box_of([word.polygon]), f"{100 * word.confidence:.6f}", text)


def _in_column(text: str) -> str:
    """The text without tabs and line breaks, which no column may have, nor signs that are none."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in " ".join(text.split()))


def _row(level: int, place: tuple[int, ...], box: Box, confidence: str = NO_CONFIDENCE, text: str = "") -> str:
    return "\t".join([*map(str, (level, *place, box.left, box.top, box.width, box.height)), confidence, text])
