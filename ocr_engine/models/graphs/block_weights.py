"""The weights of convolutions as the blocked layout wants them, and zeros up to whole blocks.

The orders are those of `MlasReorderFilterOIHWBiBo` and `MlasReorderFilterOIHWBo` in onnxruntime (MIT).
"""

import numpy as np

from ocr_engine.models.graphs.graph import Array


def padded(weights: Array, axis: int, size: int) -> Array:
    """The weights with zeros behind them, so that they are so many along an axis."""
    widths = [(0, 0)] * weights.ndim
    widths[axis] = (0, size - weights.shape[axis])
    return np.pad(weights, widths)


def dense(weights: Array, block: int) -> Array:
    """(O, I, H, W) -> O / b, I / b, H, W, b of I, b of O, in the shape that it had."""
    outputs, inputs, height, width = weights.shape
    parts = weights.reshape(outputs // block, block, inputs // block, block, height, width)
    return parts.transpose(0, 2, 4, 5, 3, 1).reshape(weights.shape)


def from_plain(weights: Array, block: int) -> Array:
    """(O, I, H, W) -> O / b, I, H, W, b of O, in the shape that it had: for an input that is not blocked.

    Also for a depthwise convolution, whose I is 1.
    """
    outputs, inputs, height, width = weights.shape
    parts = weights.reshape(outputs // block, block, inputs, height, width)
    return parts.transpose(0, 2, 3, 4, 1).reshape(weights.shape)
