"""Scalings and shifts by constants, and activations that are written out: fewer operators for the same numbers."""

import numpy as np

from ocr_engine.models.graphs.graph import Graph, Node, convolution


def hard_swish(graph: Graph) -> None:
    """x * clip(x + 3, 0, 6) / 6, written out as four operators, becomes x * HardSigmoid(x)."""
    producers = graph.producers()
    for divide in [node for node in graph.nodes if node.op == "Div" and _scalar(graph, node.inputs[1]) == 6]:
        product = producers.get(divide.inputs[0])
        if product is None or product.op != "Mul":
            continue
        clip = producers.get(product.inputs[1])
        if clip is None or clip.op != "Clip" or [_scalar(graph, name) for name in clip.inputs[1:]] != [0, 6]:
            continue
        shift = producers.get(clip.inputs[0])
        x = product.inputs[0]
        if shift is None or shift.op != "Add" or shift.inputs[0] != x or _scalar(graph, shift.inputs[1]) != 3:
            continue
        gate = graph.name("gate")
        slope = Node("HardSigmoid", [x], [gate], {"alpha": 1 / 6, "beta": 0.5})
        graph.replace([divide], [slope, Node("Mul", [x, gate], divide.outputs)])
    graph.prune()


def fold_affine(graph: Graph) -> None:
    """A scaling or a shift by constants goes into the weights of the convolution before it, or of the one after it.

    What stays between (a shift cannot go through the padding of a convolution) becomes one depthwise 1x1 convolution.
    """
    for node in list(graph.nodes):
        if node.op in ("Mul", "Add"):
            _fold_back(graph, node)
    for node in list(graph.nodes):
        if node.op == "Conv":
            _fold_forward(graph, node)


def _fold_back(graph: Graph, node: Node) -> None:
    """Lets the convolution before a Mul or Add with a constant do it, where nobody else reads that convolution."""
    operand = _affine_operand(graph, node)
    if operand is None:
        return
    source, value = operand
    conv = graph.producers().get(source)
    if conv is None or conv.op != "Conv" or len(graph.consumers()[source]) > 1:
        return
    weights = graph.constants[conv.inputs[1]]
    bias = graph.constants[conv.inputs[2]] if len(conv.inputs) > 2 else np.zeros(weights.shape[0], np.float32)
    if node.op == "Mul":
        conv.inputs[1] = graph.constant(weights * value, "weights")
        bias = bias * value
    else:
        bias = bias + value
    conv.inputs[2:] = [graph.constant(bias.astype(np.float32), "bias")]
    conv.outputs = node.outputs
    graph.nodes.remove(node)


def _fold_forward(graph: Graph, conv: Node) -> None:
    """Takes a scaling and a shift of a convolution's input into its weights, or makes one operator of both."""
    producers, consumers = graph.producers(), graph.consumers()
    chain: list[Node] = []
    scale = shift = np.float32(0)
    source = conv.inputs[0]
    while (node := producers.get(source)) is not None and len(consumers[source]) == 1:
        operand = _affine_operand(graph, node)
        if operand is None or len(chain) == 2 or (chain and chain[-1].op == node.op):
            break
        chain.append(node)
        source = operand[0]
    if [node.op for node in chain] != ["Add", "Mul"]:
        return
    shift, scale = (operand[1] for node in chain if (operand := _affine_operand(graph, node)) is not None)
    weights = graph.constants[conv.inputs[1]]
    if any(conv.attributes.get("pads", [])) or int(conv.attributes.get("group", 1)) > 1:
        channels = weights.shape[0] if int(conv.attributes.get("group", 1)) > 1 else weights.shape[1]
        both = convolution(
            graph,
            source,
            chain[0].output,
            np.full((channels, 1, 1, 1), scale),
            np.full(channels, shift),
            group=channels,
        )
        graph.replace(chain, [both])
        return
    bias = graph.constants[conv.inputs[2]] if len(conv.inputs) > 2 else np.zeros(weights.shape[0], np.float32)
    conv.inputs[2:] = [graph.constant(bias + weights.sum(axis=(1, 2, 3)) * shift, "bias")]
    conv.inputs[:2] = [source, graph.constant(weights * scale, "weights")]
    graph.nodes = [node for node in graph.nodes if node not in chain]


def _affine_operand(graph: Graph, node: Node) -> tuple[str, np.float32] | None:
    """What a Mul or Add with one constant number reads, and the number."""
    if node.op in ("Mul", "Add"):
        for x, y in (node.inputs, node.inputs[::-1]):
            value = _scalar(graph, y)
            if value is not None and x not in graph.constants:
                return x, value
    return None


def _scalar(graph: Graph, name: str) -> np.float32 | None:
    value = graph.constants.get(name)
    return np.float32(value.reshape(-1)[0]) if value is not None and value.size == 1 else None
