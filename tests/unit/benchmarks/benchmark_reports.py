"""Reports of benchmarks that nobody ran."""

from collections.abc import Sequence

from benchmarks.report.fingerprint import Machine, Package
from benchmarks.report.measures import (
    ClusterFigures,
    ClusterPoint,
    CpuSeconds,
    Floor,
    LoadPoint,
    Memory,
    Pair,
    PeerPoint,
    Percentiles,
    PoolFigures,
    Report,
    RoundTrip,
    ServiceFigures,
    Split,
    StoreFigures,
    StorePoint,
    WorkersPoint,
)


def spread(mean: float) -> Percentiles:
    return Percentiles(count=100, mean=mean, p50=mean, p95=2 * mean, p99=None)


def workers_point(
    workers: int,
    *,
    rate: float,
    ceiling_rate: float | None = None,
    pairs: Sequence[Pair] = (Pair(service=10.0, ceiling=9.8),),
    times: Sequence[float] = (0.4, 0.5, 0.6),
) -> WorkersPoint:
    def memory(process: str) -> Memory:
        return Memory(
            process=process,
            resident=400_000_000,
            proportional=350_000_000,
            unique=300_000_000,
            peak_resident=500_000_000,
        )

    return WorkersPoint(
        workers=workers,
        clients=3 * workers,
        jobs=20,
        pairs=tuple(pairs),
        rate=rate,
        ceiling_rate=ceiling_rate or rate * 1.02,
        start_seconds=3.0,
        accept=spread(0.01),
        wait=spread(0.5),
        recognition=spread(0.5),
        cpu=CpuSeconds(service=0.2, workers=10.0, client=0.05),
        memory=(memory("service"), *(memory(f"worker-{n}") for n in range(1, workers + 1))),
        service_times=tuple(times),
        errors=0,
    )


def load_point(workers: int, offered: float, *, mean: float, jobs: int = 100) -> LoadPoint:
    return LoadPoint(
        workers=workers,
        arrivals="poisson",
        offered=offered,
        completed=offered,
        jobs=jobs,
        errors=0,
        accept=spread(0.01),
        wait=spread(mean / 2),
        recognition=spread(0.5),
        latency=spread(mean),
    )


def service_figures(*points: WorkersPoint, load: Sequence[LoadPoint] = ()) -> ServiceFigures:
    return ServiceFigures(
        images=("a.png",),
        workers=points,
        load=tuple(load),
        floor=Floor(jobs=100, rate=200.0, cpu_per_job=0.004, accept=spread(0.005)),
        peers=(PeerPoint(peer="a <peer> & co", workers=1, images=3, rate=1.0, resident=1_000_000, errors=0),),
    )


def full_report(service: ServiceFigures | None = None) -> Report:
    return Report(
        machine=Machine(
            cpu="A <CPU> & more",
            cores_usable=2,
            memory=8_000_000_000,
            system="Linux",
            python="3.11.7",
            packages=(Package("numpy", "2.4"),),
        ),
        taken_at="2026-11-23T12:00:00+00:00",
        quick=True,
        load_before=2.0,
        service=service
        or service_figures(
            workers_point(1, rate=2.0),
            workers_point(2, rate=3.9),
            load=(load_point(2, 2.0, mean=0.6), load_point(2, 3.0, mean=0.9)),
        ),
        pool=PoolFigures(
            start=spread(2.0),
            start_all=3.0,
            workers=2,
            replacement=spread(2.0),
            recovery=spread(2.5),
            round_trips=(RoundTrip(image="tiny.png", bytes=1000, total=spread(0.1), overhead=spread(0.001)),),
        ),
        store=StoreFigures(
            sync_seconds=0.001,
            points=(
                StorePoint(
                    store="sqlite",
                    image_bytes=100_000,
                    writers=1,
                    jobs=10,
                    transitions_per_second=300.0,
                    megabytes_per_second=10.0,
                    add=spread(0.002),
                    claim=spread(0.001),
                    complete=spread(0.001),
                    wal_peak=4_000_000,
                ),
            ),
        ),
        cluster=ClusterFigures(
            workers=4,
            points=(
                ClusterPoint(
                    nodes=2,
                    image_bytes=100_000,
                    jobs=800,
                    uploads_per_second=400.0,
                    jobs_per_second=200.0,
                    database_cpu=0.004,
                    log_bytes=120_000.0,
                    kept_bytes=110_000.0,
                ),
            ),
            splits=(
                Split(
                    nodes=1,
                    workers=2,
                    seconds=(10.0,),
                    rate=3.8,
                    perfect_rate=4.0,
                    recognition=spread(0.5),
                    load=load_point(2, 3.0, mean=0.9),
                    predicted_p50=(0.5, 0.8),
                    predicted_p95=None,
                    errors=0,
                ),
            ),
        ),
    )
