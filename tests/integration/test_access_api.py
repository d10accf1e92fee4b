"""Who may do what, and how much of it."""

from pathlib import Path
from typing import Any

import pytest

from app.http.access.key_file import hash_key
from ocr_engine.errors import EngineError, InvalidImage
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

PNG = sample("health").data
ANN, BOB = {"X-API-Key": "key-of-ann"}, {"Authorization": "Bearer key-of-bob"}


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.txt"
    path.write_text(f"ann:{hash_key('key-of-ann')}\nbob:{hash_key('key-of-bob')}\n")
    return str(path)


@pytest.fixture
def keys_and_root(keys: str) -> str:
    with open(keys, "a") as file:
        file.write(f"root:{hash_key('key-of-root')} scope=admin\n")
    return keys


async def test_without_a_key_nothing_is_taken_or_shown(run: Any, keys: str) -> None:
    async with run(api_keys_file=keys) as service:
        for answer in (
            await service.upload(PNG),
            await service.upload(PNG, **{"X-API-Key": "wrong"}),
            await service.client.get("/images/" + "0" * 36),
            await service.client.get("/dead-letters"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("key", [ANN, BOB])
async def test_a_key_opens_in_either_header(run: Any, keys: str, key: dict[str, str]) -> None:
    async with run(api_keys_file=keys) as service:
        assert (await service.upload(PNG, **key)).status_code == 202


async def test_a_foreign_job_is_as_unknown_as_none(run: Any, keys: str) -> None:
    async with run(api_keys_file=keys) as service:
        job_id = (await service.upload(PNG, **ANN)).json()["id"]
        own = await service.client.get(f"/images/{job_id}", headers=ANN)
        foreign = await service.client.get(f"/images/{job_id}", headers=BOB)
        none = await service.client.get("/images/00000000-0000-0000-0000-000000000000", headers=BOB)
        assert own.status_code in (200, 202)
        assert foreign.status_code == none.status_code == 404
        for answer in (foreign, none):
            assert answer.json()["detail"] == "there is no such job"


async def test_foreign_dead_letters_can_be_neither_seen_nor_touched(run: Any, keys: str) -> None:
    async with run(ScriptedPool(default=EngineError("odd")), api_keys_file=keys, max_attempts=1) as service:
        job_id = (await service.upload(PNG, **ANN)).json()["id"]
        while (await service.client.get(f"/images/{job_id}", headers=ANN)).status_code == 202:
            pass
        assert [job["id"] for job in (await service.client.get("/dead-letters", headers=ANN)).json()["items"]] == [
            job_id
        ]
        assert (await service.client.get("/dead-letters", headers=BOB)).json()["items"] == []
        for method, path in (("GET", ""), ("POST", "/requeue"), ("DELETE", "")):
            answer = await service.client.request(method, f"/dead-letters/{job_id}{path}", headers=BOB)
            assert answer.status_code == 404
        assert (await service.client.post("/dead-letters/requeue", headers=BOB)).json()["requeued"] == 0


async def test_where_no_keys_are_asked_for_any_more_the_jobs_of_all_are_there(run: Any, keys: str) -> None:
    async with run(ScriptedPool(default=EngineError("odd")), api_keys_file=keys, max_attempts=1) as service:
        letters = [(await service.upload(PNG, **key)).json()["id"] for key in (ANN, BOB)]
        while (await service.service.store.backlog()).jobs:
            await service.client.get("/health/live")
    async with run() as service:
        assert {job["id"] for job in (await service.client.get("/dead-letters")).json()["items"]} == set(letters)
        assert (await service.client.get(f"/images/{letters[0]}")).json()["status"] == "dead-letter"
        assert (await service.client.post(f"/dead-letters/{letters[0]}/requeue")).status_code == 202
        assert (await service.ended(letters[0]))["status"] == "done"
        assert (await service.client.delete(f"/dead-letters/{letters[1]}")).status_code == 204
        assert (await service.client.get(f"/images/{letters[1]}")).status_code == 410


@pytest.mark.parametrize(("protect", "status"), [(False, 200), (True, 401)])
async def test_health_is_open_unless_it_is_protected(run: Any, keys: str, protect: bool, status: int) -> None:
    async with run(api_keys_file=keys, protect_health=protect) as service:
        for probe in ("live", "ready"):
            assert (await service.client.get(f"/health/{probe}")).status_code == status
            assert (await service.client.get(f"/health/{probe}", headers=ANN)).status_code == 200


async def test_uploads_beyond_the_rate_are_429_and_polls_are_counted_apart(run: Any, keys: str) -> None:
    async with run(api_keys_file=keys, uploads_per_minute=2) as service:
        first = await service.upload(PNG, **ANN)
        assert first.headers["RateLimit-Policy"] == '"uploads";q=2;w=60'
        assert first.headers["RateLimit"] == '"uploads";r=1;t=30'
        await service.upload(PNG, **ANN)
        refused = await service.upload(PNG, **ANN)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) == 30
        assert refused.headers["RateLimit"] == '"uploads";r=0;t=30'
        assert (await service.upload(PNG, **BOB)).status_code == 202
        poll = await service.client.get(f"/images/{first.json()['id']}", headers=ANN)
        assert poll.status_code in (200, 202)


async def test_reads_beyond_the_rate_are_429_and_health_is_never_counted(run: Any) -> None:
    async with run(reads_per_minute=1) as service:
        await service.client.get("/dead-letters")
        assert (await service.client.get("/dead-letters")).status_code == 429
        for _ in range(3):
            assert (await service.client.get("/health/live")).status_code == 200


async def test_one_key_may_have_so_many_unfinished_jobs(run: Any, keys: str) -> None:
    async with run(api_keys_file=keys, max_jobs_per_key=2) as service:
        service.pool.hold()
        for _ in range(2):
            assert (await service.upload(PNG, **ANN)).status_code == 202
        refused = await service.upload(PNG, **ANN)
        assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await service.upload(PNG, **BOB)).status_code == 202
        service.pool.release()


async def test_a_cancelled_job_makes_room_for_another_of_its_key_and_no_other_key_can_cancel_it(
    run: Any, keys: str
) -> None:
    async with run(api_keys_file=keys, max_jobs_per_key=1) as service:
        service.pool.hold()
        job = f"/images/{(await service.upload(PNG, **ANN)).json()['id']}"
        assert (await service.client.delete(job, headers=BOB)).status_code == 404
        assert (await service.upload(PNG, **ANN)).status_code == 429
        assert (await service.client.delete(job, headers=ANN)).status_code == 200
        assert (await service.upload(PNG, **ANN)).status_code == 202
        service.pool.release()


async def test_requeued_jobs_count_as_unfinished_ones_of_their_key(run: Any, keys: str) -> None:
    pool = ScriptedPool(InvalidImage("a"), InvalidImage("b"))
    async with run(pool, api_keys_file=keys, max_jobs_per_key=1) as service:
        letters = [(await service.upload(PNG, **ANN)).json()["id"]]
        while (await service.service.store.backlog()).jobs:
            await service.client.get("/health/live")
        letters.append((await service.upload(PNG, **ANN)).json()["id"])
        while (await service.service.store.backlog()).jobs:
            await service.client.get("/health/live")
        service.pool.hold()
        all_of_them = await service.client.post("/dead-letters/requeue", headers=ANN)
        assert all_of_them.json() == {"requeued": 1, "remaining": True}
        left = (await service.client.get("/dead-letters", headers=ANN)).json()["items"][0]["id"]
        one = await service.client.post(f"/dead-letters/{left}/requeue", headers=ANN)
        assert (one.status_code, one.json()["code"]) == (429, "quota_exceeded")
        assert (await service.client.get(f"/dead-letters/{left}", headers=ANN)).status_code == 200
        service.pool.release()


async def test_a_key_whose_quota_is_used_up_does_not_keep_the_dead_letters_of_others(
    run: Any, keys_and_root: str
) -> None:
    root = {"X-API-Key": "key-of-root"}
    pool = ScriptedPool(*(InvalidImage(name) for name in "abc"))
    async with run(pool, api_keys_file=keys_and_root, max_jobs_per_key=1) as service:
        for key in ANN, ANN, BOB:
            await service.upload(PNG, **key)
            while (await service.service.store.backlog()).jobs:
                await service.client.get("/health/live")
        service.pool.hold()
        all_of_them = await service.client.post("/dead-letters/requeue", headers=root)
        assert all_of_them.json() == {"requeued": 2, "remaining": True}
        (left,) = (await service.client.get("/dead-letters", headers=root)).json()["items"]
        assert (await service.client.get(f"/dead-letters/{left['id']}", headers=ANN)).status_code == 200
        service.pool.release()


async def test_a_foreign_job_that_was_deleted_is_as_unknown_as_none(run: Any, keys: str) -> None:
    async with run(ScriptedPool(InvalidImage("a")), api_keys_file=keys) as service:
        job_id = (await service.upload(PNG, **ANN)).json()["id"]
        while (await service.service.store.backlog()).jobs:
            await service.client.get("/health/live")
        assert (await service.client.delete(f"/dead-letters/{job_id}", headers=ANN)).status_code == 204
        assert (await service.client.get(f"/images/{job_id}", headers=ANN)).status_code == 410
        assert (await service.client.get(f"/images/{job_id}", headers=BOB)).status_code == 404


async def test_requeues_count_as_uploads(run: Any, keys: str) -> None:
    async with run(api_keys_file=keys, uploads_per_minute=1) as service:
        assert (await service.upload(PNG, **ANN)).status_code == 202
        refused = await service.client.post("/dead-letters/requeue", headers=ANN)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")


async def test_other_origins_are_let_in_only_when_named(run: Any) -> None:
    page = {"Origin": "https://example.org"}
    async with run() as service:
        assert "access-control-allow-origin" not in (await service.client.get("/health/live", headers=page)).headers
    async with run(cors_origins="https://example.org, https://example.com") as service:
        answer = await service.client.get("/health/live", headers=page)
        assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"
    async with run(cors_origins="https://example.org", uploads_per_minute=1) as service:
        answers = [await service.upload(PNG, **page) for _ in range(2)]
        for answer in answers:
            seen = {name.strip().lower() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}
            ours = {name for name in answer.headers if name.startswith("ratelimit")} | {"retry-after", "x-request-id"}
            assert len(ours) == 4
            assert ours <= seen


async def test_every_answer_carries_the_headers_that_browsers_heed(run: Any) -> None:
    async with run() as service:
        for path in ("/", "/health/live", "/nowhere"):
            headers = (await service.client.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert headers["Cache-Control"] == ("no-cache" if path == "/" else "no-store")


CAL, DEE, EVE, OLD = ({"X-API-Key": f"key-of-{name}"} for name in ("cal", "dee", "eve", "old"))


@pytest.fixture
def scoped(keys: str) -> str:
    lines = {"cal": "scope=read", "dee": "scope=upload", "eve": "scope=admin max_jobs=1 reads_per_minute=5"}
    lines["old"] = "expires=2020-01-31"
    with open(keys, "a") as file:
        file.writelines(f"{name}:{hash_key('key-of-' + name)} {rest}\n" for name, rest in lines.items())
    return keys


async def test_a_key_may_do_what_its_scope_says_and_nothing_else(run: Any, scoped: str) -> None:
    async with run(api_keys_file=scoped) as service:
        for answer in (
            await service.upload(PNG, **CAL),
            await service.client.get("/dead-letters", headers=DEE),
            await service.client.post("/dead-letters/requeue", headers=DEE),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert not service.pool.images
        service.pool.hold()
        uploaded = await service.client.post("/images?wait=3600", files={"file": PNG}, headers=DEE)
        service.pool.release()
        assert uploaded.status_code == 202  # nothing is waited for: it would be told the text
        own = f"/images/{uploaded.json()['id']}"
        assert (await service.client.get(own, headers=DEE)).status_code == 403
        assert (await service.client.get("/dead-letters", headers=CAL)).status_code == 200
        assert (await service.client.get("/capabilities", headers=DEE)).status_code == 200


async def test_further_keys_of_a_name_are_for_its_jobs_each_with_a_scope_of_its_own(run: Any, tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    lines = {"ann": "max_jobs=1", "scanner": "of=ann scope=upload", "screen": "of=ann scope=read", "bob": ""}
    path.write_text("".join(f"{name}:{hash_key('key-of-' + name)} {rest}\n" for name, rest in lines.items()))
    scanner, screen = ({"X-API-Key": f"key-of-{name}"} for name in ("scanner", "screen"))
    async with run(api_keys_file=str(path)) as service:
        service.pool.hold()
        job_id = (await service.upload(PNG, **scanner)).json()["id"]
        assert (await service.upload(PNG, **scanner)).json()["code"] == "quota_exceeded"
        service.pool.release()
        listed = [(await service.client.get("/images", headers=key)).json()["items"] for key in (ANN, screen)]
        assert [[each["id"] for each in items] for items in listed] == [[job_id]] * 2
        assert (await service.client.get(f"/images/{job_id}?wait=30", headers=screen)).json()["status"] == "done"
        refused = [
            await service.client.get(f"/images/{job_id}", headers=scanner),
            await service.client.delete(f"/images/{job_id}", headers=screen),
            await service.client.get(f"/images/{job_id}", headers=BOB),
        ]
        assert [answer.status_code for answer in refused] == [403, 403, 404]


async def test_a_key_that_may_only_upload_is_told_no_text_by_sending_it_again(run: Any, scoped: str) -> None:
    async with run(ScriptedPool(default=text_result("secret")), api_keys_file=scoped) as service:

        async def sent(path: str, idempotency: str = "") -> Any:
            headers = DEE | ({"Idempotency-Key": idempotency} if idempotency else {})
            return await service.client.post(path, files={"file": PNG}, headers=headers)

        job = (await sent("/images", "one")).json()
        batch = (await sent("/batches", "two")).json()
        for path in (f"/images/{job['id']}?wait=30", f"/batches/{batch['id']}?wait=30"):
            assert (await service.client.get(path, headers=EVE)).json()["status"] == "done"
        for path, key in (("/images", "one"), ("/images?dedupe=content", ""), ("/batches", "two")):
            again = await sent(path, key)
            assert (again.status_code, again.json()["status"]) == (202, "queued")
            assert (int(again.headers["Retry-After"]) > 0, "secret" in again.text) == (True, False)
        assert (await sent("/images", "one")).json()["id"] == job["id"]
        forgotten = (await sent("/images?dedupe=content&delete_after_read=true")).json()["id"]
        assert (await service.client.get(f"/images/{forgotten}", headers=EVE)).json()["text"] == "secret"


async def test_an_admin_sees_and_manages_the_jobs_of_all(run: Any, scoped: str) -> None:
    async with run(ScriptedPool(default=EngineError("odd")), api_keys_file=scoped, max_attempts=1) as service:
        job_id = (await service.upload(PNG, **ANN)).json()["id"]
        while (await service.client.get(f"/images/{job_id}", headers=ANN)).status_code == 202:
            pass
        listed = (await service.client.get("/dead-letters", headers=EVE)).json()["items"]
        assert [each["id"] for each in listed] == [job_id]
        assert (await service.client.delete(f"/dead-letters/{job_id}", headers=EVE)).status_code == 204


async def test_an_expired_key_lets_nobody_in_and_is_told_so(run: Any, scoped: str) -> None:
    async with run(api_keys_file=scoped) as service:
        answer = await service.upload(PNG, **OLD)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert "expired" in answer.json()["detail"]


async def test_a_key_has_quotas_of_its_own(run: Any, scoped: str) -> None:
    async with run(api_keys_file=scoped, max_jobs_per_key=3) as service:
        service.pool.hold()
        assert (await service.upload(PNG, **EVE)).status_code == 202
        assert (await service.upload(PNG, **EVE)).json()["code"] == "quota_exceeded"
        assert (await service.upload(PNG, **ANN)).status_code == 202
        assert (await service.upload(PNG, **ANN)).status_code == 202
        answers = [await service.client.get("/dead-letters", headers=EVE) for _ in range(6)]
        assert [each.status_code for each in answers] == [200] * 5 + [429]
        assert answers[0].headers["RateLimit-Policy"] == '"reads";q=5;w=60'
        assert "RateLimit" not in (await service.client.get("/dead-letters", headers=ANN)).headers
        service.pool.release()
