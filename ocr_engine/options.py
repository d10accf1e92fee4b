"""What may be chosen about recognition. Frozen, and sent whole to every worker process."""

from typing import Literal

from msgspec import Struct

ModelFamily = Literal["ppocr-v6", "ppocr-v4"]
Backend = Literal["onnxruntime", "openvino"]
ReadingOrder = Literal["columns", "rows"]


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
    optimised_graphs: bool = True
    """Run each model as a graph that was rewritten for this processor and verified, rather than as it was released."""
    cache_dir: str = ""
    """Folder where the rewritten graphs are kept; empty: the user's own cache."""
    threads: int = 1
    """Threads inside a session. 1 is the right unit when every core has a worker of its own."""
    min_confidence: float = 0.5
    """Lines below are flagged `low_confidence` and left out of the text."""
    reading_order: ReadingOrder = "columns"
    """`columns`: as a person reads, columns one after the other where there are any. `rows`: row by row, always."""
    max_pixels: int = 100_000_000
    """Largest page that is decoded: width times height."""
