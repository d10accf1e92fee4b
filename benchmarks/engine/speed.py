"""How fast images are read, ours and the stock engines side by side: `python -m benchmarks engine`.

Every engine has a process of its own, so that memory is its own and no allocator warms up for another. They take
turns image by image, so that what disturbs the machine disturbs all alike: the ratios hold where the seconds do not.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import Struct

from benchmarks.accuracy.manifest import IMAGES
from benchmarks.engine import memory, pages
from benchmarks.engine.memory import Memory
from benchmarks.engine.process import Answer, EngineProcess, Failed
from benchmarks.engine.readers import FLOAT32, STOCK, ReaderName
from benchmarks.engine.roofline import Efficiency, measure
from benchmarks.report.fingerprint import Machine, fingerprint
from benchmarks.report.progress import Progress
from ocr_engine.options import Backend, EngineOptions, ModelFamily
from ocr_engine.result import OcrTimings

SAMPLES = Path(__file__).parents[2] / "samples"
QUICK_STEP = 4
"""A quick look takes every fourth image."""


class Speed(Struct, frozen=True, kw_only=True):
    """One engine over all images."""

    engine: str
    images: int
    errors: int
    seconds: float
    """From the bytes to the lines, summed."""
    first_seconds: float
    """The first image in a fresh process, and then the same image again: how cold a start is."""
    again_seconds: float
    peak_memory: int
    """Bytes resident at most."""
    stages: OcrTimings | None
    """Seconds by stage, summed; ours only."""

    @property
    def images_per_second(self) -> float:
        """Throughput of the one process."""
        return self.images / self.seconds if self.seconds else 0.0


class Report(Struct, frozen=True, kw_only=True):
    """What one run measured."""

    benchmark: str
    machine: Machine
    options: EngineOptions
    images: tuple[str, ...]
    engines: tuple[Speed, ...]
    efficiency: tuple[Efficiency, ...]
    memory: Memory | None
    """Where `--memory` asked for it."""


Start = Callable[[ReaderName, EngineOptions], EngineProcess]
"""A process with the engine of that name. Raises Failed."""


def main(argv: Sequence[str], start: Start = EngineProcess, photo_size: tuple[int, int] = memory.PHOTO) -> int:
    """Runs the benchmark; 0 when it could be run, 2 when it could not be started."""
    if "--pages" in argv:
        return pages.main([each for each in argv if each != "--pages"])
    arguments = _parser().parse_args(argv)
    options = EngineOptions(model=arguments.model, backend=arguments.backend, threads=arguments.threads)
    images = sorted(path for path in arguments.images.rglob("*") if path.suffix.lower() in IMAGES)
    images = images[:: QUICK_STEP if arguments.quick else 1]
    if not images:
        print(f"engine: no images in {arguments.images}", file=sys.stderr)
        return 2
    # inherited by the engines' processes; numpy's own threads here would disturb them
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(arguments.threads))
    try:
        engines = _started(_chosen(arguments), options, start)
        speeds = run(images, engines, lambda line: print(line, file=sys.stderr, flush=True))
        footprint = (
            memory.measure(start("ours", options), images, arguments.memory, Progress(), photo_size)
            if arguments.memory
            else None
        )
    except Failed as error:
        print(f"engine: {error}", file=sys.stderr)
        return 2
    efficiency = () if arguments.no_efficiency else measure(options)
    report = Report(
        benchmark="engine",
        machine=fingerprint(),
        options=options,
        images=tuple(str(path.relative_to(arguments.images)) for path in images),
        engines=speeds,
        efficiency=efficiency,
        memory=footprint,
    )
    print(table(speeds, efficiency))
    if footprint:
        print(footprint)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return 0


def run(images: Sequence[Path], engines: Sequence[EngineProcess], say: Callable[[str], None]) -> tuple[Speed, ...]:
    """Every image read by every engine in turn. Raises Failed when an engine's process dies."""
    try:
        cold = [(engine.read(images[0]), engine.read(images[0])) for engine in engines]
        answers: list[list[Answer]] = [[] for _ in engines]
        for number, path in enumerate(images, start=1):
            for engine, told in zip(engines, answers, strict=True):
                told.append(engine.read(path))
            seconds = " | ".join(
                f"{engine.name} {told[-1].seconds:.2f} s {told[-1].error}".rstrip()
                for engine, told in zip(engines, answers, strict=True)
            )
            say(f"{number:>4}/{len(images)} {path.name}: {seconds}")
    finally:
        for engine in engines:
            engine.close()
    return tuple(
        Speed(
            engine=engine.name,
            images=len(told),
            errors=sum(bool(answer.error) for answer in told),
            seconds=sum(answer.seconds for answer in told),
            first_seconds=first.seconds,
            again_seconds=again.seconds,
            peak_memory=told[-1].peak_memory,
            stages=_summed([answer.stages for answer in told if answer.stages]),
        )
        for engine, told, (first, again) in zip(engines, answers, cold, strict=True)
    )


def table(speeds: Sequence[Speed], efficiency: Sequence[Efficiency]) -> str:
    """The report for people."""
    ours = speeds[0]
    lines = [f"{'engine':<22}{'images':>7}{'errors':>7}{'s':>9}{'images/s':>10}{'ours is':>9}{'cold':>7}{'peak MB':>9}"]
    lines += [
        f"{speed.engine:<22}{speed.images:>7}{speed.errors:>7}{speed.seconds:>9.1f}{speed.images_per_second:>10.2f}"
        f"{f'{speed.seconds / ours.seconds:.2f} x':>9}{f'{speed.first_seconds / speed.again_seconds:.2f} x':>7}"
        f"{speed.peak_memory / 1e6:>9.0f}"
        for speed in speeds
    ]
    if ours.stages:
        shares = msgspec.structs.asdict(ours.stages)
        total = shares.pop("total")
        lines.append("stages: " + ", ".join(f"{stage} {s:.1f} s ({s / total:.0%})" for stage, s in shares.items()))
    lines += [str(session) for session in efficiency]
    return "\n".join(lines)


def _summed(stages: Sequence[OcrTimings]) -> OcrTimings | None:
    if not stages:
        return None
    fields = OcrTimings.__struct_fields__
    return OcrTimings(**{field: sum(getattr(stage, field) for stage in stages) for field in fields})


def _started(names: Sequence[ReaderName], options: EngineOptions, start: Start) -> list[EngineProcess]:
    """Ours and those stock engines that are installed. Raises Failed when ours cannot start."""
    engines = [start(names[0], options)]
    for name in names[1:]:
        try:
            engines.append(start(name, options))
        except Failed as error:
            print(f"engine: left out: {error}", file=sys.stderr)
    return engines


def _chosen(arguments: argparse.Namespace) -> list[ReaderName]:
    """Ours first, then the stock engines that were asked for, or else all that are installed."""
    others = (FLOAT32, *STOCK)
    stock: Sequence[ReaderName] = [name for name in others if name in arguments.against] if arguments.against else STOCK
    return ["ours"] if arguments.alone else ["ours", *stock]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks engine", description=__doc__)
    parser.add_argument("--images", type=Path, default=SAMPLES, metavar="DIR", help="folder of images; our samples")
    parser.add_argument("--quick", action="store_true", help="every fourth image only")
    parser.add_argument("--against", action="append", choices=(FLOAT32, *STOCK), help="only this engine; repeatable")
    parser.add_argument(
        "--pages", action="store_true", help="pages a second and core; `--pages --help` has its options"
    )
    parser.add_argument("--alone", action="store_true", help="our engine only")
    parser.add_argument("--no-efficiency", action="store_true", help="leave out the sessions' efficiency")
    parser.add_argument(
        "--memory",
        type=int,
        default=0,
        metavar="N",
        help="N images by one fresh process, then a photo of 24 megapixels",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here as well")
    defaults = EngineOptions()
    parser.add_argument("--model", choices=get_args(ModelFamily), default=defaults.model)
    parser.add_argument("--backend", choices=get_args(Backend), default=defaults.backend)
    parser.add_argument("--threads", type=int, default=defaults.threads, metavar="N")
    return parser
