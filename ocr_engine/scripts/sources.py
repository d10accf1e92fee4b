"""Where readers of other scripts come from: model packs, and Tesseract's data."""

from collections.abc import Hashable
from typing import Protocol

from ocr_engine.options import EngineOptions
from ocr_engine.result import OcrModel
from ocr_engine.scripts.data import TesseractData, find_data
from ocr_engine.scripts.languages import Language
from ocr_engine.scripts.packs.manifest import Pack, packs_in
from ocr_engine.scripts.packs.reader import PackReader
from ocr_engine.scripts.tesseract import LineReader, TesseractReader


class LineSource(Protocol):
    """Opens readers of lines."""

    @property
    def languages(self) -> tuple[Language, ...]:
        """Those that it reads, in the order of `LANGUAGES`."""

    def key(self, language: Language) -> Hashable:
        """The same for languages that one reader reads."""

    def model(self, language: Language) -> OcrModel:
        """What a result says of that reader."""

    def open(self, language: Language) -> LineReader:
        """Loads it. Raises EngineError where it is damaged."""


class TesseractSource:
    """A reader for each language."""

    def __init__(self, data: TesseractData) -> None:
        self._data = data
        self.languages = data.languages()

    def key(self, language: Language) -> Hashable:
        """See LineSource."""
        return language

    def model(self, language: Language) -> OcrModel:
        """See LineSource."""
        return OcrModel(role="recognition", name=self._data.file(language).name, sha256=self._data.sha256(language))

    def open(self, language: Language) -> LineReader:
        """See LineSource."""
        return TesseractReader(self._data, language)


class PackSource:
    """One reader for all languages of a pack, as far as they run the same way."""

    def __init__(self, pack: Pack, options: EngineOptions) -> None:
        self._pack = pack
        self._options = options
        self.languages = pack.languages

    def key(self, language: Language) -> Hashable:
        """See LineSource."""
        return self._pack.name, language.script.right_to_left

    def model(self, language: Language) -> OcrModel:
        """See LineSource."""
        del language
        return OcrModel(role="recognition", name=self._pack.path.name, sha256=self._pack.sha256)

    def open(self, language: Language) -> LineReader:
        """See LineSource."""
        return PackReader(self._pack, self._options, language.script.right_to_left)


def find_sources(options: EngineOptions) -> tuple[LineSource, ...]:
    """What the options name, the packs first. Raises EngineError where that cannot be used."""
    packs = (PackSource(pack, options) for pack in packs_in(options.model_packs))
    data = find_data(options.tesseract_data)
    return (*packs, *((TesseractSource(data),) if data else ()))
