"""The decision about directory entries: who a role stands for decides who may act, so it is not for everyone to say."""

from services.referrals.domain.parties import stands_for, trusted
from shared.errors import Forbidden
from shared.fhir.json import Resource
from shared.fhir.kinds import Decision, DecisionContext
from shared.security.caller import Role

_ASKED = frozenset({"Organization", "Practitioner", "PractitionerRole", "HealthcareService"})
"""Who may be the owner of a Task."""


def decide_entry(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """Places, people and organizations: not for patients to write. Raises ``Forbidden``.

    By an identifier other systems say whom they mean, so whoever gives one to themselves could take what is sent to
    somebody else: those of people and organizations come from coordinators and back ends."""
    role = context.caller.role
    if role is Role.PATIENT:
        raise Forbidden("A patient does not change the directory.")
    asked = after is not None and after["resourceType"] in _ASKED
    if role is Role.CLINICIAN and asked and (after or {}).get("identifier") != (before or {}).get("identifier"):
        raise Forbidden("Identifiers in the directory are for coordinators and back ends to give.")
    return Decision(after)


def decide_stand_in(before: Resource | None, after: Resource | None, context: DecisionContext) -> Decision:
    """PractitionerRole and HealthcareService: for coordinators and back ends; others only what stands for them.

    Before and after: else a caller could make somebody else's role their own, and accept what was sent to it.
    Raises ``Forbidden``."""
    decision = decide_entry(before, after, context)
    caller = context.caller
    if trusted(caller) or caller.role is Role.COORDINATOR:
        return decision
    if any(version is not None and not stands_for(version, caller) for version in (before, after)):
        raise Forbidden("This directory entry stands for somebody else.")
    return decision
