"""The classifier of a recogniser in OpenVINO, apart from what is before it.

A row of scores for 18 710 classes is 75 kB: of a line of 5000 pixels they are 50 MB, three times over, and 0.3 MB of
rows. So rows go through it few at a time, and are looked through while they are in the caches; and in one size, so that
no other has to be compiled.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ocr_engine.models.line_scores import LineScores, Scores, of_all, put_together

if TYPE_CHECKING:
    import openvino

ROWS = 24
"""Of a run: 23 us of CPU time a row, as with 32; 31 with 8, and 32 with 80."""

Rows = NDArray[np.float32]
"""Shape (n, features): what the classifier is given of each step."""


def parted(model: "openvino.Model") -> "tuple[openvino.Model, openvino.Model] | None":
    """What gives a recogniser's rows (N * steps, features), and what makes them probabilities (n, classes); None where
    its end is not a product of such rows with weights, a Reshape and a Softmax."""
    import openvino
    from openvino import opset13

    own = model.clone()
    softmax = own.output(0).get_node().input_value(0).get_node()
    if softmax.get_type_name() != "Softmax" or softmax.input_value(0).get_node().get_type_name() != "Reshape":
        return None
    scores = softmax.input_value(0).get_node().input_value(0)
    product = scores.get_node()
    while product.get_type_name() in ("Add", "Multiply"):
        product = product.input_value(0).get_node()
    if product.get_type_name() != "MatMul" or len(sizes := product.input_value(0).get_partial_shape()) != 2:
        return None
    before = openvino.Model([product.input_value(0)], own.get_parameters(), "rows")
    given = opset13.parameter([ROWS, sizes[1].get_length()], np.float32)
    product.input(0).replace_source_output(given.output(0))
    return before, openvino.Model([opset13.softmax(scores, 1)], [given], "classifier")


class Classifier:
    """Gives rows their probabilities. Not for several threads at once."""

    def __init__(self, core: "openvino.Core", model: "openvino.Model", settings: Mapping[str, Any]) -> None:
        self._compiled = core.compile_model(model, "CPU", dict(settings))
        self._request = self._compiled.create_infer_request()
        self._given = np.zeros(tuple(self._compiled.input(0).shape), np.float32)

    def of_all(self, rows: Rows) -> Scores:
        """Of all classes (n, classes)."""
        return np.concatenate([self._some(rows[at : at + ROWS]).copy() for at in range(0, len(rows), ROWS)])

    def lines(self, rows: Rows, lines: int) -> list[LineScores]:
        """Of so many lines, of as many rows each."""
        steps = len(rows) // lines
        parts: Sequence[list[LineScores]] = [[] for _ in range(lines)]
        for at in range(0, len(rows), ROWS):
            some = self._some(rows[at : at + ROWS])
            for line in range(at // steps, (at + len(some) - 1) // steps + 1):
                own = some[max(0, line * steps - at) : (line + 1) * steps - at]
                parts[line] += of_all(own[None])
        return [put_together(each) for each in parts]

    def release(self) -> None:
        """Gives back what it keeps for the next run."""
        self._compiled.release_memory()

    def _some(self, rows: Rows) -> Scores:
        """Of at most `ROWS`; what is returned is overwritten by the next run."""
        given = rows
        if len(rows) < ROWS:
            self._given[: len(rows)] = rows
            given = self._given
        self._request.infer([given], share_inputs=True)
        scores: Scores = self._request.get_output_tensor(0).data[: len(rows)]
        return scores
