"""The readers of languages, loaded when they are asked for, a few kept."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence

from ocr_engine.options import ModelFamily
from ocr_engine.result import OcrModel
from ocr_engine.scripts.languages import Language, others_of
from ocr_engine.scripts.sources import LineSource
from ocr_engine.scripts.tesseract import LineReader

MAX_LOADED = 2
"""Readers that are kept from page to page: 10 to 30 MB of Tesseract's data each, ten would be 211 MB; 36 MB of a
model pack of 17."""


class Readers:
    """Of the languages that the sources read and the models of the family do not. Not for several threads at once."""

    def __init__(self, sources: Sequence[LineSource], model: ModelFamily = "ppocr-v6") -> None:
        """Where two sources read a language, the first one does."""
        found = [(language, source) for source in sources for language in source.languages]
        self._sources = dict(reversed(found))
        self._loaded: OrderedDict[Hashable, LineReader] = OrderedDict()
        self.languages = tuple(language for language in others_of(model) if language in self._sources)
        """In the order of `LANGUAGES`."""

    def of(self, language: Language) -> LineReader:
        """The reader of one of them; the one that was asked for longest ago is let go."""
        key = self.key(language)
        reader = self._loaded.pop(key, None)
        if reader is None:
            # before another one is loaded, so that there are never more
            while len(self._loaded) >= MAX_LOADED:
                self._loaded.popitem(last=False)[1].close()
            reader = self._sources[language].open(language)
        self._loaded[key] = reader
        return reader

    def key(self, language: Language) -> Hashable:
        """The same for languages that one reader reads."""
        return self._sources[language].key(language)

    def is_loaded(self, language: Language) -> bool:
        """Whether asking for it costs nothing."""
        return self.key(language) in self._loaded

    def model(self, language: Language) -> OcrModel:
        """What a result says of the reader."""
        return self._sources[language].model(language)
