"""Bringing two changes of one CarePlan together that were made from the same version by different people.

An element that only one of them touched is taken from them; one that both touched differently is a conflict, which
people solve. Nothing is ever made of two texts. What counts as one element: a field of the plan, of an activity or of
its detail, with its datatype whole (half of a CodeableConcept by one and half by the other would be nobody's word); an
item of any other list, like a note. Activities are known by their id, which ``identity`` gives them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from services.careplans.domain.places import KEYED, place_of
from shared.fhir.json import Resource, canonical

TAKEN_APART = frozenset({"CarePlan.activity.detail"})
"""Objects of which each field is an element of its own."""
APART = frozenset({"resourceType", "id", "meta"})
"""The server's own, and what does not change."""
NARRATIVE = "text"
"""What is generated from the rest goes when the rest is merged, as it would tell of a plan that nobody sees."""

_NOTHING: Any = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One element that somebody changed. Values are JSON; None is absence. ``path`` is FHIRPath."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Clash:
    """One element that both changed, differently. Values are JSON; None is absence. ``path`` is FHIRPath."""

    path: str
    base: Any
    theirs: Any
    mine: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """The plan with both changes; ``mine`` is what came into theirs. With a clash in it nothing is to be stored."""

    resource: Resource
    mine: tuple[Difference, ...]
    clashes: tuple[Clash, ...]


class _Three(NamedTuple):
    """Three versions of one thing; ``_NOTHING`` where it is not there."""

    base: Any
    theirs: Any
    mine: Any

    def each(self, part: Callable[[Any], Any]) -> "_Three":
        """A part of each."""
        return _Three(*map(part, self))


def merge(base: Resource, theirs: Resource, mine: Resource) -> Merged:
    """``theirs`` (what is stored) with what ``mine`` changed since ``base``; ``meta`` and ``id`` stay as in theirs."""
    work = _Work()
    versions = _Three(base, theirs, mine).each(_content)
    found = work.fields(versions, "CarePlan", "CarePlan")
    if NARRATIVE in theirs and NARRATIVE not in found and not work.differences:
        found[NARRATIVE] = theirs[NARRATIVE]
    kept = {key: value for key, value in theirs.items() if key in APART}
    return Merged(kept | found, tuple(work.differences), tuple(work.clashes))


def differences(before: Resource, after: Resource) -> tuple[Difference, ...]:
    """What changed between two versions, element by element."""
    return merge(before, before, after).mine


def _content(plan: Resource) -> Resource:
    narrative = plan.get(NARRATIVE)
    generated = isinstance(narrative, dict) and narrative.get("status") != "additional"
    left_out = {*APART, NARRATIVE} if generated else APART
    return {key: value for key, value in plan.items() if key not in left_out}


@dataclass(slots=True)
class _Work:
    """What was found on the way. ``where`` is the FHIRPath with ids in it, ``kind`` the path of the definition."""

    differences: list[Difference] = field(default_factory=list)
    clashes: list[Clash] = field(default_factory=list)

    def fields(self, versions: _Three, where: str, kind: str) -> Resource:
        """An object, field by field: in the order of theirs, then what is new in mine."""
        found: Resource = {}
        for name in dict.fromkeys((*_names(versions.theirs), *_names(versions.mine), *_names(versions.base))):
            value = self._field(versions.each(partial(_pair, name)), f"{where}.{name}", f"{kind}.{name}")
            found |= _unpaired(name, value)
        return found

    def _field(self, versions: _Three, where: str, kind: str) -> Any:
        if kind in TAKEN_APART and all(isinstance(each, dict) for each in versions):
            return self.fields(versions, where, kind)
        if all(each is _NOTHING or isinstance(each, list) for each in versions):
            lists = versions.each(lambda each: [] if each is _NOTHING else each)
            keyed = kind in KEYED and all(map(_all_have_ids, lists))
            return (self._keyed(lists, where, kind) if keyed else self._set(lists, where)) or _NOTHING
        return self._atom(versions, where)

    def _atom(self, versions: _Three, where: str) -> Any:
        base, theirs, mine = versions
        if mine in (base, theirs):
            return theirs
        if theirs == base:
            self.differences.append(Difference(where, _told(theirs), _told(mine)))
            return mine
        self.clashes.append(Clash(where, *versions.each(_told)))
        return theirs

    def _keyed(self, versions: _Three, where: str, kind: str) -> list[Any]:
        known = versions.each(lambda items: {item["id"]: item for item in items})
        found = []
        for id_ in self._order(known, where):
            place = place_of(where, id_)
            three = _Three(*(items.get(id_, _NOTHING) for items in known))
            if three.theirs == three.base == three.mine:
                found.append(three.theirs)
                continue
            in_all = all(item is not _NOTHING for item in three)
            item = self.fields(three, place, kind) if in_all else self._atom(three, place)
            if item is not _NOTHING:
                found.append(item)
        return found

    def _order(self, known: _Three, where: str) -> Iterable[str]:
        """All ids, in the order of theirs; in that of mine where only mine has another one than base."""
        shared = set(known.base) & set(known.theirs) & set(known.mine)
        orders = known.each(lambda ids: [id_ for id_ in ids if id_ in shared])
        mine_first = list(known.theirs) == list(known.base)
        if orders.mine not in (orders.base, orders.theirs):
            mine_first = orders.theirs == orders.base
            if mine_first:
                self.differences.append(Difference(where, orders.base, orders.mine))
            else:
                self.clashes.append(Clash(where, *orders))
        return dict.fromkeys((*known.mine, *known.theirs) if mine_first else (*known.theirs, *known.mine))

    def _set(self, versions: _Three, where: str) -> list[Any]:
        """Items without an id, as often as they stand there: what one added or took away.

        Where both took away the same and put something in its place, both edited that item."""
        base, theirs, mine = versions
        added, removed = _beyond(mine, base), _beyond(base, mine)
        their_added, their_removed = _beyond(theirs, base), _beyond(base, theirs)
        both = _common(removed, their_removed)
        if both and (added or their_added) and (added, removed) != (their_added, their_removed):
            self.clashes.append(Clash(where, both, their_added or None, added or None))
            return list(theirs)
        taken, put = _beyond(removed, their_removed), _beyond(added, their_added)
        self.differences += [Difference(where, item, None) for item in taken]
        self.differences += [Difference(where, None, item) for item in put]
        return list(mine) if theirs == base else [*_beyond(theirs, taken), *put]


def _names(value: Resource) -> Iterator[str]:
    """The fields; an element and what is said beside it (``_status``) are one."""
    return (name.removeprefix("_") for name in value)


def _pair(name: str, value: Resource) -> Any:
    if f"_{name}" not in value:
        return value.get(name, _NOTHING)
    return _Beside(value.get(name, _NOTHING), value[f"_{name}"])


@dataclass(frozen=True, slots=True)
class _Beside:
    """A primitive with what is said of it (http://hl7.org/fhir/R4/json.html#primitive)."""

    value: Any
    said: Any


def _unpaired(name: str, value: Any) -> Resource:
    if isinstance(value, _Beside):
        return ({} if value.value is _NOTHING else {name: value.value}) | {f"_{name}": value.said}
    return {} if value is _NOTHING else {name: value}


def _told(value: Any) -> Any:
    if isinstance(value, _Beside):
        return {"value": _told(value.value), "_value": value.said}
    return None if value is _NOTHING else value


def _all_have_ids(items: list[Any]) -> bool:
    ids = [item.get("id") for item in items if isinstance(item, dict)]
    return all(isinstance(id_, str) for id_ in ids) and len(set(ids)) == len(ids) == len(items)


def _beyond(items: list[Any], others: list[Any]) -> list[Any]:
    """``items`` without ``others``, each as often as it is there more often."""
    left = Counter(map(canonical, others))
    found = []
    for item in items:
        known = canonical(item)
        if left[known]:
            left[known] -= 1
        else:
            found.append(item)
    return found


def _common(items: list[Any], others: list[Any]) -> list[Any]:
    return _beyond(items, _beyond(items, others))
