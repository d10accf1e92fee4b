"""What an OCR process may use, when it is recycled, and when a slot that cannot start one is given up."""

from msgspec import Struct


class WorkerLimits(Struct, frozen=True, kw_only=True):
    """The limits of every worker of a pool; sizes in bytes, times in seconds."""

    max_jobs: int = 10_000
    """Pages after which a process is recycled."""
    max_memory: int = 1_000_000_000
    """Resident memory above which a process is recycled."""
    address_space: int = 8_000_000_000
    """What a process may map (RLIMIT_AS)."""
    max_failed_starts: int = 3
    """Failed starts in a row after which a slot is given up."""
    early_death: float = 60.0
    """A process that dies so soon, and before its first image, counts as a failed start; later somebody killed it."""
    restart_pause: float = 0.5
    """Before a failed start is tried again; doubles with each failure."""


DEFAULT_LIMITS = WorkerLimits()
