"""The classifier of a recogniser in two steps: few classes for all rows, and all classes for the rows that need them.

Nine of ten classes of PP-OCRv6 are letters of East Asia and pictures, and most rows are a blank or a letter of Europe.
A row whose likeliest common class has a high score has none among the others that comes near: see `Family.sure_score`.
All that such a row lacks is what the others would have had together.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.models.graphs.graph import Array, Draft, Graph, Node
from ocr_engine.models.graphs.running import SURE_INPUT

UNSURE_BELOW_SURE = 4.0
"""What a row's likeliest common class lacks to `SURE_INPUT` at least where something else stands there."""
MAX_UNSURE = 0.05
"""Share of such rows of a line from which none of it is settled: the blanks beside letters of East Asia hint at them,
by up to .17, and some of their punctuation is one of the common classes."""


def classify_in_two_steps(graph: Graph, common: Sequence[int]) -> None:
    """Writes the end of a graph anew, of which the last is a product with weights, a Reshape and a Softmax.

    Its outputs are then the probabilities of the common classes for all rows (N, steps, n), among themselves; which
    rows are not settled (k,), of N * steps; and the probabilities of all classes for those (k, classes).
    """
    producers = graph.producers()
    softmax = producers[graph.output]
    reshape = producers[softmax.inputs[0]]
    product = producers[reshape.inputs[0]]
    draft, some = Draft(graph), np.array(common)
    classifier = _classifier(graph, draft, product)
    scores = classifier.scores(draft, classifier.rows, some)
    scores = draft.add("Reshape", scores, _shape(graph, draft, reshape, len(some)))
    open_rows = _not_settled(draft, scores)
    every = classifier.scores(draft, draft.add("Gather", classifier.rows, open_rows, axis=0))
    graph.further_outputs = [open_rows, draft.add("Softmax", every, axis=1)]
    graph.further_inputs = [SURE_INPUT]
    draft.add("Softmax", scores, axis=2, into=graph.output)
    graph.replace([product, reshape, softmax], draft.nodes)
    graph.prune()


class _Classifier(Struct, frozen=True):
    """A product of rows with weights, in float32 or in integers."""

    op: str
    domain: str
    rows: str
    weights: Array
    """(features, classes)"""
    further: tuple[str | Array, ...]
    """Inputs, of which arrays have one number for each class."""

    def scores(self, draft: Draft, rows: str, classes: NDArray[np.intp] | None = None) -> str:
        """Of some classes, or all (n, classes), for rows."""
        own = slice(None) if classes is None else classes
        further = (each if isinstance(each, str) else each[own] for each in self.further)
        return draft.add(self.op, rows, self.weights[:, own], *further, domain=self.domain)


def _classifier(graph: Graph, draft: Draft, product: Node) -> _Classifier:
    rows, *names = product.inputs
    weights, *others = (graph.constants[name] for name in names)
    if product.op != "DynamicQuantizeMatMul":
        return _Classifier(product.op, product.domain, rows, weights, tuple(others))
    # rounded once, over the range of all rows, so that the second step computes what it would with all of them
    rounded, scale, zero = (graph.name(f"{rows}/{part}") for part in ("rounded", "scale", "zero"))
    draft.nodes.append(Node("DynamicQuantizeLinear", [rows], [rounded, scale, zero]))
    scales, zeros, bias = others
    return _Classifier("MatMulIntegerToFloat", product.domain, rounded, weights, (scale, scales, zero, zeros, bias))


def _shape(graph: Graph, draft: Draft, reshape: Node, classes: int) -> str:
    """(N, steps, classes), by what gives the shape with all of them."""
    joined = graph.producers()[reshape.inputs[1]]
    return draft.add("Concat", joined.inputs[0], _ints(classes), axis=0)


def _not_settled(draft: Draft, scores: str) -> str:
    """Which rows (k,) are not, by the scores (N, steps, n)."""
    best = draft.add("ReduceMax", scores, axes=[2], keepdims=0)
    unsure = draft.add("Less", best, draft.add("Sub", SURE_INPUT, _number(UNSURE_BELOW_SURE)))
    share = draft.add("ReduceMean", draft.add("Cast", unsure, to=1), axes=[1], keepdims=1)
    whole_line = draft.add("Greater", share, _number(MAX_UNSURE))
    is_open = draft.add("Or", draft.add("Less", best, SURE_INPUT), whole_line)
    found = draft.add("NonZero", draft.add("Reshape", is_open, _ints(-1)))
    return draft.add("Reshape", found, _ints(-1))


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)


def _number(value: float) -> Array:
    return np.array([value], np.float32)
