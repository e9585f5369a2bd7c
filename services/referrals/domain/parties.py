"""Who is who: on which side of a Task, or behind which reference, a caller stands."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.referrals.domain.references import target
from services.referrals.domain.transitions import Actor
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role

BOTH = frozenset(Actor)
_STAND_INS: dict[str, tuple[tuple[str, str], ...]] = {
    "PractitionerRole": (("practitioner", "fhir_user"), ("organization", "organization")),
    "HealthcareService": (("providedBy", "organization"),),
}
"""The types that stand for people or an organization: (their element, the caller's reference that must equal it)."""


def trusted(caller: Caller) -> bool:
    """A back end without references of its own: it imports, and speaks for either side."""
    return caller.role is Role.SYSTEM and not caller.references


def stand_ins(*elements: Any) -> Iterable[str]:
    """The references among ``elements`` that must be looked up to know whom they stand for."""
    found = (target(element) for element in elements)
    return {reference for reference in found if reference and reference.partition("/")[0] in _STAND_INS}


def is_behind(caller: Caller, element: Any, related: Mapping[str, Resource]) -> bool:
    """Whether ``caller`` is whom the reference ``element`` names, directly or by a role or service of theirs."""
    reference = target(element)
    if reference is None:
        return False
    return reference in caller.references or stands_for(related.get(reference), caller)


def stands_for(resource: Resource | None, caller: Caller) -> bool:
    """Whether a PractitionerRole or HealthcareService is one of the caller's."""
    if resource is None:
        return False
    pairs = (
        (target(resource.get(element)), getattr(caller, attribute))
        for element, attribute in _STAND_INS.get(resource["resourceType"], ())
    )
    return any(reference is not None and reference == own for reference, own in pairs)


def bears(resource: Resource | None, element: Any) -> bool:
    """Whether ``resource`` is whom the reference ``element`` means by an identifier alone."""
    if resource is None or not isinstance(element, Mapping) or element.get("reference"):
        return False
    meant = element.get("identifier") or {}
    if not meant.get("system") or not meant.get("value"):
        return False
    known = ((each.get("system"), each.get("value")) for each in resource.get("identifier") or ())
    return (meant["system"], meant["value"]) in known


def is_same_party(one: Any, other: Any, related: Mapping[str, Resource]) -> bool:
    """Whether two references name the same, or one of them a role or service of the other."""
    first, second = target(one), target(other)
    if first is None or second is None:
        return False
    return first == second or first in _behind(second, related) or second in _behind(first, related)


def _behind(reference: str, related: Mapping[str, Resource]) -> frozenset[str | None]:
    """Whom a PractitionerRole or HealthcareService stands for."""
    elements = _STAND_INS.get(reference.partition("/")[0], ())
    return frozenset(target(related.get(reference, {}).get(element)) for element, _ in elements)


def sides(task: Resource, caller: Caller, related: Mapping[str, Resource]) -> frozenset[Actor]:
    """The sides of ``task`` on which ``caller`` stands; none for a stranger.

    A coordinator acts with the initiator's powers. A patient acts only on Tasks that they own."""
    if trusted(caller):
        return BOTH
    found = set()
    if is_behind(caller, task.get("owner"), related):
        found.add(Actor.RECIPIENT)
    if caller.role is Role.COORDINATOR or (
        caller.role is not Role.PATIENT and is_behind(caller, task.get("requester"), related)
    ):
        found.add(Actor.INITIATOR)
    return frozenset(found)


def may_claim(before: Resource, after: Resource, caller: Caller, related: Mapping[str, Resource]) -> bool:
    """Whether ``caller`` makes an open Task their own: nobody owns it, they are its owner afterwards.

    Where ``Task.restriction.recipient`` names whom it was offered to, it must be one of them. An owner that another
    system named by an identifier is whoever bears that identifier here: they may decline as well."""
    if caller.role is Role.PATIENT:
        return False
    if before.get("owner"):
        named = bears(related.get(target(after.get("owner")) or ""), before["owner"])
        return named and is_behind(caller, after.get("owner"), related)
    if after.get("status") not in ("received", "accepted"):
        return False
    offered = (before.get("restriction") or {}).get("recipient") or ()
    if offered and not any(is_behind(caller, recipient, related) for recipient in offered):
        return False
    return is_behind(caller, after.get("owner"), related)
