"""`python -m tests.chaos --minutes 10`: chaos for as long as wanted; exit code 1 where the account has a fault.

`python -m tests.chaos --cluster --minutes 10`: the same for two API nodes, two worker nodes and their PostgreSQL.

`python -m tests.chaos --soak --minutes 30`: the same service in peace, its memory and latency told in parts.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

import msgspec

from tests.chaos.cluster import ClusterReport, run_cluster
from tests.chaos.run import Report, run
from tests.chaos.soak import soak


def main() -> int:
    """Prints the report as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description="Random kills under load, and the account."
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--cluster", action="store_true", help="two API and two worker nodes on a PostgreSQL")
    parser.add_argument("--real", action="store_true", help="OCR in the nodes of the cluster, not a scripted engine")
    parser.add_argument("--soak", action="store_true", help="no faults: a long run under steady load")
    parser.add_argument("--workers", type=int, default=1, help="of the soak")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
        if options.soak:
            parts = soak(Path(directory), minutes=options.minutes, workers=options.workers, clients=options.clients)
            print(*(msgspec.json.encode(part).decode() for part in parts), sep="\n")
            return any(part.wrong for part in parts)
        report: Report | ClusterReport
        if options.cluster:
            report = run_cluster(
                Path(directory),
                seed=options.seed,
                seconds=options.minutes * 60,
                clients=options.clients,
                real=options.real,
            )
        else:
            report = run(Path(directory), seed=options.seed, seconds=options.minutes * 60, clients=options.clients)
    print(msgspec.json.format(msgspec.json.encode(report)).decode())
    return bool(report.faults)


if __name__ == "__main__":
    sys.exit(main())
