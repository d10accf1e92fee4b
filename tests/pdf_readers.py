"""PDFs as three readers find their text: poppler, PDFium, and pdf.js, which browsers have."""

import html
import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pypdfium2 as pdfium

from tests.boxes import Box

_PDFJS = Path(__file__).with_name("pdfjs_text.js")
_WORD = re.compile(r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', re.DOTALL)


def texts(file: Path) -> Mapping[str, list[str]]:
    """By reader, the text of each page."""
    return {"poppler": _poppler(file), "PDFium": _pdfium(file), "pdf.js": json.loads(_output("node", _PDFJS, file))}


def words(file: Path, page: int) -> list[tuple[str, Box]]:
    """The words of a page, from 1, and their boxes in points from the top left of the page as it is shown."""
    found = _WORD.findall(_output("pdftotext", "-cropbox", "-bbox", "-f", str(page), "-l", str(page), file, "-"))
    return [
        (html.unescape(text), (float(left), float(top), float(right), float(bottom)))
        for left, top, right, bottom, text in found
    ]


def pieces(file: Path) -> list[list[tuple[str, Box]]]:
    """Of each page what pdf.js gives in one piece, a word or several, and its box in such points."""
    pages = json.loads(_output("node", _PDFJS, file, "places"))
    return [[(text, tuple(box)) for text, box in page] for page in pages]


def require_sound(file: Path) -> None:
    """Fails where qpdf has a complaint."""
    _output("qpdf", "--check", file)


def _poppler(file: Path) -> list[str]:
    return _output("pdftotext", file, "-").removesuffix("\f").split("\f")


def _pdfium(file: Path) -> list[str]:
    with pdfium.PdfDocument(file) as document:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]


def _output(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
