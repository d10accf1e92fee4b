"""Optimised graphs of the models: made once, verified against the original, kept on disk."""

from ocr_engine.models.graphs.cache import Prepared, prepare

__all__ = ["Prepared", "prepare"]
