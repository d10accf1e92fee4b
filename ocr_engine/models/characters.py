"""A recogniser's character list: its classes after the blank and without the space at the end, in its order."""

from collections.abc import Sequence

from ocr_engine.models.onnx_file import metadata

FIRST_EAST_ASIAN = "\u2e80"
"""From here on Unicode has the scripts of East Asia, which set no spaces between words, and behind them pictures."""
_EAST_ASIAN_SIGNS = ("\u3000", "\u303f"), ("\uff00", "\uffef")
"""Blocks of their punctuation, and of Latin letters, digits and signs as wide as theirs: they look like ours."""


def in_file(content: bytes) -> tuple[str, ...]:
    """Those of a file in UTF-8 with one a line; none where it is empty. Raises UnicodeDecodeError."""
    return _one_a_line(content.decode("utf-8-sig"))


def in_model(model: bytes) -> tuple[str, ...]:
    """Those that an ONNX model carries, as PP-OCR's do from v3 on; none where it does not. Raises EngineError."""
    return _one_a_line(metadata(model).get("character", ""))


def common(characters: Sequence[str]) -> tuple[int, ...]:
    """The classes that a line of any script may have, from the blank, 0, to the space, the last: all but the letters of
    East Asia and pictures. A tenth of the classes of PP-OCRv6, by which most steps of most lines are settled.
    """
    return (0, *(i for i, character in enumerate(characters, 1) if _is_common(character)), len(characters) + 1)


def _is_common(character: str) -> bool:
    return character < FIRST_EAST_ASIAN or any(low <= character <= high for low, high in _EAST_ASIAN_SIGNS)


def _one_a_line(text: str) -> tuple[str, ...]:
    return tuple(text.replace("\r\n", "\n").removesuffix("\n").split("\n")) if text else ()
