"""The page is whole, says something about every error in every language, and asks nothing of anyone but the service.

What it does is tested in a browser: tests/browser."""

import re
from pathlib import Path

import pytest

from app.http.problems import ERRORS
from app.http.responses.static import FILES, WEB
from app.http.routes.web import CONTENT_SECURITY_POLICY
from persistence.job import JobState

PAGES = [WEB / "index.html", WEB / "docs.html"]
OURS = sorted(
    path
    for path in WEB.rglob("*")
    if path.suffix in (".html", ".js", ".css", ".svg", ".webmanifest") and "vendor" not in path.parts
)
SCRIPTS = [path for path in OURS if path.suffix == ".js"]
LANGUAGES = sorted((WEB / "words").glob("*.js"))
NAMESPACES = {"http://www.w3.org/2000/svg"}
MAX_PAGE_BYTES = 150_000
"""All that the page loads, pictures left out."""


def name_of(path: Path) -> str:
    """Below app/web."""
    return path.relative_to(WEB).as_posix()


def imports(script: Path) -> set[Path]:
    """The modules that a script names."""
    return {
        (script.parent / module).resolve() for module in re.findall(r"from \"(\.{1,2}/[^\"]+)\"", script.read_text())
    }


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_nothing_is_asked_of_another_server(path: Path) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'`<>)]+", path.read_text()))
    assert addresses <= NAMESPACES


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"(?:src|href)=\"static/([^\"]+)\"", page.read_text())
    assert links
    assert all(Path(link) in FILES for link in links)


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_every_module_that_is_imported_is_there(script: Path) -> None:
    assert all(module.is_file() for module in imports(script))


def test_the_modules_of_the_page_are_asked_for_at_once_rather_than_one_after_the_other() -> None:
    html, wanted, known = (WEB / "index.html").read_text(), [WEB / "app.js"], set[Path]()
    while wanted:
        known.add(module := wanted.pop())
        wanted += imports(module) - known
    preloaded = set(re.findall(r"\"modulepreload\" href=\"static/([^\"]+)\"", html))
    assert preloaded == {name_of(module) for module in known} - {"app.js"}


def test_no_module_is_left_over() -> None:
    html = "".join(page.read_text() for page in PAGES)
    named = {name_of(module) for script in SCRIPTS for module in imports(script)}
    # asked for by address: the language that is spoken, and the worker
    named |= {name_of(language) for language in LANGUAGES}
    named |= {name for script in SCRIPTS for name in re.findall(r"\"static/([^\"]+\.js)\"", script.read_text())}
    assert [name for script in SCRIPTS if (name := name_of(script)) not in named and name not in html] == []


def test_the_page_is_light() -> None:
    html = (WEB / "index.html").read_text()
    loaded = ["index.html", *re.findall(r"(?:src|href)=\"static/([^\"]+)\"", html)]
    words = max(language.stat().st_size for language in LANGUAGES)
    assert words + sum((WEB / name).stat().st_size for name in loaded) <= MAX_PAGE_BYTES


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_strict_policy_holds_because_nothing_is_inline(page: Path) -> None:
    html = page.read_text()
    assert re.search(r"<script(?![^>]*\ssrc=)", html) is None
    assert "<style" not in html
    assert re.search(r"\s(style|on[a-z]+)=", html) is None


def test_the_policy_allows_no_inline_code_and_no_other_origin() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")


@pytest.mark.parametrize("language", LANGUAGES, ids=name_of)
def test_the_page_has_plain_words_for_every_error_code_and_state_in_every_language(language: Path) -> None:
    errors = words(language, "ERRORS")
    assert [code for code in ERRORS if code not in errors] == []
    assert errors - set(ERRORS) == {"unreachable"}
    assert words(language, "STATES") >= {str(state) for state in JobState}


@pytest.mark.parametrize("table", ["STATES", "ERRORS", "TEXTS"])
@pytest.mark.parametrize("language", LANGUAGES, ids=name_of)
def test_every_language_says_the_same(language: Path, table: str) -> None:
    assert words(language, table) == words(WEB / "words/en.js", table)


def test_every_text_is_used_and_there() -> None:
    texts = words(WEB / "words/en.js", "TEXTS")
    scripts = "".join(script.read_text() for script in SCRIPTS if script not in LANGUAGES)
    used = set(re.findall(r"\bt\.(\w+)", scripts))
    by_name = {
        name for each in re.findall(r"\[([^\]]+)\]\.map\(\(name\)", scripts) for name in re.findall(r"\w+", each)
    }
    assert texts == used | by_name


def words(language: Path, table: str) -> set[str]:
    """The names in one of a language's tables."""
    script = language.read_text()
    start = script.index(f"export const {table} = {{")
    return set(re.findall(r"^  \"?([\w-]+)\"?: ", script[start : script.index("\n};", start)], re.MULTILINE))


def test_no_button_is_disabled_since_that_would_take_the_focus_from_whoever_is_on_it() -> None:
    for script in SCRIPTS:
        for found in re.findall(r"<(\w+)[^>]*\sdisabled\b", script.read_text()):
            assert found == "option", script.name
