"""Scalings and shifts by constants, and activations that are written out: fewer operators for the same numbers."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from ocr_engine.models.graphs.graph import Draft, Graph, Node


class HardSwish(Struct, frozen=True):
    """x * clip(x + 3, 0, 6) / 6, written out as four operators."""

    x: str
    last: Node
    """The division by 6."""


class Affine(Struct, frozen=True):
    """A Mul or an Add of a tensor and one constant number."""

    node: Node
    source: str
    number: np.float32


class ScaledInput(Struct, frozen=True):
    """A convolution whose input is scaled, then shifted, for nobody else."""

    convolution: Node
    scaling: Affine
    shift: Affine


def hard_swish(graph: Graph) -> None:
    """A written out hard swish becomes x * HardSigmoid(x)."""
    for found in [*_written_out(graph)]:
        draft = Draft(graph)
        gate = draft.add("HardSigmoid", found.x, alpha=1 / 6, beta=0.5)
        draft.add("Mul", found.x, gate, into=found.last.output)
        graph.replace([found.last], draft.nodes)
    graph.prune()


def fold_affine(graph: Graph) -> None:
    """A scaling or a shift by constants goes into the weights of the convolution before it, or of the one after it.

    What stays between (a shift cannot go through the padding of a convolution) becomes one depthwise 1x1 convolution.
    """
    for affine in [found for node in graph.nodes if (found := _affine(graph, node))]:
        convolution = _made_for_one(graph, affine.source)
        if convolution is not None and convolution.op == "Conv":
            _scale_outputs(graph, convolution, affine)
    for convolution in [node for node in graph.nodes if node.op == "Conv"]:
        scaled = _scaled_input(graph, convolution)
        if scaled is None:
            continue
        if any(convolution.attributes.get("pads", [])) or convolution.group > 1:
            _scale_at_once(graph, scaled)
        else:
            _scale_inputs(graph, scaled)


# what is looked for


def _written_out(graph: Graph) -> Iterator[HardSwish]:
    producers = graph.producers()
    for divide in graph.nodes:
        product = producers.get(divide.inputs[0]) if divide.op == "Div" else None
        if product is None or product.op != "Mul" or graph.number(divide.inputs[1]) != 6:
            continue
        x, clipped = product.inputs
        clip = producers.get(clipped)
        if clip is None or clip.op != "Clip" or [graph.number(name) for name in clip.inputs[1:]] != [0, 6]:
            continue
        shift = producers.get(clip.inputs[0])
        if shift is not None and shift.op == "Add" and shift.inputs[0] == x and graph.number(shift.inputs[1]) == 3:
            yield HardSwish(x, divide)


def _affine(graph: Graph, node: Node | None) -> Affine | None:
    if node is not None and node.op in ("Mul", "Add"):
        for source, other in (node.inputs, node.inputs[::-1]):
            number = graph.number(other)
            if number is not None and source not in graph.constants:
                return Affine(node, source, number)
    return None


def _scaled_input(graph: Graph, convolution: Node) -> ScaledInput | None:
    shift = _affine(graph, _made_for_one(graph, convolution.inputs[0]))
    scaling = _affine(graph, _made_for_one(graph, shift.source)) if shift else None
    if shift is None or scaling is None or (shift.node.op, scaling.node.op) != ("Add", "Mul"):
        return None
    return ScaledInput(convolution, scaling, shift)


def _made_for_one(graph: Graph, name: str) -> Node | None:
    """The node that makes a tensor which only one other reads."""
    return graph.producers().get(name) if len(graph.consumers().get(name, [])) == 1 else None


# what is written in its place


def _scale_outputs(graph: Graph, convolution: Node, affine: Affine) -> None:
    """Lets a convolution do what is done to its result."""
    bias = graph.bias(convolution)
    if affine.node.op == "Mul":
        convolution.inputs[1] = graph.constant(graph.weights(convolution) * affine.number, "weights")
        bias = bias * affine.number
    else:
        bias = bias + affine.number
    convolution.inputs[2:] = [graph.constant(bias.astype(np.float32), "bias")]
    convolution.outputs = affine.node.outputs
    graph.nodes.remove(affine.node)


def _scale_inputs(graph: Graph, found: ScaledInput) -> None:
    """Lets a convolution do what is done to its input."""
    convolution, scaling, shift = found.convolution, found.scaling, found.shift
    weights, bias = graph.weights(convolution), graph.bias(convolution)
    convolution.inputs[2:] = [graph.constant(bias + weights.sum(axis=(1, 2, 3)) * shift.number, "bias")]
    convolution.inputs[:2] = [scaling.source, graph.constant(weights * scaling.number, "weights")]
    graph.nodes = [node for node in graph.nodes if node not in (scaling.node, shift.node)]


def _scale_at_once(graph: Graph, found: ScaledInput) -> None:
    """Makes one operator of a scaling and a shift."""
    weights = graph.weights(found.convolution)
    channels = weights.shape[0] if found.convolution.group > 1 else weights.shape[1]
    draft = Draft(graph)
    draft.convolution(
        found.scaling.source,
        np.full((channels, 1, 1, 1), found.scaling.number),
        np.full(channels, found.shift.number),
        into=found.shift.node.output,
        group=channels,
    )
    graph.replace([found.scaling.node, found.shift.node], draft.nodes)
