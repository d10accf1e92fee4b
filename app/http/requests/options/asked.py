"""What a request asks of its file: each option said once, as a form field, in the query or in a JSON object."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from string import whitespace

import msgspec

from app.http.problems import ApiError
from app.http.requests.options.table import OPTIONS, PASSWORD, job_options, max_letters
from app.http.requests.strict import refuse_unknown, said_twice
from app.jobs.incoming import UploadFields
from config.settings import Settings

JSON_PART = "options"
"""Name of the part of a form that holds options as one JSON object."""
MAX_JSON_BYTES = 16_384
"""Of that part."""
NAMES = (*OPTIONS, PASSWORD)
"""All that may be asked."""
IN_QUERY = tuple(OPTIONS)
"""Those that may stand in an address: logs and histories keep addresses, and no password may be in them."""


class Place(StrEnum):
    """Where an option was said."""

    QUERY = "in the query"
    FORM = "as a form field"
    JSON = f"in `{JSON_PART}`"


class Asked:
    """Options as texts, gathered from all places of one request."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._places: dict[str, Place] = {}

    def add_query(self, parameters: Iterable[tuple[str, str]]) -> None:
        """Those of the query's parameters that are options. Raises ApiError."""
        for name, text in parameters:
            if name in IN_QUERY:
                self.add(Place.QUERY, name, text)

    def add_json(self, data: bytes | bytearray, place: Place = Place.JSON) -> None:
        """Those of a JSON object: numbers and lists as they are, or as the texts that a form has. Raises ApiError."""
        if not data.strip():
            return
        try:
            members = msgspec.json.decode(data, type=dict[str, object])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ApiError("malformed_request", f'{place}: no JSON object, as {{"pages": "1-3"}}') from None
        if (name := said_twice(data)) is not None:
            raise ApiError("malformed_request", f"`{name}` is said twice and not alike, {place}; say it once")
        refuse_unknown("option", members.keys(), NAMES)
        for name, value in members.items():
            self.add(place, name, _as_text(value))

    def add(self, place: Place, name: str, text: str) -> None:
        """One that is known. Raises ApiError where it is too long, or was said before and otherwise."""
        if len(text) > max_letters(name):
            raise ApiError("malformed_request", f"`{name}` has more than {max_letters(name)} letters")
        text = text if name == PASSWORD else text.strip(whitespace)
        before = self._texts.setdefault(name, text)
        where = self._places.setdefault(name, place)
        if not _alike(before, text):
            told = f"`{name}` is said twice and not alike, {where} and {place}; say it once"
            raise ApiError("malformed_request", told)

    def fields(self, settings: Settings) -> UploadFields:
        """What was asked for. Raises ApiError or BadSelection."""
        return UploadFields(options=job_options(self._texts, settings), password=self._texts.get(PASSWORD, ""))


def _as_text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list() if not any(isinstance(each, list | Mapping) for each in value):
            return ",".join(map(_as_text, value))
        case _:
            return msgspec.json.encode(value).decode()


def _alike(one: str, other: str) -> bool:
    """Whether two texts say the same, as text or as JSON."""
    if one == other:
        return True
    try:
        return bool(msgspec.json.decode(one) == msgspec.json.decode(other))
    except (msgspec.DecodeError, RecursionError):
        return False
