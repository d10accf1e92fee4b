"""The stem of PP-LCNetV4, in forms whose channels fill the blocks of the blocked layout."""

import numpy as np
from msgspec import Struct

from ocr_engine.models.graphs.graph import Array, Draft, Graph, Node


class Stem(Struct, frozen=True):
    """Two maps of one and a half blocks of channels each, joined: the maximum of one, and what is made of it."""

    left: Node
    """The convolution, with a Relu, that makes the first map."""
    pool: Node
    """Its maximum: the first half of what is joined."""
    reader: Node
    """The convolution that reads the first map, too."""
    right: Node
    """The convolution, with a Relu, that makes the second half."""
    joint: Node
    last: Node
    """The convolution that reads what is joined."""


def fill_blocks(graph: Graph, block: int) -> None:
    """Two maps of one and a half blocks each that are joined take three blocks, not four.

    Both are made in two parts, and the second one's last half block is added to the first one's, beside it. That is
    right because the first map (the maximum of what a Relu gave) is never negative, so that a Relu leaves it as it is.
    """
    stem = _find_stem(graph, block)
    if stem is not None:
        _write_stem(graph, stem, block)


def _find_stem(graph: Graph, block: int) -> Stem | None:
    producers, consumers = graph.producers(), graph.consumers()
    for joint in [node for node in graph.nodes if node.op == "Concat" and len(node.inputs) == 2]:
        pool, right = (producers.get(name) for name in joint.inputs)
        if pool is None or right is None or pool.op != "MaxPool":
            continue
        left = producers.get(pool.inputs[0])
        readers = [node for node in consumers[pool.inputs[0]] if node is not pool]
        if left is None or len(readers) != 1:
            continue
        stem = Stem(left, pool, readers[0], right, joint, consumers[joint.output][0])
        if _is_uneven(graph, stem, block + block // 2):
            return stem
    return None


def _is_uneven(graph: Graph, stem: Stem, channels: int) -> bool:
    """Whether all of it are convolutions with activations, and both maps have so many channels."""
    return (
        all(node.op == "FusedConv" for node in (stem.left, stem.reader, stem.right, stem.last))
        and all(len(graph.weights(node)) == channels for node in (stem.left, stem.right))
        and all(node.attributes.get("activation") == b"Relu" for node in (stem.left, stem.right))
    )


def _write_stem(graph: Graph, stem: Stem, block: int) -> None:
    half = block // 2
    left, left_bias = graph.weights(stem.left), graph.bias(stem.left)
    right, right_bias = graph.weights(stem.right), graph.bias(stem.right)

    draft = Draft(graph)
    left_block = draft.same(stem.left, stem.left.inputs[0], left[:block], left_bias[:block])
    left_rest = draft.same(stem.left, stem.left.inputs[0], _ahead(left[block:], half), _ahead(left_bias[block:], half))
    widened = draft.add("Concat", left_block, left_rest, axis=1)
    graph.replace([stem.left], draft.nodes)

    draft = Draft(graph)
    filters = np.pad(graph.weights(stem.reader), [(0, 0), (0, half), (0, 0), (0, 0)])
    draft.same(stem.reader, widened, filters, *stem.reader.inputs[2:], into=stem.reader.output)
    graph.replace([stem.reader], draft.nodes)

    draft = Draft(graph)
    pooled_block = draft.same(stem.pool, left_block)
    pooled_rest = draft.same(stem.pool, left_rest)
    right_block = draft.same(stem.right, stem.right.inputs[0], right[:block], right_bias[:block])
    plain = {name: value for name, value in stem.right.attributes.items() if not name.startswith("activation")}
    right_rest = draft.add(
        "Conv", stem.right.inputs[0], _behind(right[block:], half), _behind(right_bias[block:], half), **plain
    )
    rests = draft.add("Relu", draft.add("Add", right_rest, pooled_rest))
    draft.add("Concat", pooled_block, right_block, rests, axis=1, into=stem.joint.output)
    filters = np.ascontiguousarray(graph.weights(stem.last)[:, _new_order(block)])
    draft.same(stem.last, stem.joint.output, filters, *stem.last.inputs[2:], into=stem.last.output)
    graph.replace([stem.pool, stem.right, stem.joint, stem.last], draft.nodes)


def _ahead(values: Array, room: int) -> Array:
    """Weights or a bias (O, ...) with room for other channels behind them."""
    return np.pad(values, [(0, room), *[(0, 0)] * (values.ndim - 1)])


def _behind(values: Array, room: int) -> Array:
    """Weights or a bias (O, ...) with room for other channels before them."""
    return np.pad(values, [(room, 0), *[(0, 0)] * (values.ndim - 1)])


def _new_order(block: int) -> list[int]:
    """Where the channels of what is joined stood before: the blocks of both maps, then what is left of both."""
    channels = block + block // 2
    left, right = [*range(channels)], [*range(channels, 2 * channels)]
    return [*left[:block], *right[:block], *left[block:], *right[block:]]
