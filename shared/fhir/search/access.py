"""The one seam for access rules: what a caller may see, as filters that are compiled into the SQL of whatever reads.

``engine.access(caller)`` is asked once per request (a ``UnitOfWork`` has its ``access``). Whatever reads resources goes
through one of these, and through nothing else:

- search, counts, chains, ``_has`` and includes: ``find``, ``search_bundle`` and ``matches`` take the ``Access``;
  ``restricted`` puts its filters beside those of the query, at every hop;
- a current version: ``current(engine, caller, type, id)``; inside a unit of work ``load``;
- any other statement (history, ``$everything``, ``$export``): ``condition(access, types)`` is the SQL that its row
  ``r`` of ``resource`` must fulfil; one over ``resource_history`` asks ``EXISTS`` of the row with that type and id.

What may not be seen is answered as if it did not exist. Until there are rules everybody sees everything, and no
statement gets longer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from shared.fhir.search.filters import AnyOf, Filter, Linked
from shared.fhir.search.predicates import Shape, predicate, shape_of, values_of
from shared.fhir.search.query import Query
from shared.security.caller import Caller
from shared.store.condition import Condition


@dataclass(frozen=True, slots=True)
class Access:
    """What one caller may see."""

    filter: Callable[[str], Filter | None]
    """For a type, what its resources must pass; None: all may be seen. ``AnyOf(())`` lets none pass."""


EVERYTHING = Access(lambda type_: None)
"""All of it."""

Rules = Callable[[Caller], Access]
"""What ``Engine.access`` is."""


def everything(caller: Caller) -> Access:
    """The rules until there are any."""
    return EVERYTHING


def restricted(query: Query, access: Access) -> Query:
    """``query`` with the filters of ``access`` beside its own, also for what its chains and ``_has`` go through."""
    if access is EVERYTHING:
        return query
    return replace(query, filters=_passed(query.type, query.filters, access))


def _passed(type_: str, filters: tuple[Filter, ...], access: Access) -> tuple[Filter, ...]:
    """``filters``, each hop of theirs restricted, and that of ``access`` for ``type_``."""
    own = access.filter(type_)
    return (*(_hops_passed(each, access) for each in filters), *(() if own is None else (own,)))


def _hops_passed(filter_: Filter, access: Access) -> Filter:
    match filter_:
        case Linked(hops, reverse):
            seen = (replace(hop, filters=_passed(hop.type, hop.filters, access)) for hop in hops)
            return Linked(tuple(seen), reverse)
        case AnyOf(filters):
            return AnyOf(tuple(_hops_passed(each, access) for each in filters))
    return filter_


def condition(access: Access, types: Iterable[str]) -> Condition | None:
    """What a row ``r`` of one of ``types`` must fulfil to be seen; None where all of them may be."""
    groups: dict[Filter | None, list[str]] = {}
    for type_ in dict.fromkeys(types):
        groups.setdefault(access.filter(type_), []).append(type_)
    if groups.keys() <= {None}:
        return None
    arguments: list[object] = []
    for filter_, named in groups.items():
        arguments.append(named)
        if filter_ is not None:
            arguments += values_of(filter_)
    shapes = tuple(None if filter_ is None else shape_of(filter_) for filter_ in groups)
    return Condition(lambda first: _text(shapes, first), tuple(arguments))


@lru_cache(maxsize=1_024)
def _text(shapes: tuple[Shape | None, ...], first: int) -> str:
    numbers = iter(range(first, 32_768))

    def bind(cast: str) -> str:
        return f"${next(numbers)}::{cast}"

    choices = []
    for shape in shapes:
        named = f"r.type = ANY ({bind('text[]')})"
        choices.append(named if shape is None else f"({named} AND {predicate(shape, bind)})")
    return f"({' OR '.join(choices)})"
