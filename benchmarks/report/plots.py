"""Line plots as SVG text: no library, nothing loaded, colours by the page's style sheet."""

import math
from collections.abc import Sequence
from html import escape
from xml.sax.saxutils import quoteattr

from msgspec import Struct

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 16, 44
LEGEND_ROW = 18


class Series(Struct, frozen=True, kw_only=True):
    """A line of a plot."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False
    colour: int = 0
    """Class `c0` to `c5` of the style sheet."""


class Plot(Struct, frozen=True, kw_only=True):
    """A plot, both axes from 0; series without points are left out."""

    title: str
    x: str
    y: str
    series: Sequence[Series]
    whole: bool = False
    """Is `x` a count?"""


def svg(plot: Plot) -> str:
    """The plot as an `svg` element; empty text where there is nothing to draw."""
    drawn = [series for series in plot.series if series.points]
    points = [point for series in drawn for point in series.points]
    if not points:
        return ""
    x_ticks, y_ticks = ticks(max(x for x, _ in points), whole=plot.whole), ticks(max(y for _, y in points))
    legend = LEGEND_ROW * len(drawn)
    bottom = HEIGHT - BOTTOM

    def across(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * x / x_ticks[-1]

    def down(y: float) -> float:
        return bottom - (bottom - TOP) * y / y_ticks[-1]

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + legend}" role="img" '
        f"aria-label={quoteattr(plot.title)}>"
    ]
    for y in y_ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {down(y):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{down(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
    for x in x_ticks:
        parts.append(f'<path class="grid" d="M{across(x):.1f} {TOP}V{bottom}"/>')
        parts.append(f'<text x="{across(x):.1f}" y="{bottom + 16}" text-anchor="middle">{x:g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(plot.x)}</text>')
    parts.append(
        f'<text transform="translate(14 {bottom / 2:.0f}) rotate(-90)" text-anchor="middle">{escape(plot.y)}</text>'
    )
    for number, series in enumerate(drawn):
        look = f"c{series.colour}{' dashed' if series.dashed else ''}"
        places = [(across(x), down(y)) for x, y in series.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path class="line {look}" d="M{path}"/>')
        if not series.dashed:
            parts += [
                f'<circle class="{look}" cx="{px:.1f}" cy="{py:.1f}" r="4">'
                f"<title>{escape(series.name)}: {x:g}, {y:.4g}</title></circle>"
                for (px, py), (x, y) in zip(places, series.points, strict=True)
            ]
        level = HEIGHT + LEGEND_ROW * number
        parts.append(f'<path class="line {look}" d="M{LEFT} {level}H{LEFT + 28}"/>')
        parts.append(f'<text x="{LEFT + 36}" y="{level + 4}">{escape(series.name)}</text>')
    return "\n".join([*parts, "</svg>"])


def ticks(most: float, *, whole: bool = False) -> list[float]:
    """Round numbers from 0 to at least `most`: steps of 1, 2 or 5 times a power of ten, about five of them.

    `whole`: no fractions between them.
    """
    if most <= 0:
        return [0.0, 1.0]
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999)
    step = max(step, 1.0) if whole else step
    return [round(step * n, 12) for n in range(math.ceil(most / step - 1e-9) + 1)]
