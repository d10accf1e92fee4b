"""How near each session comes to what the core can compute: the limit of all optimisation in float32.

The limit is the rate of a large float32 matrix product on the same core, the simplest of all roofs (Williams et al.,
Roofline, CACM 2009): the models' convolutions hold their operands in cache, so memory does not bound them.
"""

import time
from collections.abc import Callable

import numpy as np
from msgspec import Struct

from ocr_engine.models.load import load_models
from ocr_engine.models.session import Session
from ocr_engine.options import EngineOptions, ModelFamily

SIDE = 1024
"""Of the matrices: large enough for the full rate, small enough for the cache."""
REPETITIONS = 5

_WORK: dict[ModelFamily, tuple[float, float]] = {
    "ppocr-v6": (21.2e3, 1.98e9 / 320),
    "ppocr-v6-tiny": (6.47e3, 0.37e9 / 320),
    "ppocr-v4": (11.2e3, 1.30e9 / 320),
}
# operations a pixel of detection's input, and a column of recognition's, counted from the graphs' convolutions and
# matrix products, a multiplication and an addition as two


class Efficiency(Struct, frozen=True, kw_only=True):
    """One session against the core's limit."""

    session: str
    shape: tuple[int, ...]
    milliseconds: float
    """The fastest of several runs."""
    operations_per_second: float
    share: float
    """Of the matrix product's rate."""

    def __str__(self) -> str:
        return (
            f"{self.session} {self.shape}: {self.milliseconds:.1f} ms, {self.operations_per_second / 1e9:.0f} GFLOP/s, "
            f"{self.share:.0%} of the matrix product"
        )


def measure(options: EngineOptions) -> tuple[Efficiency, ...]:
    """The sessions of a loaded engine's models at typical sizes. Raises EngineError."""
    loaded = load_models(options)
    roof = matrix_product_rate()
    a_pixel, a_column = _WORK[options.model]
    return (
        _measured("detection", loaded.detection, (1, 3, 928, 672), 928 * 672 * a_pixel, roof),
        _measured("recognition", loaded.recognition, (1, 3, 48, 320), 320 * a_column, roof),
        _measured("recognition", loaded.recognition, (1, 3, 48, 960), 960 * a_column, roof),
    )


def matrix_product_rate() -> float:
    """Floating-point operations a second of a float32 matrix product in numpy's threads."""
    matrix = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    return 2 * SIDE**3 / _fastest(lambda: matrix @ matrix)


def efficiency(name: str, shape: tuple[int, ...], operations: float, seconds: float, roof: float) -> Efficiency:
    """Of a session that took so many seconds for so many operations, where the core's limit is `roof` a second."""
    rate = operations / seconds
    return Efficiency(
        session=name, shape=shape, milliseconds=1000 * seconds, operations_per_second=rate, share=rate / roof
    )


def _measured(name: str, session: Session, shape: tuple[int, ...], operations: float, roof: float) -> Efficiency:
    batch = np.random.default_rng(0).random(shape, np.float32)
    return efficiency(name, shape, operations, _fastest(lambda: session.run(batch)), roof)


def _fastest(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(REPETITIONS):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)
