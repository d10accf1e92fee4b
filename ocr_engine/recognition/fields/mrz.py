"""Machine-readable zones of passports, visas and identity cards, by ICAO Doc 9303: parts 3 to 7, eighth edition.

Each place of a line holds letters, digits or either, and check digits tell whether a field was read right. A zone is
known by the line that has them: where two of its check digits are right it is one, and the lines of the same length
beside it belong to it.
"""

from collections.abc import Sequence
from itertools import islice, product

from msgspec import Struct

from ocr_engine.recognition.fields.lookalikes import as_digits, as_letters, variants

WEIGHTS = (7, 3, 1)
FILLER = "<"
FILLERS = {"«": "<<", "‹": "<", "≤": "<", "{": "<", "(": "<", "[": "<", "⟨": "<", "＜": "<", "く": "<", "〈": "<"}
"""What the recogniser takes fillers for."""
LETTERS_ALIKE = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧⅠⅤⅩ", "ABEZHIKMNOPTYXIVX", strict=True))
"""Greek capitals and Roman numerals that the recogniser takes letters for; a zone has none."""
_IN_ZONE = str.maketrans(FILLERS | LETTERS_ALIKE)
MAX_MISSING = 3
"""Fillers of a row that may be lost or read twice: how many there are follows from the line's length."""
MIN_RIGHT_CHECKS = 2
"""Of a line, for it to be part of a zone: one in a hundred lines of any text of that form has as many by chance."""
MAX_OPTIONS = 30
"""Ways to read a field without a check digit of its own that are tried."""
LETTERS, DIGITS, EITHER = "letters", "digits", "either"


class Field(Struct, frozen=True):
    """Places of a line from `begin` up to `end`."""

    begin: int
    end: int
    kind: str
    check: int = -1
    """Where its check digit stands; -1: it has none."""


class Form(Struct, frozen=True, kw_only=True):
    """The line of a zone that holds the check digits."""

    length: int
    fields: tuple[Field, ...]
    number: int
    """Which line of its zone it is, from 0."""
    lines: int
    names: int
    """Which line has the names."""
    first: tuple[Field, ...]
    """Of the zone's first line."""
    whole: tuple[tuple[int, int, int], ...] = ()
    """What the last check digit is of: which line, from and up to which place."""


_NUMBER, _NATION = Field(0, 9, EITHER, 9), Field(10, 13, LETTERS)
_BORN, _SEX, _ENDS = Field(13, 19, DIGITS, 19), Field(20, 21, LETTERS), Field(21, 27, DIGITS, 27)
_KIND, _ISSUER, _HOLDER = Field(0, 1, LETTERS), Field(2, 5, LETTERS), Field(5, 44, LETTERS)
_CARD_NUMBER, _CARD_OPTION = Field(5, 14, EITHER, 14), Field(15, 30, EITHER)
FORMS = (
    Form(
        length=44,
        number=1,
        lines=2,
        names=0,
        first=(_KIND, _ISSUER, _HOLDER),
        fields=(_NUMBER, _NATION, _BORN, _SEX, _ENDS, Field(28, 42, EITHER, 42)),
        whole=((1, 0, 10), (1, 13, 20), (1, 21, 43)),
    ),
    Form(
        length=36,
        number=1,
        lines=2,
        names=0,
        first=(_KIND, _ISSUER, _HOLDER),
        fields=(_NUMBER, _NATION, _BORN, _SEX, _ENDS, Field(28, 35, EITHER)),
        whole=((1, 0, 10), (1, 13, 20), (1, 21, 35)),
    ),
    Form(
        length=30,
        number=1,
        lines=3,
        names=2,
        first=(_KIND, _ISSUER, _CARD_NUMBER, _CARD_OPTION),
        fields=(
            Field(0, 6, DIGITS, 6),
            Field(7, 8, LETTERS),
            Field(8, 14, DIGITS, 14),
            Field(15, 18, LETTERS),
            Field(18, 29, EITHER),
        ),
        whole=((0, 5, 30), (1, 0, 7), (1, 8, 15), (1, 18, 29)),
    ),
)


def check_digit(text: str) -> str:
    """Of a field, by part 3, section 4.9: values times 7, 3, 1, 7 …, modulo 10."""
    return str(sum(_value(sign) * WEIGHTS[i % 3] for i, sign in enumerate(text)) % 10)


def put_right(lines: Sequence[str]) -> dict[int, str]:
    """The lines of zones as they must be, by their index; `lines` as they were read, those of a zone in its order."""
    found: dict[int, str] = {}
    for form in FORMS:
        fitting = {i: fitted for i, line in enumerate(lines) if (fitted := fit_to(line, form.length)) is not None}
        for i, line in fitting.items():
            if i in found:
                continue
            checked = _typed(line, form.fields)
            if not _has_dates(line, form) or _right_checks(checked, form.fields) < MIN_RIGHT_CHECKS:
                continue
            rows = sorted(fitting)
            first = rows.index(i) - form.number
            members = rows[max(0, first) : first + form.lines] if first >= 0 else [i]
            if len(members) < form.lines or any(member in found for member in members):
                found[i] = checked
                continue
            zone = _whole([fitting[member] for member in members], checked, form)
            found |= dict(zip(members, zone, strict=True))
    return found


def fit_to(line: str, length: int) -> str | None:
    """The line in a zone's signs and of that length; None where it cannot be one of a zone."""
    line = line.replace(" ", "").upper().translate(_IN_ZONE)
    if not ((abs(len(line) - length) <= MAX_MISSING and FILLER in line) or len(line) == length):
        return None
    if not all(sign == FILLER or (sign.isascii() and sign.isalnum()) for sign in line):
        return None
    if len(line) == length:
        return line
    runs = max((run for run in _runs(line)), key=lambda run: run[1] - run[0])
    wanted = runs[1] - runs[0] + length - len(line)
    return line[: runs[0]] + FILLER * wanted + line[runs[1] :] if wanted > 0 else None


def _whole(lines: list[str], checked: str, form: Form) -> list[str]:
    """All lines of a zone, what has no check digit of its own by that of the whole."""
    lines[form.number] = checked
    lines[0] = _typed(lines[0], form.first)
    if form.names:
        lines[form.names] = as_letters(lines[form.names])
    # the last place of a visa is no check digit
    return lines if lines[0].startswith("V") else _by_last_digit(lines, form)


def _by_last_digit(lines: list[str], form: Form) -> list[str]:
    last = as_digits(lines[form.number][-1])
    open_ = [(row, field) for row, fields in ((0, form.first), (form.number, form.fields)) for field in fields]
    open_ = [(row, field) for row, field in open_ if field.kind == EITHER and field.check < 0]
    texts = [[*islice(variants(lines[row][field.begin : field.end]), MAX_OPTIONS)] for row, field in open_]
    for ranks in sorted(product(*(range(len(each)) for each in texts)), key=sum):
        tried = [*lines]
        for (row, field), rank, each in zip(open_, ranks, texts, strict=True):
            tried[row] = tried[row][: field.begin] + each[rank] + tried[row][field.end :]
        if check_digit("".join(tried[row][begin:end] for row, begin, end in form.whole)) == last:
            tried[form.number] = tried[form.number][:-1] + last
            return tried
    return lines


def _typed(line: str, fields: Sequence[Field]) -> str:
    """The line with each field in signs of its kind, and as its check digit wants it, where look-alikes can do that."""
    for field in fields:
        text = line[field.begin : field.end]
        text = as_letters(text) if field.kind == LETTERS else as_digits(text) if field.kind == DIGITS else text
        if field.check >= 0:
            check = as_digits(line[field.check])
            if field.kind == EITHER:
                text = next((each for each in variants(text) if _is_right(each, check)), text)
            line = line[: field.check] + check + line[field.check + 1 :]
        line = line[: field.begin] + text + line[field.end :]
    return line


def _has_dates(line: str, form: Form) -> bool:
    """Whether most of what must be digits was read as digits."""
    signs = "".join(line[field.begin : field.end] for field in form.fields if field.kind == DIGITS).replace(FILLER, "")
    return 2 * sum(map(str.isdigit, signs)) > len(signs)


def _right_checks(line: str, fields: Sequence[Field]) -> int:
    if not all(_is_of_kind(line[field.begin : field.end], field.kind) for field in fields):
        return 0
    return sum(
        _is_right(line[field.begin : field.end], line[field.check])
        for field in fields
        if field.check >= 0 and line[field.begin : field.end].strip(FILLER)
    )


def _is_of_kind(text: str, kind: str) -> bool:
    plain = text.replace(FILLER, "")
    return kind == EITHER or not plain or (plain.isdigit() if kind == DIGITS else plain.isalpha())


def _is_right(text: str, check: str) -> bool:
    return check_digit(text) == check or (check == FILLER and not text.strip(FILLER))


def _value(sign: str) -> int:
    return 0 if sign == FILLER else int(sign, 36)


def _runs(line: str) -> list[tuple[int, int]]:
    """Where fillers stand in a row."""
    runs: list[tuple[int, int]] = []
    for i, sign in enumerate(line):
        if sign == FILLER:
            if runs and runs[-1][1] == i:
                runs[-1] = runs[-1][0], i + 1
            else:
                runs.append((i, i + 1))
    return runs
