"""What changed between two versions of a plan, and which versions between them brought it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from services.careplans.domain.accounts import UNKNOWN, Account
from services.careplans.domain.merging import KEYED, Difference, differences
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
    before: Resource


class _Steps:
    """What each version did, found by the path of an element."""

    def __init__(self, versions: Sequence[Version]) -> None:
        self._at: dict[str, list[_Step]] = {}
        self._below: dict[str, list[_Step]] = {}
        for before, after in pairwise(versions):
            earlier = before.resource or {}
            for change in differences(earlier, after.resource or {}):
                step = _Step(after, change, earlier)
                self._at.setdefault(change.path, []).append(step)
                for above in _above(change.path):
                    self._below.setdefault(above, []).append(step)

    def that_made(self, difference: Difference) -> list[_Step]:
        """The steps on the element, on what it is in, or on what is in it: oldest first, one for each version.

        Items of a list share their path: there the item itself tells, where it does."""
        near = [*self._at.get(difference.path, ()), *self._below.get(difference.path, ())]
        near += [step for above in _above(difference.path) for step in self._at.get(above, ())]
        wanted = canonical((difference.before, difference.after))
        exact = [step for step in near if canonical((step.change.before, step.change.after)) == wanted]
        one_each = {step.version.number: step for step in exact or near}
        return [one_each[number] for number in sorted(one_each)]


def _above(path: str) -> list[str]:
    """Paths of what ``path`` may be in: more than there are elements, as an id may have a dot in it."""
    return [path[:place] for place, sign in enumerate(path) if sign == "." and path[:place] not in KEYED]


def changes(first: Resource, last: Resource, between: Sequence[Version]) -> Iterator[Change]:
    """What tells ``last`` from ``first``. ``between`` are the versions after the first up to the last, oldest first,
    with the one before the oldest of them in front; where older ones are missing, what these did has no versions."""
    steps = _Steps(between)
    for difference in differences(first, last):
        found = steps.that_made(difference)
        told = tuple(
            line(step.change, step.version.account, step.version.resource or {}, step.before) for step in found
        )
        versions = tuple(step.version for step in found)
        yield Change(difference, versions, told or (line(difference, UNKNOWN, last, first),))
