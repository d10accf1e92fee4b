"""The figures of a run as tables for people; docs/accuracy.md says what the columns are."""

from collections.abc import Sequence

from msgspec import Struct

from benchmarks.accuracy.scoring import Figures


class SetFigures(Struct, frozen=True, kw_only=True):
    """One engine on one set, or on all."""

    engine: str
    set: str
    errors: int
    seconds: float
    figures: Figures


TEXT = ("cer", "cer_ci", "rcer_ci", "box_ci", "word_f1", "word_f1_ci", "character_f1")
LETTERS = ("cer_spaced", "unicode_f1", "accents", "false_accents", "spaces", "lines_found", "out_of_order")
STRUCTURE = ("word_iou", "word_iou_half", "pairs_kept", "pairs_of_read", "cell_f1")
COLUMNS = (TEXT, LETTERS, STRUCTURE)
"""All figures that are shown."""
LANGUAGE = ("cer_spaced", "unicode_f1", "accents", "false_accents", "spaces")


def tables(sets: Sequence[SetFigures], languages: Sequence[SetFigures]) -> str:
    """All tables, that of structure only for the sets of which there is a figure."""
    told = [_table(sets, "set", TEXT), _table(sets, "set", LETTERS)]
    structured = [row for row in sets if any(getattr(row.figures, column) is not None for column in STRUCTURE)]
    if structured:
        told.append(_table(structured, "set", STRUCTURE))
    if languages:
        told.append(_table(languages, "language", LANGUAGE))
    return "\n\n".join(told)


def _table(rows: Sequence[SetFigures], kind: str, columns: Sequence[str]) -> str:
    width = max(12, *(len(row.set) + 2 for row in rows))
    head = f"{'engine':<22}{kind:<{width}}{'images':>7}{'errors':>7}{'s':>9}" + "".join(f"{c:>14}" for c in columns)
    lines = [head]
    for row in rows:
        values = (getattr(row.figures, column) for column in columns)
        lines.append(
            f"{row.engine:<22}{row.set:<{width}}{row.figures.images:>7}{row.errors:>7}{row.seconds:>9.1f}"
            + "".join(f"{'-' if value is None else format(value, '.4f'):>14}" for value in values)
        )
    return "\n".join(lines)
