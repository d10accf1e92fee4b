"""The end of a recogniser: the matrix product that gives a score to each class, and the Softmax after it."""

import numpy as np
from msgspec import Struct

from ocr_engine.models.graphs.graph import Draft, Graph, Node


class Classifier(Struct, frozen=True):
    """A matrix product, a bias and a Softmax, the last of the graph."""

    product: Node
    add: Node
    softmax: Node
    weights: str
    bias: str


def classify_with_gemm(graph: Graph) -> None:
    """The last matrix product takes its bias with it, and its weights are packed once, at the start."""
    found = _find_classifier(graph)
    if found is None:
        return
    features, classes = graph.constants[found.weights].shape
    draft = Draft(graph)
    steps = found.product.inputs[0]
    if found.product.attributes.get("transA", 0):
        steps = draft.add("Transpose", steps, perm=[0, 2, 1])
    rows = draft.add("Reshape", steps, np.array([-1, features]))
    scores = draft.add("Gemm", rows, found.weights, found.bias)
    batch_and_steps = draft.add("Gather", draft.add("Shape", steps), np.array([0, 1]))
    shape = draft.add("Concat", batch_and_steps, np.array([classes]), axis=0)
    # before the Softmax, where it is only another name for the same memory; as the last it would be a copy
    by_step = draft.add("Reshape", scores, shape)
    draft.add("Softmax", by_step, axis=2, into=graph.output)
    graph.replace([found.product, found.add, found.softmax], draft.nodes)


def _find_classifier(graph: Graph) -> Classifier | None:
    producers, consumers = graph.producers(), graph.consumers()
    softmax = producers.get(graph.output)
    add = producers.get(softmax.inputs[0]) if softmax and softmax.op == "Softmax" else None
    product = next((producers[name] for name in add.inputs if name in producers), None) if add else None
    if softmax is None or add is None or product is None or len(consumers[product.output]) > 1:
        return None
    bias = next((name for name in add.inputs if name in graph.constants), None)
    weights = product.inputs[1]
    if product.op not in ("FusedMatMul", "MatMul") or bias is None or weights not in graph.constants:
        return None
    return Classifier(product, add, softmax, weights, bias)
