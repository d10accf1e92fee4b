"""Between the blocked layout and channels that come last there is one copy, not two by way of channels first."""

from ocr_engine.models.graphs.blocked import DOMAIN
from ocr_engine.models.graphs.graph import Graph
from ocr_engine.models.graphs.patterns.quantised import CHANNELS_FIRST, CHANNELS_LAST


def reorder_at_once(graph: Graph) -> None:
    """A Transpose after leaving the blocks, or before going into them, becomes part of that."""
    producers = graph.producers()
    for node in graph.nodes:
        maker = producers.get(node.inputs[0])
        if maker is None:
            continue
        if node.op == "Transpose" and node.attributes["perm"] == CHANNELS_LAST and maker.op == "ReorderOutput":
            node.op, node.domain, node.inputs = maker.op, DOMAIN, maker.inputs
            node.attributes = {**maker.attributes, "channels_last": 1}
        elif node.op == "ReorderInput" and maker.op == "Transpose" and maker.attributes["perm"] == CHANNELS_FIRST:
            node.inputs, node.attributes = maker.inputs, {"channels_last": 1}
    graph.prune()
