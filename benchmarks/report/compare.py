"""Two reports side by side: `python -m benchmarks compare A.json B.json`."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.report.report import aligned

NAMING = (
    "nodes",
    "workers",
    "engine",
    "peer",
    "set",
    "store",
    "image",
    "image_bytes",
    "writers",
    "session",
    "process",
)
"""Fields that say which entry of a list it is, rather than what was measured."""
PASSED_OVER = (
    "machine",
    "images",
    "outcomes",
    "service_times",
    "pairs",
    "seconds",
    "predicted_p50",
    "predicted_p95",
    "taken_at",
    "load_before",
    "options",
    "count",
    "clients",
    "jobs",
)


class Ratio(Struct, frozen=True):
    """One figure of both reports."""

    figure: str
    a: float
    b: float

    @property
    def ratio(self) -> float:
        """B by A; infinite where A is 0 and B is not."""
        if self.a == self.b:
            return 1.0
        return self.b / self.a if self.a else float("inf")


def main(argv: Sequence[str]) -> int:
    """Shows every figure that both reports hold; 2 where one cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks compare", description=__doc__)
    parser.add_argument("a", type=Path)
    parser.add_argument("b", type=Path)
    arguments = parser.parse_args(argv)
    try:
        a, b = (msgspec.json.decode(path.read_bytes()) for path in (arguments.a, arguments.b))
    except (OSError, msgspec.DecodeError) as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    for difference in differences(a.get("machine", {}), b.get("machine", {})):
        print(f"not the same machine: {difference}")
    rows = [(each.figure, f"{each.a:.4g}", f"{each.b:.4g}", f"{each.ratio:.3f}") for each in compare(a, b)]
    print(aligned([("", "A", "B", "B / A"), *rows]))
    return 0


def compare(a: Any, b: Any) -> list[Ratio]:
    """The ratios of all figures that both reports (as JSON gives them) hold, in the order of the first."""
    others = dict(figures(b))
    return [Ratio(name, value, others[name]) for name, value in figures(a) if name in others]


def figures(report: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number with its way through the report; entries of lists by what they are about, not by their place."""
    if isinstance(report, bool) or report is None:
        return
    if isinstance(report, int | float):
        yield path, float(report)
    elif isinstance(report, dict):
        for key, value in report.items():
            naming = key in NAMING and not isinstance(value, dict | list)
            if key not in PASSED_OVER and not naming:
                yield from figures(value, f"{path}.{key}".lstrip("."))
    elif isinstance(report, list):
        seen: dict[str, int] = {}
        for entry in report:
            name = _name(entry)
            # the same name again: rising loads, whose rates differ from run to run
            number = seen[name] = seen.get(name, 0) + 1
            yield from figures(entry, f"{path}[{name}{f' #{number}' if number > 1 else ''}]")


def differences(a: Any, b: Any) -> list[str]:
    """What differs between two fingerprints, in words."""
    return [f"{key}: {a.get(key)} / {b.get(key)}" for key in a if a.get(key) != b.get(key)]


def _name(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ""
    return " ".join(str(entry[field]) for field in NAMING if field in entry)
