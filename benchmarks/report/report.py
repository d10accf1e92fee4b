"""A report on the terminal, and as files."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks.report import tables
from benchmarks.report.html import page
from benchmarks.report.measures import Report


def text(report: Report) -> str:
    """Everything that was measured, for people."""
    parts = [tables.heading(report), tables.warning(report)]
    parts += [
        "\n".join(line for line in (table.title, aligned(table.rows), table.note) if line)
        for table in tables.tables(report)
    ]
    return "\n\n".join(part for part in parts if part)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns, the first one to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def failed_jobs(report: Report) -> int:
    """Jobs that were refused or not done."""
    service, cluster = report.service, report.cluster
    return (
        sum(point.errors for point in (service.workers if service else ()))
        + sum(point.errors for point in (service.load if service else ()))
        + sum(split.errors for split in (cluster.splits if cluster else ()))
    )


def write(report: Report, json: Path | None, html: Path | None) -> None:
    """Writes the files that were asked for, and says where they are."""
    if json:
        _put(json, msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    if html:
        _put(html, page(report).encode())


def read(path: Path) -> Report:
    """A report that was written as JSON. Raises OSError and msgspec.DecodeError."""
    return msgspec.json.decode(path.read_bytes(), type=Report)


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"written: {path}", file=sys.stderr)
