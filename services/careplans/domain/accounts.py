"""Who made a version of a plan, in which role and discipline, and why: read from its Provenances.

Who, the server's own record says; why, that or what the client sent along in the same write
(http://hl7.org/fhir/R4/provenance.html).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from services.careplans.domain.codes import DISCIPLINE_SYSTEM, reference_of
from shared.fhir.json import Resource

SERVER = "urn:consilium:provenance"
"""``meta.source`` of what the server records; nobody else can write it."""
ROLE_SYSTEM = "https://consilium.care/fhir/CodeSystem/caller-role"


@dataclass(frozen=True, slots=True)
class Account:
    """Who made a version, and why. ``who`` is a Reference (http://hl7.org/fhir/R4/references.html)."""

    who: Resource | None = None
    role: str | None = None
    discipline: str | None = None
    reason: str | None = None

    @property
    def reference(self) -> str | None:
        """Who, where that is a resource."""
        return reference_of(self.who)


UNKNOWN = Account()


def accounts_in(provenances: Iterable[Resource]) -> dict[str, Account]:
    """By ``CarePlan/x/_history/3``. All of them must be of the write that made the version."""
    found: dict[str, Account] = {}
    for provenance in sorted(provenances, key=_of_server):
        account = _account(provenance)
        for target in provenance.get("target") or ():
            reference = reference_of(target)
            if reference is not None:
                known = found.get(reference, UNKNOWN)
                found[reference] = replace(account, reason=account.reason or known.reason)
    return found


def _of_server(provenance: Resource) -> bool:
    source: str | None = provenance.get("meta", {}).get("source")
    return source == SERVER


def _account(provenance: Resource) -> Account:
    reason = next((text for each in provenance.get("reason") or () if (text := _text(each))), None)
    if not _of_server(provenance):
        return Account(reason=reason)
    agent: Resource = next(iter(provenance.get("agent") or ()), {})
    codes = {coding.get("system"): coding.get("code") for role in agent.get("role") or () for coding in role["coding"]}
    return Account(agent.get("who"), codes.get(ROLE_SYSTEM), codes.get(DISCIPLINE_SYSTEM), reason)


def _text(concept: Resource) -> str | None:
    """A CodeableConcept in words."""
    displays: Iterable[Any] = (coding.get("display") for coding in concept.get("coding") or ())
    found: str | None = concept.get("text") or next(filter(None, displays), None)
    return found
