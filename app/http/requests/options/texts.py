"""From the text of an option to its value. Each raises BadOption, which says what is wrong with the text."""

import re
from collections.abc import Callable, Mapping

import msgspec

from app.http.requests.languages import languages_told
from app.http.requests.strict import said_twice
from app.jobs.page_selection import PageSelection
from config.settings import Settings
from ocr_engine.recognition.letters.languages import UnknownLanguage
from ocr_engine.result import Area, Measure

MAX_TAG_LETTERS = 200
MAX_EXPIRY_SECONDS = 10 * 366 * 24 * 3600
"""Ten years."""
MAX_AREAS = 50
"""Rectangles that may be told: each region is looked at by itself."""
MAX_AREAS_LETTERS = 5000
MAX_PAGE_NUMBER = 10**9
_SIDES = ("x", "y", "width", "height")
_AREAS = (
    'no JSON list of rectangles, as [[x, y, width, height]], each in pixels or as "10%", '
    'or [{"x": 0, "y": 0, "width": 90, "height": 20, "page": 1}]'
)
KEPT_HOURS = 24.0
"""What `keep_upload=true` asks for where uploads are not kept otherwise."""
KEPT_PATTERN = r"^[\t-\r ]*(true|false|[0-9]{1,6}(\.[0-9]{1,6})?)?[\t-\r ]*$"
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?|\.[0-9]{1,9}", re.ASCII)
_KEPT = re.compile(KEPT_PATTERN, re.ASCII)

Reader = Callable[[str, Settings], object]
"""Of a text that is not empty, for a service with these settings."""


class BadOption(ValueError):
    """No value of the option."""


def as_it_is(text: str, _settings: Settings) -> str:
    """Judged elsewhere."""
    return text


def one_of(*values: str) -> Reader:
    """Reads one of these words."""

    def read(text: str, _settings: Settings) -> str:
        if text not in values:
            raise BadOption(f"{text[:64]!r} is none of {', '.join(map(repr, values))}")
        return text

    return read


def yes_or_no(text: str, _settings: Settings) -> bool:
    """`true` or `false`; generated clients say `True`."""
    if text.lower() not in ("true", "false"):
        raise BadOption(f"{text[:64]!r} is neither 'true' nor 'false'")
    return text.lower() == "true"


def whole_number(least: int, most: int, of: str) -> Reader:
    """Reads a whole number; `of` says of what."""

    def read(text: str, _settings: Settings) -> int:
        if not (text.isascii() and text.isdigit()) or not least <= int(text[:12]) <= most:
            raise BadOption(f"not a whole number of {of} from {least} to {most}")
        return int(text)

    return read


def number(least: float, most: Callable[[Settings], float], of: str) -> Reader:
    """Reads a number, which need not be whole; `of` says of what."""

    def read(text: str, settings: Settings) -> float:
        if not _NUMBER.fullmatch(text) or not least <= float(text) <= most(settings):
            raise BadOption(f"not a number {of} from {least:g} to {most(settings):g}")
        return float(text)

    return read


def pages(text: str, _settings: Settings) -> str:
    """As PageSelection writes them. Raises BadSelection."""
    return str(PageSelection.parsed(text))


def languages(text: str, settings: Settings) -> tuple[str, ...]:
    """BCP 47 tags with commas between."""
    try:
        return languages_told(text, settings)
    except UnknownLanguage as error:
        raise BadOption(str(error)) from None


def tag(text: str, _settings: Settings) -> str:
    """Anything short that can be shown."""
    if len(text) > MAX_TAG_LETTERS or any(ord(sign) < 0x20 or ord(sign) == 0x7F for sign in text):
        raise BadOption(f"at most {MAX_TAG_LETTERS} letters, and no control characters")
    return text


def metadata(text: str, _settings: Settings) -> Mapping[str, str]:
    """A JSON object of texts."""
    try:
        told = msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise BadOption('not a JSON object whose values are texts, as {"invoice": "2026-17"}') from None
    if (name := said_twice(text)) is not None:
        raise BadOption(f"says {name!r} twice and not alike")
    if any("\0" in each for pair in told.items() for each in pair):
        raise BadOption("holds a NUL character")  # with which PostgreSQL could look into the options of no job
    return told


def most_hours(settings: Settings) -> float:
    """For which an upload may be kept."""
    return max(settings.keep_uploads_hours, settings.max_keep_uploads_hours)


def areas(text: str, _settings: Settings) -> tuple[Area, ...]:
    """Rectangles as JSON, each an array of four or an object; of a single one, four measures with commas between."""
    try:
        said = msgspec.json.decode(text) if text[:1] in "[{" else [text.split(",")]
    except (msgspec.DecodeError, RecursionError):
        raise BadOption(_AREAS) from None
    listed = said if isinstance(said, list) else [said]
    if listed and not isinstance(listed[0], list | dict):
        listed = [listed]
    if len(listed) > MAX_AREAS:
        raise BadOption(f"{len(listed)} rectangles; at most {MAX_AREAS}")
    return tuple(map(_area, listed))


def _area(said: object) -> Area:
    members = dict(zip(_SIDES, said, strict=False)) if isinstance(said, list) and len(said) == len(_SIDES) else said
    if not isinstance(members, dict) or not {*_SIDES} <= members.keys() <= {*_SIDES, "page"}:
        raise BadOption(_AREAS)
    page = members.get("page", 0)
    if not isinstance(page, int) or isinstance(page, bool) or not 0 <= page <= MAX_PAGE_NUMBER:
        raise BadOption(f"page: {str(page)[:32]!r} is no number of a page")
    x, y, width, height = (_measure(members[side], side) for side in _SIDES)
    return Area(x=x, y=y, width=width, height=height, page=page)


def _measure(said: object, side: str) -> Measure:
    """Pixels or a percentage."""
    text = said.strip() if isinstance(said, str) else str(said) if isinstance(said, int | float) else ""
    number = float(text.removesuffix("%")) if _NUMBER.fullmatch(text.removesuffix("%")) else -1.0
    percent = text.endswith("%")
    if number < 0 or (percent and number > 100) or (not number and side in ("width", "height")):
        raise BadOption(f"{side}: {str(said)[:32]!r} is neither pixels nor a percentage as `12.5%`")
    return text if percent else number


def kept_hours(text: str, settings: Settings) -> float | None:
    """None: as KEEP_UPLOADS_HOURS says."""
    most = most_hours(settings)
    if text == "true" and settings.keep_uploads_hours > 0:
        return None
    if text == "true" and most > 0:
        return min(most, KEPT_HOURS)
    hours = 0.0 if text == "false" else float(text) if _KEPT.fullmatch(text) else None
    if hours is None or hours > most:
        raise BadOption(f"neither `true`, `false` nor a number of hours from 0 to {most:g}")
    return hours
