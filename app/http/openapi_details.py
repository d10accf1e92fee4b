"""What every operation of the OpenAPI document has by construction: headers, error codes of each status, examples.

Routes say which statuses they answer; the rest follows from the table of errors, from guards and parameters, and from
`examples.json`: real answers, recorded by `python -m tests.openapi_examples`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from app.http.access.gate import RATE_LIMIT_HEADERS
from app.http.checks import checked
from app.http.problems import ERRORS, PROBLEM_JSON

Json = dict[str, Any]

EXAMPLES: Mapping[str, Mapping[str, Any]] = msgspec.json.decode(Path(__file__).with_name("examples.json").read_bytes())
"""`operation_status` or an error's code -> a body that was answered once."""

OF_NO_OPERATION = frozenset({"not_found", "method_not_allowed"})
"""What is asked for in vain is in no document."""
OF_JOBS = frozenset({"image_missing"})
"""Never an answer of their own: the `error` of a dead letter."""
OF_WORKERS = frozenset(
    {"timeout", "worker_crashed", "out_of_memory", "engine_error", "pool_unavailable", "page_too_costly"}
)
"""Only where a worker makes the answer; else the `error` of a dead letter, too."""
MADE_BY_WORKERS = ("/result", "/image")
"""How paths end whose answers may come from a worker: searchable PDFs, pictures of pages."""
OF_UPLOADS = frozenset(
    {
        *("missing_file", "unsupported_media_type", "overloaded", "invalid_image", "invalid_document"),
        *("password_required", "url_not_allowed", "url_unreachable"),
    }
)
"""Only where a body is sent."""
OF_NEW_WORK = frozenset({"queue_full", "quota_exceeded", "stopping"})
"""Only where a job is queued: POST."""
OF_PLACES: Mapping[str, tuple[str, ...]] = {
    "already_ended": ("/images/{job_id}",),
    "result_unfinished": ("/result",),
    "no_result": ("/result",),
    "upload_expired": ("/result", "/file", "/image"),
    "no_such_page": ("/result", "/image", "/images"),
    "too_many_streams": ("/events",),
    "delivery_not_found": ("/resend",),
    "callback_refused": ("/images",),
    "webhooks_off": ("/images",),
}
"""How the paths end at which these may be answered."""
OF_BATCHES = frozenset({"batch_not_found", "batch_gone", "archive_too_large", "too_many_files", "invalid_archive"})
"""Only at `/batches`, where nothing is said of single jobs."""
OF_SINGLE_JOBS = frozenset({"job_not_found", "job_gone"})

_TEXT: Json = {"type": "string"}
HEADERS: Mapping[str, Json] = {
    "X-Request-ID": {"description": "Follows the request through the logs; the client's own, where it sent one."},
    "RateLimit-Policy": {"description": 'Quota and its window, as `"reads";q=600;w=60`; where a rate is limited.'},
    "RateLimit": {"description": 'What is left of it, and until when, as `"reads";r=599;t=1`; where it is limited.'},
    "Retry-After": {"description": "Seconds after which to ask again.", "schema": {"type": "integer", "minimum": 0}},
    "Location": {"description": "Path of the job."},
    "Preference-Applied": {"description": "`wait` where the `Prefer` header was followed (RFC 7240)."},
    "WWW-Authenticate": {"description": "How to send a key."},
    "ETag": {"description": "For `If-None-Match`: 304 while nothing has changed."},
}
PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=N` (RFC 7240): answer as soon as the job has ended, or after N seconds.",
    "schema": _TEXT,
    "example": "wait=10",
}
IF_NONE_MATCH: Json = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of an earlier answer.",
    "schema": _TEXT,
}


def operation_name(handler: HTTPRouteHandler, _method: Any, _path: Any) -> str:
    """Litestar's operation_id_creator: the handler's name; `get_` goes before what is read and called by one word."""
    name = handler.handler_name
    return name if "_" in name else f"get_{name}"


def detailed(app: Litestar) -> Json:
    """The OpenAPI document of the application, with what follows from the rules of this module."""
    document: Json = app.openapi_schema.to_schema()
    counted = {
        (route.path_format, method.lower())
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if any(layer.before_request is checked for layer in handler.ownership_layers)
        for method in handler.http_methods
    }
    for path, method, operation in operations(document):
        _add_parameters(operation)
        for status, answer in operation["responses"].items():
            is_problem = PROBLEM_JSON in answer.get("content", {})
            if is_problem:
                _describe_problem(path, method, status, operation, answer)
            elif (name := f"{operation['operationId']}_{status}") in EXAMPLES:
                answer["content"]["application/json"]["examples"] = _example(name)
            names = _header_names(method, status, operation, is_problem, (path, method) in counted)
            headers = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
            answer["headers"] = {**headers, **answer.get("headers", {})}
    document["components"] |= {
        "headers": {name: {"schema": _TEXT, **header} for name, header in HEADERS.items()},
        "examples": {name: {"value": example} for name, example in EXAMPLES.items()},
    }
    return document


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """(path, method, operation) of a document."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def codes(path: str, method: str, status: str, operation: Json) -> list[str]:
    """The error codes that the operation may answer with this status."""
    absent = OF_NO_OPERATION | OF_JOBS
    if not path.endswith(MADE_BY_WORKERS):
        absent |= OF_WORKERS
    if "requestBody" not in operation:
        absent |= OF_UPLOADS
    if method != "post":
        absent |= OF_NEW_WORK
    return [
        code
        for code, kind in ERRORS.items()
        if str(kind.status) == status and code not in absent and _belongs(code, path)
    ]


def _belongs(code: str, path: str) -> bool:
    if code == "not_a_dead_letter":
        return path.startswith("/dead-letters")
    if code in OF_BATCHES | OF_SINGLE_JOBS and path.startswith("/batches") != (code in OF_BATCHES):
        return False
    places = OF_PLACES.get(code)
    return places is None or path.endswith(places)


def _describe_problem(path: str, method: str, status: str, operation: Json, answer: Json) -> None:
    named = codes(path, method, status, operation)
    answer["description"] = "\n".join(f"- `{code}`: {ERRORS[code].title}." for code in named)
    answer["content"][PROBLEM_JSON]["examples"] = {
        name: reference for code in named if code in EXAMPLES for name, reference in _example(code).items()
    }


def _example(name: str) -> Json:
    # by reference: the document is sent to whoever opens /docs
    return {name: {"$ref": f"#/components/examples/{name}"}}


def _add_parameters(operation: Json) -> None:
    parameters = operation.setdefault("parameters", [])
    known = {parameter["name"].lower() for parameter in parameters}
    if "wait" in known and "prefer" not in known:
        parameters.append(PREFER)
    if "304" in operation["responses"] and "if-none-match" not in known:
        parameters.append(IF_NONE_MATCH)


def _header_names(method: str, status: str, operation: Json, is_problem: bool, is_counted: bool) -> Iterator[str]:
    yield "X-Request-ID"
    if is_counted:
        yield from RATE_LIMIT_HEADERS
    if status in ("202", "429", "507") or (is_problem and status == "503"):
        yield "Retry-After"
    if status == "401":
        yield "WWW-Authenticate"
    if is_problem:
        return
    shows_job = re.search("JobView|BatchDetailView", str(operation["responses"][status].get("content")))
    if method == "post" and shows_job:
        yield "Location"
    if "wait" in {parameter["name"] for parameter in operation["parameters"]}:
        yield "Preference-Applied"
    if "304" in operation["responses"]:
        yield "ETag"
