"""Pages a second and core: `python -m benchmarks engine --pages`.

A4 pages of 800, 2500 and 5500 letters at 150 and 200 dpi, drawn by lot and always the same, and documents: our
samples, or a folder's images. All engines that are installed read them in turns, page by page, each on one core; a
page costs the CPU seconds that it took, so that other work on the machine changes little.
"""

import argparse
import io
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from benchmarks.accuracy.manifest import IMAGES
from benchmarks.documents.draw import WORDS
from benchmarks.documents.peers import word_f1
from benchmarks.engine.page_readers import PAGE_READERS, PageAnswer, PageReaderName
from benchmarks.engine.process import ChildProcess, Failed
from benchmarks.report.fingerprint import Machine, fingerprint
from benchmarks.report.progress import Progress
from ocr_engine.options import Backend, EngineOptions
from samples import FOLDER

POINTS = {800: 12, 2500: 11, 5500: 9}
"""Letters of a page -> size of its print."""
RESOLUTIONS = (150, 200)
A4_INCHES = (8.27, 11.69)
MARGIN_INCHES = 0.8
LINE_PITCH = 1.35
"""From line to line, by the size of the print."""
DOCUMENTS = ("columns.png", "letter.png", "receipt.jpg", "table.png")
"""Of our samples."""


class PageFile(Struct, frozen=True, kw_only=True):
    """A page to be read."""

    kind: str
    path: Path
    text: str
    """What is on it; empty where nobody says."""


class Pace(Struct, frozen=True, kw_only=True):
    """One engine over the pages of one kind, or over all."""

    engine: str
    kind: str
    pages: int
    errors: int
    cpu_seconds: float
    seconds: float
    word_f1: float | None
    """Over the pages whose text is known."""
    peak_memory: int

    @property
    def pages_per_core_second(self) -> float:
        """What one core reads in a second."""
        return self.pages / self.cpu_seconds if self.cpu_seconds else 0.0


class Report(Struct, frozen=True, kw_only=True):
    """What one run measured."""

    benchmark: str
    machine: Machine
    options: EngineOptions
    paces: tuple[Pace, ...]


class PageProcess(ChildProcess[PageAnswer]):
    """An engine that reads pages."""

    def __init__(self, name: PageReaderName, options: EngineOptions) -> None:
        super().__init__(name, options, "benchmarks.engine.page_readers", PageAnswer)


Start = Callable[[PageReaderName, EngineOptions], PageProcess]
"""A process with the engine of that name. Raises Failed."""


def main(argv: Sequence[str], start: Start = PageProcess) -> int:
    """Runs the benchmark; 0 when it could be run, 2 when ours could not be started."""
    arguments = _parser().parse_args(argv)
    options = EngineOptions(backend=arguments.backend)
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="ocr-pages-") as folder:
        pages = [
            *draw_all(Path(folder), RESOLUTIONS[: 1 if arguments.quick else None]),
            *documents(arguments.images),
        ]
        engines: list[PageProcess] = []
        try:
            for name in arguments.engine or PAGE_READERS:
                try:
                    engines.append(start(name, options))
                except Failed as error:
                    if name == "ours":
                        raise
                    print(f"pages: left out: {error}", file=sys.stderr)
            paces = run(pages, engines, progress)
        except Failed as error:
            print(f"pages: {error}", file=sys.stderr)
            return 2
        finally:
            for engine in engines:
                engine.close()
    progress.end()
    print(table(paces))
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        report = Report(benchmark="pages", machine=fingerprint(), options=options, paces=tuple(paces))
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 0


def run(pages: Sequence[PageFile], engines: Sequence[PageProcess], progress: Progress) -> list[Pace]:
    """Every page read by every engine in turn, the last one once untimed before. Raises Failed when a process dies."""
    for engine in engines:
        engine.read(pages[-1].path)
    told: dict[str, list[tuple[PageFile, PageAnswer]]] = {engine.name: [] for engine in engines}
    progress.step("pages", len(pages) * len(engines))
    for page in pages:
        for engine in engines:
            told[engine.name].append((page, engine.read(page.path)))
            progress.advance()
    kinds = dict.fromkeys(page.kind for page in pages)
    return [
        pace(name, kind, [each for each in answers if kind in (each[0].kind, ALL)])
        for kind in (*kinds, ALL)
        for name, answers in told.items()
    ]


ALL = "all"


def pace(engine: str, kind: str, read: Sequence[tuple[PageFile, PageAnswer]]) -> Pace:
    """Of an engine over some pages and its answers."""
    known = [(page.text, answer.text) for page, answer in read if page.text]
    return Pace(
        engine=engine,
        kind=kind,
        pages=len(read),
        errors=sum(bool(answer.error) for _, answer in read),
        cpu_seconds=sum(answer.cpu_seconds for _, answer in read),
        seconds=sum(answer.seconds for _, answer in read),
        word_f1=word_f1([truth for truth, _ in known], [text for _, text in known]) if known else None,
        peak_memory=max(answer.peak_memory for _, answer in read),
    )


def table(paces: Sequence[Pace]) -> str:
    """The report for people: pages a second and core, how many times ours is as fast, and how well pages were read."""
    kinds, engines = (list(dict.fromkeys(names)) for names in zip(*((p.kind, p.engine) for p in paces), strict=True))
    by = {(each.kind, each.engine): each for each in paces}
    width = max(map(len, engines)) + 2
    lines = ["pages a second and core", f"{'':<24}" + "".join(f"{name:>{width}}" for name in engines)]
    for kind in kinds:
        rates = (by[kind, engine].pages_per_core_second for engine in engines)
        lines.append(f"{kind:<24}" + "".join(f"{rate:>{width}.3f}" for rate in rates))
    whole = [by[ALL, engine] for engine in engines]
    ratios = (f"{each.cpu_seconds / max(whole[0].cpu_seconds, 1e-9):.2f} x" for each in whole)
    lines.append(f"{engines[0] + ' is':<24}" + "".join(f"{ratio:>{width}}" for ratio in ratios))
    shares = ("-" if each.word_f1 is None else f"{each.word_f1:.4f}" for each in whole)
    lines.append(f"{'word F1':<24}" + "".join(f"{share:>{width}}" for share in shares))
    lines.append(f"{'peak MB':<24}" + "".join(f"{each.peak_memory / 1e6:>{width}.0f}" for each in whole))
    lines.append(f"{'errors':<24}" + "".join(f"{each.errors:>{width}}" for each in whole))
    return "\n".join(lines)


def draw_all(folder: Path, resolutions: Sequence[int]) -> list[PageFile]:
    """The drawn pages, written into a folder."""
    pages = []
    for dpi in resolutions:
        for letters in POINTS:
            image, text = draw_page(letters, dpi)
            path = folder / f"{letters}-{dpi}.png"
            path.write_bytes(image)
            pages.append(PageFile(kind=f"{letters} letters, {dpi} dpi", path=path, text=text))
    return pages


def draw_page(letters: int, dpi: int) -> tuple[bytes, str]:
    """An A4 page (PNG) with so many letters at least, spaces not counted, and its text."""
    chance = random.Random(letters)
    width, height = (round(side * dpi) for side in A4_INCHES)
    size = POINTS[letters] * dpi / 72
    font, margin = ImageFont.load_default(size), MARGIN_INCHES * dpi
    page = Image.new("L", (width, height), 255)
    pen = ImageDraw.Draw(page)
    lines: list[str] = []
    drawn, y = 0, margin
    while drawn < letters:
        line = ""
        while drawn < letters:
            word = chance.choice(WORDS) if chance.random() > 0.05 else str(chance.randrange(2000))
            longer = f"{line} {word}".strip()
            if pen.textlength(longer, font) > width - 2 * margin:
                break
            line, drawn = longer, drawn + len(word)
        if y + size > height - margin / 2:
            raise ValueError(f"{letters} letters do not fit on the page")
        pen.text((margin, y), line, fill=20, font=font)
        lines.append(line)
        y += LINE_PITCH * size
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue(), "\n".join(lines)


def documents(folder: Path | None) -> list[PageFile]:
    """The images of a folder, their texts beside them where they are known (NAME.txt); without one, our samples."""
    if folder:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGES)
    else:
        paths = [FOLDER / name for name in DOCUMENTS]
    texts = (path.with_suffix(".txt") for path in paths)
    return [
        PageFile(kind="documents", path=path.resolve(), text=text.read_text("utf-8") if text.is_file() else "")
        for path, text in zip(paths, texts, strict=True)
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks engine --pages", description=__doc__)
    parser.add_argument("--engine", action="append", choices=PAGE_READERS, help="only this one; repeatable, ours first")
    parser.add_argument("--images", type=Path, metavar="DIR", help="documents of your own, NAME.txt beside NAME.png")
    parser.add_argument("--quick", action="store_true", help="pages of 150 dpi only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here as well")
    parser.add_argument("--backend", choices=get_args(Backend), default=EngineOptions().backend)
    return parser
