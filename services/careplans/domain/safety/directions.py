"""What the text of a dosage instruction says, as far as it can contradict the elements beside it.

Only plain directions are read ("take 1 tablet by mouth every 12 hours"); of any other nothing is said, and nothing is
ever computed from a text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_NUMBERS = {
    **{word: Decimal(place) for place, word in enumerate("one two three four five six".split(), start=1)},
    "once": Decimal(1),
    "twice": Decimal(2),
    "half": Decimal("0.5"),
    "a half": Decimal("0.5"),
}
_COUNT = r"\d+(?:\.\d+)?|" + "|".join(_NUMBERS)
_RANGE = rf"({_COUNT})(?:\s*(?:-|to|or)\s*({_COUNT}))?"
_PIECES = re.compile(
    rf"\b{_RANGE}\s*(?:\(\w+\)\s*)?(?:tab(?:let)?s?|cap(?:sule)?s?|caplets?|pills?|patch(?:es)?)\b(?!\s+of)", re.I
)
_MASS = re.compile(rf"(?<![-/.\d])\b{_RANGE}\s*(mg|mcg)\b(?!\s*/)", re.I)
_EVERY_HOURS = re.compile(rf"\b(?:every|each|q)\s*{_RANGE}\s*(?:h|hrs?|hours?|hourly)\b", re.I)
_EVERY_DAYS = re.compile(rf"\b(?:every|each)\s+{_RANGE}\s+(days?|weeks?)\b", re.I)
_TIMES = re.compile(rf"\b({_COUNT})(?:\s*x|\s+times)?\s*(?:/|a|per|each|every)?\s*(?:day|daily)\b", re.I)
_NOT_COUNTED = r"(?<!times )(?<!twice )(?<!once )(?<!\d )(?<!x )"
_WORDS = {
    r"(?:\bb\.?i\.?d\b|\btwice daily\b)": Decimal(2),
    r"\bt\.?i\.?d\b": Decimal(3),
    r"\bq\.?i\.?d\b": Decimal(4),
    r"\b(?:qhs|(?:at|every|each) (?:bedtime|night)|nightly|(?:in the|every|each) (?:morning|evening))\b": Decimal(1),
    r"\b(?:every other day|qod)\b": Decimal(1) / 2,
    rf"\b(?:every|each) day\b|\bqd\b|{_NOT_COUNTED}\bdaily\b": Decimal(1),
    rf"\b(?:every|each) week\b|{_NOT_COUNTED}\bweekly\b": Decimal(1) / 7,
}
_SEVERAL = re.compile(
    r"\b(?:then|and|max(?:imum)?|not? (?:more|exceed)|up to|taper|increase|decrease|for \d+ days?)\b", re.I
)
"""Words of directions that say more than one thing."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a text says at most; None where it does not say, or says more than one thing."""

    per_day: Decimal | None = None
    pieces: Decimal | None = None
    """Tablets, capsules or patches at a time."""
    mg: Decimal | None = None
    """Milligrams at a time."""


def said(text: str | None) -> Said:
    """What ``text`` says of how much and how often."""
    if not text or _SEVERAL.search(text):
        return Said()
    return Said(_only(_frequencies(text)), _only(_upper(found) for found in _PIECES.finditer(text)), _only(_mg(text)))


def _only(found: Iterator[Decimal]) -> Decimal | None:
    values = set(found)
    return values.pop() if len(values) == 1 else None


def _frequencies(text: str) -> Iterator[Decimal]:
    rest = text
    for found in _EVERY_HOURS.finditer(text):
        if hours := _value(found[1]):
            yield Decimal(24) / hours
    for found in _EVERY_DAYS.finditer(text):
        if days := _value(found[1]):
            yield 1 / (days * (7 if found[3].lower().startswith("week") else 1))
    for found in _TIMES.finditer(text):
        yield _value(found[1])
        rest = rest.replace(found[0], " ")
    for pattern, per_day in _WORDS.items():
        if re.search(pattern, rest, re.I):
            yield per_day


def _mg(text: str) -> Iterator[Decimal]:
    for found in _MASS.finditer(text):
        yield _upper(found) / (1000 if found[3].lower() == "mcg" else 1)


def _upper(found: re.Match[str]) -> Decimal:
    return _value(found[2] or found[1])


def _value(text: str) -> Decimal:
    word = text.lower()
    return _NUMBERS[word] if word in _NUMBERS else Decimal(word)
