"""Which pages of a file are to be read: `1-3,7,20-`, as printing dialogues have it."""

import re
from collections.abc import Sequence

from msgspec import Struct

MAX_PAGE_RANGES = 200
"""More are no selection that a person made, and each is compared with each page."""
_RANGE = re.compile(r"(\d{1,9})(?:\s*-\s*(\d{1,9})?)?|-\s*(\d{1,9})", re.ASCII)


class BadSelection(ValueError):
    """The text names no pages."""


class PageSelection(Struct, frozen=True):
    """Ranges of numbers from 1, both ends in; None: to the last page. No range: all pages."""

    ranges: tuple[tuple[int, int | None], ...] = ()

    @classmethod
    def parsed(cls, text: str) -> "PageSelection":
        """What `1-3,7,20-` means; an empty text means all pages. Raises BadSelection, and says what is wrong."""
        parts = [part.strip() for part in text.split(",")] if text.strip() else []
        if len(parts) > MAX_PAGE_RANGES:
            raise BadSelection(f"pages: {len(parts)} ranges; at most {MAX_PAGE_RANGES} can be named")
        return cls(tuple(_range(part) for part in parts))

    def numbers(self, total: int) -> Sequence[int]:
        """The chosen ones of `total` pages, ascending, each once."""
        spans = self.spans(total)
        return spans[0] if len(spans) == 1 else [number for span in spans for number in span]

    def spans(self, total: int) -> Sequence[range]:
        """The same as ranges that neither touch nor overlap: in no time, however many pages a file says it has."""
        spans = [range(1, total + 1)] if not self.ranges else []
        for first, last in sorted((first, min(total, last or total)) for first, last in self.ranges):
            if spans and first <= spans[-1].stop:
                spans[-1] = range(spans[-1].start, max(spans[-1].stop, last + 1))
            elif first <= last:
                spans.append(range(first, last + 1))
        return spans

    def __str__(self) -> str:
        return ",".join(
            f"{first}" if first == last else f"{first}-{'' if last is None else last}" for first, last in self.ranges
        )


def _range(part: str) -> tuple[int, int | None]:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise BadSelection(f"pages: {part[:40]!r} is no page and no range; write for instance 1-3,7,20-")
    single, end, up_to = found.groups()
    first = 1 if up_to else int(single)
    last = int(up_to) if up_to else int(end) if end else None if "-" in part else first
    if first < 1 or (last is not None and last < first):
        raise BadSelection(f"pages: {part[:40]!r} names no page; they are counted from 1, the lower one first")
    return first, last
