"""What a search asks of one resource: values without SQL. ``sql.py`` writes them down; access rules use the same."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """Carries one of ``any_of`` (negated: none of them). ``rank``: the lower, the likelier to be rare."""

    any_of: tuple[int, ...]
    negated: bool = False
    rank: int = 1


@dataclass(frozen=True, slots=True)
class Marked:
    """Has (or is ``missing``) a value for the parameter whose mark this is."""

    mark: int
    missing: bool


@dataclass(frozen=True, slots=True)
class Patients:
    """Is in the compartment of one of these patients."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ids:
    """Has one of these ids (negated: none of them)."""

    ids: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class DateTest:
    """A prefix and the range [low, high) of the search value, in microseconds since 1970."""

    prefix: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Dates:
    """A value of the date parameter passes one of the tests (``every``: all of them)."""

    param: int
    tests: tuple[DateTest, ...]
    every: bool = False


@dataclass(frozen=True, slots=True)
class Updated:
    """``meta.lastUpdated`` passes one of the tests (``every``: all of them)."""

    tests: tuple[DateTest, ...]
    every: bool = False


@dataclass(frozen=True, slots=True)
class Strings:
    """A value of the string parameter matches one of ``values`` (folded); ``mode`` is prefix, exact or contains."""

    param: int
    mode: str
    values: tuple[str, ...]
    exact: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class QuantityTest:
    """A prefix, the range of the search value, and terms that the value must all have, such as that of its unit."""

    prefix: str
    low: Decimal
    high: Decimal
    units: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantities:
    """A value of the number or quantity parameter passes one of the tests (``every``: all of them)."""

    param: int
    tests: tuple[QuantityTest, ...]
    every: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """A resource of ``type`` that passes all ``filters``, at the other end of references by the parameter ``key``."""

    type: str
    key: int
    filters: "tuple[Filter, ...]"


@dataclass(frozen=True, slots=True)
class Linked:
    """Refers to the resource of one of ``hops`` (a chain); ``reverse``: is referred to by one (``_has``)."""

    hops: tuple[Hop, ...]
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Passes one of ``filters`` (none: nothing passes)."""

    filters: "tuple[Filter, ...]"


Filter = Terms | Marked | Patients | Ids | Dates | Updated | Strings | Quantities | Linked | AnyOf
