"""What changed between two versions of a plan, and which versions between them brought it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from services.careplans.domain.accounts import UNKNOWN, Account
from services.careplans.domain.merging import Difference, differences
from services.careplans.domain.places import Activities, activities_by_place, places_of
from services.careplans.domain.telling import line
from shared.fhir.json import Resource, canonical


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a plan; ``resource`` is None for a deletion."""

    number: int
    recorded: str
    """A FHIR instant."""
    resource: Resource | None
    account: Account


@dataclass(frozen=True, slots=True)
class Change:
    """One element that is not the same in the first and the last version."""

    difference: Difference
    versions: tuple[Version, ...]
    """Those that changed it, oldest first."""
    summary: tuple[str, ...]
    """A line for each of ``versions``; one without a name where nobody knows them."""


@dataclass(frozen=True, slots=True)
class _Step:
    version: Version
    change: Difference
    activities: tuple[Activities, Activities]
    """Of the version, and of the one before it."""

    @property
    def line(self) -> str:
        return line(self.change, self.version.account, *self.activities)


class _Steps:
    """What each version did, found by the path of an element."""

    def __init__(self, versions: Sequence[Version]) -> None:
        self._exact: dict[tuple[str, bytes], list[_Step]] = {}
        self._at: dict[str, list[_Step]] = {}
        self._below: dict[str, list[_Step]] = {}
        activities = [activities_by_place(version.resource or {}) for version in versions]
        for place, (before, after) in enumerate(pairwise(versions)):
            for change in differences(before.resource or {}, after.resource or {}):
                self._add(_Step(after, change, (activities[place + 1], activities[place])))

    def _add(self, step: _Step) -> None:
        self._exact.setdefault(_key(step.change), []).append(step)
        self._at.setdefault(step.change.path, []).append(step)
        for above in islice(places_of(step.change.path), 1, None):
            self._below.setdefault(above, []).append(step)

    def that_made(self, difference: Difference) -> list[_Step]:
        """The steps on the element, on what it is in, or on what is in it: oldest first, one for each version.

        Items of a list share their path: there the item itself tells, where it does."""
        found = self._exact.get(_key(difference), [])
        if not found:
            found = [step for place in places_of(difference.path) for step in self._at.get(place, ())]
            found += self._below.get(difference.path, ())
        one_each = {step.version.number: step for step in found}
        return [one_each[number] for number in sorted(one_each)]


def _key(change: Difference) -> tuple[str, bytes]:
    return change.path, canonical((change.before, change.after))


def changes(first: Resource, last: Resource, between: Sequence[Version]) -> Iterator[Change]:
    """What tells ``last`` from ``first``. ``between`` are the versions after the first up to the last, oldest first,
    with the one before the oldest of them in front; where older ones are missing, what these did has no versions."""
    steps = _Steps(between)
    activities = activities_by_place(last), activities_by_place(first)
    for difference in differences(first, last):
        found = steps.that_made(difference)
        told = tuple(step.line for step in found) or (line(difference, UNKNOWN, *activities),)
        yield Change(difference, tuple(step.version for step in found), told)
