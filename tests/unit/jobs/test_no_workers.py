"""An API node starts a process for pictures and PDFs when it is asked for one, and not before."""

from pathlib import Path

import pytest

from app.cluster.no_workers import NoWorkers
from ocr_engine.errors import PoolUnavailable
from ocr_engine.options import ReadOptions
from tests.scripted_pool import ScriptedPool

pytestmark = pytest.mark.anyio


class Counted(ScriptedPool):
    """Fails to start as often as it is told to."""

    failing_starts = 0

    async def start(self) -> None:
        if Counted.failing_starts:
            Counted.failing_starts -= 1
            raise PoolUnavailable("no room for it")


class Made(list[Counted]):
    """All that were, oldest first."""

    def another(self) -> Counted:
        self.append(Counted())
        return self[-1]


async def drawn(pool: NoWorkers) -> bytes:
    return await pool.render_page(Path("scan.png"), 1, ReadOptions(), 30)


async def test_one_pool_is_made_for_all_who_ask_and_closed_at_the_end() -> None:
    made = Made()
    pool = NoWorkers(made.another)
    await pool.start()
    pool.forget(Path("scan.png"))
    with pytest.raises(PoolUnavailable):
        await pool.recognise(b"")
    assert (made, pool.workers()) == ([], [])
    assert [await drawn(pool), await drawn(pool)] == [b"page 1 at 30"] * 2
    pool.forget(Path("scan.png"))
    await pool.close()
    await pool.close()
    assert [(each.forgotten, each.closed) for each in made] == [([Path("scan.png")], True)]


async def test_after_a_failed_start_or_a_given_up_process_the_next_one_who_asks_has_another_made() -> None:
    made = Made()
    Counted.failing_starts = 1
    pool = NoWorkers(made.another)
    with pytest.raises(PoolUnavailable, match="no room for it"):
        await drawn(pool)
    assert await drawn(pool) == b"page 1 at 30"
    made[-1].failed.set()
    assert await drawn(pool) == b"page 1 at 30"
    assert [each.closed for each in made] == [True, True, False]
