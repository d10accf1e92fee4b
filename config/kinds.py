"""What a setting may be: its type and its bounds."""

from typing import Annotated

from msgspec import Meta

Port = Annotated[int, Meta(ge=0, le=65_535)]
Count = Annotated[int, Meta(ge=1)]
Natural = Annotated[int, Meta(ge=0)]
YEAR_SECONDS = 365 * 24 * 3600
# a wait without end would lead out of the calendar, and a date that cannot be told holds up its job for ever
Seconds = Annotated[float, Meta(gt=0, le=YEAR_SECONDS)]
Share = Annotated[float, Meta(ge=0, le=1)]
NonEmpty = Annotated[str, Meta(min_length=1)]

LANGUAGE_TAGS = r"^$|^ *[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*( *, *[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*)* *$"
"""BCP 47 tags with commas between."""
