"""A recogniser's character list: its classes after the blank and without the space at the end, in its order."""

from ocr_engine.models.onnx_file import metadata


def in_file(content: bytes) -> tuple[str, ...]:
    """Those of a file in UTF-8 with one a line; none where it is empty. Raises UnicodeDecodeError."""
    return _one_a_line(content.decode("utf-8-sig"))


def in_model(model: bytes) -> tuple[str, ...]:
    """Those that an ONNX model carries, as PP-OCR's do from v3 on; none where it does not. Raises EngineError."""
    return _one_a_line(metadata(model).get("character", ""))


def _one_a_line(text: str) -> tuple[str, ...]:
    return tuple(text.replace("\r\n", "\n").removesuffix("\n").split("\n")) if text else ()
