"""A report as one page that needs nothing beside itself: style, tables and plots inside, light and dark."""

from collections.abc import Iterator, Sequence
from html import escape

from benchmarks.report import tables
from benchmarks.report.measures import SERVICE, Report, ServiceFigures
from benchmarks.report.plots import Plot, Series, svg

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --paper: #fff; --rule: #e3e7ee;
  --c0: #2563eb; --c1: #d97706; --c2: #059669; --c3: #db2777; --c4: #7c3aed; --c5: #64748b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --paper: #14181f; --rule: #2a3140;
  --c0: #7aa8ff; --c1: #fbbf5c; --c2: #4ade9f; --c3: #f58bc0; --c4: #b79cff; --c5: #a3b1c6; } }
* { box-sizing: border-box; }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p, figcaption { color: var(--soft); margin: .3rem 0; }
.warning { color: var(--c1); font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { color: var(--ink); font-weight: 600; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--rule); } .line { fill: none; stroke-width: 2; } .dashed { stroke-dasharray: 6 5; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } th { font-weight: 600; }
""" + "\n".join(f".line.c{n} {{ stroke: var(--c{n}); }} circle.c{n} {{ fill: var(--c{n}); }}" for n in range(6))


def page(report: Report) -> str:
    """The whole page."""
    title = "Smart Queue OCR: benchmark"
    packages = ", ".join(f"{package.name} {package.version}" for package in report.machine.packages)
    warned = tables.warning(report)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>',
            '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
            f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            f"<h1>{title}</h1>\n<p>{escape(tables.heading(report))}</p>\n<p>{escape(packages)}</p>",
            f'<p class="warning">{escape(warned)}</p>' if warned else "",
            *_figures(report.service),
            *map(_table, tables.tables(report)),
            "</body>\n</html>\n",
        ]
    )


def _figures(service: ServiceFigures | None) -> Iterator[str]:
    if service is None:
        return
    yield '<div class="plots">'
    for plot in (throughput(service), *latencies(service), memory(service)):
        if drawn := svg(plot):
            yield f"<figure><figcaption>{escape(plot.title)}</figcaption>{drawn}</figure>"
    yield "</div>"


def _table(table: tables.Table) -> str:
    head, *rows = table.rows
    return "\n".join(
        [
            f'<h2>{escape(table.title)}</h2>\n<div class="scroll"><table>\n<tr>{_cells("th", head)}</tr>',
            *(f"<tr>{_cells('td', row)}</tr>" for row in rows),
            f"</table></div>\n<p>{escape(table.note)}</p>",
        ]
    )


def _cells(tag: str, cells: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)


def throughput(service: ServiceFigures) -> Plot:
    """Jobs a second against workers, between the ideal line and the bare engines."""
    counts = [point.workers for point in service.workers]
    names = list(dict.fromkeys(peer.peer for peer in service.peers))
    return Plot(
        title="Throughput",
        x="workers",
        whole=True,
        y="jobs/s",
        series=[
            Series(name="service", points=[(point.workers, point.rate) for point in service.workers]),
            Series(
                name="bare engines, the ceiling",
                points=[(point.workers, point.ceiling_rate) for point in service.workers],
                colour=1,
            ),
            Series(name="ideal", points=[(n, service.ideal(n)) for n in (0, *counts)], dashed=True, colour=5),
            *(
                Series(
                    name=name,
                    points=[(peer.workers, peer.rate) for peer in service.peers if peer.peer == name],
                    colour=2 + number % 3,
                )
                for number, name in enumerate(names)
            ),
        ],
    )


def latencies(service: ServiceFigures) -> Iterator[Plot]:
    """Percentiles of latency against arrival rate, a plot for each number of workers."""
    for workers in dict.fromkeys(point.workers for point in service.load):
        points = [point for point in service.load if point.workers == workers]
        yield Plot(
            title=f"Latency from the intended arrival, {workers} worker{'s' * (workers > 1)}",
            x="jobs/s that arrive",
            y="seconds",
            series=[
                Series(
                    name=name,
                    points=[
                        (point.offered, value)
                        for point in points
                        if (value := getattr(point.latency, name)) is not None
                    ],
                    colour=colour,
                )
                for colour, name in enumerate(("p50", "p95", "p99"))
            ],
        )


def memory(service: ServiceFigures) -> Plot:
    """PSS of all processes together, and of the service's own, against workers; MB."""

    def total(own: bool) -> list[tuple[float, float]]:
        return [
            (
                point.workers,
                sum(m.proportional for m in point.memory if not own or m.process == SERVICE) / 1e6,
            )
            for point in service.workers
        ]

    return Plot(
        title="Memory (PSS)",
        x="workers",
        whole=True,
        y="MB",
        series=[
            Series(name="all processes", points=total(own=False)),
            Series(name="service", points=total(True), colour=1),
        ],
    )
