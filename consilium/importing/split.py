"""A transaction that writes to several services, as one transaction per owner; the referred-to part goes first."""

from collections.abc import Callable

from consilium.importing.references import needs, offers
from consilium.importing.units import Entry, Unit, type_of


def parts(unit: Unit, owner_of: Callable[[str], str | None]) -> list[Unit] | None:
    """``unit`` as it can be sent: itself, or its parts in order. None where the parts refer to each other in a circle.

    Only references that need an answer first (a fullUrl, a criterion) bind the order; literal ones hold at once."""
    if not unit.atomic or len({owner_of(type_of(entry)) for entry in unit.entries}) <= 1:
        return [unit]
    left = list(range(len(unit.entries)))
    offering = _offering(unit.entries)
    waiting = {
        position: {offering[name] for name in needs(entry) if name in offering} - {position}
        for position, entry in enumerate(unit.entries)
    }
    owners = {position: owner_of(type_of(unit.entries[position])) for position in left}
    found: list[Unit] = []
    done: set[int] = set()
    while left:
        closed = [_closed(owner, left, owners, waiting, done) for owner in dict.fromkeys(owners[item] for item in left)]
        best = max(closed, key=len)
        if not best:
            return None
        found.append(Unit(unit.source, True, tuple(unit.entries[position] for position in best)))
        done.update(best)
        left = [position for position in left if position not in done]
    return found


def _offering(entries: tuple[Entry, ...]) -> dict[str, int]:
    """Which entry answers to a name that is only known once the entry is stored."""
    return {
        name: position
        for position, entry in enumerate(entries)
        for name in offers(entry)
        if name.startswith("urn:") or "?" in name
    }


def _closed(
    owner: str | None, left: list[int], owners: dict[int, str | None], waiting: dict[int, set[int]], done: set[int]
) -> list[int]:
    """The most entries of ``owner`` that wait for nothing but each other and what is done."""
    chosen = {position for position in left if owners[position] == owner}
    while True:
        stuck = {position for position in chosen if not waiting[position] <= chosen | done}
        if not stuck:
            return sorted(chosen)
        chosen -= stuck
