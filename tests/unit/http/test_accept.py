"""Of what a client accepts the best is sent, as RFC 9110 weighs it."""

import pytest

from app.http.requests.accept import best_of

OFFERED = ["text/plain", "text/markdown", "application/json"]


@pytest.mark.parametrize(
    ("header", "best"),
    [
        ("", "text/plain"),
        ("*/*", "text/plain"),
        ("application/json", "application/json"),
        ("text/*", "text/plain"),
        ("text/*, application/json", "text/plain"),
        ("text/plain;q=0.5, application/json;q=0.9", "application/json"),
        ("text/*;q=0.9, text/plain;q=0.1", "text/markdown"),
        ("*/*;q=0.1, text/plain;q=0", "text/markdown"),
        ("Application/JSON ; Q=1.000", "application/json"),
        ("text/plain;format=flowed;q=0.3, application/json;q=0.2", "text/plain"),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/plain"),
        ("nonsense, application/json", "application/json"),
        ("image/png", None),
        ("text/plain;q=0", None),
        ("nonsense", None),
    ],
)
def test_the_best_of_what_is_offered_is_sent(header: str, best: str | None) -> None:
    assert best_of(header, OFFERED) == best
