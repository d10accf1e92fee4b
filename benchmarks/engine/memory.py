"""What memory recognition takes, and whether it keeps growing: many images by one fresh process, then a large photo."""

import itertools
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from PIL import Image, ImageDraw, ImageFont

from benchmarks.engine.process import EngineProcess
from benchmarks.report.progress import Progress

PHOTO = (6000, 4000)
"""Pixels: a photo of 24 megapixels."""


class Memory(Struct, frozen=True, kw_only=True):
    """Resident bytes of one process of ours that reads nothing but this."""

    reads: int
    """Images read, in turns, the photo not counted."""
    early: int
    """After the first tenth of them, or after every image once where that is later."""
    late: int
    """After all of them."""
    peak: int
    """At most until then."""
    peak_with_photo: int
    """At most when a photo of 24 megapixels, full of print, was read as well."""

    def __str__(self) -> str:
        return (
            f"memory: {self.peak / 1e6:.0f} MB at the peak of {self.reads} images, "
            f"{self.peak_with_photo / 1e6:.0f} MB with a photo of 24 megapixels; "
            f"resident {self.early / 1e6:.0f} MB early, {self.late / 1e6:.0f} MB in the end ({self.growth:+.1%})"
        )

    @property
    def growth(self) -> float:
        """From early to late, as a share."""
        return self.late / self.early - 1


def measure(
    engine: EngineProcess, images: Sequence[Path], reads: int, progress: Progress, photo_size: tuple[int, int] = PHOTO
) -> Memory:
    """Has a fresh process read `reads` images and the photo, and ends it. Raises Failed when it dies."""
    reads = max(reads, len(images))
    early = max(reads // 10, len(images))
    progress.step(f"memory: {reads} images by one process", reads)
    resident = []
    try:
        for path in itertools.islice(itertools.cycle(images), reads):
            answer = engine.read(path)
            resident.append(answer.resident)
            progress.advance()
        progress.step("memory: a photo of 24 megapixels")
        with tempfile.TemporaryDirectory(prefix="ocr-benchmark-") as folder:
            photo = Path(folder, "photo.jpg")
            draw_photo(photo, photo_size)
            peak_with_photo = engine.read(photo).peak_memory
    finally:
        engine.close()
        progress.end()
    return Memory(
        reads=reads,
        early=resident[early - 1],
        late=resident[-1],
        peak=answer.peak_memory,
        peak_with_photo=peak_with_photo,
    )


def draw_photo(path: Path, size: tuple[int, int] = PHOTO) -> None:
    """Writes a JPEG full of lines of print, each of its own size, always the same."""
    chance = random.Random(0)
    image = Image.new("RGB", size, (238, 232, 220))
    draw = ImageDraw.Draw(image)
    top = 100
    while top < size[1] - 200:
        height = chance.choice((36, 44, 60, 90))
        words = " ".join(
            f"{chance.choice(('invoice', 'total', 'date', 'street'))} {chance.randrange(10_000)}"
            for _ in range(size[0] // height // 8)
        )
        draw.text((100, top), words, fill=(30, 30, 40), font=ImageFont.load_default(height))
        top += height * 3 // 2
    image.save(path, quality=85)
