"""The head of a DB detector (Liao 2020), in a form that works on small maps."""

import numpy as np
from msgspec import Struct

from ocr_engine.models.graphs.graph import Array, Draft, Graph, Node


def shrink_head(graph: Graph) -> None:
    """The head of a DB detector works at an eighth of the page's size instead of at a quarter and a half.

    Three of the four maps that it joins were enlarged by repeating pixels, and a 3x3 convolution of repeated pixels
    sees only 2x2 different ones. So it becomes a 2x2 convolution of the small map that gives the four pixels around
    each corner at once: 24 channels each, at positions offset by one pixel. The two transposed convolutions after it
    (2x2, stride 2) are pointwise convolutions with four times the channels. The page's pixels are put in place once,
    at the end, when there is one channel left.
    """
    head = _find_head(graph)
    if head is not None:
        _write_head(graph, head)


class Enlargement(Struct, frozen=True):
    """A transposed convolution, 2x2 with stride 2, what is added to its output and how that is scaled, all in one."""

    source: str
    weights: Array
    """(in, out, 2, 2)"""
    bias: Array
    """(out,)"""


class Head(Struct, frozen=True):
    """Four maps joined, a convolution of them, two enlargements to the page's size, a sigmoid."""

    enlarged: list[Node]
    """The Resize that makes each of the first three maps."""
    fine: str
    """The fourth map, which is not enlarged."""
    first: Node
    """The 3x3 convolution of what is joined."""
    widen: Enlargement
    narrow: Enlargement
    nodes: list[Node]
    """All that the head consists of, but for what enlarges the maps."""


def _find_head(graph: Graph) -> Head | None:
    """The head, from the graph's output upwards."""
    above = _Climb(graph)
    sigmoid = above.node(graph.output, "Sigmoid")
    narrow = above.enlargement(sigmoid.inputs[0]) if sigmoid else None
    relu = above.node(narrow.source, "Relu") if narrow else None
    widen = above.enlargement(relu.inputs[0]) if relu else None
    first = above.node(widen.source, "FusedConv") if widen else None
    joint = above.node(first.inputs[0], "Concat") if first else None
    if narrow is None or widen is None or first is None or joint is None:
        return None
    enlarged = [node for name in joint.inputs[:-1] if (node := above.producers.get(name)) and node.op == "Resize"]
    if len(enlarged) != len(joint.inputs) - 1:
        return None
    if list(first.attributes["kernel_shape"]) != [3, 3] or graph.weights(first).shape[0] != 24:
        return None
    return Head(enlarged, joint.inputs[-1], first, widen, narrow, above.passed)


class _Climb:
    """A way up a graph, through nodes of which only the one below reads what they make."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._consumers = graph.consumers()
        self.producers = graph.producers()
        self.passed: list[Node] = []

    def node(self, name: str, *ops: str) -> Node | None:
        """The node that makes the tensor, where it is one of those operators."""
        found = self.producers.get(name)
        if found is None or found.op not in ops or len(self._consumers.get(name, [])) > 1:
            return None
        self.passed.append(found)
        return found

    def enlargement(self, name: str) -> Enlargement | None:
        """What makes the tensor, where that is an enlargement."""
        scale, shift = np.ones(1, np.float32), np.zeros(1, np.float32)
        node = self.node(name, "BatchNormalization", "Add")
        if node is not None and node.op == "BatchNormalization":
            gain, offset, mean, variance = (self._graph.constants[each] for each in node.inputs[1:5])
            scale = gain / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
            shift = offset - mean * scale
            node = self.node(node.inputs[0], "Add")
        if node is None or node.inputs[1] not in self._graph.constants:
            return None
        bias = self._graph.constants[node.inputs[1]].reshape(-1) * scale + shift
        node = self.node(node.inputs[0], "ConvTranspose")
        if node is None or any(list(node.attributes[of]) != [2, 2] for of in ("kernel_shape", "strides")):
            return None
        return Enlargement(node.inputs[0], self._graph.weights(node) * scale[:, None, None], bias)


def _write_head(graph: Graph, head: Head) -> None:
    filters, bias = graph.weights(head.first), graph.bias(head.first)
    fine_channels = filters.shape[1] // (len(head.enlarged) + 1)
    of_coarse, of_fine = filters[:, :-fine_channels], filters[:, -fine_channels:]
    draft = Draft(graph)
    coarse = draft.add("Concat", *(_half_enlarged(graph, draft, resize) for resize in head.enlarged), axis=1)
    fine_corners = draft.convolution(head.fine, _corner_of_fine(of_fine), stride=2, pad=2)
    coarse_corners = draft.convolution(coarse, _corner_of_repeated(of_coarse), np.tile(bias, 4), pad=1)
    corners = draft.add("Relu", draft.add("Add", fine_corners, coarse_corners))
    # two corners a group: fewer zeros than in one piece, and channels in whole blocks of 16
    matrix, bias = _block_diagonal(_pointwise(head.widen.weights), 4, 2), np.tile(head.widen.bias, 16)
    widened = draft.convolution(corners, matrix, bias, group=2, activation="Relu")
    matrix, bias = np.tile(_narrow(head.narrow.weights), (4, 1, 1, 1)), np.tile(head.narrow.bias, 64)
    pixels = draft.convolution(widened, matrix, bias, group=4, activation="Sigmoid")
    in_rows = draft.add("Gather", pixels, _rows_first(), axis=1)
    map_with_rim = draft.add("DepthToSpace", in_rows, blocksize=8)
    starts, ends, axes = np.array([4, 4]), np.array([-4, -4]), np.array([2, 3])
    draft.add("Slice", map_with_rim, starts, ends, axes, into=graph.output)
    graph.replace(head.nodes, draft.nodes)


def _half_enlarged(graph: Graph, draft: Draft, resize: Node) -> str:
    """A map enlarged half as many times as it was, in each direction; as it was before where that is once."""
    source, region, scales = resize.inputs
    halved = graph.constants[scales] / np.array([1, 1, 2, 2], np.float32)
    return source if (halved == 1).all() else draft.same(resize, source, region, halved)


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
