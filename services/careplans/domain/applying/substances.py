"""What a medication is, from its CodeableConcepts: the ingredients that rules know, and what makes two orders the same.

An ingredient is told by its RxNorm code, or by its name or brand in a text; products have codes of their own in RxNorm,
which say nothing without its tables (https://www.nlm.nih.gov/research/umls/rxnorm).
"""

import re
from collections.abc import Iterable, Iterator

from services.careplans.domain.applying.classes import RXNORM, codings, phrases
from services.careplans.domain.safety.ingredients import BY_CODE, NAMES

_LONGEST_FIRST = sorted(NAMES, key=len, reverse=True)
_NAME = re.compile(rf"(?<![a-z])(?:{'|'.join(map(re.escape, _LONGEST_FIRST))})(?![a-z])")


def ingredients(concepts: Iterable[object]) -> frozenset[str]:
    """The names of the known ingredients."""
    return frozenset(name for concept in concepts for name in _known(concept))


def product(concepts: Iterable[object]) -> object:
    """The same value for the same product: its text, or a code that is known; None where neither says what it is."""
    for concept in concepts:
        for text in phrases(concept):
            return " ".join(text.split())
        for name in _coded(concept):
            return name
    return None


def _known(concept: object) -> Iterator[str]:
    yield from _coded(concept)
    for text in phrases(concept):
        for found in _NAME.findall(text):
            yield from NAMES[found]


def _coded(concept: object) -> Iterator[str]:
    for system, code in codings(concept):
        if system == RXNORM and code in BY_CODE:
            yield BY_CODE[code].name
