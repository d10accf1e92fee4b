"""`python -m tests.chaos --minutes 10`: chaos for as long as wanted; exit code 1 where the account has a fault."""

import argparse
import random
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.chaos.run import run


def main() -> int:
    """Prints the report as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Random kills under load.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        report = run(Path(directory), seed=options.seed, seconds=options.minutes * 60, clients=options.clients)
    print(msgspec.json.format(msgspec.json.encode(report)).decode())
    return bool(report.faults)


if __name__ == "__main__":
    sys.exit(main())
