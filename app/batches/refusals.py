"""Why a batch, or one of its files, is refused."""

from collections.abc import Sequence

from msgspec import Struct


class TooManyFiles(Exception):
    """The batch has more files than one may have."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a batch may have at most {limit} files; send several batches")


class BatchTooLarge(Exception):
    """The files have more bytes, all together, than those of a batch may have; or one has more than a file may have."""


class ArchiveTooLarge(Exception):
    """What is in the ZIP is larger than a batch may be, or packed so tightly that it is no honest one."""


class BadArchive(Exception):
    """The ZIP, or a file in it, cannot be unpacked."""


class LockedEntry(Exception):
    """A file in the ZIP is encrypted."""


class EmptyFile(Exception):
    """A file without a byte."""


class BatchNotFound(Exception):
    """There is no such batch, or it is another owner's."""


class BatchGone(Exception):
    """The batch was deleted."""


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a file is refused, as clients are told."""

    code: str
    detail: str


class RefusedFile(Struct, frozen=True, kw_only=True):
    """A file that became no job."""

    number: int
    """Its place among those that were sent, from 1."""
    name: str
    why: Refusal


class NothingTaken(Exception):
    """None of the files became a job; nothing was kept."""

    def __init__(self, refused: Sequence[RefusedFile]) -> None:
        """`refused`: all of them, at least one."""
        self.refused = refused
        self.first = refused[0].why
        if len(refused) == 1:
            name = refused[0].name
            super().__init__(f"{name}: {self.first.detail}" if name else self.first.detail)
            return
        named = "; ".join(f"{each.name or 'a file'}: {each.why.code}, {each.why.detail}" for each in refused[:8])
        super().__init__(f"none of the {len(refused)} files was taken: {named}")
