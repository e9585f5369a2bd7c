"""Tests of one value that belong together: ``date=ge2024&date=lt2025`` is one window, and one range of an index."""

from collections.abc import Iterable

from shared.fhir.search.filters import Dates, Filter, Quantities, Updated


def joined(filters: Iterable[Filter], single: frozenset[int]) -> tuple[Filter, ...]:
    """``filters`` with the tests of one parameter joined, where a resource has at most one value.

    ``single`` are the keys of those parameters. A list of alternatives stays by itself."""
    found: list[Filter] = []
    windows: dict[tuple[type, int], int] = {}
    for each in filters:
        if isinstance(each, Dates | Quantities | Updated) and len(each.tests) == 1:
            param = 0 if isinstance(each, Updated) else each.param
            if param in single or isinstance(each, Updated):
                place = windows.setdefault((type(each), param), len(found))
                if place < len(found):
                    found[place] = _join(found[place], each)
                    continue
        found.append(each)
    return tuple(found)


def _join(first: Filter, second: Filter) -> Filter:
    match first, second:
        case Dates(param, tests), Dates(_, more):
            return Dates(param, tests + more, every=True)
        case Quantities(param, measures), Quantities(_, others):
            return Quantities(param, measures + others, every=True)
        case Updated(tests), Updated(more):
            return Updated(tests + more, every=True)
    raise TypeError("these are not tests of one value")
