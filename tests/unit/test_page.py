"""The page is whole, says something about every error, and asks nothing of anyone but the service."""

import re
from pathlib import Path

import pytest

from app.http.problems import ERRORS
from app.http.responses.static import WEB
from app.http.routes.web import CONTENT_SECURITY_POLICY
from ocr_engine.result import OcrPage
from persistence.job import JobState

PAGES = [WEB / "index.html", WEB / "docs.html"]
OURS = sorted(path for path in WEB.iterdir() if path.suffix in (".html", ".js", ".css", ".svg"))
NAMESPACES = {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_is_asked_of_another_server(path: Path) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'`<>)]+", path.read_text()))
    assert addresses <= NAMESPACES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"(?:src|href)=\"static/([^\"]+)\"", page.read_text())
    assert links
    assert all((WEB / link).is_file() for link in links)


@pytest.mark.parametrize("script", sorted(WEB.glob("*.js")), ids=lambda script: script.name)
def test_every_module_that_is_imported_is_there(script: Path) -> None:
    for module in re.findall(r"from \"\./([^\"]+)\"", script.read_text()):
        assert (WEB / module).is_file()


def test_the_modules_of_the_page_are_asked_for_at_once_rather_than_one_after_the_other() -> None:
    html, wanted, known = (WEB / "index.html").read_text(), ["app.js"], set[str]()
    while wanted:
        known.add(module := wanted.pop())
        wanted += set(re.findall(r"from \"\./([^\"]+)\"", (WEB / module).read_text())) - known
    assert set(re.findall(r"\"modulepreload\" href=\"static/([^\"]+)\"", html)) == known - {"app.js"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_strict_policy_holds_because_nothing_is_inline(page: Path) -> None:
    html = page.read_text()
    assert re.search(r"<script(?![^>]*\ssrc=)", html) is None
    assert "<style" not in html
    assert re.search(r"\s(style|on[a-z]+)=", html) is None


def test_the_policy_allows_no_inline_code_and_no_other_origin() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")


@pytest.mark.parametrize("code", ERRORS)
def test_the_page_has_plain_words_for_every_error_code(code: str) -> None:
    assert f'\n  {code}: "' in (WEB / "words.js").read_text()


@pytest.mark.parametrize("state", JobState)
def test_the_page_has_a_word_for_every_state(state: JobState) -> None:
    assert re.search(rf"\n  \"?{state}\"?: \"", (WEB / "words.js").read_text())


def test_no_button_is_disabled_since_that_would_take_the_focus_from_whoever_is_on_it() -> None:
    for script in WEB.glob("*.js"):
        assert not re.search(r"\.disabled\b|[\"']disabled[\"']", script.read_text()), script.name
    assert re.search(r"\sdisabled\b", (WEB / "index.html").read_text()) is None
    assert 'button[aria-disabled="true"]' in (WEB / "style.css").read_text()


def test_a_button_at_rest_ignores_clicks() -> None:
    functions = re.split(r"\n(?=  (?:async )?#|(?:async )?function )", (WEB / "card.js").read_text())
    resting = [each for each in functions if re.search(r" rest\(button, (?:true|!)", each)]
    assert len(resting) == 3
    assert all("rests(button)" in each for each in resting)


def test_a_turned_page_is_announced() -> None:
    number = re.search(r"<[^>]*class=\"page-number\"[^>]*>", (WEB / "index.html").read_text())
    assert number is not None
    assert 'role="status" aria-live="polite"' in number[0]


def test_a_copy_that_the_browser_refuses_is_tried_in_another_way_and_then_told() -> None:
    """`writeText` rejects where the clipboard is denied; `execCommand` says false."""
    script = (WEB / "card.js").read_text()
    attempts = re.findall(
        r"try \{\s+await navigator\.clipboard\.writeText\(text\);\s+return true;\s+\} catch \{", script
    )
    assert len(attempts) == script.count("clipboard.writeText") == 1
    assert "return copyWithoutClipboard(text);" in script
    assert 'const copied = document.execCommand("copy");' in script
    assert 'this.#find(".uncopied").hidden = copied;' in script
    notice = re.search(r'<p class="uncopied notice" hidden>([^<]+)</p>', (WEB / "index.html").read_text())
    assert notice is not None
    assert "Nothing was copied" in notice[1]


def test_a_page_of_which_text_is_missing_is_told_apart_from_a_whole_one() -> None:
    assert "truncated" in OcrPage.__struct_fields__
    assert "pages.filter((page) => page.truncated)" in (WEB / "words.js").read_text()
    script = (WEB / "card.js").read_text()
    assert "const missing = incomplete(view.pages);" in script
    assert 'this.#find(".cut").hidden = missing === "";' in script
    announced = re.search(r"this\.onNews\(`[^`]*\$\{missing\}`\)", script)
    assert announced is not None
    assert '<p class="cut notice" hidden></p>' in (WEB / "index.html").read_text()


def test_every_element_that_the_scripts_look_for_is_on_the_page() -> None:
    html = (WEB / "index.html").read_text()
    scripts = "".join((WEB / name).read_text() for name in ("app.js", "card.js", "overlay.js"))
    for sign, name in re.findall(r"(?:querySelector|#find|#offer|turn)\(\"([.#])([a-z-]+)\"", scripts):
        attribute = "id" if sign == "#" else "class"
        assert re.search(rf"{attribute}=\"[^\"]*\b{name}\b", html), f"{sign}{name} is not in index.html"
