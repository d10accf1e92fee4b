"""The OpenAPI document and the service agree: requests made from the one are answered by the other as it says."""

import contextlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from config.settings import Settings
from ocr_engine.image import MEDIA_TYPES
from samples import sample
from tests.live_server import LiveServer, live_server
from tests.scripted_pool import ScriptedPool, text_result


def zipped(image: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("image", image)
    return made.getvalue()


# what an image is, no schema can say
IMAGES = st.sampled_from([sample(name).data for name in ("health", "tiny", "turned")])
schemathesis.openapi.format("binary", IMAGES)
for media_type in (*MEDIA_TYPES, "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, IMAGES)
schemathesis.openapi.media_type("application/zip", IMAGES.map(zipped))

# a cursor is opaque, and a moment one of many forms: that any text is one is the best that a schema can say of it
ANY_TEXT = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400"]}}}
# and `If-None-Match: *` holds of any list
A_LIST = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "304", "400"]}}}
# of pages it cannot say that the lower one comes first, nor that the file has them
PAGES = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "422"]}}}
# nor which addresses the operator lets be fetched
ADDRESSES = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "403", "422"]}}}
LENIENT = [
    {"include-path": "/dead-letters", **ANY_TEXT},
    {"include-name": "GET /images", **A_LIST},
    {"include-name": "GET /batches", **ANY_TEXT},
    {"include-name": "GET /deliveries", **ANY_TEXT},
    {"include-name": "POST /images", **PAGES},
    {"include-name": "POST /batches", **ADDRESSES},
]
CONFIG = schemathesis.Config.from_dict({"operations": LENIENT})

OF_EVERY_ANSWER = {
    *("cache-control", "connection", "content-encoding", "content-length", "content-type", "date", "keep-alive"),
    *("content-security-policy", "referrer-policy", "transfer-encoding", "vary", "x-accel-buffering"),
    *("x-content-type-options", "x-frame-options"),
}
"""Headers that the document need not name: of the protocol, and those that only browsers and proxies look at."""

bounded = examples(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('api')}/jobs.db")
    pool = ScriptedPool(default=text_result(sample("health").text))
    with live_server(msgspec.structs.replace(settings, queue_limit=100_000), pool) as server:
        server.service.streams.close()  # event streams end at once, as at a stop: their answers have an end
        yield server


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as documented", "not so"])
def test_every_operation_answers_as_documented(server: LiveServer, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{server.url}/docs/openapi.json", config=CONFIG)
    found = [*schema.get_all_operations()]
    operations = [each.ok() for each in found if isinstance(each, Ok)]
    assert len(found) == len(operations) >= 5
    for operation in operations:

        @bounded
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers_as_documented(case: schemathesis.Case[Any]) -> None:
            # an option that is empty is as none, and an object none that an address could say
            assume(not any(value == "" or isinstance(value, dict) for value in (case.query or {}).values()))
            if isinstance(case.body, dict):
                # a form has texts and files: what is a number here is a text like any on the wire, an empty one as none
                assume(all(isinstance(value, str | bytes | list) and value != "" for value in case.body.values()))
            answer = case.call_and_validate()
            documented = case.operation.definition.raw["responses"][str(answer.status_code)].get("headers", {})
            assert set(answer.headers) <= {*map(str.lower, documented), *OF_EVERY_ANSWER}

        with contextlib.suppress(*([Unsatisfiable] if mode is GenerationMode.NEGATIVE else [])):
            answers_as_documented()  # a request without parameters cannot be a wrong one
    assert server.works()
