"""What people run on scanned PDFs today, on the same file: OCRmyPDF, and a plain loop of rapidocr over PDFium."""

import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import pypdfium2 as pdfium
from msgspec import Struct

from benchmarks.report.progress import Progress

JOBS = 2
"""Of OCRmyPDF."""
DPI = 300


class PeerFigures(Struct, frozen=True, kw_only=True):
    """All pages once, by another program."""

    name: str
    jobs: int
    pages: int
    seconds: float
    f1: float


def word_f1(truth: Sequence[str], read: Sequence[str]) -> float:
    """0 to 1: words in common, page by page, whatever their order."""
    common = said = wanted = 0
    for expected, found in zip(truth, read, strict=True):
        one, other = (Counter(re.findall(r"\w+", text.lower())) for text in (expected, found))
        common += sum((one & other).values())
        said, wanted = said + sum(other.values()), wanted + sum(one.values())
    return 2 * common / (said + wanted) if said + wanted else 1.0


def ocrmypdf(document: Path, texts: Sequence[str], progress: Progress) -> PeerFigures | None:
    """OCRmyPDF with Tesseract, as it comes; None where it is not installed."""
    if shutil.which("ocrmypdf") is None:
        return None
    progress.step("OCRmyPDF")
    with tempfile.TemporaryDirectory(prefix="ocr-benchmark-") as folder:
        text = Path(folder, "text")
        command = ["ocrmypdf", "--jobs", str(JOBS), "--force-ocr", "--optimize", "0", "--output-type", "pdf"]
        begun = time.perf_counter()
        subprocess.run(
            [*command, "--sidecar", text, document, Path(folder, "out.pdf")], check=True, capture_output=True
        )
        seconds = time.perf_counter() - begun
        pages = text.read_text().split("\f")[: len(texts)]
    return PeerFigures(name="OCRmyPDF", jobs=JOBS, pages=len(texts), seconds=seconds, f1=word_f1(texts, pages))


def rapidocr_loop(document: Path, texts: Sequence[str], progress: Progress) -> PeerFigures:
    """The loop that a tutorial shows: render at 300 dpi, recognise, one page after the other, on one core."""
    engine = import_module("rapidocr_onnxruntime").RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)
    progress.step("rapidocr over pypdfium2", len(texts))
    read = []
    begun = time.perf_counter()
    with pdfium.PdfDocument(document) as pages:
        for page in pages:
            found, _ = engine(page.render(scale=DPI / 72).to_numpy()[..., :3].copy())
            read.append("\n".join(text for _, text, *_ in found or ()))
            progress.advance()
    seconds = time.perf_counter() - begun
    return PeerFigures(
        name="rapidocr over pypdfium2", jobs=1, pages=len(texts), seconds=seconds, f1=word_f1(texts, read)
    )


PEERS: tuple[Callable[[Path, Sequence[str], Progress], PeerFigures | None], ...] = (rapidocr_loop, ocrmypdf)
