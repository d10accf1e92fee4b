"""`python -m benchmarks`: one word a benchmark; without any, a guided quick run."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

COMMANDS = {
    "engine": ("engine.speed", "how fast images are read, ours and the stock engines side by side"),
    "accuracy": ("accuracy.run", "how well images are read"),
    "draw": ("drawn.run", "draws pages of known words, rows and tables for it"),
    "pool": ("service.pool", "what a pool of processes adds, and how fast it mends itself"),
    "start": ("service.start", "what a start costs, its seconds, CPU time and memory"),
    "cost": ("service.cost", "CPU time that a job costs the service itself, on either store"),
    "store": ("service.store", "how fast and how durably jobs are stored"),
    "service": ("service.throughput", "the whole service under load, between its own cost and what the CPUs can give"),
    "cluster": ("cluster.scaling", "several nodes on one PostgreSQL"),
    "documents": ("documents.run", "scanned PDFs: pages a second, memory over a long file, others beside it"),
    "peaks": ("engine.nasty", "a worker's memory over files that are accepted and take the most of it"),
    "all": ("everything", "all that fit into one report: the service, pool, store, engine, accuracy"),
    "simulate": ("queueing.simulate", "what more workers or machines would carry"),
    "compare": ("report.compare", "two reports side by side"),
}
"""By name: the module whose `main` it is, and what it measures."""
RESULTS = Path("benchmarks/results")
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main(argv: Sequence[str]) -> int:
    """Runs one benchmark; its exit code."""
    command, *rest = argv or [""]
    try:
        if command in COMMANDS:
            module, _ = COMMANDS[command]
            return int(import_module(f"benchmarks.{module}").main(rest))
        if not command:
            return guided()
    except ModuleNotFoundError as error:
        print(f"{command}: {error.name} is missing; `uv run python -m benchmarks` brings it along", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; everything that was started is ended", file=sys.stderr)
        return INTERRUPTED
    width = max(map(len, COMMANDS))
    print("python -m benchmarks [COMMAND [--help] …]\n\nWithout a command: a guided quick run.\n")
    print("\n".join(f"  {name:<{width}}  {meaning}" for name, (_, meaning) in COMMANDS.items()))
    return 0 if command in ("-h", "--help") else 2


def guided() -> int:
    """A look at everything within some minutes, with the report as a page."""
    from benchmarks import everything

    print(
        "A quick look at this machine: the service with 1, 2, … workers between its own cost and what the CPUs can\n"
        "give, then its pool and its store. A few minutes; Ctrl-C ends it. For figures to quote: leave the machine\n"
        "alone and run `python -m benchmarks service`.\n",
        file=sys.stderr,
    )
    files = ["--json", str(RESULTS / "quick.json"), "--html", str(RESULTS / "quick.html")]
    return everything.main(["--quick", "--no-peers", *files])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
