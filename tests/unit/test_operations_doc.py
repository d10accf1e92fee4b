"""docs/operations.md tells of every event that the program logs."""

import re
from pathlib import Path
from typing import get_args

from ocr_engine.workers.pool import PoolEvent

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs/operations.md").read_text()


def logged() -> set[str]:
    sources = [
        path.read_text()
        for room in ("app", "ocr_engine", "persistence", "config")
        for path in (ROOT / room).rglob("*.py")
    ]
    named = {event for source in sources for event in re.findall(r'event="([^"]+)"', source)}
    return named | {f"worker.{kind}" for kind in get_args(PoolEvent.__annotations__["kind"])}


def test_every_event_of_the_log_is_documented_and_no_other() -> None:
    table = OPERATIONS.split("## Logs", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"^\| `([a-z_]+\.?[a-z_]*)` \|", table, re.MULTILINE)) - {"event"} == logged()
