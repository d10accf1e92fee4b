"""Every test that docs/promises.md names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs/promises.md").read_text())))


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_a_promise_names_a_test_that_exists(file: str, test: str) -> None:
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_there_are_promises() -> None:
    assert len(NAMED) > 30
