"""Most of a recogniser's arithmetic in 8-bit integers, for processors that multiply and add those four at a time.

Its blocks are a depthwise convolution, then two pointwise ones with a Gelu between them, and their input added to the
result (ConvNeXt, Liu 2022). A pointwise convolution is a matrix product of a map whose channels come last. As such it
is written, for ONNX Runtime's DynamicQuantizeMatMul: weights are rounded once, to a scale for each output channel, the
input as it runs, to the range that it has then, so that nothing has to be calibrated. Depthwise convolutions, sums and
the Gelu stay in float32: they are cheap, and errors add up there.
"""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from ocr_engine.models.graphs.graph import Array, Draft, Graph, Node

DOMAIN = "com.microsoft"
LARGEST = 127
"""Of a weight; -128 is left out, so that 0 is 0."""
CHANNELS_LAST = [0, 2, 3, 1]
CHANNELS_FIRST = [0, 3, 1, 2]


class Bottleneck(Struct, frozen=True):
    """Two pointwise convolutions with a Gelu between them."""

    expand: Node
    gelu: Node
    project: Node
    residual: Node | None
    """The addition of their input to the result."""

    @property
    def source(self) -> str:
        """What goes in."""
        return self.expand.inputs[0]

    @property
    def nodes(self) -> list[Node]:
        """All of it."""
        return [node for node in (self.expand, self.gelu, self.project, self.residual) if node is not None]


def quantise(graph: Graph) -> bool:
    """Pointwise convolutions in pairs, and the classifier, become products of integers; False where there are none."""
    found = [*_bottlenecks(graph)]
    for bottleneck in found:
        _write_bottleneck(graph, bottleneck)
    for gemm in [node for node in graph.nodes if node.op == "Gemm"] if found else []:
        draft = Draft(graph)
        rows, weights, bias = gemm.inputs
        _product(draft, rows, graph.constants[weights], graph.constants[bias], into=gemm.output)
        graph.replace([gemm], draft.nodes)
    graph.prune()
    return bool(found)


# what is looked for


def _bottlenecks(graph: Graph) -> Iterator[Bottleneck]:
    producers, consumers = graph.producers(), graph.consumers()
    for gelu in graph.nodes:
        expand = producers.get(gelu.inputs[0]) if gelu.op == "Gelu" else None
        project = _only(consumers, gelu.output)
        if expand is None or project is None or not all(_is_pointwise(graph, node) for node in (expand, project)):
            continue
        if len(consumers[expand.output]) > 1:
            continue
        after = _only(consumers, project.output)
        is_residual = after is not None and after.op == "Add" and expand.inputs[0] in after.inputs
        yield Bottleneck(expand, gelu, project, after if is_residual else None)


def _only(consumers: dict[str, list[Node]], name: str) -> Node | None:
    readers = consumers.get(name, [])
    return readers[0] if len(readers) == 1 else None


def _is_pointwise(graph: Graph, node: Node) -> bool:
    weights = graph.constants.get(node.inputs[1]) if node.op == "Conv" and node.group == 1 else None
    return (
        weights is not None and weights.shape[2:] == (1, 1) and list(node.attributes.get("strides", [1, 1])) == [1, 1]
    )


# what is written in its place


def _write_bottleneck(graph: Graph, found: Bottleneck) -> None:
    draft = Draft(graph)
    rows = _rows(graph, draft, found)
    wide = _product(draft, rows, _matrix(graph, found.expand), graph.bias(found.expand))
    bent = draft.same(found.gelu, wide)
    made = _product(draft, bent, _matrix(graph, found.project), graph.bias(found.project))
    if found.residual is not None:
        made = draft.add("Add", rows, made)
    draft.add("Transpose", made, perm=CHANNELS_FIRST, into=found.nodes[-1].output)
    graph.replace(found.nodes, draft.nodes)


def _rows(graph: Graph, draft: Draft, found: Bottleneck) -> str:
    """The input with its channels last; where these are scaled before, that is done there, as it is cheaper then."""
    maker = graph.producers().get(found.source)
    if maker is None or maker.op != "Mul" or any(name in graph.constants for name in maker.inputs):
        return draft.add("Transpose", found.source, perm=CHANNELS_LAST)
    return draft.add("Mul", *(draft.add("Transpose", name, perm=CHANNELS_LAST) for name in maker.inputs))


def _matrix(graph: Graph, convolution: Node) -> Array:
    weights = graph.weights(convolution)
    return weights.reshape(weights.shape[:2]).T


def _product(draft: Draft, rows: str, matrix: Array, bias: Array, *, into: str = "") -> str:
    scale = np.maximum(np.abs(matrix).max(axis=0), np.finfo(np.float32).tiny) / LARGEST
    rounded = np.round(matrix / scale).astype(np.int8)
    numbers = (rounded, scale.astype(np.float32), np.zeros(len(scale), np.int8), bias.astype(np.float32))
    return draft.add("DynamicQuantizeMatMul", rows, *numbers, into=into, domain=DOMAIN)
