"""Convolutions in the blocked layout, and everything between them too.

ONNX Runtime's fast convolutions keep channels in blocks as wide as a vector register (NCHWc: N, C / b, H, W, b). Its
own optimiser leaves that layout wherever it cannot prove what it needs: at every scaling of channels, at sums of maps
of unknown size, at joined maps. Each time the map is copied twice. This pass writes the blocked operators itself,
knowing the sizes that a trial run has shown, and stays in the layout from the first convolution to the last.

The layouts of weights are those of `MlasReorderFilterOIHWBiBo` and `MlasReorderFilterOIHWBo` in onnxruntime (MIT).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ocr_engine.models.graphs.graph import Array, Graph, Node

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


class _Blocker:
    def __init__(self, graph: Graph, block: int, shapes: Mapping[str, Sequence[Shape]], single: bool) -> None:
        self._graph = graph
        self._block = block
        self._shapes = shapes
        self._single = single
        self._nodes: list[Node] = []
        self._blocked: dict[str, str] = {}  # the twin in blocks of each tensor that has one
        self._plain = {graph.input, *graph.constants}  # the tensors that exist as the original has them
        self._joined: dict[str, list[str]] = {}  # of what blocked tensors the result of a Concat consists
        self._reads = graph.consumers()

    def run(self) -> None:
        for node in self._graph.nodes:
            if not self._convert(node):
                for name in node.inputs:
                    self._as_plain(name)
                self._nodes.append(node)
                self._plain.update(node.outputs)
        self._as_plain(self._graph.output)
        self._graph.nodes = self._nodes

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

    def _padded(self, channels: int) -> int:
        return -(-channels // self._block) * self._block

    def _as_plain(self, name: str) -> None:
        if not name or name in self._plain:
            return
        if name in self._joined:
            parts = self._joined[name]
            for part in parts:
                self._as_plain(part)
            self._nodes.append(Node("Concat", parts, [name], {"axis": 1}))
        else:
            attributes = {"channels": self._channels(name)}
            self._nodes.append(Node("ReorderOutput", [self._blocked[name]], [name], attributes, DOMAIN))
        self._plain.add(name)

    def _as_blocked(self, name: str) -> str:
        if name not in self._blocked:
            self._as_plain(name)
            self._blocked[name] = self._graph.name("blocked")
            self._nodes.append(Node("ReorderInput", [name], [self._blocked[name]], {}, DOMAIN))
        return self._blocked[name]

    def _emit(self, node: Node, name: str) -> None:
        """Adds a node whose output is the twin of a tensor."""
        self._nodes.append(node)
        self._blocked[name] = node.output

    # convolutions

    def _conv(self, node: Node) -> bool:
        weights = self._graph.constants.get(node.inputs[1])
        if weights is None or weights.ndim != 4 or len(node.inputs) > 3:
            return False
        group, block = int(node.attributes.get("group", 1)), self._block
        outputs, inputs = weights.shape[0], weights.shape[1] * group
        depthwise = group > 1 and group == inputs == outputs
        if group > 1 and not depthwise and (weights.shape[1] % block or (outputs // group) % block):
            return False
        bias = self._graph.constants[node.inputs[2]] if len(node.inputs) == 3 else np.zeros(outputs, np.float32)
        bias_name = self._graph.constant(_pad(bias, 0, self._padded(outputs)), "bias")
        attributes = {**node.attributes, "group": self._padded(group) if depthwise else group}
        target = self._graph.name("blocked")
        if node.inputs[0] in self._joined and group == 1:
            self._conv_of_parts(node, weights, bias_name, attributes, target)
            return True
        weights = _pad(weights, 0, self._padded(outputs))
        if depthwise:
            source, weights = self._as_blocked(node.inputs[0]), _depthwise(weights, block)
        elif group == 1 and inputs < block and node.inputs[0] in self._plain:
            source, weights = node.inputs[0], _from_plain(weights, block)
        else:
            source = self._as_blocked(node.inputs[0])
            weights = _dense(weights if group > 1 else _pad(weights, 1, self._padded(inputs)), block)
        args = [source, self._graph.constant(weights, "weights"), bias_name]
        self._emit(Node("Conv", args, [target], attributes, DOMAIN), node.output)
        return True

    def _conv_of_parts(self, node: Node, weights: Array, bias: str, attributes: dict[str, object], target: str) -> None:
        """A convolution of joined maps is the sum of convolutions of each; nothing has to be joined."""
        plain = {name: value for name, value in attributes.items() if not name.startswith("activation")}
        parts = self._joined[node.inputs[0]]
        start, total = 0, ""
        for number, part in enumerate(parts):
            channels = self._channels(part)
            piece = _pad(weights[:, start : start + channels], 0, self._padded(weights.shape[0]))
            piece = _dense(_pad(piece, 1, self._padded(channels)), self._block)
            start += channels
            last = number == len(parts) - 1
            args = [self._as_blocked(part), self._graph.constant(piece, "weights"), bias if last else ""]
            args = [*args, total] if total else args[: 3 if last else 2]
            total = target if last else self._graph.name("blocked")
            self._nodes.append(Node("Conv", args, [total], attributes if last else plain, DOMAIN))
        self._blocked[node.output] = target

    # everything between them

    def _pool(self, node: Node) -> bool:
        if node.inputs[0] not in self._blocked:
            return False
        made = Node(node.op, [self._blocked[node.inputs[0]]], [self._graph.name("blocked")], node.attributes, DOMAIN)
        self._emit(made, node.output)
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
        attributes = {"scales": [int(scale) for scale in scales], "mode": "nearest"}
        source = self._blocked[node.inputs[0]]
        self._emit(Node("Upsample", [source], [self._graph.name("blocked")], attributes, DOMAIN), node.output)
        return True

    def _concat(self, node: Node) -> bool:
        if node.attributes.get("axis") != 1 or not all(name in self._blocked for name in node.inputs):
            return False
        if any(reader.op not in ("Conv", "FusedConv") for reader in self._reads.get(node.output, [])):
            return False
        self._joined[node.output] = list(node.inputs)
        return True

    def _unary(self, node: Node) -> bool:
        if node.inputs[0] not in self._blocked:
            return False
        args = [self._blocked[node.inputs[0]], *node.inputs[1:]]
        made = Node(node.op, args, [self._graph.name("blocked")], node.attributes, node.domain)
        if node.op == "Relu" and self._fuse_relu(node.inputs[0]):
            self._blocked[node.output] = self._blocked[node.inputs[0]]
        else:
            self._emit(made, node.output)
        return True

    def _fuse_relu(self, name: str) -> bool:
        maker = self._maker(name)
        if maker is None:
            return False
        maker.attributes = {**maker.attributes, "activation": "Relu"}
        return True

    def _binary(self, node: Node) -> bool:
        left, right = node.inputs
        if left not in self._blocked or (right in self._blocked and self._is_vector(left, right)):
            left, right = right, left
        if left not in self._blocked:
            return False
        constant = self._graph.constants.get(right)
        if constant is not None and constant.size == 1:
            made = Node(node.op, [self._blocked[left], right], [self._graph.name("blocked")])
            self._emit(made, node.output)
            return True
        if right not in self._blocked:
            return False
        if self._single and node.op == "Mul" and self._is_vector(right, left):
            return self._scale(left, right, node.output)
        if self._shapes[left] != self._shapes[right]:
            return False
        if node.op == "Add" and (self._sum_into(left, right, node.output) or self._sum_into(right, left, node.output)):
            return True
        args = [self._blocked[left], self._blocked[right]]
        self._emit(Node(node.op, args, [self._graph.name("blocked")]), node.output)
        return True

    def _is_vector(self, name: str, other: str) -> bool:
        """Whether a tensor is one number for each channel of another one that is a map."""
        return all(
            one[:2] == two[:2] and one[2:] == (1, 1) and two[2:] != (1, 1)
            for one, two in zip(self._shapes[name], self._shapes[other], strict=True)
        )

    def _scale(self, name: str, scale: str, output: str) -> bool:
        """Channels times numbers known only when running: a depthwise convolution with those as its 1x1 weights."""
        channels = self._padded(self._channels(name))
        if self._scale_weights(name, scale, output, channels):
            return True
        weights = self._graph.name("scale")
        shape = self._graph.constant(np.array([channels, 1, 1, 1]), "shape")
        self._nodes.append(Node("Reshape", [self._blocked[scale], shape], [weights]))
        attributes = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0] * 4, "group": channels}
        args = [self._blocked[name], weights]
        self._emit(Node("Conv", args, [self._graph.name("blocked")], attributes, DOMAIN), output)
        return True

    def _scale_weights(self, name: str, scale: str, output: str, channels: int) -> bool:
        """Scales the few weights of the pointwise convolution that makes the map, instead of the map."""
        maker = self._maker(name)
        if maker is None or len(maker.inputs) != 3 or self._graph.constants[maker.inputs[2]].any():
            return False
        weights = self._graph.constants.get(maker.inputs[1])
        if weights is None or maker.attributes["group"] != 1 or weights.shape[2:] != (1, 1):
            return False
        names = [self._graph.name("scaled") for _ in range(4)]
        by_block = weights.reshape(channels // self._block, -1, self._block)
        self._nodes.remove(maker)
        self._nodes += [
            Node(
                "Reshape", [self._blocked[scale], self._graph.constant(_ints(-1, 1, self._block), "shape")], names[:1]
            ),
            Node("Mul", [self._graph.constant(by_block, "weights"), names[0]], names[1:2]),
            Node("Reshape", [names[1], self._graph.constant(_ints(*weights.shape), "shape")], names[2:3]),
        ]
        self._emit(Node("Conv", [maker.inputs[0], names[2]], names[3:], maker.attributes, DOMAIN), output)
        return True

    def _maker(self, name: str) -> Node | None:
        """The convolution in blocks that makes a tensor for one reader, and does nothing to its result yet."""
        maker = next((made for made in self._nodes if made.outputs == [self._blocked[name]]), None)
        if maker is None or maker.op != "Conv" or len(self._reads[name]) > 1 or "activation" in maker.attributes:
            return None
        return maker

    def _sum_into(self, name: str, other: str, output: str) -> bool:
        """Lets the convolution that makes one of two tensors add the other to its result as it writes it."""
        maker = self._maker(name)
        if maker is None or len(maker.inputs) > 3:
            return False
        # run last, when the other one is there
        self._nodes.remove(maker)
        maker.inputs = [*maker.inputs, *[""] * (3 - len(maker.inputs)), self._blocked[other]]
        self._emit(maker, output)
        return True


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)


def _pad(weights: Array, axis: int, size: int) -> Array:
    widths = [(0, 0)] * weights.ndim
    widths[axis] = (0, size - weights.shape[axis])
    return np.pad(weights, widths)


def _dense(weights: Array, block: int) -> Array:
    """(O, I, H, W) -> O / b, I / b, H, W, b of I, b of O, in the shape that it had."""
    outputs, inputs, height, width = weights.shape
    parts = weights.reshape(outputs // block, block, inputs // block, block, height, width)
    return parts.transpose(0, 2, 4, 5, 3, 1).reshape(weights.shape)


def _from_plain(weights: Array, block: int) -> Array:
    """(O, I, H, W) -> O / b, I, H, W, b of O: for an input that is not blocked."""
    outputs, inputs, height, width = weights.shape
    return (
        weights.reshape(outputs // block, block, inputs, height, width).transpose(0, 2, 3, 4, 1).reshape(weights.shape)
    )


def _depthwise(weights: Array, block: int) -> Array:
    """(O, 1, H, W) -> O / b, H, W, b."""
    return _from_plain(weights, block)
