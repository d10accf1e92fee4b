"""Multipart bodies, mutated: an upload is taken or refused, and what is taken is one that was sent whole."""

import random
from typing import Any

import pytest

from samples import sample

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
FORM = (
    b'--b0undary\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
    b'--b0undary\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + PNG
    + b"\r\n--b0undary--\r\n"
)
HEAD = FORM.index(PNG)
PIECES = (
    b"--b0undary",
    b"--",
    b"\r\n",
    b"\r\n\r\n",
    b'name="file"',
    b"filename*=",
    b"Content-Disposition: ",
    b"\0",
    b"\xff",
)
CONTENT_TYPE = "multipart/form-data; boundary=b0undary"


def mutated(rng: random.Random) -> bytes:
    """The form with a few changes, most of them outside the image."""
    body = bytearray(FORM)
    for _ in range(rng.choice((1, 1, 2, 5))):
        tail = rng.random() < 0.3
        at = rng.randrange(len(body) - 40, len(body)) if tail else rng.randrange(HEAD)
        match rng.randrange(5):
            case 0:
                body[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                body[at:at] = rng.choice(PIECES)
            case 2:
                del body[at : at + rng.randrange(1, 30)]
            case 3:
                del body[at:]
                return bytes(body)
            case _:
                body[at:at] = body[at : at + rng.randrange(1, 200)]
    return bytes(body)


async def test_mutated_forms_are_taken_or_refused_and_never_an_error_of_ours(run: Any) -> None:
    rng = random.Random(2026)
    async with run(queue_limit=10_000) as service:
        statuses = []
        for number in range(600):
            body = mutated(rng)
            content_type = CONTENT_TYPE if number % 10 else CONTENT_TYPE[: rng.randrange(len(CONTENT_TYPE))]
            answer = await service.client.post("/images", content=body, headers={"Content-Type": content_type})
            assert answer.status_code in (202, 400, 413, 415, 422), (number, body[:HEAD], answer.text)
            if answer.status_code != 202:
                assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
            statuses.append(answer.status_code)
        assert {202, 400} <= set(statuses)
        assert (await service.client.get("/health/ready")).status_code == 200
        assert sum((await service.service.store.counts()).values()) == statuses.count(202)
