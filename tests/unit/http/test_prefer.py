"""`Prefer: wait=N` as RFC 7240 has it."""

import pytest

from app.http.requests.prefer import wanted_wait


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], 0),
        (["wait=10"], 10),
        (["respond-async, wait=10"], 10),
        (["respond-async", "Wait = 7"], 7),
        (['wait="5"'], 5),
        (["wait=3; foo=bar"], 3),
        (["wait=4, wait=9"], 4),
        (["wait"], 0),
        (["wait=-1"], 0),
        (["wait=1.5"], 0),
        (["await=5"], 0),
        (["wait=99999999999999999999"], 0),
    ],
)
def test_the_seconds_that_a_client_would_wait_are_understood(headers: list[str], seconds: int) -> None:
    assert wanted_wait(headers) == seconds
