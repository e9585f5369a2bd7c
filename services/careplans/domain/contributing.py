"""A contribution to the shared plan: what one person changed in the version that they saw goes into what is stored."""

from dataclasses import dataclass
from hashlib import sha256

from services.careplans.domain.comparing import compare
from services.careplans.domain.hands import Hands, claimed
from services.careplans.domain.identity import with_ids
from services.careplans.domain.merging import merge
from shared.fhir.comparison import Element
from shared.fhir.json import Resource, canonical
from shared.security.caller import Caller

APART = frozenset({"meta"})
"""What of a contribution is not the plan."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What was sent: the whole plan as the caller wants it, made from the version ``base``; ``reason``: why, in words.

    ``plan`` has passed the validation."""

    plan: Resource
    base: int
    reason: str | None = None

    def name(self, caller: Caller) -> str:
        """By which it is known when it comes again: the same content from the same version, by the same caller."""
        said = {key: value for key, value in self.plan.items() if key not in APART}
        return sha256(canonical([caller.subject, self.base, said])).hexdigest()


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a contribution."""

    resource: Resource | None = None
    """What is to be stored; None where all of it is there already, or it is refused."""
    refused: tuple[Element, ...] = ()
    """All that differs between the three versions, where others changed the same; nothing is to be stored then."""


def brought_in(contribution: Contribution, base: Resource | None, theirs: Resource, hands: Hands) -> Brought:
    """``theirs``, what is stored, with what was contributed. It is refused where ``base`` is not kept.

    What is new gets its id and discipline before, so that it is the same element when it comes again. Raises
    ``Forbidden`` and ``Unprocessable`` as ``with_ids`` and ``claimed``."""
    theirs, seen = with_ids(theirs, "activity"), with_ids(base or theirs, "activity")
    mine = claimed(seen, with_ids(contribution.plan, "activity", seen), hands)
    if base is None:
        return Brought(refused=compare(None, theirs, mine))
    merged = merge(seen, theirs, mine)
    if merged.clashes:
        return Brought(refused=compare(base, theirs, mine))
    return Brought(merged.resource if merged.mine else None)
