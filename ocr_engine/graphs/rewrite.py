"""Algebra on a graph: the same function of the input, with less arithmetic or in forms that run faster."""

import numpy as np

from ocr_engine.graphs.graph import Array, Graph, Node


def rewrite(graph: Graph, block: int) -> None:
    """All rewritings of this module, where their patterns occur, for blocks of so many channels."""
    _hard_swish(graph)
    _fold_affine(graph)
    _pool_means(graph)
    _scale_once(graph)
    _pool_first(graph)
    _shrink_head(graph)
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


def _shrink_head(graph: Graph) -> None:
    """The head of a DB detector works at an eighth of the page's size instead of at a quarter and a half.

    Three of the four maps that it joins were enlarged by repeating pixels, and a 3x3 convolution of repeated pixels
    sees only 2x2 different ones. So it becomes a 2x2 convolution of the small map that gives the four pixels around
    each corner at once: 24 channels each, at positions offset by one pixel. The two transposed convolutions after it
    (2x2, stride 2) are pointwise convolutions with four times the channels. The page's pixels are put in place once,
    at the end, when there is one channel left.
    """
    found = _find_head(graph)
    if found is None:
        return
    joined, first, widen, narrow, old = found
    filters, bias = graph.constants[first.inputs[1]], graph.constants[first.inputs[2]]
    producers = graph.producers()
    small, nodes = [], []
    for name in joined[:-1]:
        resize = producers[name]
        factors = graph.constants[resize.inputs[2]] / np.array([1, 1, 2, 2], np.float32)
        if (factors == 1).all():
            small.append(resize.inputs[0])
        else:
            out = graph.name("enlarged")
            scales = graph.constant(factors, "scales")
            nodes.append(Node("Resize", [resize.inputs[0], resize.inputs[1], scales], [out], resize.attributes))
            small.append(out)
    fine = filters.shape[1] // len(joined)
    coarse = filters.shape[1] - fine
    names = [graph.name("head") for _ in range(9)]
    nodes += [
        Node("Concat", small, [names[0]], {"axis": 1}),
        _conv(graph, joined[-1], names[1], _corner_of_fine(filters[:, coarse:]), None, 2, 2),
        _conv(graph, names[0], names[2], _corner_of_repeated(filters[:, :coarse]), np.tile(bias, 4), 1, 1),
        Node("Add", [names[1], names[2]], [names[3]]),
        Node("Relu", [names[3]], [names[4]]),
    ]
    weights, offsets = widen
    # two corners a group: fewer zeros than in one piece, and channels in whole blocks of 16
    matrix = _block_diagonal(_pointwise(weights), 4, 2)
    nodes.append(_conv(graph, names[4], names[5], matrix, np.tile(offsets, 16), group=2, activation="Relu"))
    weights, offsets = narrow
    matrix = np.tile(_narrow(weights), (4, 1, 1, 1))
    nodes.append(_conv(graph, names[5], names[6], matrix, np.tile(offsets, 64), group=4, activation="Sigmoid"))
    nodes += [
        Node("Gather", [names[6], graph.constant(_rows_first(), "order")], [names[7]], {"axis": 1}),
        Node("DepthToSpace", [names[7]], [names[8]], {"blocksize": 8}),
        Node(
            "Slice",
            [
                names[8],
                graph.constant(np.array([4, 4]), "from"),
                graph.constant(np.array([-4, -4]), "to"),
                graph.constant(np.array([2, 3]), "axes"),
            ],
            [graph.output],
        ),
    ]
    graph.replace(old, nodes)


Affine = tuple[Array, Array]
"""The weights of a transposed convolution (in, out, 2, 2) and what is added to each of its output channels."""


def _find_head(graph: Graph) -> tuple[list[str], Node, Affine, Affine, list[Node]] | None:
    """The maps that are joined, the 3x3 convolution of them, the two that enlarge, and all nodes of the head."""
    producers, consumers = graph.producers(), graph.consumers()
    old: list[Node] = []

    def above(name: str, *ops: str) -> Node | None:
        node = producers.get(name)
        if node is None or node.op not in ops or len(consumers.get(node.output, [])) > 1:
            return None
        old.append(node)
        return node

    def enlarging(name: str) -> tuple[str, Affine] | None:
        scale, shift = np.ones(1, np.float32), np.zeros(1, np.float32)
        node = above(name, "BatchNormalization", "Add")
        if node is not None and node.op == "BatchNormalization":
            gain, offset, mean, variance = (graph.constants[i] for i in node.inputs[1:5])
            scale = gain / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
            shift = offset - mean * scale
            node = above(node.inputs[0], "Add")
        if node is None or node.inputs[1] not in graph.constants:
            return None
        shift = graph.constants[node.inputs[1]].reshape(-1) * scale + shift
        node = above(node.inputs[0], "ConvTranspose")
        if (
            node is None
            or list(node.attributes["kernel_shape"]) != [2, 2]
            or list(node.attributes["strides"]) != [2, 2]
        ):
            return None
        return node.inputs[0], (graph.constants[node.inputs[1]] * scale[:, None, None], shift)

    sigmoid = above(graph.output, "Sigmoid")
    narrow = enlarging(sigmoid.inputs[0]) if sigmoid else None
    relu = above(narrow[0], "Relu") if narrow else None
    widen = enlarging(relu.inputs[0]) if relu else None
    first = above(widen[0], "FusedConv") if widen else None
    joint = above(first.inputs[0], "Concat") if first else None
    if narrow is None or widen is None or first is None or joint is None:
        return None
    resized = [producers.get(name) for name in joint.inputs[:-1]]
    if not all(node is not None and node.op == "Resize" for node in resized):
        return None
    if list(first.attributes["kernel_shape"]) != [3, 3] or graph.constants[first.inputs[1]].shape[0] != 24:
        return None
    return joint.inputs, first, widen[1], narrow[1], old


def _corner_of_repeated(filters: Array) -> Array:
    """(O, I, 3, 3) for a map of pixels that occur twice in each direction -> (4 O, I, 2, 2) for the map without.

    The pixels above and left of a corner see the pixel before it twice and the one after it once; the pixels below
    and right of it see them once and twice.
    """
    before = np.stack([filters[:, :, 0] + filters[:, :, 1], filters[:, :, 2]], axis=2)
    after = np.stack([filters[:, :, 0], filters[:, :, 1] + filters[:, :, 2]], axis=2)
    corners = []
    for rows in (before, after):
        corners.append(np.stack([rows[..., 0] + rows[..., 1], rows[..., 2]], axis=3))
        corners.append(np.stack([rows[..., 0], rows[..., 1] + rows[..., 2]], axis=3))
    return np.concatenate(corners)


def _corner_of_fine(filters: Array) -> Array:
    """(O, I, 3, 3) -> (4 O, I, 4, 4), stride 2: the four pixels around each corner of the map half as large."""
    corners = np.zeros((2, 2, *filters.shape[:2], 4, 4), np.float32)
    for y in (0, 1):
        for x in (0, 1):
            corners[y, x, :, :, y : y + 3, x : x + 3] = filters
    return corners.reshape(-1, filters.shape[1], 4, 4)


def _pointwise(weights: Array) -> Array:
    """(I, O, 2, 2) of a transposed convolution -> (4 O, I): the four pixels that one becomes, rows first."""
    return weights.transpose(2, 3, 1, 0).reshape(-1, weights.shape[0])


def _block_diagonal(matrix: Array, copies: int, groups: int) -> Array:
    """A matrix applied to each of some equal parts of the channels, as the weights of a grouped convolution."""
    one = np.kron(np.eye(copies // groups, dtype=np.float32), matrix)
    return np.tile(one, (groups, 1))[:, :, None, None].astype(np.float32)


def _narrow(weights: Array) -> Array:
    """(I, 1, 2, 2) of the second enlargement -> (16, 4 I, 1, 1), rows of 4x4, read from the first one's four pixels."""
    channels = weights.shape[0]
    out = np.zeros((2, 2, 2, 2, 2, 2, channels), np.float32)  # y, y within, x, x within; y and x of what is read
    for y in (0, 1):
        for x in (0, 1):
            out[y, :, x, :, y, x] = weights[:, 0].transpose(1, 2, 0)
    return out.reshape(16, 4 * channels, 1, 1)


def _rows_first() -> Array:
    """The order of 64 channels by rows of 8x8 pixels, where they come as 2x2 corners of 4x4 pixels."""
    return np.arange(64).reshape(2, 2, 4, 4).transpose(0, 2, 1, 3).reshape(-1)


def _conv(
    graph: Graph,
    source: str,
    target: str,
    weights: Array,
    bias: Array | None,
    stride: int = 1,
    pad: int = 0,
    group: int = 1,
    activation: str = "",
) -> Node:
    inputs = [source, graph.constant(weights.astype(np.float32), "weights")]
    if bias is not None:
        inputs.append(graph.constant(bias.astype(np.float32), "bias"))
    attributes = {"kernel_shape": list(weights.shape[2:]), "strides": [stride] * 2, "pads": [pad] * 4, "group": group}
    if not activation:
        return Node("Conv", inputs, [target], attributes)
    return Node("FusedConv", inputs, [target], {**attributes, "activation": activation}, "com.microsoft")


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


def _hard_swish(graph: Graph) -> None:
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


def _fold_affine(graph: Graph) -> None:
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
        both = _conv(
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
