"""Account numbers by ISO 13616: their length follows from the country, two check digits tell whether they are right."""

import re
from collections.abc import Iterator

from ocr_engine.recognition.fields.lookalikes import as_digits, as_letters, variants

LENGTHS = {
    "AD": 24,
    "AE": 23,
    "AL": 28,
    "AT": 20,
    "AZ": 28,
    "BA": 20,
    "BE": 16,
    "BG": 22,
    "BH": 22,
    "BR": 29,
    "CH": 21,
    "CR": 22,
    "CY": 28,
    "CZ": 24,
    "DE": 22,
    "DK": 18,
    "DO": 28,
    "EE": 20,
    "ES": 24,
    "FI": 18,
    "FO": 18,
    "FR": 27,
    "GB": 22,
    "GE": 22,
    "GI": 23,
    "GL": 18,
    "GR": 27,
    "HR": 21,
    "HU": 28,
    "IE": 22,
    "IL": 23,
    "IS": 26,
    "IT": 27,
    "KW": 30,
    "KZ": 20,
    "LB": 28,
    "LI": 21,
    "LT": 20,
    "LU": 20,
    "LV": 21,
    "MC": 27,
    "MD": 24,
    "ME": 22,
    "MK": 19,
    "MT": 31,
    "NL": 18,
    "NO": 15,
    "PL": 28,
    "PT": 25,
    "QA": 29,
    "RO": 24,
    "RS": 22,
    "SA": 24,
    "SE": 24,
    "SI": 19,
    "SK": 24,
    "SM": 27,
    "TN": 24,
    "TR": 26,
    "UA": 29,
    "XK": 20,
}
"""Characters, by country: SWIFT's IBAN Registry, release 97."""
WITH_LETTERS = {
    "AD": "8n12c",
    "AL": "8n16c",
    "AZ": "4a20c",
    "BG": "4a6n8c",
    "BH": "4a14c",
    "BR": "23n1a1c",
    "CH": "5n12c",
    "CY": "8n16c",
    "DO": "4c20n",
    "FR": "10n11c2n",
    "GB": "4a14n",
    "GE": "2a16n",
    "GI": "4a15c",
    "GR": "7n16c",
    "IE": "4a14n",
    "IT": "1a10n12c",
    "KW": "4a22c",
    "KZ": "3n13c",
    "LB": "4n20c",
    "LI": "5n12c",
    "LU": "3n13c",
    "LV": "4a13c",
    "MC": "10n11c2n",
    "MD": "20c",
    "MK": "3n10c2n",
    "MT": "4a5n18c",
    "NL": "4a10n",
    "QA": "4a21c",
    "RO": "4a16c",
    "SA": "2n18c",
    "SM": "1a10n12c",
    "TR": "6n16c",
    "UA": "6n19c",
}
"""What stands behind the check digits: so many digits (n), letters (a) or either (c), as the registry says. All
other countries have digits only."""
_START = re.compile(r"(?<![A-Za-z0-9])(?=[A-Z012568]{2}[0-9OIDQLZSGB]{2} ?[A-Z0-9])")


def check_digits(country: str, account: str) -> str:
    """The two digits behind the country's letters."""
    return f"{98 - _rest(f'{account}{country}00'):02}"


def put_right(text: str) -> str:
    """The text, of the same length, with the account numbers in it as their check digits want them."""
    signs = [*text]
    for places in _numbers(text):
        right = _right("".join(text[i] for i in places))
        for i, sign in zip(places, right, strict=True):
            signs[i] = sign
    return "".join(signs)


def parts(form: str) -> list[tuple[int, str]]:
    """How many signs of which kind a form has, one part after the other."""
    return [(int(count), kind) for count, kind in re.findall(r"(\d+)([nac])", form)]


def _numbers(text: str) -> Iterator[list[int]]:
    """Places of the characters of what may be an account number, blanks left out."""
    done = 0
    for start in _START.finditer(text):
        at = start.start()
        length = LENGTHS.get(as_letters(text[at : at + 2]))
        if length is None or at < done:
            continue
        places = [i for i in range(at, len(text)) if text[i] != " "][:length]
        written = text[at : places[-1] + 1]
        ends = places[-1] + 1 == len(text) or not text[places[-1] + 1].isalnum()
        if len(places) == length and ends and "  " not in written and re.fullmatch(r"[A-Z0-9 ]+", written):
            done = places[-1] + 1
            yield places


def _right(number: str) -> str:
    """The number with look-alikes in place of signs that its form or its check digits speak against."""
    country = as_letters(number[:2])
    head, account = country + as_digits(number[2:4]), _typed(number[4:], WITH_LETTERS.get(country, "99n"))
    # one sign at most where letters may stand: each more makes it likelier that 97 fits by chance
    either = country in WITH_LETTERS and "c" in WITH_LETTERS[country]
    tried = [account, *([as_digits(account), *variants(account, most=1)] if either else [])]
    return next((head + each for each in tried if _rest(each + head) == 1), number)


def _typed(account: str, form: str) -> str:
    """The account with digits and letters where the form wants them."""
    typed, at = "", 0
    for count, kind in parts(form):
        part = account[at : at + count]
        typed += as_digits(part) if kind == "n" else as_letters(part) if kind == "a" else part
        at += len(part)
    return typed


def _rest(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97
