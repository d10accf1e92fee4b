"""Tesseract beside our engine: its program, where it is installed, on the same images."""

import csv
import io
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator

from benchmarks.accuracy.polygons import shape
from benchmarks.accuracy.truth import Line, Read

LANGUAGES = {
    "ar": "ara",
    "cs": "ces",
    "da": "dan",
    "de": "deu",
    "el": "ell",
    "en": "eng",
    "es": "spa",
    "et": "est",
    "fi": "fin",
    "fr": "fra",
    "he": "heb",
    "hi": "hin",
    "hr": "hrv",
    "hu": "hun",
    "it": "ita",
    "ja": "jpn",
    "ko": "kor",
    "lt": "lit",
    "lv": "lav",
    "nl": "nld",
    "nb": "nor",
    "nn": "nor",
    "no": "nor",
    "pl": "pol",
    "pt": "por",
    "ro": "ron",
    "ru": "rus",
    "sk": "slk",
    "sl": "slv",
    "sv": "swe",
    "th": "tha",
    "tr": "tur",
    "uk": "ukr",
    "vi": "vie",
    "zh": "chi_sim",
    "zh-Hans": "chi_sim",
    "zh-Hant": "chi_tra",
}
"""BCP 47 to the names of its language data."""


class Tesseract:
    """Reads an image with the data of its language, as it comes: `tesseract stdin stdout -l … tsv`."""

    def __init__(self, threads: int) -> None:
        """Raises ImportError where the program is not installed."""
        program = shutil.which("tesseract")
        if program is None:
            raise ImportError("there is no program `tesseract`; Debian has it as tesseract-ocr, tesseract-ocr-deu, …")
        self._program = program
        self._environment = {**os.environ, "OMP_THREAD_LIMIT": str(threads)}
        told = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=True).stdout
        self._installed = set(told.split())

    def read(self, image: bytes, language: str) -> Read:
        """What is in it; English where the language is not told. Raises LookupError and OSError."""
        data = LANGUAGES.get(language or "en", language)
        if data not in self._installed:
            raise LookupError(f"tesseract has no data for {language}")
        done = subprocess.run(
            [self._program, "stdin", "stdout", "-l", data, "tsv"],
            input=image,
            capture_output=True,
            env=self._environment,
            check=False,
        )
        if done.returncode:
            raise OSError(done.stderr.decode("utf-8", "replace").strip())
        return Read(tuple(lines_of(done.stdout.decode("utf-8", "replace"))))


def lines_of(tsv: str) -> Iterator[Line]:
    """The lines of its table of words."""
    rows = csv.DictReader(io.StringIO(tsv), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if row["level"] == "5" and row["text"].strip()]
    for _, line in itertools.groupby(words, key=lambda row: [row[f"{part}_num"] for part in ("block", "par", "line")]):
        read = tuple(Line(row["text"].strip(), shape(_box(row))) for row in line)
        corners = [corner for word in read for corner in word.shape or ()]
        xs, ys = zip(*corners, strict=True)
        yield Line(" ".join(word.text for word in read), shape((min(xs), min(ys), max(xs), max(ys))), read)


def _box(row: dict[str, str]) -> tuple[float, float, float, float]:
    left, top, width, height = (float(row[side]) for side in ("left", "top", "width", "height"))
    return left, top, left + width, top + height
