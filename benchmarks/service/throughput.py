"""The whole service under load, between what it costs itself and what the CPUs can give:
`python -m benchmarks service`.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks import command
from benchmarks.peers import programs
from benchmarks.report.measures import Report, ServiceFigures
from benchmarks.report.progress import Progress
from benchmarks.service.rounds import FULL, QUICK, floor, with_workers
from benchmarks.service.server_process import FAKE, REAL
from config.machine import usable_cpus


def main(argv: Sequence[str]) -> int:
    """Runs the benchmark; 0 when all jobs were done, 1 when some failed, 2 when it could not be run."""
    return command.run_and_report("service", parser("service", __doc__).parse_args(argv), measure)


async def measure(arguments: argparse.Namespace, progress: Progress) -> Report:
    """Everything, one worker count after the other. Raises as command.FAILURES."""
    report = command.new_report(arguments)
    images = command.images(arguments.images)
    # an order of its own, so that similar images do not stand together; the same in every run
    random.Random(1).shuffle(images)
    plan = QUICK if arguments.quick else FULL
    points, load = [], []
    for workers in arguments.workers:
        point, rates = await with_workers(
            workers,
            images,
            plan,
            server=FAKE if arguments.fake_engine else REAL,
            arrivals=arguments.arrivals,
            rates=arguments.rates,
            progress=progress,
        )
        points.append(point)
        load += rates
    figures = ServiceFigures(
        images=tuple(path.name for path in images),
        workers=tuple(points),
        load=tuple(load),
        floor=await floor(images, plan, progress),
        peers=tuple(
            []
            if arguments.no_peers
            else await programs.measure(images[: plan.peer_images], arguments.workers, arguments.peer_python, progress)
        ),
    )
    return msgspec.structs.replace(report, service=figures)


def default_workers() -> list[int]:
    """1, 2, 4, … as far as the CPUs that may be used."""
    cpus = usable_cpus()
    return [count for count in (1, 2, 4, 8, 16, 32, 64, 128) if count < cpus] + [cpus]


def parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Of this benchmark, or of one that contains it."""
    made = command.parser(name, description)
    made.add_argument(
        "--workers",
        type=command.numbers,
        default=default_workers(),
        metavar="N,N",
        help="worker counts, ascending; without it 1, 2, 4, … and the CPUs that may be used",
    )
    made.add_argument("--images", type=Path, metavar="DIR", help="folder of images; without it our samples")
    made.add_argument("--arrivals", choices=("poisson", "uniform"), default="poisson", help="of the open loop")
    made.add_argument(
        "--rates",
        type=command.fractions,
        metavar="SHARE,SHARE",
        help="arrival rates of the open loop, as shares of the throughput measured before; 0: no open loop",
    )
    made.add_argument("--no-peers", action="store_true", help="leave out other programs")
    made.add_argument("--peer-python", type=Path, metavar="PATH", help="a Python in which peers are installed")
    made.add_argument("--database-url", metavar="URL", help=argparse.SUPPRESS)
    made.add_argument("--fake-engine", action="store_true", help=argparse.SUPPRESS)
    return made
