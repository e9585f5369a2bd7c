"""What is stored beside a resource so that it can be found. FHIR-free: terms, dates, strings, quantities."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b


def term(*parts: str) -> int:
    """A 64-bit signed key of ``parts`` for the ``terms`` array: small rows, and no clear text in the index."""
    return int.from_bytes(blake2b("\x1f".join(parts).encode(), digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class DateEntry:
    """A date parameter's value as the half-open range [low, high)."""

    param: str
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class StringEntry:
    """A string parameter's value: ``value`` folded (case, accents), ``exact`` as given."""

    param: str
    value: str
    exact: str


@dataclass(frozen=True, slots=True)
class QuantityEntry:
    """A number or quantity as the range its precision implies; ``unit``: a term of system and code, if any."""

    param: str
    unit: int | None
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class IndexEntries:
    """Everything indexed for one resource version."""

    patient: str | None = None
    """The patient compartment's id, for the leading column of the patient B-tree."""
    terms: tuple[int, ...] = ()
    dates: tuple[DateEntry, ...] = ()
    strings: tuple[StringEntry, ...] = ()
    quantities: tuple[QuantityEntry, ...] = ()


NOTHING = IndexEntries()
