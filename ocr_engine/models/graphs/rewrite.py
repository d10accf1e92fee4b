"""Algebra on a graph: the same function of the input, with less arithmetic or in forms that run faster."""

import numpy as np

from ocr_engine.models.graphs.affine import fold_affine, hard_swish
from ocr_engine.models.graphs.detector_head import shrink_head
from ocr_engine.models.graphs.graph import Array, Graph, Node


def rewrite(graph: Graph, block: int) -> None:
    """All rewritings that are known, where their patterns occur, for blocks of so many channels."""
    hard_swish(graph)
    fold_affine(graph)
    _pool_means(graph)
    _scale_once(graph)
    _pool_first(graph)
    shrink_head(graph)
    _fill_blocks(graph, block)
    _classify_with_gemm(graph)
    graph.prune()


def _pool_means(graph: Graph) -> None:
    """A mean over height and width is a global average pool, which has a kernel for the blocked layout."""
    for node in graph.nodes:
        if node.op == "ReduceMean" and list(node.attributes.get("axes", [])) == [2, 3]:
            node.op, node.attributes = "GlobalAveragePool", {}


def _scale_once(graph: Graph) -> None:
    """x + x * s becomes x * (s + 1), where s is one number a channel and x a whole map."""
    producers = graph.producers()
    for node in [node for node in graph.nodes if node.op == "Add"]:
        for x, y in (node.inputs, node.inputs[::-1]):
            product = producers.get(y)
            if product is None or product.op != "Mul" or x not in product.inputs:
                continue
            scale = next((name for name in product.inputs if name != x), x)
            maker = producers.get(scale)
            if maker is None or maker.attributes.get("activation") != b"HardSigmoid":
                continue
            more = graph.name("scale")
            one = graph.constant(np.ones(1, np.float32), "one")
            graph.replace([node], [Node("Add", [scale, one], [more]), Node("Mul", [x, more], node.outputs)])
            break


def _pool_first(graph: Graph) -> None:
    """The mean of what a pointwise convolution gives is what it gives for the mean of its input.

    Then nobody but the scaling reads what the convolution gives, and the scaling can go into its weights.
    """
    producers = graph.producers()
    for pool in [node for node in graph.nodes if node.op == "GlobalAveragePool"]:
        conv = producers.get(pool.inputs[0])
        if conv is None or conv.op != "Conv" or int(conv.attributes.get("group", 1)) > 1:
            continue
        if list(conv.attributes["kernel_shape"]) == [1, 1] and list(conv.attributes.get("strides", [1, 1])) == [1, 1]:
            mean = graph.name("mean")
            first = Node("GlobalAveragePool", [conv.inputs[0]], [mean])
            then = Node("Conv", [mean, *conv.inputs[1:]], pool.outputs, dict(conv.attributes))
            graph.replace([pool], [first, then])


def _fill_blocks(graph: Graph, block: int) -> None:
    """Two maps of one and a half blocks each that are joined take three blocks, not four, in the stem of PP-LCNetV4.

    Both are made in two parts, and the second one's last half block is added to the first one's, beside it. That is
    right because the first map (the maximum of what a Relu gave) is never negative, so that a Relu leaves it as it is.
    """
    producers, consumers = graph.producers(), graph.consumers()
    for joint in [node for node in graph.nodes if node.op == "Concat" and len(node.inputs) == 2]:
        pool, right = (producers.get(name) for name in joint.inputs)
        if pool is None or right is None or pool.op != "MaxPool" or right.op != "FusedConv":
            continue
        left = producers.get(pool.inputs[0])
        readers = [node for node in consumers[pool.inputs[0]] if node is not pool]
        last = consumers[joint.output][0]
        convolutions = [left, *readers, right, last]
        if len(readers) != 1 or any(node is None or node.op != "FusedConv" for node in convolutions):
            continue
        assert left is not None
        weights = [graph.constants[node.inputs[1]] for node in (left, readers[0], right, last)]
        half = block // 2
        if not len(weights[0]) == len(weights[2]) == block + half or any(
            node.attributes.get("activation") != b"Relu" for node in (left, right)
        ):
            continue
        names = [graph.name("stem") for _ in range(9)]
        before, after = [(0, half)], [(half, 0)]
        rest = [(0, 0)] * 3
        bias = [graph.constants[node.inputs[2]] for node in (left, right)]

        def part(node: Node, target: str, filters: Array, offsets: Array) -> Node:
            inputs = [node.inputs[0], graph.constant(filters, "weights"), graph.constant(offsets, "bias")]
            return Node(node.op, inputs, [target], dict(node.attributes), node.domain)

        def reading(node: Node, source: str, filters: Array) -> Node:
            inputs = [source, graph.constant(filters, "weights"), *node.inputs[2:]]
            return Node(node.op, inputs, node.outputs, dict(node.attributes), node.domain)

        added = part(right, names[6], np.pad(weights[2][block:], after + rest), np.pad(bias[1][block:], after))
        added.op, added.domain = "Conv", ""
        added.attributes = {key: value for key, value in added.attributes.items() if not key.startswith("activation")}
        order = [*range(block), *range(block + half, 2 * block + half), *range(block, block + half)]
        order += range(2 * block + half, 3 * block)
        graph.replace(
            [left],
            [
                part(left, names[0], weights[0][:block], bias[0][:block]),
                part(left, names[1], np.pad(weights[0][block:], before + rest), np.pad(bias[0][block:], before)),
                Node("Concat", names[:2], [names[2]], {"axis": 1}),
            ],
        )
        widened = np.pad(weights[1], [(0, 0), (0, half), (0, 0), (0, 0)])
        graph.replace([readers[0]], [reading(readers[0], names[2], widened)])
        graph.replace(
            [pool, right, joint, last],
            [
                Node("MaxPool", [names[0]], [names[3]], pool.attributes),
                Node("MaxPool", [names[1]], [names[4]], pool.attributes),
                part(right, names[5], weights[2][:block], bias[1][:block]),
                added,
                Node("Add", [names[6], names[4]], [names[7]]),
                Node("Relu", [names[7]], [names[8]]),
                Node("Concat", [names[3], names[5], names[8]], [joint.output], {"axis": 1}),
                reading(last, joint.output, np.ascontiguousarray(weights[3][:, order])),
            ],
        )
        return


def _classify_with_gemm(graph: Graph) -> None:
    """The last matrix product of a recogniser takes its bias with it, and its weights are packed once, at the start."""
    producers, consumers = graph.producers(), graph.consumers()
    softmax = producers.get(graph.output)
    add = producers.get(softmax.inputs[0]) if softmax and softmax.op == "Softmax" else None
    product = next((producers[name] for name in add.inputs if name in producers), None) if add else None
    if softmax is None or add is None or product is None or len(consumers[product.output]) > 1:
        return
    bias = next((name for name in add.inputs if name in graph.constants), None)
    weights = product.inputs[1]
    if product.op not in ("FusedMatMul", "MatMul") or bias is None or weights not in graph.constants:
        return
    transposed = int(product.attributes.get("transA", 0))
    features, classes = graph.constants[weights].shape
    names = [graph.name("classes") for _ in range(7)]
    steps = names[0] if transposed else product.inputs[0]
    nodes = [Node("Transpose", [product.inputs[0]], [steps], {"perm": [0, 2, 1]})] if transposed else []
    nodes += [
        Node("Reshape", [steps, graph.constant(np.array([-1, features]), "shape")], [names[1]]),
        Node("Gemm", [names[1], weights, bias], [names[2]]),
        Node("Shape", [steps], [names[3]]),
        Node("Gather", [names[3], graph.constant(np.array([0, 1]), "axes")], [names[4]]),
        Node("Concat", [names[4], graph.constant(np.array([classes]), "classes")], [names[5]], {"axis": 0}),
        # before the Softmax, where it is only another name for the same memory; as the last it would be a copy
        Node("Reshape", [names[2], names[5]], [names[6]]),
        Node("Softmax", [names[6]], [graph.output], {"axis": 2}),
    ]
    graph.replace([product, add, softmax], nodes)
