"""From the text of an option to its value. Each raises BadOption, which says what is wrong with the text."""

import re
from collections.abc import Callable, Mapping

import msgspec

from app.http.requests.languages import languages_told
from app.jobs.page_selection import PageSelection
from config.settings import Settings
from ocr_engine.recognition.letters.languages import UnknownLanguage

MAX_TAG_LETTERS = 200
MAX_EXPIRY_SECONDS = 10 * 366 * 24 * 3600
"""Ten years."""
KEPT_HOURS = 24.0
"""What `keep_upload=true` asks for where uploads are not kept otherwise."""
KEPT_PATTERN = r"^(true|false|[0-9]{1,6}(\.[0-9]{1,6})?)?$"
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?|\.[0-9]{1,9}", re.ASCII)
_KEPT = re.compile(KEPT_PATTERN, re.ASCII)

Reader = Callable[[str, Settings], object]
"""Of a text that is not empty, for a service with these settings."""


class BadOption(ValueError):
    """No value of the option."""


def one_of(*values: str) -> Reader:
    """Reads one of these words."""

    def read(text: str, _settings: Settings) -> str:
        if text not in values:
            raise BadOption(f"{text[:64]!r} is none of {', '.join(map(repr, values))}")
        return text

    return read


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
        return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise BadOption('not a JSON object whose values are texts, as {"invoice": "2026-17"}') from None


def most_hours(settings: Settings) -> float:
    """For which an upload may be kept."""
    return max(settings.keep_uploads_hours, settings.max_keep_uploads_hours)


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
