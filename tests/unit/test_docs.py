"""The README knows every setting, route and error code."""

import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.openapi.spec import RequestBody

from app.http.problems import ERRORS, ErrorKind
from app.http.requests.upload import RAW_TYPES
from app.http.responses.schemas import JobView
from app.main import create_app
from config.documentation import SettingDoc, documented
from config.settings import Settings
from ocr_engine.formats import EVERY_FORMAT, Format
from ocr_engine.image.kinds import KINDS, FileKind
from ocr_engine.result import OcrLine, OcrPage

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
FORMATS_DOC = (ROOT / "docs/formats.md").read_text()


@pytest.fixture(scope="module")
def app() -> Litestar:
    return create_app(Settings())


@pytest.mark.parametrize("setting", documented(), ids=lambda setting: setting.variable)
def test_every_setting_is_in_the_readme_with_its_default(setting: SettingDoc) -> None:
    assert f"| `{setting.variable}` | `{setting.default}` | {setting.description} |" in README


@pytest.mark.parametrize(("code", "kind"), ERRORS.items(), ids=ERRORS)
def test_every_error_code_is_in_the_readme_with_its_status(code: str, kind: ErrorKind) -> None:
    assert f"| `{code}` | {kind.status} |" in README


def test_the_readme_says_that_a_later_page_with_too_many_pixels_is_no_413() -> None:
    rows = re.findall(r"^\| `(?:MAX_IMAGE_PIXELS|too_many_pixels)` .*$", README, re.MULTILINE)
    assert len(rows) == 2
    for row in rows:
        assert "413" in row
        assert "later page of a TIFF" in row
        assert "fail" in row


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_file_is_in_the_readme_with_what_is_read_of_it(kind: FileKind) -> None:
    (row,) = re.findall(rf"^\| {kind.name} \| (.*) \|$", README, re.MULTILINE)
    assert f"`{kind.media_type}`" in row
    assert kind.reads[1:] in row
    assert not kind.extra or f"extra `{kind.extra}`" in row


@pytest.mark.parametrize("each", EVERY_FORMAT.values(), ids=EVERY_FORMAT)
def test_every_format_of_results_is_described(each: Format) -> None:
    assert f"| `{each.name}` | `{each.media_type}` | {each.about.removesuffix('.')}" in FORMATS_DOC
    (route,) = re.findall(r"^\| `GET /images/{job_id}/result` \| .*$", README, re.MULTILINE)
    assert f"`{each.name}`" in route


@pytest.mark.parametrize("language", ["en", "de", "zh"])
def test_who_sends_another_kind_of_file_is_told_which_there_are(language: str) -> None:
    words = (Path(__file__).parents[2] / f"app/web/words/{language}.js").read_text()
    (told,) = re.findall(r"^  unsupported_media_type: (.*)$", words, re.MULTILINE)
    assert [kind.name for kind in KINDS if kind.name not in told] == []


def test_every_route_is_in_the_readme(app: Litestar) -> None:
    assert app.openapi_schema.paths is not None
    for path, item in app.openapi_schema.paths.items():
        for method in ("get", "post", "put", "patch", "delete"):
            if getattr(item, method) is not None:
                assert f"`{method.upper()} {path}`" in README, f"{method.upper()} {path} is not in the README"


@pytest.mark.parametrize("key", JobView.__struct_fields__)
def test_every_key_of_a_job_is_in_the_readme(key: str) -> None:
    assert re.search(rf"^\| (?:`\w+`, )*`{key}`(?:, `\w+`)* \|", README, re.MULTILINE)


@pytest.mark.parametrize(("key", "kind"), [("lines", OcrLine), ("pages", OcrPage)])
def test_every_key_of_a_line_and_of_a_page_is_in_the_readme(key: str, kind: type[OcrLine | OcrPage]) -> None:
    (row,) = re.findall(rf"^\| `{key}` \| (.*) \|$", README, re.MULTILINE)
    assert {f"`{field}`" for field in kind.__struct_fields__} <= set(re.findall(r"`\w+`", row))


@pytest.mark.parametrize("media_type", [name for name in RAW_TYPES if name])
def test_every_type_that_a_raw_image_may_be_said_to_have_is_documented(app: Litestar, media_type: str) -> None:
    assert f"`{media_type}`" in README
    assert app.openapi_schema.paths is not None
    upload = app.openapi_schema.paths["/images"].post
    assert upload is not None
    assert isinstance(upload.request_body, RequestBody)
    assert media_type in upload.request_body.content or f"`{media_type}`" in str(upload.request_body.description)


def test_every_error_answer_of_the_api_is_described(app: Litestar) -> None:
    """A handler's OpenAPI entry names problem statuses only from the table of errors."""
    known = {str(kind.status) for kind in ERRORS.values()}
    assert app.openapi_schema.paths is not None
    for path, item in app.openapi_schema.paths.items():
        for operation in (item.get, item.post):
            if operation is not None and operation.responses is not None:
                unknown = {status for status in operation.responses if status >= "4"} - known
                assert not unknown, f"{path} answers {unknown}, which no error code stands for"


def test_every_file_and_folder_of_ours_that_the_docs_name_exists() -> None:
    rooms = "app|ocr_engine|persistence|config|samples|benchmarks|tests|deploy|docs"
    pages = [path for path in ROOT.rglob("*.md") if "node_modules" not in path.parts and ".venv" not in path.parts]
    named = {
        (page.name, path.rstrip("/."))
        for page in pages
        for path in re.findall(rf"`((?:{rooms})/[\w./*-]*)", page.read_text())
    }
    assert len(named) > 60
    assert [(page, path) for page, path in sorted(named) if not any(ROOT.glob(path))] == []
