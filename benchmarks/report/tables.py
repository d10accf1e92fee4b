"""A report as tables: what the terminal and the page show alike."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from benchmarks.report.measures import (
    SERVICE,
    ClusterFigures,
    ClusterPoint,
    LoadPoint,
    PoolFigures,
    Report,
    ServiceFigures,
    Split,
    StoreFigures,
    WorkersPoint,
)

BUSY = 0.3
"""Load average before a run above which its figures are not to be quoted."""


class Table(Struct, frozen=True):
    """Rows of equal length, the first one the heading; the first column says what a row is."""

    title: str
    rows: Sequence[Sequence[str]]
    note: str = ""


def heading(report: Report) -> str:
    """The machine and the moment."""
    machine = report.machine
    return (
        f"{machine.cpu}, {machine.cores_usable} CPUs usable, {machine.memory / 1e9:.0f} GB; Python {machine.python}; "
        f"{report.taken_at}{'; quick run' if report.quick else ''}"
    )


def warning(report: Report) -> str:
    """Why the figures should not be quoted; empty where nothing speaks against it."""
    if report.load_before > BUSY:
        return f"The machine was busy before the run (load {report.load_before:.1f}): these are no figures to quote."
    return ""


def tables(report: Report) -> list[Table]:
    """Everything that was measured."""
    return [
        *(_service(report.service) if report.service else ()),
        *(_pool(report.pool) if report.pool else ()),
        *(_store(report.store) if report.store else ()),
        *(_cluster(report.cluster) if report.cluster else ()),
    ]


def milliseconds(seconds: float | None) -> str:
    """`12.3`, or `-` where there is none."""
    return "-" if seconds is None else f"{seconds * 1000:.1f}"


def _service(figures: ServiceFigures) -> Iterator[Table]:
    yield Table(
        "Service, closed loop",
        [
            (
                "",
                "jobs/s",
                "ideal",
                "of ideal",
                "of ceiling",
                "(each pair)",
                "service ms",
                "worker ms",
                "client ms",
                "accept p50",
                "p95",
            ),
            _floor_row(figures),
            *(_workers_row(figures, point) for point in figures.workers),
            *(
                (f"{point.workers} bare engine{'s' * (point.workers > 1)}", f"{point.ceiling_rate:.2f}", *[""] * 9)
                for point in figures.workers
            ),
            *((f"{peer.peer}, {peer.workers}", f"{peer.rate:.2f}", *[""] * 9) for peer in figures.peers),
        ],
        "Floor, the service alone; the service with real OCR; ceiling, what the CPUs can give; other programs. "
        "CPU and latency in ms of one job.",
    )
    yield Table(
        "Recognition in ms, memory in MB",
        [
            ("", "recognition p50", "p95", "p99", "service PSS", "worker PSS", "worker RSS", "at most", "start s"),
            *map(_memory_row, figures.workers),
        ],
    )
    if figures.load:
        knee = figures.knee()
        yield Table(
            "Service, open loop",
            [
                (
                    "",
                    "offered/s",
                    "done/s",
                    "jobs",
                    "failed",
                    "accept p95",
                    "wait p50",
                    "wait p95",
                    "latency p50",
                    "p95",
                    "p99",
                ),
                *map(_load_row, figures.load),
            ],
            "Latency in ms from the intended arrival to the result stored."
            + (f" Knee with {_workers(knee.workers)}: {knee.offered:.2f} jobs/s." if knee else ""),
        )


def _workers(count: int) -> str:
    return f"{count} worker{'s' * (count > 1)}"


def _floor_row(figures: ServiceFigures) -> Sequence[str]:
    floor = figures.floor
    return (
        "service, free engine",
        f"{floor.rate:.0f}",
        *[""] * 4,
        milliseconds(floor.cpu_per_job),
        "",
        "",
        milliseconds(floor.accept.p50),
        milliseconds(floor.accept.p95),
    )


def _workers_row(figures: ServiceFigures, point: WorkersPoint) -> Sequence[str]:
    jobs = len(point.service_times)
    return (
        f"service, {_workers(point.workers)}",
        f"{point.rate:.2f}",
        f"{figures.ideal(point.workers):.2f}",
        f"{point.rate / figures.ideal(point.workers):.1%}",
        f"{point.share_of_ceiling:.1%}",
        f"{point.worst_pair:.1%}–{point.best_pair:.1%}",
        milliseconds(point.cpu.service / jobs),
        milliseconds(point.cpu.workers / jobs),
        milliseconds(point.cpu.client / jobs),
        milliseconds(point.accept.p50),
        milliseconds(point.accept.p95),
    )


def _memory_row(point: WorkersPoint) -> Sequence[str]:
    service = next(memory for memory in point.memory if memory.process == SERVICE)
    workers = [memory for memory in point.memory if memory.process != SERVICE]
    return (
        _workers(point.workers),
        *map(milliseconds, (point.recognition.p50, point.recognition.p95, point.recognition.p99)),
        f"{service.proportional / 1e6:.0f}",
        f"{point.worker_memory / 1e6:.0f}",
        f"{sum(memory.resident for memory in workers) / max(1, len(workers)) / 1e6:.0f}",
        f"{max((memory.peak_resident for memory in workers), default=0) / 1e6:.0f}",
        f"{point.start_seconds:.1f}",
    )


def _load_row(point: LoadPoint) -> Sequence[str]:
    return (
        _workers(point.workers),
        f"{point.offered:.2f}",
        f"{point.completed:.2f}",
        str(point.jobs),
        str(point.errors),
        *map(
            milliseconds,
            (
                point.accept.p95,
                point.wait.p50,
                point.wait.p95,
                point.latency.p50,
                point.latency.p95,
                point.latency.p99,
            ),
        ),
    )


def _pool(figures: PoolFigures) -> Iterator[Table]:
    yield Table(
        "Pool, ms",
        [
            ("", "times", "mean", "p50", "p95"),
            *(
                (name, str(found.count), milliseconds(found.mean), milliseconds(found.p50), milliseconds(found.p95))
                for name, found in (
                    ("start of a process, warm", figures.start),
                    ("idle process killed, successor warm", figures.replacement),
                    ("process killed at work, next image read", figures.recovery),
                    *(
                        row
                        for trip in figures.round_trips
                        for row in (
                            (f"round trip of {trip.image} ({trip.bytes / 1e3:.0f} kB)", trip.total),
                            ("  of that not recognition", trip.overhead),
                        )
                    ),
                )
            ),
        ],
        f"{figures.workers} processes started side by side: {figures.start_all:.1f} s.",
    )


def _store(figures: StoreFigures) -> Iterator[Table]:
    yield Table(
        "Store, ms",
        [
            (
                "",
                "image",
                "at once",
                "jobs",
                "transitions/s",
                "MB/s",
                "add p50",
                "p95",
                "claim p50",
                "complete p50",
                "log MB",
            ),
            *(
                (
                    point.store,
                    f"{point.image_bytes / 1e6:g} MB",
                    str(point.writers),
                    str(point.jobs),
                    f"{point.transitions_per_second:.0f}",
                    f"{point.megabytes_per_second:.1f}",
                    *map(milliseconds, (point.add.p50, point.add.p95, point.claim.p50, point.complete.p50)),
                    "-" if point.wal_peak is None else f"{point.wal_peak / 1e6:.1f}",
                )
                for point in figures.points
            ),
        ],
        f"One sync of 4 kB on that disk: {milliseconds(figures.sync_seconds)} ms. "
        "Log: the write-ahead log at its largest.",
    )


def _cluster(figures: ClusterFigures) -> Iterator[Table]:
    if figures.points:
        yield Table(
            "PostgreSQL, nodes that read nothing",
            [
                (
                    "",
                    "image",
                    "jobs",
                    "uploads/s",
                    "jobs/s",
                    "MB/s",
                    "database ms",
                    "a core: jobs/s",
                    "log kB",
                    "kept kB",
                ),
                *map(_cluster_row, figures.points),
            ],
            f"Uploads first, then nodes that handle {figures.workers} jobs each at a time. Of one job: CPU time of "
            "PostgreSQL, its write-ahead log, and what stays in its files. A core: jobs that fill one with PostgreSQL.",
        )
    if figures.splits:
        yield Table(
            "Nodes x workers, real OCR",
            [
                ("", "jobs/s", "of perfect", "recognition p50", "arrive/s", "jobs", "p50", "model", "p95", "model"),
                *map(_split_row, figures.splits),
            ],
            "Rounds in turns on the same images; perfect: what the recognition times alone allow. Latency in s of an "
            "open loop, and between what the queueing model puts nine of ten runs.",
        )


def _cluster_row(point: ClusterPoint) -> Sequence[str]:
    return (
        f"{point.nodes} node{'s' * (point.nodes > 1)}",
        f"{point.image_bytes / 1e6:g} MB",
        str(point.jobs),
        f"{point.uploads_per_second:.0f}",
        f"{point.jobs_per_second:.0f}",
        f"{point.jobs_per_second * point.image_bytes / 1e6:.1f}",
        milliseconds(point.database_cpu),
        "-" if point.limit is None else f"{point.limit:.0f}",
        f"{point.log_bytes / 1e3:.0f}",
        f"{point.kept_bytes / 1e3:.0f}",
    )


def _split_row(split: Split) -> Sequence[str]:
    latency = split.load.latency
    return (
        f"{split.nodes} x {split.workers}",
        f"{split.rate:.2f}",
        f"{split.rate / split.perfect_rate:.1%}",
        milliseconds(split.recognition.p50),
        f"{split.load.offered:.2f}",
        str(split.load.jobs),
        *_latency(latency.p50, split.predicted_p50),
        *_latency(latency.p95, split.predicted_p95),
    )


def _latency(measured: float | None, predicted: tuple[float, float] | None) -> tuple[str, str]:
    if measured is None or predicted is None:
        return "-", "-"
    return f"{measured:.2f}", f"{predicted[0]:.2f} to {predicted[1]:.2f}"
