"""The head of a DB detector (Liao 2020), in a form that works on small maps."""

import numpy as np

from ocr_engine.models.graphs.graph import Array, Graph, Node, convolution


def shrink_head(graph: Graph) -> None:
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
        convolution(graph, joined[-1], names[1], _corner_of_fine(filters[:, coarse:]), None, 2, 2),
        convolution(graph, names[0], names[2], _corner_of_repeated(filters[:, :coarse]), np.tile(bias, 4), 1, 1),
        Node("Add", [names[1], names[2]], [names[3]]),
        Node("Relu", [names[3]], [names[4]]),
    ]
    weights, offsets = widen
    # two corners a group: fewer zeros than in one piece, and channels in whole blocks of 16
    matrix = _block_diagonal(_pointwise(weights), 4, 2)
    nodes.append(convolution(graph, names[4], names[5], matrix, np.tile(offsets, 16), group=2, activation="Relu"))
    weights, offsets = narrow
    matrix = np.tile(_narrow(weights), (4, 1, 1, 1))
    nodes.append(convolution(graph, names[5], names[6], matrix, np.tile(offsets, 64), group=4, activation="Sigmoid"))
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
