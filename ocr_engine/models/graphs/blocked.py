"""Convolutions in the blocked layout, and everything between them too.

ONNX Runtime's fast convolutions keep channels in blocks as wide as a vector register (NCHWc: N, C / b, H, W, b). Its
own optimiser leaves that layout wherever it cannot prove what it needs: at every scaling of channels, at sums of maps
of unknown size, at joined maps. Each time the map is copied twice. This pass writes the blocked operators itself,
knowing the sizes that a trial run has shown, and stays in the layout from the first convolution to the last.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from ocr_engine.models.graphs.block_weights import dense, from_plain, padded
from ocr_engine.models.graphs.graph import Array, Draft, Graph, Node

DOMAIN = "com.microsoft.nchwc"
_UNARY = frozenset({"Relu", "Sigmoid", "Tanh", "Gelu", "QuickGelu", "HardSigmoid", "Clip", "Erf"})

Shape = tuple[int, ...]


def use_blocks(graph: Graph, block: int, shapes: Mapping[str, Sequence[Shape]], *, single: bool) -> None:
    """Rewrites the graph for blocks of so many channels.

    `shapes` gives the sizes of every tensor in some trial runs, by which it is known what has the same size. `single`:
    for batches of one only, where more can be done.
    """
    _Blocker(graph, block, shapes, single).run()
    graph.prune()


class _Convolution(Struct, frozen=True):
    """A convolution that has a form for blocks."""

    node: Node
    source: str
    weights: Array
    bias: Array
    """Zeros up to whole blocks included."""

    @property
    def channels(self) -> int:
        """Of its input."""
        return int(self.weights.shape[1]) * self.node.group

    @property
    def is_depthwise(self) -> bool:
        """Whether each channel is a group of its own."""
        return self.node.group > 1 and self.node.group == self.channels == self.weights.shape[0]


class _Blocker:
    def __init__(self, graph: Graph, block: int, shapes: Mapping[str, Sequence[Shape]], single: bool) -> None:
        self._graph = graph
        self._block = block
        self._shapes = shapes
        self._single = single
        self._draft = Draft(graph)
        self._blocked: dict[str, str] = {}  # the twin in blocks of each tensor that has one
        self._plain = {graph.input, *graph.constants}  # the tensors that exist as the original has them
        self._joined: dict[str, list[str]] = {}  # of what blocked tensors the result of a Concat consists
        self._readers = graph.consumers()

    def run(self) -> None:
        for node in self._graph.nodes:
            if not self._convert(node):
                for name in node.inputs:
                    self._as_plain(name)
                self._draft.nodes.append(node)
                self._plain.update(node.outputs)
        self._as_plain(self._graph.output)
        self._graph.nodes = self._draft.nodes

    def _convert(self, node: Node) -> bool:
        """Whether the node could be written for blocks."""
        if node.op in ("Conv", "FusedConv"):
            return self._conv(node)
        if node.op in ("MaxPool", "AveragePool", "GlobalAveragePool"):
            return self._pool(node)
        if node.op == "Resize":
            return self._resize(node)
        if node.op == "Concat":
            return self._concat(node)
        if node.op in ("Add", "Mul"):
            return self._binary(node)
        if node.op in _UNARY:
            return self._unary(node)
        return False

    # what goes in and out

    def _channels(self, name: str) -> int:
        return self._shapes[name][0][1]

    def _in_blocks(self, channels: int) -> int:
        """So many channels, and those that fill the last block."""
        return -(-channels // self._block) * self._block

    def _as_plain(self, name: str) -> None:
        """Sees to it that the tensor exists as the original has it."""
        if not name or name in self._plain:
            return
        if name in self._joined:
            for part in self._joined[name]:
                self._as_plain(part)
            self._draft.add("Concat", *self._joined[name], into=name, axis=1)
        else:
            channels = self._channels(name)
            self._draft.add("ReorderOutput", self._blocked[name], into=name, domain=DOMAIN, channels=channels)
        self._plain.add(name)

    def _as_blocked(self, name: str) -> str:
        """The tensor's twin in blocks."""
        if name not in self._blocked:
            self._as_plain(name)
            self._blocked[name] = self._draft.add("ReorderInput", name, domain=DOMAIN)
        return self._blocked[name]

    # convolutions

    def _conv(self, node: Node) -> bool:
        found = self._convolution(node)
        if found is None:
            return False
        if found.source in self._joined and node.group == 1:
            self._blocked[node.output] = self._conv_of_parts(found)
        else:
            self._blocked[node.output] = self._conv_of_one(found)
        return True

    def _convolution(self, node: Node) -> _Convolution | None:
        weights = self._graph.constants.get(node.inputs[1])
        if weights is None or weights.ndim != 4 or len(node.inputs) > 3:
            return None
        outputs = self._in_blocks(weights.shape[0])
        found = _Convolution(node, node.inputs[0], weights, padded(self._graph.bias(node), 0, outputs))
        whole_blocks = not weights.shape[1] % self._block and not (weights.shape[0] // node.group) % self._block
        return found if node.group == 1 or found.is_depthwise or whole_blocks else None

    def _conv_of_one(self, found: _Convolution) -> str:
        weights, group = padded(found.weights, 0, len(found.bias)), found.node.group
        if found.is_depthwise:
            source, weights, group = self._as_blocked(found.source), from_plain(weights, self._block), len(weights)
        elif group == 1 and found.channels < self._block and found.source in self._plain:
            source, weights = found.source, from_plain(weights, self._block)
        else:
            source = self._as_blocked(found.source)
            inputs = weights.shape[1] if group > 1 else self._in_blocks(found.channels)
            weights = dense(padded(weights, 1, inputs), self._block)
        attributes = {**found.node.attributes, "group": group}
        return self._draft.add("Conv", source, weights, found.bias, domain=DOMAIN, **attributes)

    def _conv_of_parts(self, found: _Convolution) -> str:
        """A convolution of joined maps is the sum of convolutions of each; nothing has to be joined."""
        attributes = {**found.node.attributes, "group": 1}
        plain = {name: value for name, value in attributes.items() if not name.startswith("activation")}
        *parts, last = self._joined[found.source]
        start, total = 0, ""
        for part in parts:
            weights, start = self._weights_of_part(found, part, start), start + self._channels(part)
            # no bias yet, and nothing to add to for the first
            before = ["", total] if total else []
            total = self._draft.add("Conv", self._as_blocked(part), weights, *before, domain=DOMAIN, **plain)
        weights = self._weights_of_part(found, last, start)
        before = [total] if total else []
        return self._draft.add(
            "Conv", self._as_blocked(last), weights, found.bias, *before, domain=DOMAIN, **attributes
        )

    def _weights_of_part(self, found: _Convolution, part: str, start: int) -> Array:
        channels = self._channels(part)
        weights = padded(found.weights[:, start : start + channels], 0, len(found.bias))
        return dense(padded(weights, 1, self._in_blocks(channels)), self._block)

    # everything between them

    def _pool(self, node: Node) -> bool:
        if node.inputs[0] not in self._blocked:
            return False
        source = self._blocked[node.inputs[0]]
        self._blocked[node.output] = self._draft.add(node.op, source, domain=DOMAIN, **node.attributes)
        return True

    def _resize(self, node: Node) -> bool:
        scales = self._graph.constants.get(node.inputs[2]) if len(node.inputs) == 3 else None
        repeats_pixels = (
            node.attributes.get("mode") == b"nearest"
            and node.attributes.get("nearest_mode") == b"floor"
            and node.attributes.get("coordinate_transformation_mode") == b"asymmetric"
        )
        if node.inputs[0] not in self._blocked or scales is None or not repeats_pixels or (scales % 1).any():
            return False
        attributes: dict[str, Any] = {"scales": [int(scale) for scale in scales], "mode": "nearest"}
        source = self._blocked[node.inputs[0]]
        self._blocked[node.output] = self._draft.add("Upsample", source, domain=DOMAIN, **attributes)
        return True

    def _concat(self, node: Node) -> bool:
        if node.attributes.get("axis") != 1 or not all(name in self._blocked for name in node.inputs):
            return False
        if any(reader.op not in ("Conv", "FusedConv") for reader in self._readers.get(node.output, [])):
            return False
        self._joined[node.output] = list(node.inputs)
        return True

    def _unary(self, node: Node) -> bool:
        source, *others = node.inputs
        if source not in self._blocked:
            return False
        if node.op == "Relu" and (maker := self._maker(source)):
            maker.attributes = {**maker.attributes, "activation": "Relu"}
            self._blocked[node.output] = self._blocked[source]
        else:
            self._blocked[node.output] = self._draft.same(node, self._blocked[source], *others)
        return True

    def _binary(self, node: Node) -> bool:
        left, right = node.inputs
        if left not in self._blocked or (right in self._blocked and self._is_vector(left, right)):
            left, right = right, left
        if left not in self._blocked:
            return False
        if self._graph.number(right) is not None:
            self._blocked[node.output] = self._draft.add(node.op, self._blocked[left], right)
        elif right not in self._blocked:
            return False
        elif self._single and node.op == "Mul" and self._is_vector(right, left):
            self._blocked[node.output] = self._scale(left, right)
        elif self._shapes[left] != self._shapes[right]:
            return False
        elif node.op == "Add" and (maker := self._summing_maker(left) or self._summing_maker(right)):
            other = right if maker.output == self._blocked[left] else left
            self._blocked[node.output] = self._sum_into(maker, other)
        else:
            self._blocked[node.output] = self._draft.add(node.op, self._blocked[left], self._blocked[right])
        return True

    def _is_vector(self, name: str, other: str) -> bool:
        """Whether a tensor is one number for each channel of another one that is a map."""
        return all(
            one[:2] == two[:2] and one[2:] == (1, 1) and two[2:] != (1, 1)
            for one, two in zip(self._shapes[name], self._shapes[other], strict=True)
        )

    def _maker(self, name: str) -> Node | None:
        """The convolution in blocks that makes a tensor for one reader, and does nothing to its result yet."""
        maker = next((made for made in self._draft.nodes if made.outputs == [self._blocked[name]]), None)
        if maker is None or maker.op != "Conv" or len(self._readers[name]) > 1 or "activation" in maker.attributes:
            return None
        return maker

    def _scale(self, name: str, scale: str) -> str:
        """Channels times numbers known only when running."""
        maker = self._scalable_maker(name)
        if maker is not None:
            return self._scale_weights(maker, scale)
        # a depthwise convolution with those as its 1x1 weights
        channels = self._in_blocks(self._channels(name))
        weights = self._draft.add("Reshape", self._blocked[scale], np.array([channels, 1, 1, 1]))
        attributes: dict[str, Any] = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0] * 4, "group": channels}
        return self._draft.add("Conv", self._blocked[name], weights, domain=DOMAIN, **attributes)

    def _scalable_maker(self, name: str) -> Node | None:
        """The pointwise convolution that makes a map, where its few weights can be scaled instead of the map."""
        maker = self._maker(name)
        if maker is None or len(maker.inputs) != 3 or self._graph.constants[maker.inputs[2]].any():
            return None
        weights = self._graph.constants.get(maker.inputs[1])
        return maker if weights is not None and maker.group == 1 and weights.shape[2:] == (1, 1) else None

    def _scale_weights(self, maker: Node, scale: str) -> str:
        weights = self._graph.weights(maker)
        by_block = weights.reshape(weights.shape[0] // self._block, -1, self._block)
        self._draft.nodes.remove(maker)
        numbers = self._draft.add("Reshape", self._blocked[scale], _ints(-1, 1, self._block))
        scaled = self._draft.add("Mul", by_block, numbers)
        as_before = self._draft.add("Reshape", scaled, _ints(*weights.shape))
        return self._draft.same(maker, maker.inputs[0], as_before)

    def _summing_maker(self, name: str) -> Node | None:
        """The convolution that makes a tensor and adds nothing to its result yet."""
        maker = self._maker(name)
        return maker if maker is not None and len(maker.inputs) <= 3 else None

    def _sum_into(self, maker: Node, other: str) -> str:
        """Lets a convolution add another tensor to its result as it writes it."""
        # run last, when the other one is there
        self._draft.nodes.remove(maker)
        source, weights, *bias = maker.inputs
        maker.inputs = [source, weights, *(bias or [""]), self._blocked[other]]
        self._draft.nodes.append(maker)
        return maker.output


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)
