"""Algebra on a graph: the same function of the input, with less arithmetic or in forms that run faster.

Each module finds a pattern, a frozen struct of nodes and tensors, and writes what takes its place. onnxscript's
rewriter does the same with patterns written as functions; it was tried, and costs more than it saves: 2 seconds of
import and sympy, for patterns that need a check of readers, sizes and attributes all the same.
"""

from ocr_engine.models.graphs.graph import Graph
from ocr_engine.models.graphs.patterns.affine import fold_affine, hard_swish
from ocr_engine.models.graphs.patterns.attention import pool_first, pool_means, scale_once
from ocr_engine.models.graphs.patterns.classifier import classify_with_gemm
from ocr_engine.models.graphs.patterns.detector_head import shrink_head
from ocr_engine.models.graphs.patterns.stem import fill_blocks


def rewrite(graph: Graph, block: int) -> None:
    """All rewritings that are known, where their patterns occur, for blocks of so many channels."""
    hard_swish(graph)
    fold_affine(graph)
    pool_means(graph)
    scale_once(graph)
    pool_first(graph)
    shrink_head(graph)
    fill_blocks(graph, block)
    classify_with_gemm(graph)
    graph.prune()
