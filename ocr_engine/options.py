"""What may be chosen about recognition: for a whole service, and for one file. Frozen, and sent whole to a worker."""

from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from ocr_engine.result import Area, Rotation

ModelFamily = Literal["ppocr-v6", "ppocr-v6-tiny", "ppocr-v4"]
Backend = Literal["auto", "onnxruntime", "openvino"]
ReadingOrder = Literal["columns", "rows", "none"]
READING_ORDERS: tuple[ReadingOrder, ...] = get_args(ReadingOrder)
TextLayer = Literal["ocr", "auto"]
TEXT_LAYERS: tuple[TextLayer, ...] = get_args(TextLayer)


class EngineOptions(Struct, frozen=True, kw_only=True):
    """How to recognise; the same options give the same text."""

    model: ModelFamily = "ppocr-v6"
    detection_model: str = ""
    """Path of another detection model of the PP-OCR family (.onnx); empty: that of `model`."""
    recognition_model: str = ""
    """Path of another recognition model, for other languages; empty: that of `model`."""
    angle_model: str = ""
    """Path of another classifier of upright and upside-down lines; empty: that of `model`."""
    characters: str = ""
    """Path of the recognition model's character list, one a line; empty: the list that the model carries itself."""
    backend: Backend = "onnxruntime"
    """`auto`: openvino where it is installed and was faster in a trial, whose outcome is kept beside the graphs."""
    optimised_graphs: bool = True
    """Run each model as a graph that was rewritten for this processor and verified, rather than as it was released."""
    int8: bool = True
    """Read lines in 8-bit integers first, where the processor is made for that, and anew in float32 where in doubt."""
    cache_dir: str = ""
    """Folder where the rewritten graphs are kept; empty: the user's own cache."""
    threads: int = 1
    """Threads inside a session. 1 is the right unit when every core has a worker of its own."""
    min_confidence: float = 0.5
    """Lines below are flagged `low_confidence` and left out of the text."""
    reading_order: ReadingOrder = "columns"
    """`columns`: as a person reads, columns one after the other where there are any. `rows`: row by row, always.
    `none`: each line that was found by itself, from the top down."""
    languages: tuple[str, ...] = ()
    """BCP 47 tags of the languages that pages are written in; empty: told by what is read."""
    tesseract_data: str = ""
    """Folder of Tesseract's data, with which other scripts are read where tesserocr is installed; empty: where systems
    put it; `none`: they are not read."""
    model_packs: str = ""
    """Folder of model packs, with which other scripts are read; empty: there are none."""
    max_pixels: int = 100_000_000
    """Largest page that is decoded: width times height."""
    max_pages: int = 2000
    """Most pages of a file that is read whole."""


class ReadOptions(Struct, frozen=True, kw_only=True):
    """How to read one file; chosen with its upload."""

    languages: tuple[str, ...] = ()
    """BCP 47 tags of the languages that it is written in; empty: those of `EngineOptions`."""
    text_layer: TextLayer = "ocr"
    """`ocr`: what is seen is what is read. `auto`: a PDF's page whose own text is sound is taken from it, unread."""
    rotate: Rotation | None = None
    """Degrees clockwise by which each page is turned before it is read; None: told by what is on it."""
    min_confidence: float | None = None
    """As `EngineOptions` has it, in its place; None: that one."""
    reading_order: ReadingOrder | None = None
    """As `EngineOptions` has it, in its place; None: that one."""
    regions: tuple[Area, ...] = ()
    """Only these are read, one after the other; none: whole pages."""
    ignore: tuple[Area, ...] = ()
    """What stands in these is not read."""
    check_boxes: bool = False
    """Squares to be ticked are lines of their own: `☐`, or `☑` with a mark in it."""
    timeout: float | None = None
    """CPU seconds that a page may take, where the pool allows more; None: what it allows."""
    password: str = ""
    """Opens an encrypted PDF. A secret: no repr, log or error shows it."""

    def over(self, options: EngineOptions) -> EngineOptions:
        """The engine's options with what is chosen for this file."""
        chosen = {"min_confidence": self.min_confidence, "reading_order": self.reading_order}
        return msgspec.structs.replace(options, **{name: value for name, value in chosen.items() if value is not None})

    def __repr__(self) -> str:
        """Every field but the secret, which is `***` where there is one."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which msgspec would show every field."""
        return [(name, "***" if name == "password" and self.password else value) for name, value in self._fields()]

    def _fields(self) -> list[tuple[str, Any]]:
        return [(name, getattr(self, name)) for name in self.__struct_fields__]


DEFAULT_READING = ReadOptions()
