"""Where Tesseract's data lies, and which languages can be read with it."""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from ocr_engine.errors import EngineError
from ocr_engine.scripts.languages import LANGUAGES, Language

FOLDERS = ("/usr/share/tesseract-ocr/*/tessdata", "/usr/share/tessdata", "/usr/share/tesseract/tessdata")
"""Where Debian and Ubuntu, Arch and Alpine, and Fedora put what their packages carry."""


NONE = "none"
"""Named instead of a folder: nothing is read with Tesseract."""


class TesseractData:
    """The data of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, language: Language) -> Path:
        """Where the data of a language lies, if it is there."""
        return self.folder / f"{language.data}.traineddata"

    def languages(self) -> tuple[Language, ...]:
        """Those that it is there for, in the order of `LANGUAGES`."""
        return tuple(language for language in LANGUAGES if self.file(language).is_file())

    @cache  # noqa: B019 - lives as long as the process
    def sha256(self, language: Language) -> str:
        """Of the language's data."""
        return hashlib.sha256(self.file(language).read_bytes()).hexdigest()


def find_data(explicit: str) -> TesseractData | None:
    """The data in the folder that is named, or where systems put it; None where nothing is named and something lacks.

    `NONE` is none. Raises EngineError where a folder is named and what is asked for cannot be had.
    """
    if explicit == NONE:
        return None
    installed = importlib.util.find_spec("tesserocr") is not None
    if explicit:
        if not installed:
            raise EngineError("OCR_TESSERACT_DATA is set, and tesserocr is not installed: it is the extra `tesseract`")
        data = TesseractData(Path(explicit))
        if not data.languages():
            raise EngineError(f"OCR_TESSERACT_DATA: {explicit} holds the data of no language that is read with it")
        return data
    if not installed:
        return None
    found = (TesseractData(folder) for pattern in FOLDERS for folder in _newest_first(pattern))
    return next((data for data in found if data.languages()), None)


def _newest_first(pattern: str) -> Sequence[Path]:
    return sorted(Path("/").glob(pattern.removeprefix("/")), reverse=True)
