"""What is refused so that the rest goes well."""

import asyncio
from typing import Any

import pytest

from samples import sample

pytestmark = pytest.mark.anyio

PNG = sample("health").data


async def test_more_bytes_than_may_wait_are_refused(run: Any) -> None:
    async with run(max_waiting_bytes=len(PNG) * 2) as service:
        service.pool.hold()
        accepted = [await service.upload(PNG) for _ in range(2)]
        refused = await service.upload(PNG)
        assert [answer.status_code for answer in accepted] == [202, 202]
        assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
        assert int(refused.headers["Retry-After"]) >= 1
        service.pool.release()
        for answer in accepted:
            await service.ended(answer.json()["id"])
        assert (await service.upload(PNG)).status_code == 202


async def test_uploads_at_the_same_moment_cannot_overrun_the_bound(run: Any) -> None:
    async with run(max_waiting_bytes=len(PNG) * 3) as service:
        service.pool.hold()
        answers = await asyncio.gather(*(service.upload(PNG) for _ in range(10)))
        assert sum(answer.status_code == 202 for answer in answers) <= 3
        assert (await service.service.store.backlog()).image_bytes <= len(PNG) * 3
        service.pool.release()


async def test_little_disk_refuses_uploads_with_507_and_makes_it_unready(run: Any) -> None:
    async with run(min_free_disk_bytes=2**60) as service:
        refused = await service.upload(PNG)
        ready = await service.client.get("/health/ready")
        assert (refused.status_code, refused.json()["code"]) == (507, "storage_full")
        assert refused.headers["Retry-After"]
        assert ready.status_code == 503
        assert "disk" in ready.json()["reasons"][0]


async def test_little_memory_refuses_uploads_with_503_and_makes_it_unready(run: Any) -> None:
    async with run(min_free_memory_bytes=2**60) as service:
        refused = await service.upload(PNG)
        ready = await service.client.get("/health/ready")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert "memory" in ready.json()["reasons"][0]
        assert (await service.service.store.backlog()).jobs == 0
