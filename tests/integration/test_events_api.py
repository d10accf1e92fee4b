"""Event streams as their clients meet them: one job's and all of a key's, through the real server."""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.lowlevel
import msgspec
import pytest
from PIL import Image

from app.http.access.key_file import hash_key
from config.settings import Settings
from ocr_engine.errors import InvalidImage
from samples import sample
from tests.event_source import Event, EventSource
from tests.live_server import LiveServer, live_server
from tests.postgres import Postgres
from tests.scripted_pool import ScriptedPool, text_result

PNG = sample("tiny").data
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path}/jobs.db", retry_base_seconds=0.001)


@pytest.fixture
def pool() -> ScriptedPool:
    return ScriptedPool()


@pytest.fixture
def server(settings: Settings, pool: ScriptedPool) -> Iterator[LiveServer]:
    with live_server(settings, pool) as server:
        yield server


def upload(server: LiveServer, image: bytes = PNG, key: str = "") -> str:
    answer = server.client.post("/images", files={"file": image}, headers={"X-API-Key": key} if key else {})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def names(events: Iterator[Event]) -> list[str]:
    return [event.name for event in events]


def test_a_job_is_followed_to_its_end_and_a_client_that_comes_back_is_told_that_nothing_comes(
    server: LiveServer, pool: ScriptedPool
) -> None:
    pool.hold()
    source = EventSource(f"{server.url}/images/{upload(server)}/events")
    followed = source.events()
    first = next(followed)
    while first.name != "processing":  # it may have been queued for a moment
        first = next(followed)
    server.call(pool.release)
    *_, end = followed
    assert end.name == end.data["status"] == "done"
    assert (source.connections, source.status) == (2, 204)


def test_a_client_that_comes_late_hears_the_end_at_once(server: LiveServer, pool: ScriptedPool) -> None:
    pool.script.append(InvalidImage("not one"))
    job_id = server.client.post("/images", params={"tag": "mine", "metadata": '{"a": "b"}'}, content=PNG).json()["id"]
    *_, end = EventSource(f"{server.url}/images/{job_id}/events").events()
    told = (end.name, end.data["code"], end.data["id"], end.data["tag"], end.data["metadata"])
    assert told == ("dead-letter", "invalid_image", job_id, "mine", {"a": "b"})


def test_a_client_of_a_store_that_was_put_back_hears_how_the_job_stands(server: LiveServer) -> None:
    job_id = upload(server)
    *_, end = EventSource(f"{server.url}/images/{job_id}/events").events()
    later = {"Last-Event-ID": str(int(end.id) + 5)}
    answer = server.client.get(f"/images/{job_id}/events", headers=later)
    assert f"id: {end.id}\nevent: done\n" in answer.text


def test_each_page_of_a_document_is_told(server: LiveServer, pool: ScriptedPool) -> None:
    pages = [Image.new("L", (40, 20), shade) for shade in (10, 20, 30)]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    pool.pages = 3
    pool.hold()
    followed = EventSource(f"{server.url}/images/{upload(server, file.getvalue())}/events").events()
    events = [next(followed)]
    server.call(pool.release)
    events += followed
    assert events[-1].name == "done"
    assert events[-1].data["pages_done"] == events[-1].data["pages_total"] == 3
    done = [int(str(event.data["pages_done"])) for event in events]
    assert done == sorted(done)
    # what comes faster than it is taken is told as it stands then
    assert {event.name for event in events[:-1]} <= {"queued", "processing", "page"}


def test_what_was_cancelled_is_told(server: LiveServer, pool: ScriptedPool) -> None:
    pool.hold()
    job_id = upload(server)
    followed = EventSource(f"{server.url}/images/{job_id}/events").events()
    next(followed)
    assert server.client.delete(f"/images/{job_id}").status_code == 200
    assert names(followed)[-1] == "cancelled"
    server.call(pool.release)


def test_unknown_and_malformed_are_problems(server: LiveServer) -> None:
    lost = server.client.get(f"/images/{UNKNOWN}/events")
    assert (lost.status_code, lost.json()["code"]) == (404, "job_not_found")
    wrong = server.client.get("/events", headers={"Last-Event-ID": "yesterday"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "malformed_request")


def test_head_opens_no_stream(server: LiveServer) -> None:
    assert server.client.head("/events").headers["content-type"].startswith("text/event-stream")
    assert server.service.streams.count == 0
    assert "ocr_event_streams 0.0" in server.client.get("/metrics").text


def test_all_jobs_are_followed_at_once(server: LiveServer) -> None:
    with server.client.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        ids = {upload(server) for _ in range(3)}
        ended = set[str]()
        for line in lines:
            if line.startswith("data:") and '"done"' in line:
                ended.add(str(msgspec.json.decode(line[5:])["id"]))
            if ended == ids:
                break


def test_what_was_missed_is_told_to_a_client_that_comes_back(server: LiveServer, pool: ScriptedPool) -> None:
    first = upload(server)
    *_, end = EventSource(f"{server.url}/images/{first}/events").events()
    source = EventSource(f"{server.url}/events")
    source.last_event_id = f"{end.data['timestamp']}~{first}"
    later = upload(server)
    tuple(EventSource(f"{server.url}/images/{later}/events").events())
    missed = next(source.one_connection())
    assert (missed.name, missed.data["id"]) == ("done", later)


def test_a_key_hears_of_its_own_jobs_only(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"ann:{hash_key('a')}\nbob:{hash_key('b')}\n")
    pool = ScriptedPool()
    with live_server(msgspec.structs.replace(settings, api_keys_file=str(keys)), pool) as server:
        with server.client.stream("GET", "/events", headers={"X-API-Key": "b"}) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry:")
            foreign = upload(server, key="a")
            assert server.client.get(f"/images/{foreign}/events", headers={"X-API-Key": "b"}).status_code == 404
            own = upload(server, key="b")
            told = next(line for line in lines if line.startswith("data:"))
            assert own in told
        assert server.client.get("/events").status_code == 401


def test_there_are_no_more_streams_than_may_be_and_who_leaves_makes_room(server: LiveServer) -> None:
    streams = server.service.streams
    streams.limits = msgspec.structs.replace(streams.limits, of_client=1)
    with server.client.stream("GET", "/events") as first:
        lines = first.iter_lines()  # kept: with it the stream is closed
        assert next(lines).startswith("retry:")
        refused = server.client.get("/events")
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
        assert int(refused.headers["Retry-After"]) > 0
    while streams.count:
        pass  # until the server has seen it go
    with server.client.stream("GET", "/events") as again:
        assert again.status_code == 200


def test_a_silent_stream_gives_signs_of_life(server: LiveServer) -> None:
    streams = server.service.streams
    streams.limits = msgspec.structs.replace(streams.limits, heartbeat_seconds=0.01)
    with server.client.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert [next(line for line in lines if line == ":") for _ in range(3)]


def test_an_event_source_follows_a_job_through_a_restart(settings: Settings) -> None:
    held = ScriptedPool()
    held.hold()
    with live_server(msgspec.structs.replace(settings, drain_seconds=0.01), held) as server:
        job_id = upload(server)
        source = EventSource(f"{server.url}/images/{job_id}/events")
        stream = source.one_connection()
        seen = [next(stream).name]
        server.stop()
        seen += names(stream)
    with live_server(settings, ScriptedPool(default=text_result("read"))) as server:
        source.url = f"{server.url}/images/{job_id}/events"
        seen += names(source.events())
    assert seen[-1] == "done"
    assert source.status == 204


def test_a_stop_ends_streams_once_the_running_jobs_have_ended(server: LiveServer, pool: ScriptedPool) -> None:
    pool.hold()
    with server.client.stream("GET", "/events") as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith("retry:")
        upload(server)
        assert next(line for line in lines if line == "event: processing")
        server.stop()
        server.call(pool.release)
        assert "event: done" in list(lines)  # up to a clean end


@pytest.fixture
def database(postgres: Postgres) -> str:
    return postgres.empty_database()


@pytest.mark.anyio
async def test_a_stream_at_one_node_hears_of_what_another_one_does(run: Any, database: str) -> None:
    async with run(role="api", database_url=database) as api:
        job_id = (await api.upload(PNG)).json()["id"]
        following = asyncio.create_task(api.client.get(f"/images/{job_id}/events"))
        while not api.service.streams.count:
            await anyio.lowlevel.checkpoint()
        async with run(role="worker", database_url=database):
            assert "event: done" in (await following).text
