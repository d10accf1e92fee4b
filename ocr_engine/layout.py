"""The order in which a person would read the lines of a page."""

from collections.abc import Sequence

from ocr_engine.result import Polygon


def reading_order(polygons: Sequence[Polygon], width: float, height: float) -> list[int]:
    """Indices of the lines from top to bottom, row by row from left to right."""
    rows: list[list[int]] = []
    middle = [sum(y for _, y in polygon) / 4 for polygon in polygons]
    left = [min(x for x, _ in polygon) for polygon in polygons]
    tall = [max(y for _, y in polygon) - min(y for _, y in polygon) for polygon in polygons]
    for index in sorted(range(len(polygons)), key=middle.__getitem__):
        if rows:
            last = rows[-1]
            centre = sum(middle[i] for i in last) / len(last)
            if abs(middle[index] - centre) < 0.5 * min(tall[index], *(tall[i] for i in last)):
                last.append(index)
                continue
        rows.append([index])
    return [index for row in rows for index in sorted(row, key=left.__getitem__)]
