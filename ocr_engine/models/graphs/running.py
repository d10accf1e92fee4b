"""Running a graph, whether it asks for all classes at once or in two steps; see `patterns.two_steps`."""

from math import inf

import numpy as np
import onnxruntime
from numpy.typing import NDArray

SURE_INPUT = "sure"
"""Input of a graph with two steps: the score of the likeliest common class from which a row is settled."""


def in_two_steps(session: onnxruntime.InferenceSession) -> bool:
    """Whether the graph asks few classes first."""
    return any(each.name == SURE_INPUT for each in session.get_inputs())


def scores_of_all(session: onnxruntime.InferenceSession, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """A graph's output for a batch (N, C, H, W); of one with two steps that of all classes, for all rows."""
    name = session.get_inputs()[0].name
    if not in_two_steps(session):
        output: NDArray[np.float32] = session.run(None, {name: batch})[0]
        return output
    common, _, scores = session.run(None, {name: batch, SURE_INPUT: np.array(inf, np.float32)})
    all_classes: NDArray[np.float32] = scores.reshape(*common.shape[:2], -1)
    return all_classes


def scores_of_common(session: onnxruntime.InferenceSession, batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of a graph with two steps, what the first one gives: of the common classes, among themselves."""
    common: NDArray[np.float32] = session.run(
        None, {session.get_inputs()[0].name: batch, SURE_INPUT: np.array(-inf, np.float32)}
    )[0]
    return common
