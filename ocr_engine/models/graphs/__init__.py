"""Optimised graphs of the models: made once, verified against the original, kept on disk."""

from ocr_engine.models.graphs.cache import (
    Prepared,
    circumstances,
    multiplies_integers,
    prepare,
    prepare_plain,
    prepare_quantised,
)

__all__ = ["Prepared", "circumstances", "multiplies_integers", "prepare", "prepare_plain", "prepare_quantised"]
