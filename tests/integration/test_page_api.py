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
    "webmanifest": "application/manifest+json",
}


@pytest.mark.parametrize("path", ["/", "/operations", "/docs"])
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


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/operations",
        "/docs/openapi.json",
        "/static/app.js",
        "/static/vendor/swagger-ui/LICENSE",
    ],
)
async def test_what_a_browser_has_is_not_sent_again(run: Run, path: str) -> None:
    async with run() as running:
        sizes = {}
        for coding in ("gzip", "identity", "gzip;q=0, br"):
            first = await running.client.get(path, headers={"Accept-Encoding": coding})
            held = {"Accept-Encoding": coding, "If-None-Match": f'"other", W/{first.headers["etag"]}'}
            second = await running.client.get(path, headers=held)
            assert (first.status_code, second.status_code, second.content) == (200, 304, b"")
            assert first.headers.get("content-encoding") == ("gzip" if coding == "gzip" else None)
            assert second.headers["etag"] == first.headers["etag"]
            assert first.headers["cache-control"] == second.headers["cache-control"] == "no-cache"
            assert first.headers["vary"] == "Accept-Encoding"
            sizes[coding] = int(first.headers["content-length"]), first.headers["etag"]
            changed = await running.client.get(path, headers={"If-None-Match": '"other"', "Accept-Encoding": coding})
            assert changed.content == first.content

    assert sizes["gzip"][0] < sizes["identity"][0] / 1.5
    assert sizes["gzip"][1] != sizes["identity"][1] == sizes["gzip;q=0, br"][1]


@pytest.mark.parametrize(
    ("path", "media_type"), [("/static/icon.svg", "image/svg+xml"), ("/static/sample.jpg", "image/jpeg")]
)
async def test_a_picture_that_a_browser_has_is_not_sent_again(run: Run, path: str, media_type: str) -> None:
    async with run() as running:
        first = await running.client.get(path)
        second = await running.client.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, first.headers["content-type"]) == (200, media_type)
    assert (second.status_code, second.content) == (304, b"")


async def test_the_documentation_is_half_a_megabyte_at_first_and_nothing_later(run: Run) -> None:
    async with run() as running:
        page = await running.client.get("/docs")
        links = [f"/{link}" for link in re.findall(r"(?:src|href)=\"(static/[^\"]+)\"", page.text)]
        answers = [await running.client.get(link) for link in links]
        later = [page, await running.client.get("/docs/openapi.json")]
        again = [await running.client.get(each.url, headers={"If-None-Match": each.headers["etag"]}) for each in later]

    assert sum(int(each.headers["content-length"]) for each in [*answers, *later]) <= 500_000
    assert {each.headers["cache-control"] for each in answers} == {"public, max-age=31536000, immutable"}
    assert [each.status_code for each in again] == [304, 304]


async def test_an_address_of_another_version_leads_to_nothing(run: Run) -> None:
    async with run() as running:
        assert (await running.client.get(f"/static/{'0' * 16}/app.js")).status_code == 404


@pytest.mark.parametrize("path", ["/static/../main.py", "/static/%2e%2e/main.py", "/static//etc/passwd"])
async def test_nothing_outside_the_folder_is_served(run: Run, path: str) -> None:
    async with run() as running:
        answer = await running.client.get(path)

    assert answer.status_code == 404
