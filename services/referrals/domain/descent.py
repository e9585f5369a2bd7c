"""Where a referral comes from, and whether it would go back to who sent it (A to B to A).

What leads up: ``Task.partOf`` and ``basedOn``, the order in a Task's focus, the orders that an order is ``basedOn`` or
``replaces`` (http://hl7.org/fhir/R4/task.html, http://hl7.org/fhir/R4/request.html).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from services.referrals.domain.extensions import listed
from services.referrals.domain.references import target
from services.referrals.domain.ties import Party, Tie, tie
from shared.fhir.json import Resource

MOST_STEPS = 10
"""So far up a descent is followed: nobody passes a referral on so often."""
_UP = {"Task": ("partOf", "basedOn", "focus"), "ServiceRequest": ("basedOn", "replaces")}


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who sent the referral on its way, and the Task or order that says so."""

    requester: str
    through: str


@dataclass(frozen=True, slots=True)
class Loop:
    """The referral would come back to ``sender``; ``tie`` is how near to them it goes."""

    sender: Sender
    tie: Tie


def above(resource: Resource) -> Iterator[str]:
    """The Tasks and orders that ``resource`` comes from directly."""
    for element in _UP.get(resource["resourceType"], ()):
        found = (target(each) for each in listed(resource, element))
        yield from (each for each in found if each and each.partition("/")[0] in _UP)


def senders(start: Iterable[str], known: Mapping[str, Resource], present: str | None) -> tuple[Sender, ...]:
    """Who sent the referral before, the latest first; ``start`` is what it comes from directly.

    Who sends it now (``present``) is left out: their own orders are no way back. Circles end where they close."""
    found: list[Sender] = []
    seen: set[str] = set()
    level = [reference for reference in start if reference in known]
    while level:
        seen.update(level)
        for reference in level:
            requester = target(known[reference].get("requester"))
            if requester and requester != present:
                found.append(Sender(requester, reference))
        further = (each for reference in level for each in above(known[reference]))
        level = [each for each in dict.fromkeys(further) if each in known and each not in seen]
    first: dict[str, Sender] = {}
    for sender in found:
        first.setdefault(sender.requester, sender)
    return tuple(first.values())


def loops(party: Party, up: Iterable[tuple[Sender, Party]]) -> tuple[Loop, ...]:
    """The senders to whom the referral would come back if ``party`` took it."""
    found = ((sender, tie(party, sent_by)) for sender, sent_by in up)
    return tuple(Loop(sender, near) for sender, near in found if near is not None)
