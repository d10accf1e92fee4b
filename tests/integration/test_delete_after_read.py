"""`delete_after_read`: a job is erased once its owner was sent all that was read, and by nothing less."""

import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from app.http.access.key_file import hash_key
from config.settings import Settings
from ocr_engine.errors import InvalidImage
from samples import sample
from tests.live_server import LiveServer, live_server
from tests.scripted_pool import ScriptedPool, text_result

PNG = sample("tiny").data
ASKED = {"delete_after_read": "true"}


async def done(service: Any, **headers: str) -> str:
    """The path of a job that is done and was not read."""
    answer = await service.client.post("/images", params=ASKED, content=PNG, headers=headers)
    assert answer.json()["options"]["delete_after_read"] is True
    path = f"/images/{answer.json()['id']}"
    while (await service.client.head(path, headers=headers)).status_code == 202:
        pass
    return path


@pytest.mark.anyio
@pytest.mark.parametrize("query", ["", "?detail=words", "/result", "/result?format=hocr", "/result?format=json"])
async def test_who_has_read_all_of_it_erases_it(run: Any, query: str) -> None:
    async with run(ScriptedPool(default=text_result("read once"))) as service:
        path = await done(service)
        read = await service.client.get(path + query)
        assert (read.status_code, "once" in read.text) == (200, True)
        for again in (query, "", "/result", "/file"):
            gone = await service.client.get(path + again)
            assert (gone.status_code, gone.json()["code"]) == (410, "job_gone")
        assert (await service.client.get("/images")).json()["items"] == []


@pytest.mark.anyio
async def test_an_upload_that_waited_for_the_text_was_told_it(run: Any) -> None:
    async with run(ScriptedPool(default=text_result("read once"))) as service:
        sent = await service.client.post("/images", params={**ASKED, "wait": "30"}, content=PNG)
        assert (sent.status_code, sent.json()["text"]) == (200, "read once")
        assert (await service.client.get(f"/images/{sent.json()['id']}")).status_code == 410


@pytest.mark.anyio
async def test_whatever_does_not_show_all_of_it_leaves_it(run: Any) -> None:
    async with run(ScriptedPool(default=text_result("read once"))) as service:
        path = await done(service)
        etag = (await service.client.head(path)).headers["etag"]
        answers = [
            await service.client.head(path),
            await service.client.head(f"{path}/result"),
            await service.client.get(path, headers={"If-None-Match": etag}),
            await service.client.get(f"{path}/result?pages=1"),
            await service.client.get(f"{path}/result?format=none"),
            await service.client.get(f"{path}/file"),
            await service.client.get(f"{path}/events"),
            await service.client.get("/images"),
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 304, 200, 406, 200, 200, 200]
        assert (await service.client.get(path)).json()["text"] == "read once"


@pytest.mark.anyio
async def test_what_was_not_read_stays_and_so_does_what_nobody_wants_erased(run: Any) -> None:
    async with run(ScriptedPool(InvalidImage("broken"), default=text_result("kept"))) as service:
        dead = (await service.client.post("/images", params={**ASKED, "wait": "30"}, content=PNG)).json()
        assert dead["status"] == "dead-letter"
        kept = (await service.client.post("/images?wait=30&delete_after_read=false", content=PNG)).json()
        for job in (dead, kept):
            assert (await service.client.get(f"/images/{job['id']}")).status_code == 200
            assert (await service.client.get(f"/images/{job['id']}")).status_code == 200


@pytest.mark.anyio
async def test_an_admin_who_looks_erases_nothing(run: Any, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"ann:{hash_key('sq_ann')}\nroot:{hash_key('sq_root')} scope=admin\n")
    async with run(ScriptedPool(default=text_result("read once")), api_keys_file=str(keys)) as service:
        path = await done(service, **{"X-API-Key": "sq_ann"})
        for key, status in (("sq_root", 200), ("sq_root", 200), ("sq_ann", 200), ("sq_ann", 410), ("sq_root", 410)):
            assert (await service.client.get(path, headers={"X-API-Key": key})).status_code == status


def answered(server: LiveServer) -> float:
    """How many reads of results the server is through with."""
    told = server.client.get("/metrics").text.splitlines()
    counts = [line for line in told if line.startswith("ocr_http_request_seconds_count") and "/result" in line]
    return sum(float(line.rpartition(" ")[2]) for line in counts)


def test_a_client_that_closes_as_soon_as_it_has_read_a_batch_has_read_it(settings: Settings) -> None:
    with live_server(settings, ScriptedPool(default=text_result("read once"))) as server:
        for number in range(1, 11):  # whether the close overtakes the server, back from its last piece, is a race
            batch = server.client.post("/batches", params={**ASKED, "wait": "30"}, files={"file": PNG}).json()
            path = f"/batches/{batch['id']}"
            with socket.create_connection(server.address, timeout=30) as client:
                client.sendall(f"GET {path}/results HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                told = b""
                while not told.endswith(b"\r\n0\r\n\r\n"):
                    told += client.recv(65536)
            assert b"read once" in told
            while answered(server) < number:
                pass
            assert server.client.head(path).status_code == 410


def test_an_answer_that_breaks_off_leaves_it(settings: Settings) -> None:
    lines = 200_000
    pool = ScriptedPool(default=text_result("a line of a long text\n" * lines))
    with live_server(settings, pool) as server:
        job = server.client.post("/images", params=ASKED, content=PNG).json()["id"]
        path = f"/images/{job}"
        while server.client.head(path).status_code == 202:
            pass
        with socket.create_connection(server.address, timeout=30) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(f"GET {path}/result HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # the end is a reset
        while not answered(server):
            pass
        assert server.client.head(path).status_code == 200
        whole = server.client.get(f"{path}/result")
        assert whole.text.count("a line") == lines
        while server.client.head(path).status_code == 200:
            pass
        assert server.client.get(path).status_code == 410
