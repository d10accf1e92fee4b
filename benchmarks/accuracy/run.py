"""How well images are read, by our engine and others side by side: `python -m benchmarks accuracy MANIFEST …`."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast, get_args

import msgspec
from msgspec import Struct

from benchmarks.accuracy.img2table import Img2table
from benchmarks.accuracy.manifest import Case, by_rows, digest, load_all, quick
from benchmarks.accuracy.polygons import shape
from benchmarks.accuracy.scoring import Score, figures, score
from benchmarks.accuracy.tables import SetFigures, tables
from benchmarks.accuracy.tesseract import Tesseract
from benchmarks.accuracy.truth import Cell, Line, Read
from benchmarks.engine.readers import FLOAT32, ReaderName, open_reader
from benchmarks.report.fingerprint import Machine, fingerprint
from ocr_engine.errors import OcrError
from ocr_engine.options import Backend, EngineOptions, ModelFamily, ReadingOrder

ALL = "ALL"
"""Name of the row for all sets."""
TESSERACT = "tesseract"
IMG2TABLE = "img2table"
ENGINES = (*get_args(ReaderName), TESSERACT, IMG2TABLE)

Source = Callable[[Case], Read]
"""Where the text of an image comes from: an engine, or a file that an engine wrote."""


class Outcome(Struct, frozen=True, kw_only=True):
    """One image read by one engine."""

    file: str
    set: str
    language: str
    engine: str
    seconds: float
    """From the bytes to the lines; 0 where lines were given rather than read."""
    error: str
    """What the engine raised; its lines count as none."""
    score: Score


class Report(Struct, frozen=True, kw_only=True):
    """What one run measured."""

    benchmark: str
    machine: Machine
    options: EngineOptions
    manifests: tuple[str, ...]
    digest: str
    """Of the images and their truths."""
    summary: tuple[SetFigures, ...]
    languages: tuple[SetFigures, ...]
    """By language, where there are several."""
    outcomes: tuple[Outcome, ...]


def main(argv: Sequence[str]) -> int:
    """Runs the benchmark; 0 when it could be run, 2 when it could not be started."""
    arguments = _parser().parse_args(argv)
    options = EngineOptions(
        model=arguments.model,
        backend=arguments.backend,
        threads=arguments.threads,
        reading_order=arguments.reading_order,
        min_confidence=arguments.min_confidence,
    )
    try:
        cases = [case for case in load_all(arguments.manifest) if not arguments.set or case.set in arguments.set]
        cases = [by_rows(case) if case.set in arguments.rows else case for case in cases]
        readers = _readers(arguments, options)
    except (OSError, ValueError, ImportError, OcrError) as error:
        print(f"accuracy: {error}", file=sys.stderr)
        return 2
    if not cases:
        print("accuracy: no image belongs to that set", file=sys.stderr)
        return 2
    if arguments.quick:
        cases = quick(cases)
    outcomes = run(cases, readers, lambda line: print(line, file=sys.stderr, flush=True))
    report = Report(
        benchmark="accuracy",
        machine=fingerprint(),
        options=options,
        manifests=tuple(manifest.name for manifest in arguments.manifest),
        digest=digest(cases),
        summary=tuple(summarise(outcomes)),
        languages=tuple(by_language(outcomes)),
        outcomes=tuple(outcomes),
    )
    print(tables(report.summary, report.languages))
    if arguments.json:
        arguments.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    return 0


def run(cases: Sequence[Case], readers: Sequence[tuple[str, Source]], say: Callable[[str], None]) -> list[Outcome]:
    """Every image read by every engine, one engine after the other on the same image."""
    for _, reader in readers:
        with suppress(Exception):  # untimed: some engines load their models with the first image
            reader(cases[0])
    outcomes = []
    for number, case in enumerate(cases, start=1):
        told = []
        for name, reader in readers:
            read = Read()
            error = ""
            begun = time.perf_counter()
            try:
                read = reader(case)
            except Exception as problem:  # whatever a stock engine raises is its result
                error = f"{type(problem).__name__}: {problem}"
            seconds = time.perf_counter() - begun
            result = score(case.truth, read.lines, read.tables)
            outcomes.append(
                Outcome(
                    file=case.file,
                    set=case.set,
                    language=case.language,
                    engine=name,
                    seconds=seconds,
                    error=error,
                    score=result,
                )
            )
            rate = result.edits_ci / max(1, result.characters)
            told.append(f"{name} {rate:.3f} {seconds:.2f} s {error}".rstrip())
        say(f"{number:>4}/{len(cases)} {case.file}: {' | '.join(told)}")
    return outcomes


def summarise(outcomes: Iterable[Outcome]) -> list[SetFigures]:
    """Figures of each engine on each set, and on all sets of a manifest, and of the run, where there are several."""
    outcomes = list(outcomes)
    sets = list(dict.fromkeys(outcome.set for outcome in outcomes))
    summary = []
    for engine in dict.fromkeys(outcome.engine for outcome in outcomes):
        of_engine = [outcome for outcome in outcomes if outcome.engine == engine]
        summary += [_row(name, [outcome for outcome in of_engine if outcome.set == name]) for name in sets]
        manifests = Counter(name.rpartition("/")[0] for name in sets)
        summary += [
            _row(f"{manifest}/{ALL}", [outcome for outcome in of_engine if outcome.set.startswith(f"{manifest}/")])
            for manifest, count in manifests.items()
            if manifest and count > 1
        ]
        summary += [_row(ALL, of_engine)] if len(sets) > 1 else []
    return summary


def by_language(outcomes: Iterable[Outcome]) -> list[SetFigures]:
    """Figures of each engine on each language, one language after the other; none where there is only one."""
    outcomes = list(outcomes)
    languages = sorted({outcome.language for outcome in outcomes if outcome.language})
    engines = dict.fromkeys(outcome.engine for outcome in outcomes)
    return [
        _row(language, [each for each in outcomes if (each.language, each.engine) == (language, engine)])
        for language in (languages if len(languages) > 1 else ())
        for engine in engines
    ]


def _row(name: str, outcomes: Sequence[Outcome]) -> SetFigures:
    return SetFigures(
        engine=outcomes[0].engine,
        set=name,
        errors=sum(bool(outcome.error) for outcome in outcomes),
        seconds=sum(outcome.seconds for outcome in outcomes),
        figures=figures([outcome.score for outcome in outcomes]),
    )


def _readers(arguments: argparse.Namespace, options: EngineOptions) -> list[tuple[str, Source]]:
    if arguments.predictions:
        given = _predictions(arguments.predictions)
        return [(arguments.predictions.name, lambda case: given.get(case.file, Read()))]
    names: Sequence[str] = arguments.engine or [name for name in ENGINES if name != FLOAT32]
    readers: list[tuple[str, Source]] = []
    for name in names:
        try:
            readers.append((name, _source(name, options)))
        except ImportError as error:
            if arguments.engine:
                raise ImportError(f"{name} cannot be run ({error}); see docs/accuracy.md") from error
            print(f"accuracy: without {name}, which is not installed ({error})", file=sys.stderr)
    return readers


def _source(name: str, options: EngineOptions) -> Source:
    if name == TESSERACT:
        tesseract = Tesseract(options.threads)
        return lambda case: tesseract.read(case.path.read_bytes(), case.language)
    if name == IMG2TABLE:
        img2table = Img2table(options)
        return lambda case: img2table.read(case.path.read_bytes())
    reader = open_reader(cast(ReaderName, name), options)
    return lambda case: reader(case.path.read_bytes())


class _Prediction(Struct, frozen=True):
    """A line of a file of predictions, as it is written."""

    file: str
    lines: list[dict[str, Any]] = msgspec.field(default_factory=list)
    tables: list[tuple[Cell, ...]] = msgspec.field(default_factory=list)


def _predictions(path: Path) -> dict[str, Read]:
    """What was read in each image by whatever wrote the file. Raises OSError and ValueError."""
    decoder = msgspec.json.Decoder(_Prediction)
    predictions = [decoder.decode(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return {prediction.file: Read(_lines(prediction), tuple(prediction.tables)) for prediction in predictions}


def _lines(prediction: _Prediction) -> tuple[Line, ...]:
    return tuple(
        Line(line.get("text") or "", shape(line["box"]) if line.get("box") else None) for line in prediction.lines
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__)
    parser.add_argument(
        "manifest",
        type=Path,
        nargs="+",
        help="JSON-lines manifest, a folder of such, or a folder of images with NAME.txt beside",
    )
    parser.add_argument("--quick", action="store_true", help="the first few images of each set only")
    parser.add_argument("--set", action="append", metavar="NAME", help="only this set; may be given several times")
    parser.add_argument(
        "--rows", action="append", default=[], metavar="NAME", help="this set's truth is ordered by rows; repeatable"
    )
    parser.add_argument(
        "--engine",
        action="append",
        choices=ENGINES,
        help="only this one; may be given several times; without it ours and every other one that is installed",
    )
    parser.add_argument("--predictions", type=Path, metavar="FILE", help="score these lines rather than read")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report here as well")
    defaults = EngineOptions()
    parser.add_argument("--model", choices=get_args(ModelFamily), default=defaults.model)
    parser.add_argument("--backend", choices=get_args(Backend), default=defaults.backend)
    parser.add_argument("--reading-order", choices=get_args(ReadingOrder), default=defaults.reading_order)
    parser.add_argument("--threads", type=int, default=defaults.threads, metavar="N")
    parser.add_argument("--min-confidence", type=float, default=defaults.min_confidence, metavar="SHARE")
    return parser
