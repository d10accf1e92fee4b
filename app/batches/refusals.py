"""Why a batch, or one of its files, is refused."""

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


class NothingTaken(Exception):
    """None of the files became a job; nothing was kept."""

    def __init__(self, refused: list[tuple[str, Refusal]]) -> None:
        """`refused`: at least one file by name, with its reason."""
        self.first = refused[0][1]
        if len(refused) == 1:
            name = refused[0][0]
            super().__init__(f"{name}: {self.first.detail}" if name else self.first.detail)
            return
        named = "; ".join(f"{name or 'a file'}: {why.code}, {why.detail}" for name, why in refused[:8])
        super().__init__(f"none of the {len(refused)} files was taken: {named}")
