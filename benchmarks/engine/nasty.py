"""`python -m benchmarks peaks`: a worker's memory over files that are accepted and take the most of it.

Each is of as many pixels as are allowed by default of its kind, in the form in which its decoder needs most: few bytes
that unfold, samples of 32 bits, an alpha channel, CMYK in passes, large pages of PDFs.
"""

import argparse
import asyncio
import io
import math
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pikepdf
from msgspec import Struct
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image

from benchmarks.documents.run import peak_of
from benchmarks.report.progress import Progress
from config.machine import WORKER_MEMORY_BYTES
from ocr_engine.errors import OcrError
from ocr_engine.image import read_header
from ocr_engine.image.header import USUAL_COST
from ocr_engine.image.probing import is_pdf
from ocr_engine.options import EngineOptions, ReadOptions
from ocr_engine.workers.process_pool import ProcessOcrPool
from samples import sample

GREATEST_SIDE = 8000
"""Pixels: 64 megapixels, as many as are allowed."""


class Peak(Struct, frozen=True, kw_only=True):
    """What a fresh worker took for a file."""

    name: str
    side: int
    """Pixels of its width and height, as it was drawn."""
    file_bytes: int
    outcome: str
    """`read`, or the error's code."""
    peak: int
    """Bytes resident at most."""


def _saved(side: int, mode: str, kind: str, colour: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (side, side), colour).save(file, kind, **options)
    return file.getvalue()


def _tiff(side: int, samples: type[np.generic]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((side, side), 200, samples)).save(file, "TIFF", compression="tiff_deflate")
    return file.getvalue()


def _pdf(data: bytes, side: int, kind: Name, space: Name) -> bytes:
    """A page of one picture."""
    return _page(
        1920.0, b"q 1920 0 0 1920 0 0 cm /P Do Q", lambda document: _picture(document, data, side, kind, space)
    )


def _page(points: float, content: bytes, picture: Callable[[pikepdf.Pdf], Stream] | None = None) -> bytes:
    with pikepdf.new() as document:
        drawn = Dictionary(P=document.make_indirect(picture(document))) if picture else Dictionary()
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, points, points]),
            Resources=Dictionary(XObject=drawn, Font=Dictionary(F=font)),
            Contents=Stream(document, content),
        )
        document.pages.append(pikepdf.Page(page))
        file = io.BytesIO()
        document.save(file, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
        return file.getvalue()


def _picture(document: pikepdf.Pdf, data: bytes, side: int, kind: Name, space: Name) -> Stream:
    stream = Stream(document, b"")
    stream.write(data, filter=kind)
    stream.Type, stream.Subtype, stream.Width, stream.Height = Name.XObject, Name.Image, side, side
    stream.BitsPerComponent, stream.ColorSpace = 8, space
    return stream


FILES: dict[str, Callable[[int], bytes]] = {
    "WebP of one colour": lambda side: _saved(side, "RGB", "WEBP", (250, 250, 250), lossless=True, method=0),
    "WebP with alpha": lambda side: _saved(side, "RGBA", "WEBP", (9, 9, 9, 99), lossless=True, method=0),
    "PNG with alpha": lambda side: _saved(side, "RGBA", "PNG", (9, 9, 9, 99)),
    "PNG with a palette and alpha": lambda side: _saved(side, "P", "PNG", 3, transparency=3),
    "PNG of 16 bits": lambda side: _saved(side, "I;16", "PNG", 40_000),
    "progressive JPEG, CMYK": lambda side: _saved(side, "CMYK", "JPEG", (9, 9, 9, 9), progressive=True),
    "progressive JPEG": lambda side: _saved(side, "RGB", "JPEG", (200, 200, 200), progressive=True),
    "TIFF of 32-bit integers": lambda side: _tiff(side, np.int32),
    "TIFF of 32-bit floats": lambda side: _tiff(side, np.float32),
    "PNM of 8 bits": lambda side: b"P6 %d %d 255\n" % (side, side) + bytes(3 * side * side),
    "BMP": lambda side: _saved(side, "RGB", "BMP", (9, 9, 9)),
    "PNM of 16 bits": lambda side: b"P6 %d %d 65535\n" % (side, side) + bytes(6 * side * side),
    "BMP of 32 bits": lambda side: _saved(side, "RGBA", "BMP", (9, 9, 9, 99)),
    "GIF": lambda side: _saved(side, "P", "GIF", 3),
    "AVIF": lambda side: _saved(side, "RGB", "AVIF", (250, 250, 250), speed=10),
    "JPEG 2000": lambda side: _saved(side, "RGB", "JPEG2000", (250, 250, 250)),
    "PDF of a JPEG, CMYK": lambda side: _pdf(
        _saved(side, "CMYK", "JPEG", (9, 9, 9, 9)), side, Name.DCTDecode, Name.DeviceCMYK
    ),
    "PDF of RGB samples": lambda side: _pdf(
        zlib.compress(bytes(3 * side * side)), side, Name.FlateDecode, Name.DeviceRGB
    ),
    "PDF of a JPEG 2000": lambda side: _pdf(
        _saved(side, "RGB", "JPEG2000", (250, 250, 250)), side, Name.JPXDecode, Name.DeviceRGB
    ),
    "PDF page of 200 inches": lambda _: _page(14_400, b"BT /F 90 Tf 100 14000 Td (a large page) Tj ET"),
}
"""By name, how each is drawn with so many pixels a side."""


def greatest_side(name: str) -> int:
    """Pixels a side of the largest such file that is accepted."""
    small = FILES[name](64)
    if is_pdf(small[:1024]):
        return GREATEST_SIDE
    cost = read_header(small, GREATEST_SIDE * GREATEST_SIDE).cost
    return int(GREATEST_SIDE * math.sqrt(min(1.0, USUAL_COST / cost)))


def main(argv: Sequence[str]) -> int:
    """Measures and prints; 1 where a worker took more than is reckoned with for it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks peaks", description=__doc__)
    parser.add_argument("--only", default="", help="files whose names contain this")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as well")
    arguments = parser.parse_args(argv)
    progress = Progress()
    names = [name for name in FILES if arguments.only.lower() in name.lower()]
    peaks = asyncio.run(_measure(names, progress))
    progress.end()
    print(table(peaks))
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(peaks)))
    return int(any(each.peak > WORKER_MEMORY_BYTES for each in peaks))


async def _measure(names: Sequence[str], progress: Progress) -> list[Peak]:
    progress.step(f"{len(names)} files, each by a fresh worker", len(names))
    found = []
    with tempfile.TemporaryDirectory(prefix="ocr-benchmark-") as folder:
        for name in names:
            side = greatest_side(name)
            size = _written(Path(folder, "nasty"), FILES[name](side))
            outcome, peak = await _read(Path(folder, "nasty"))
            found.append(Peak(name=name, side=side, file_bytes=size, outcome=outcome, peak=peak))
            progress.advance()
    return found


def _written(file: Path, data: bytes) -> int:
    return file.write_bytes(data)


async def _read(file: Path) -> tuple[str, int]:
    async with AsyncExitStack() as stack:
        pool = ProcessOcrPool(
            EngineOptions(max_pixels=GREATEST_SIDE * GREATEST_SIDE),
            workers=1,
            warm_up=sample("health").data,
            job_timeout=600.0,
            start_timeout=300.0,
        )
        stack.push_async_callback(pool.close)
        await pool.start()
        (pid,) = [worker.pid for worker in pool.workers()]
        try:
            await pool.read_page(file, 1, ReadOptions())
            outcome = "read"
        except OcrError as error:
            outcome = error.code
        return outcome, peak_of(pid)


def table(peaks: Sequence[Peak]) -> str:
    """The figures for people."""
    rows = [f"{'':30}{'pixels':>9}{'file kB':>9}{'peak MB':>9}"]
    for each in peaks:
        over = "  more than is reckoned with" if each.peak > WORKER_MEMORY_BYTES else ""
        said = "" if each.outcome == "read" else f"  {each.outcome}"
        rows.append(f"{each.name:30}{each.side:>7}^2{each.file_bytes / 1000:9.1f}{each.peak / 1e6:9.0f}{said}{over}")
    return "\n".join(rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
