"""Squeeze and excitation (Hu et al., CVPR 2018): a map scaled by what its own mean says, in fewer operators."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from ocr_engine.models.graphs.graph import Draft, Graph, Node


class Residual(Struct, frozen=True):
    """x + x * scale, where scale is one number a channel and x a whole map."""

    add: Node
    x: str
    scale: str


class PooledConvolution(Struct, frozen=True):
    """The mean of what a pointwise convolution gives."""

    convolution: Node
    pool: Node


def pool_means(graph: Graph) -> None:
    """A mean over height and width is a global average pool, which has a kernel for the blocked layout."""
    for node in graph.nodes:
        if node.op == "ReduceMean" and list(node.attributes.get("axes", [])) == [2, 3]:
            node.op, node.attributes = "GlobalAveragePool", {}


def scale_once(graph: Graph) -> None:
    """x + x * scale becomes x * (scale + 1)."""
    for found in [*_residuals(graph)]:
        draft = Draft(graph)
        more = draft.add("Add", found.scale, np.ones(1, np.float32))
        draft.add("Mul", found.x, more, into=found.add.output)
        graph.replace([found.add], draft.nodes)


def pool_first(graph: Graph) -> None:
    """The mean of what a pointwise convolution gives is what it gives for the mean of its input.

    Then nobody but the scaling reads what the convolution gives, and the scaling can go into its weights.
    """
    for found in [*_pooled_convolutions(graph)]:
        draft = Draft(graph)
        source, *weights_and_bias = found.convolution.inputs
        mean = draft.add("GlobalAveragePool", source)
        draft.same(found.convolution, mean, *weights_and_bias, into=found.pool.output)
        graph.replace([found.pool], draft.nodes)


def _residuals(graph: Graph) -> Iterator[Residual]:
    producers = graph.producers()
    for add in [node for node in graph.nodes if node.op == "Add"]:
        for x, scaled in (add.inputs, add.inputs[::-1]):
            product = producers.get(scaled)
            if product is None or product.op != "Mul" or x not in product.inputs:
                continue
            scale = next((name for name in product.inputs if name != x), x)
            maker = producers.get(scale)
            if maker is not None and maker.attributes.get("activation") == b"HardSigmoid":
                yield Residual(add, x, scale)
                break


def _pooled_convolutions(graph: Graph) -> Iterator[PooledConvolution]:
    producers = graph.producers()
    for pool in [node for node in graph.nodes if node.op == "GlobalAveragePool"]:
        made_by = producers.get(pool.inputs[0])
        if made_by is not None and made_by.op == "Conv" and made_by.group == 1 and _is_pointwise(made_by):
            yield PooledConvolution(made_by, pool)


def _is_pointwise(convolution: Node) -> bool:
    strides = convolution.attributes.get("strides", [1, 1])
    return list(convolution.attributes["kernel_shape"]) == [1, 1] and list(strides) == [1, 1]
