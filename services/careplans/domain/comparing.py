"""Three versions of a CarePlan side by side: what a caller is told whose change came too late."""

from collections.abc import Iterable, Iterator

from services.careplans.domain.identity import with_ids, with_ids_if_unique
from services.careplans.domain.merging import Clash, Difference, differences, merge
from services.careplans.domain.places import places_of
from shared.fhir.comparison import Element, Side
from shared.fhir.json import Resource, canonical


def compare(base: Resource | None, theirs: Resource, mine: Resource) -> tuple[Element, ...]:
    """Every element that is not the same in all three: first what clashes, then theirs, then mine.

    Without ``base`` all that differs between the two may be a clash. Raises ``Unprocessable`` for ids that stand
    twice."""
    theirs = with_ids_if_unique(theirs, "activity")
    if base is None:
        mine = with_ids(mine, "activity", theirs)
        return tuple(Element(each.path, None, each.before, each.after) for each in differences(theirs, mine))
    base = with_ids_if_unique(base, "activity")
    mine = with_ids(mine, "activity", base)
    merged = merge(base, theirs, mine)
    by_them, by_me = differences(base, theirs), {_key(each) for each in differences(base, mine)}
    return (
        *(Element(each.path, each.base, each.theirs, each.mine, Side.BOTH) for each in merged.clashes),
        *_theirs(by_them, by_me, merged.clashes),
        *(Element(each.path, each.before, each.before, each.after, Side.MINE) for each in merged.mine),
    )


def _theirs(
    changes: Iterable[Difference], by_me: set[tuple[str, bytes]], clashes: Iterable[Clash]
) -> Iterator[Element]:
    """What they changed and I did not, or did in the same way; what clashes has been told."""
    clashing = {clash.path for clash in clashes}
    for each in changes:
        if not clashing.isdisjoint(places_of(each.path)):
            continue
        if _key(each) in by_me:
            yield Element(each.path, each.before, each.after, each.after, Side.BOTH)
        else:
            yield Element(each.path, each.before, each.after, each.before, Side.THEIRS)


def _key(change: Difference) -> tuple[str, bytes]:
    return change.path, canonical((change.before, change.after))
