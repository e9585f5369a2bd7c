"""What is stored beside a resource so that it can be found. FHIR-free: terms, dates, strings, quantities."""

from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b


def term(*parts: str) -> int:
    """A 64-bit signed key of ``parts``: small index rows, and no clear text in the index."""
    return int.from_bytes(blake2b("\x1f".join(parts).encode(), digest_size=8).digest(), "big", signed=True)


def identity(type_: str, id_: str) -> int:
    """The key of one resource: its row holds it as ``self``, and whoever refers to it among its terms."""
    return term("", "reference", type_, id_)


def link_term(param: int, target: int) -> int:
    """The term of a reference by the parameter ``param`` to the resource with the key ``target``.

    PostgreSQL can make it, too, from a row's ``self``: that is how a search goes along references backwards."""
    return param ^ target


EARLIEST, LATEST = -(2**62), 2**62
"""The open ends of a date range, beyond every year that FHIR can write."""

DATE_LEVELS = tuple(days * 86_400_000_000 for days in (1, 8, 64, 512))
"""The greatest length of each level in microseconds; longer and open entries are of one level more."""

LONGEST_STRING = 500
"""Characters of a string that are indexed (a B-tree entry must stay under 2,700 bytes)."""


@dataclass(frozen=True, slots=True)
class DateEntry:
    """A date parameter's value as the half-open range [low, high), in microseconds since 1970-01-01T00:00:00Z."""

    param: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class StringEntry:
    """A string parameter's value: ``value`` folded (case, accents) and cut, ``exact`` a term of it as given."""

    param: int
    value: str
    exact: int


@dataclass(frozen=True, slots=True)
class QuantityEntry:
    """A number or quantity as the closed range [low, high]; ``units`` are the terms by which its unit may be named."""

    param: int
    units: tuple[int, ...]
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class IndexEntries:
    """Everything indexed for one resource version. ``param`` everywhere is a term of the type and parameter."""

    patient: str | None = None
    """The patient compartment's id, for the leading column of the patient B-tree."""
    terms: tuple[int, ...] = ()
    """Distinct keys of tokens, references and URIs."""
    links: tuple[tuple[int, int], ...] = ()
    """Where references lead: the key of the parameter and the ``identity`` of the resource."""
    marks: tuple[int, ...] = ()
    """Keys of the parameters that have a value here, for ``:missing``; never a way to find a resource."""
    dates: tuple[DateEntry, ...] = ()
    strings: tuple[StringEntry, ...] = ()
    quantities: tuple[QuantityEntry, ...] = ()


NOTHING = IndexEntries()
