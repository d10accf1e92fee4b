"""The page and the API's documentation as browsers get them."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from app.http.routes.web import CONTENT_SECURITY_POLICY
from tests.integration.conftest import Running

pytestmark = pytest.mark.anyio
Run = Callable[..., AbstractAsyncContextManager[Running]]

# `nosniff` is sent: a browser runs and applies only what comes with the right type
TYPES = {
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_and_all_that_it_links_to_is_served_with_the_right_type(run: Run, path: str) -> None:
    async with run() as running:
        page = await running.client.get(path)
        links = re.findall(r"(?:src|href)=\"(static/[^\"]+)\"", page.text)
        answers = {link: await running.client.get(f"/{link}") for link in links}

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert answers
    for link, answer in answers.items():
        assert answer.status_code == 200, link
        assert answer.headers["content-type"].split(";")[0] == TYPES[link.rsplit(".")[-1]]
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_page_comes_with_its_policy(run: Run) -> None:
    async with run() as running:
        page = await running.client.get("/")

    assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


async def test_the_documentation_finds_the_document_that_it_shows(run: Run) -> None:
    async with run() as running:
        script = (await running.client.get("/static/docs.js")).text
        address = re.search(r"url: \"([^\"]+)\"", script)
        assert address is not None
        document = await running.client.get(f"/{address[1]}")

    assert document.json()["paths"].keys() >= {"/images", "/images/{job_id}", "/health/ai"}


async def test_a_slash_too_many_leads_to_the_documentation_all_the_same(run: Run) -> None:
    async with run() as running:
        moved = await running.client.get("/docs/")
        page = await running.client.get("/docs/", follow_redirects=True)

    assert moved.status_code == 308
    assert page.url.path == "/docs"
    assert page.status_code == 200


async def test_every_error_is_documented_as_a_problem(run: Run) -> None:
    async with run() as running:
        document = (await running.client.get("/docs/openapi.json")).json()

    verdicts = [("/health/ready", "503"), ("/health/ai", "503")]
    errors = {
        (path, method, status): [*answer["content"]]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, answer in operation["responses"].items()
        if status >= "400" and (path, status) not in verdicts
    }
    assert {status for path, _, status in errors if path.startswith("/health/")} == {"401", "500"}
    assert [error for error, types in errors.items() if types != ["application/problem+json"]] == []


@pytest.mark.parametrize("path", ["/static/../main.py", "/static/%2e%2e/main.py", "/static//etc/passwd"])
async def test_nothing_outside_the_folder_is_served(run: Run, path: str) -> None:
    async with run() as running:
        answer = await running.client.get(path)

    assert answer.status_code == 404
