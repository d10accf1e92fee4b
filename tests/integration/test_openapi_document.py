"""The OpenAPI document says all that clients need, of every route by construction; its examples are real answers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.http.openapi_details import EXAMPLES, OF_JOBS, OF_NO_OPERATION, detailed, operations
from app.http.problems import ERRORS, PROBLEM_JSON
from app.main import create_app
from config.settings import Settings
from tests.openapi_examples import recorded

DOCUMENT = detailed(create_app(Settings()))
OPERATIONS = {f"{method} {path}": operation for path, method, operation in operations(DOCUMENT)}
UNCOUNTED = re.compile(r" /(health/.*|queue(/history)?|metrics)$")


@pytest.fixture(params=OPERATIONS, name="operation")
def fixture_operation(request: pytest.FixtureRequest) -> dict[str, Any]:
    operation: dict[str, Any] = {**OPERATIONS[request.param], "route": request.param}
    return operation


def looked_up(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry, or what its `$ref` leads to."""
    if "$ref" not in entry:
        return entry
    found: Any = DOCUMENT
    for step in entry["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def answers(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """(status, answer, whether it is a problem) of an operation."""
    for status, answer in operation["responses"].items():
        yield status, answer, PROBLEM_JSON in answer.get("content", {})


def test_it_is_openapi_3_1_and_its_names_are_those_of_the_program() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    names = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)+", name) for name in names), names
    assert {"submit_image", "read_job"} <= set(names)


def test_an_operation_has_words_for_people_and_problems_that_are_all_described(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"]
    assert any(is_problem for _, _, is_problem in answers(operation))
    for status, answer, is_problem in answers(operation):
        assert "X-Request-ID" in answer["headers"]
        assert all(looked_up(header)["schema"] for header in answer["headers"].values())
        if is_problem:
            named = re.findall(r"^- `(\w+)`: ", answer["description"], re.MULTILINE)
            assert named, f"{operation['route']} answers {status} with no code"
            assert {str(ERRORS[code].status) for code in named} == {status}


def test_an_operation_tells_of_limits_pauses_and_preferences(operation: dict[str, Any]) -> None:
    headers = {status: set(answer["headers"]) for status, answer, _ in answers(operation)}
    counted = not UNCOUNTED.search(operation["route"])
    assert all(({"RateLimit", "RateLimit-Policy"} <= named) == counted for named in headers.values())
    assert all("Retry-After" in headers[status] for status in ("202", "429", "507") if status in headers)
    parameters = {parameter["name"] for parameter in operation["parameters"]}
    assert ("wait" in parameters) == ("Prefer" in parameters)
    assert ("304" in headers) == ("If-None-Match" in parameters) == ("ETag" in headers.get("200", ()))


def test_a_good_answer_in_json_has_a_real_example_that_its_schema_takes(operation: dict[str, Any]) -> None:
    for status, answer, is_problem in answers(operation):
        for media_type, content in answer.get("content", {}).items():
            examples = content.get("examples", {})
            if not is_problem and media_type == "application/json" and not operation["route"].endswith("/result"):
                assert "$ref" in content["schema"], f"{operation['route']} {status}: a client is told no type"
                assert examples, f"{operation['route']} {status}: record it in tests/openapi_examples.py"
            for example in examples.values():
                schema = {**content["schema"], "components": DOCUMENT["components"]}
                jsonschema.Draft202012Validator(schema).validate(looked_up(example)["value"])


def test_every_error_code_is_named_by_some_operation_or_belongs_to_jobs() -> None:
    described = {
        code
        for operation in OPERATIONS.values()
        for _, answer, is_problem in answers(operation)
        if is_problem
        for code in re.findall(r"^- `(\w+)`: ", answer["description"], re.MULTILINE)
    }
    assert set(ERRORS) - described == OF_NO_OPERATION | OF_JOBS


def shape(value: Any) -> Any:
    """Keys and kinds, without what differs from one time to the next."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_the_examples_are_what_the_service_answers(tmp_path: Path) -> None:
    now = recorded(tmp_path)
    renew = "renew them: uv run python -m tests.openapi_examples"
    assert set(now) == set(EXAMPLES), renew
    for name, example in EXAMPLES.items():
        assert shape(now[name]) == shape(example), f"{name}: {renew}"
