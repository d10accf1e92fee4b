"""Drawn lines of text, on which a quantised graph has to read what the original does."""

import itertools
from collections.abc import Callable
from difflib import SequenceMatcher
from functools import partial

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ocr_engine.models.graphs.running import scores_of_all

_HEIGHT, _WIDTH = 48, 640
_TEXTS = (
    "The quick brown fox jumps over the lazy dog",
    "Sphinx of black quartz, judge my vow!",
    "Portez ce vieux whisky au juge blond",
    "INVOICE NO. 2026-0417/B",
    "Total incl. VAT 19 %: 1,284.50 USD",
    "2 x Coffee (large) @ 3.90  =  7.80",
    "+49 (30) 901820-55, info@example.org",
)
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


Recognise = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""From (1, 3, 48, W) to (1, steps, classes)."""


def equal_letters(one: onnxruntime.InferenceSession, other: onnxruntime.InferenceSession) -> float:
    """0 to 1: the share of characters, as classes, that two recognisers read alike."""
    return equal_readings(*(partial(scores_of_all, session) for session in (one, other)))


def equal_readings(one: Recognise, other: Recognise) -> float:
    """The same of recognisers on whatever runtime."""
    same = total = 0
    for line in drawn():
        first, second = _letters(one(line)), _letters(other(line))
        same += sum(block.size for block in SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks())
        total += max(len(first), len(second))
    return same / max(1, total)


def _letters(scores: NDArray[np.float32]) -> list[int]:
    """The classes along the line, repetitions and blanks dropped."""
    best = scores[0].argmax(axis=1)
    changed = np.concatenate(([True], best[1:] != best[:-1]))
    classes: list[int] = best[changed & (best != 0)].tolist()
    return classes


def drawn() -> list[NDArray[np.float32]]:
    """(1, 3, 48, 640) in -1 to 1 each, always the same: texts in several fonts and contrasts, with noise."""
    random = np.random.default_rng(48)
    lines = []
    for text, font in itertools.product(_TEXTS, _FONTS):
        size, _ = cv2.getTextSize(text, font, 1, 1)
        scale = min(1.0, (_WIDTH - 10) / size[0])
        image = np.full((_HEIGHT, _WIDTH), int(random.integers(200, 256)), np.uint8)
        cv2.putText(image, text, (4, 34), font, scale, int(random.integers(0, 110)), 1, cv2.LINE_AA)
        pixels = image.astype(np.float32) / 127.5 - 1 + random.normal(0, 0.06, image.shape)
        lines.append(np.repeat(pixels.clip(-1, 1)[None, None], 3, axis=1).astype(np.float32))
    return lines
