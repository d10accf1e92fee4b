"""The readers of languages, loaded when they are asked for, a few kept."""

from collections import OrderedDict
from collections.abc import Callable

from ocr_engine.scripts.data import TesseractData
from ocr_engine.scripts.languages import Language
from ocr_engine.scripts.tesseract import LineReader, TesseractReader

MAX_LOADED = 2
"""Languages whose data is kept from page to page, 10 to 30 MB each; ten would be 211 MB."""


class Readers:
    """Of the languages whose data is there. Not for several threads at once."""

    def __init__(
        self,
        data: TesseractData | None,
        open_reader: Callable[[TesseractData, Language], LineReader] = TesseractReader,
    ) -> None:
        self._data = data
        self._open = open_reader
        self._loaded: OrderedDict[Language, LineReader] = OrderedDict()
        self.languages = data.languages() if data else ()
        """In the order of `LANGUAGES`."""

    def of(self, language: Language) -> LineReader:
        """The reader of one of them; the one that was asked for longest ago is let go."""
        assert self._data is not None
        reader = self._loaded.pop(language, None) or self._open(self._data, language)
        self._loaded[language] = reader
        while len(self._loaded) > MAX_LOADED:
            self._loaded.popitem(last=False)[1].close()
        return reader

    def is_loaded(self, language: Language) -> bool:
        """Whether asking for it costs nothing."""
        return language in self._loaded
