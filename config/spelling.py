"""Names in the environment that are nearly those of settings: most likely a slip that would go unnoticed."""

import difflib
from collections.abc import Collection, Iterable

MIN_LENGTH = 8
"""Of a setting's name: HOST, PORT and ROLE are like too much that other programs use."""
MIN_LIKENESS = 0.9
"""By difflib: a letter too many, too few or another one in ten; `MAX_WORKER` is 0.95, `DATABASE_URI` 0.92 near."""
FOREIGN = ("OTEL_",)
"""Beginnings of names that the libraries within read by themselves, ours among their like."""


def nearly(names: Iterable[str], known: Collection[str]) -> list[tuple[str, str]]:
    """(name, setting) for each of `names` that is no setting, but nearly one of `known`, or one in small letters."""
    long_enough = [setting for setting in known if len(setting) >= MIN_LENGTH]
    found = []
    for name in sorted(set(names) - set(known)):
        if name.startswith(FOREIGN):
            continue
        likely = difflib.get_close_matches(name.upper(), long_enough, 1, MIN_LIKENESS)
        # a slip hardly ever hits the first letter; other programs' names often differ there
        if likely and likely[0][0] == name[0].upper():
            found.append((name, likely[0]))
    return found
