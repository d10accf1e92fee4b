"""Optimised graphs of the models: made once, verified against the original, kept on disk."""

from ocr_engine.models.graphs.cache import (
    Prepared,
    circumstances,
    folder,
    multiplies_integers,
    prepare,
    prepare_plain,
    prepare_quantised,
    trusted,
    write,
)

__all__ = [
    "Prepared",
    "circumstances",
    "folder",
    "multiplies_integers",
    "prepare",
    "prepare_plain",
    "prepare_quantised",
    "trusted",
    "write",
]
