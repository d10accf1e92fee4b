"""Check boxes of forms, found in the picture: squares of four strokes, and whether there is a mark in them.

The recogniser has no sign for them, and reads `口`, `X` or nothing. Tables and comb fields are made of squares, too,
but of squares that touch or stand in close rows; letters such as `口` have neighbours.
"""

from ocr_engine.check_boxes.among_lines import told
from ocr_engine.check_boxes.box import CheckBox
from ocr_engine.check_boxes.squares import find

__all__ = ["CheckBox", "find", "told"]
