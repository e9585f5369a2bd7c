"""Tests of one value that belong together: ``date=ge2024&date=lt2025`` is one window, and one range of an index;
``subject:Patient.family=x&subject:Patient.given=y`` speaks of one patient, who is looked for by both."""

from collections.abc import Iterable

from shared.fhir.search.filters import Dates, Filter, Hop, Linked, Quantities, Updated


def joined(filters: Iterable[Filter], single: frozenset[int]) -> tuple[Filter, ...]:
    """``filters`` with the tests of one parameter joined, where a resource has at most one value.

    ``single`` are the keys of those parameters. A list of alternatives stays by itself."""
    found: list[Filter] = []
    places: dict[tuple[type, int, str], int] = {}
    for each in filters:
        value = _value_of(each)
        if value is not None and (value[1] in single or value[0] is Updated):
            place = places.setdefault(value, len(found))
            if place < len(found):
                found[place] = _join(found[place], each)
                continue
        found.append(each)
    return tuple(found)


def _value_of(test: Filter) -> tuple[type, int, str] | None:
    """What ``test`` alone is about: two tests with the same answer are joined, where the resource has one value."""
    match test:
        case Dates(param, (_,)) | Quantities(param, (_,)):
            return type(test), param, ""
        case Updated((_,)):
            return Updated, 0, ""
        case Linked((Hop(type_, key, _),), reverse=False):
            return Linked, key, type_
    return None


def _join(first: Filter, second: Filter) -> Filter:
    match first, second:
        case Dates(param, tests), Dates(_, more):
            return Dates(param, tests + more, every=True)
        case Quantities(param, measures), Quantities(_, others):
            return Quantities(param, measures + others, every=True)
        case Updated(tests), Updated(more):
            return Updated(tests + more, every=True)
        case Linked((Hop(type_, key, asked),)), Linked((Hop(filters=asked_too),)):
            return Linked((Hop(type_, key, asked + asked_too),))
    raise TypeError("these are not tests of one value")
