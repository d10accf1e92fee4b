"""The search for the likeliest text where a line is in doubt.

What the model saw and what the language is used to are added up, as bits, and the cheapest text wins. Doubts that stand
within five letters of each other see each other, and are decided together.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

from ocr_engine.recognition.ctc import Doubt
from ocr_engine.recognition.letters.model import LetterModel
from ocr_engine.recognition.letters.ngrams import ORDER, folded

SIGHT_WEIGHT = 2.0
"""Of what was seen against the language, for letters: 1.3 to 3 differ by 0.003 of the accents."""
EVEN_SPACE, EVEN_TIGHT_SPACE = 0.2, 0.008
"""Probability of a space with which the model says nothing either way, in usual and in tightly set print. In that it
sees little of most spaces: with 0.2 twice as many are lost there, with 0.005 more are invented than found."""
TIGHT_SPACE = 0.01
"""The probability below which all of a page is set so."""
STAY_BITS, STRANGE_STAY_BITS = 1.0, 6.0
"""What speaks for what was read, beside its probability: in lines that fit the language, and in others. In those, names
and abbreviations on a receipt for instance, 5 of 7 changes by less than 6 bits were for the worse."""
MAX_FITTING_BITS, MAX_FITTING_BITS_OF_LITTLE = 4.4, 5.4
"""A letter, of lines that fit: prose has 2.3 to 3.3, without its spaces up to 4.4; by a model of little prose more."""
USUAL_BITS = 3.0
"""A letter, in prose: what one more may cost, and one less does not save."""
LOST_BITS = 3.0
"""What a hint at a letter says for one, beside its probability: of 14 in 49 000 letters 11 were letters."""
BEAM = 12
"""Texts that are followed at a time."""
LETTERS_AFTER = 6
"""Letters behind the last doubt that have a say."""
NEW_WORD_BITS = 4.0
"""What a capital behind a small letter says for a space between them."""


class _Text(Struct, frozen=True):
    """What was chosen up to a place."""

    bits: float
    context: str
    chosen: tuple[str, ...]


def chosen(text: str, doubts: Sequence[Doubt], model: LetterModel, *, even: float = EVEN_SPACE) -> list[str]:
    """What shall stand at each of the doubts, given from left to right.

    `even`: probability of a space with which the model says nothing either way.
    """
    if not doubts:
        return []
    fits = float(model.text_bits(folded(text, model.language)).mean()) <= (
        MAX_FITTING_BITS_OF_LITTLE if model.is_of_little else MAX_FITTING_BITS
    )
    stay = STAY_BITS if fits else STRANGE_STAY_BITS
    found: list[str] = []
    for group in _groups(doubts):
        found += _best(text, group, model, even, stay)
    return found


def _groups(doubts: Sequence[Doubt]) -> list[list[Doubt]]:
    groups: list[list[Doubt]] = []
    for doubt in doubts:
        if groups and doubt.at - groups[-1][-1].at <= ORDER:
            groups[-1].append(doubt)
        else:
            groups.append([doubt])
    return groups


def _best(text: str, group: Sequence[Doubt], model: LetterModel, even: float, stay: float) -> tuple[str, ...]:
    begins = group[0].at
    before = f" {text[:begins]}"[1 - ORDER :]
    texts = [_Text(0.0, folded(before, model.language), ())]
    ends = [doubt.at for doubt in group[1:]] + [group[-1].at + group[-1].length + LETTERS_AFTER]
    for doubt, end in zip(group, ends, strict=True):
        settled = folded(f"{text} "[doubt.at + doubt.length : end], model.language)
        stands = text[doubt.at : doubt.at + doubt.length]
        # without its spaces a line fits no language
        stays = STAY_BITS if doubt.is_gap and even < TIGHT_SPACE else stay
        choices = [
            (folded(choice, model.language), choice, _seen(text, doubt, choice, even) + stays * (choice != stands))
            for choice, _ in doubt.choices
        ]
        texts = [
            _Text(before.bits + seen + bits, context, (*before.chosen, choice))
            for before in texts
            for letter, choice, seen in choices
            for bits, context in [_followed(before.context, letter + settled, model)]
        ]
        texts = sorted(texts, key=lambda text: text.bits)[:BEAM]
    return texts[0].chosen


def _seen(text: str, doubt: Doubt, choice: str, even: float) -> float:
    """Bits that the model's own word costs."""
    probability = dict(doubt.choices)[choice]
    if not doubt.is_gap:
        hint = LOST_BITS if choice and not doubt.length else 0.0
        return -SIGHT_WEIGHT * math.log2(probability) - USUAL_BITS * (len(choice) - doubt.length) - hint
    if not choice:
        return 0.0
    is_new_word = text[doubt.at - 1].islower() and text[doubt.at + doubt.length].isupper()
    return _log_odds(even) - _log_odds(probability) - NEW_WORD_BITS * is_new_word - doubt.white


def _log_odds(probability: float) -> float:
    return math.log2(probability / max(1 - probability, 1e-6))


def _followed(context: str, letters: str, model: LetterModel) -> tuple[float, str]:
    """Bits of the letters after the context, and the context behind them."""
    bits = 0.0
    for letter in letters:
        bits += model.bits(context, letter)
        context = (context + letter)[1 - ORDER :]
    return bits, context
