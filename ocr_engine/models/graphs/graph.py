"""A graph of operators that can be edited: what rewriting works on, instead of protobuf messages."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Array = NDArray[Any]


@dataclass(eq=False)
class Node:
    """One operator: its name, what goes in and comes out by name, its attributes."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)
    domain: str = ""

    @property
    def output(self) -> str:
        """The first output, mostly the only one."""
        return self.outputs[0]

    @property
    def group(self) -> int:
        """Of a convolution: in how many groups of channels it works."""
        return int(self.attributes.get("group", 1))


class Graph:
    """Nodes in an order in which they can run, and the constants that they read."""

    def __init__(self, model: onnx.ModelProto) -> None:
        """Takes apart a model; the model itself stays as it is."""
        self._model = model
        self.input = model.graph.input[0].name
        self.output = model.graph.output[0].name
        self.constants: dict[str, Array] = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
        }
        self.nodes: list[Node] = []
        for proto in model.graph.node:
            attributes = {item.name: helper.get_attribute_value(item) for item in proto.attribute}
            if proto.op_type == "Constant" and "value" in attributes:
                self.constants[proto.output[0]] = numpy_helper.to_array(attributes["value"])
            else:
                self.nodes.append(Node(proto.op_type, list(proto.input), list(proto.output), attributes, proto.domain))
        self._named = 0
        self.further_inputs: list[str] = []
        """Of one number each."""
        self.further_outputs: list[str] = []

    def constant(self, value: Array, hint: str) -> str:
        """The name of a new constant."""
        name = self.name(hint)
        self.constants[name] = np.ascontiguousarray(value)
        return name

    def name(self, hint: str) -> str:
        """A name that is not in use yet."""
        self._named += 1
        return f"{hint}/{self._named}"

    def producers(self) -> dict[str, Node]:
        """Which node makes each tensor."""
        return {name: node for node in self.nodes for name in node.outputs}

    def consumers(self) -> dict[str, list[Node]]:
        """Which nodes read each tensor; the graph's own output has no reader."""
        readers: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                readers.setdefault(name, []).append(node)
        return readers

    def weights(self, convolution: Node) -> Array:
        """What a convolution multiplies with, (O, I / group, H, W)."""
        return self.constants[convolution.inputs[1]]

    def bias(self, convolution: Node) -> Array:
        """What a convolution adds to each of its O output channels, 0 where it adds nothing."""
        if len(convolution.inputs) > 2:
            return self.constants[convolution.inputs[2]]
        return np.zeros(self.weights(convolution).shape[0], np.float32)

    def number(self, name: str) -> np.float32 | None:
        """A constant that is a single number; None for any other tensor."""
        value = self.constants.get(name)
        return np.float32(value.reshape(-1)[0]) if value is not None and value.size == 1 else None

    def replace(self, old: Iterable[Node], new: list[Node]) -> None:
        """Puts nodes in the place of the last of the old ones."""
        gone = list(old)
        at = max(self.nodes.index(node) for node in gone)
        self.nodes[at + 1 : at + 1] = new
        self.nodes = [node for node in self.nodes if not any(node is other for other in gone)]

    def prune(self) -> None:
        """Drops what nobody reads."""
        wanted = {self.output, *self.further_outputs}
        kept = []
        for node in reversed(self.nodes):
            if wanted.intersection(node.outputs):
                kept.append(node)
                wanted.update(node.inputs)
        self.nodes = kept[::-1]
        self.constants = {name: value for name, value in self.constants.items() if name in wanted}

    def model(self, outputs: Iterable[str] = ()) -> onnx.ModelProto:
        """The graph as a model; `outputs` are shown beside the graph's own."""
        made = onnx.ModelProto()
        made.CopyFrom(self._model)
        graph = made.graph
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(
            helper.make_node(node.op, node.inputs, node.outputs, domain=node.domain, **node.attributes)
            for node in self.nodes
        )
        graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in self.constants.items())
        # the sizes of the output follow from the input's
        graph.output[0].type.tensor_type.ClearField("shape")
        graph.output.extend(onnx.ValueInfoProto(name=name) for name in (*self.further_outputs, *outputs))
        graph.input.extend(
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ()) for name in self.further_inputs
        )
        return made


class Draft:
    """Operators to be put into a graph, written one after the other.

    Each call writes one and gives the name of the tensor that it makes: a new one, or `into`, which others read.
    Inputs are names of tensors, or arrays, of which constants are made.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.nodes: list[Node] = []

    def add(self, op: str, *inputs: str | Array, into: str = "", domain: str = "", **attributes: Any) -> str:
        """An operator."""
        names = [each if isinstance(each, str) else self._graph.constant(each, "constant") for each in inputs]
        made = into or self._graph.name(op)
        self.nodes.append(Node(op, names, [made], attributes, domain))
        return made

    def same(self, node: Node, *inputs: str | Array, into: str = "") -> str:
        """What a node does, done to other inputs."""
        return self.add(node.op, *inputs, into=into, domain=node.domain, **node.attributes)

    def convolution(
        self,
        source: str,
        weights: Array,
        bias: Array | None = None,
        *,
        into: str = "",
        stride: int = 1,
        pad: int = 0,
        group: int = 1,
        activation: str = "",
    ) -> str:
        """A convolution, the same stride and padding in both directions; `weights` (O, I / group, H, W)."""
        fused = {"activation": activation} if activation else {}
        return self.add(
            "FusedConv" if activation else "Conv",
            source,
            *(each.astype(np.float32) for each in (weights, bias) if each is not None),
            into=into,
            domain="com.microsoft" if activation else "",
            kernel_shape=list(weights.shape[2:]),
            strides=[stride] * 2,
            pads=[pad] * 4,
            group=group,
            **fused,
        )
