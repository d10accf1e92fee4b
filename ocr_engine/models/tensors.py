"""From pixels to what a model takes."""

import numpy as np
from numpy.typing import NDArray

from ocr_engine.crops import Pixels
from ocr_engine.models.catalogue import Normalisation


def fill(tensor: NDArray[np.float32], pixels: Pixels, normalisation: Normalisation) -> None:
    """Writes pixels (H, W, 3), normalised, into a tensor (3, H, W), in place: without a second copy of either."""
    for channel in range(3):
        scale = 1 / (255 * normalisation.std[channel])
        plane = tensor[channel]
        np.multiply(pixels[:, :, channel], np.float32(scale), out=plane, dtype=np.float32)
        plane -= np.float32(normalisation.mean[channel] / normalisation.std[channel])
